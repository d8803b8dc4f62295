//! `agents completions SHELL`.
use super::{Context, failure::Report};
use clap::{Args, Command};
use clap_complete::Shell;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  agents completions bash > ~/.local/share/bash-completion/completions/agents
  agents completions fish > ~/.config/fish/completions/agents.fish")]
pub struct CompletionsArgs {
    shell: Shell,
}

pub fn run(args: &CompletionsArgs, mut command: Command, context: &mut Context) -> Report {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "agents", &mut script);
    context.out.raw(&script)?;
    Ok(0)
}
