//! `agents init`: a config that can be started, and a prompt to edit.
use super::{
    Context,
    failure::{Failure, Report},
    init_backends,
};
use crate::model::name::{printable, usable_form};
use clap::{Args, builder::PossibleValuesParser};
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

#[derive(Debug, Args)]
pub struct InitArgs {
    /// Where; made if it is missing [default: here]
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    dir: Option<PathBuf>,
    /// The agent program to begin with
    #[arg(long, value_name = "B", default_value = "claude", value_parser = PossibleValuesParser::new(init_backends::NAMES))]
    backend: String,
}

const PROMPT: &str = "\
You work in this repository, alone and unattended. Nobody answers questions: decide, and say why in your commits.

Your task:

- (say here what is to be done, and how you will know that it is done)

Work in small steps, run the tests after each, commit what works. When nothing is left to do, say so and stop.
";

pub fn run(args: &InitArgs, context: &mut Context) -> Report {
    let dir = args.dir.clone().unwrap_or_else(|| PathBuf::from("."));
    let table =
        init_backends::table(&args.backend).ok_or_else(|| Failure::new(2, format!("no backend `{}`", args.backend)))?;
    let failed = |what: &Path| {
        let what = what.display().to_string();
        move |e: io::Error| Failure::new(1, format!("`{what}` cannot be made: {e}"))
    };
    fs::create_dir_all(&dir).map_err(failed(&dir))?;
    let dir = dir.canonicalize().map_err(failed(&dir))?;
    let config = dir.join("agents.toml");
    let prompts = dir.join("prompts");
    let mut file = OpenOptions::new().write(true).create_new(true).open(&config).map_err(|e| {
        if e.kind() == io::ErrorKind::AlreadyExists {
            Failure::new(1, format!("{} already exists — refusing to overwrite", config.display()))
        } else {
            failed(&config)(e)
        }
    })?;
    let name = dir.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    file.write_all(text(&name, &args.backend, &table).as_bytes()).map_err(failed(&config))?;
    fs::create_dir_all(&prompts).map_err(failed(&prompts))?;
    let prompt = prompts.join("worker.md");
    match OpenOptions::new().write(true).create_new(true).open(&prompt) {
        Ok(mut file) => file.write_all(PROMPT.as_bytes()).map_err(failed(&prompt))?,
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
        Err(e) => return Err(failed(&prompt)(e)),
    }
    context.out.line(&format!(
        "scaffolded {} and {}/ — edit, then `agents check`, `agents up` and `agents status`",
        printable(&config.to_string_lossy()),
        printable(&prompts.to_string_lossy())
    ))?;
    if dir.join(".git").exists() {
        context.out.line("hint: keep the logs out of git: `echo .agents/ >> .gitignore`")?;
    }
    Ok(0)
}

/// `my.proj` becomes `my-proj-`: a name that tmux keeps as it is.
fn text(dir_name: &str, backend: &str, table: &str) -> String {
    let prefix: String = usable_form(dir_name).chars().take(40).collect();
    format!(
        "\
# A fleet of AI coding agents. `agents check` finds mistakes, `agents schema` describes every key.

[defaults]
session_prefix = \"{prefix}-\"   # tmux session = prefix + agent name
log_dir = \".agents\"   # logs and memory
backend = \"{backend}\"
#model = \"\"   # empty: the program's own
watch = \"heal\"   # restart what dies; `heal+stall` also what hangs, `none` nothing

{table}
[[agent]]
name = \"worker\"
kind = \"persistent\"
prompt_file = \"prompts/worker.md\"
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, ListedDisk, Source, Strictness};

    #[test]
    fn every_scaffold_is_without_fault() {
        for backend in init_backends::NAMES {
            let table = init_backends::table(backend).expect("a table");
            for name in ["my.proj", "", "übung 1", "-x-", "a\"b$(touch x)"] {
                let text = text(name, backend, &table);
                let source = Source { path: Path::new("/p/agents.toml"), text: &text, home: None };
                match config::load(&source, &ListedDisk::full(), Strictness::Check) {
                    Ok(loaded) => {
                        assert!(loaded.faults.is_empty(), "{}: {:?}", backend, loaded.faults);
                        assert_eq!(loaded.policy.agents.len(), 1);
                    }
                    Err(faults) => panic!("{}: {faults:?}", backend),
                }
            }
        }
    }

    #[test]
    fn a_dotted_directory_gives_a_prefix_that_tmux_keeps() {
        assert!(text("my.proj", "claude", "").contains("session_prefix = \"my-proj-\""));
    }
}
