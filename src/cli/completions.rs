//! `agents completions SHELL`.
use super::{Context, args::Args as Line, failure::Report};
use clap::{Args, CommandFactory};
use clap_complete::Shell;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  agents completions bash > ~/.local/share/bash-completion/completions/agents
  agents completions fish > ~/.config/fish/completions/agents.fish")]
pub struct CompletionsArgs {
    shell: Shell,
}

pub fn run(args: &CompletionsArgs, context: &mut Context) -> Report {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Line::command(), "agents", &mut script);
    context.out.raw(&script)?;
    Ok(0)
}
