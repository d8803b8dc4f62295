//! From policy to one start: the command line, the first message and how it gets there. Pure text work.
pub mod hooks;
pub mod job;
pub mod prompt;
pub mod template;
pub mod words;

use crate::model::policy::{Agent, Backend, PromptDelivery};
use std::path::Path;
use template::fill;

/// A prompt of more than this many bytes does not go on a command line or into a terminal; it is named by its file.
pub const MAX_INLINE: usize = 96 * 1024;

/// Everything one start needs to know.
pub struct Start<'a> {
    pub agent: &'a Agent,
    /// The agent's own, or the one asked for by the caller of `up`.
    pub backend: &'a Backend,
    /// Empty = the program's default.
    pub model: &'a str,
    /// The first message, as written to `kickoff_file`.
    pub prompt: &'a str,
    pub kickoff_file: &'a Path,
    /// Where it happens: the agent's `dir`, or its worktree.
    pub dir: &'a Path,
    /// Content of `state/<name>.id`, trimmed; empty = none.
    pub resume_id: &'a str,
    /// A settings file that asks for hooks has been written.
    pub hooks: bool,
    /// Phase shown in the log line; `-` where there is none.
    pub phase: &'a str,
}

/// One start, ready to be run by a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Shell text.
    pub shell: String,
    /// To be typed once the program is ready.
    pub first_message: Option<String>,
    /// The log line, with today's wording.
    pub log_line: String,
}

/// The command line for one start of an agent.
pub fn command(start: &Start) -> Command {
    let Start { agent, backend, model, .. } = start;
    let kickoff = start.kickoff_file.to_string_lossy();
    let mut log =
        format!("starting {} ({}, kind={}, phase={}", agent.session, backend.name, agent.kind.as_str(), start.phase);
    let shell = match backend.delivery {
        PromptDelivery::Exec => {
            fill(&backend.bin, &[("kickoff", &kickoff), ("session", &agent.session), ("model", model)])
        }
        PromptDelivery::Ping => {
            log.push_str(&format!(", model={}", if model.is_empty() { "default" } else { model }));
            let dir = start.dir.to_string_lossy();
            let attach = fill_raw_bin(&backend.attach, &backend.bin, &[("server", &backend.server), ("dir", &dir)]);
            let env = match model {
                m if backend.model_env && !m.is_empty() => {
                    let content = serde_json::json!({ "model": m }).to_string();
                    format!("OPENCODE_CONFIG_CONTENT={} ", template::quote(&content))
                }
                _ => String::new(),
            };
            match backend.preamble.trim() {
                "" => format!("{env}{attach}"),
                preamble => format!("{preamble}; {env}{attach}"),
            }
        }
        PromptDelivery::Arg => {
            log.push_str(&format!(", model={}", if model.is_empty() { "default" } else { model }));
            let mut words = vec![backend.bin.clone()];
            if agent.resume && backend.supports_resume && !start.resume_id.is_empty() {
                words.push(fill(&backend.resume_flag, &[("id", start.resume_id)]));
                log.push_str(", resume");
            }
            if backend.remote_control {
                words.push(fill(&backend.remote_control_flag, &[("session", &agent.session)]));
            }
            if !model.is_empty() {
                words.push(fill(&backend.model_flag, &[("model", model)]));
            }
            if start.hooks {
                words.push(hooks::FLAG.into());
            }
            if !backend.flags.trim().is_empty() {
                words.push(backend.flags.clone());
            }
            // By environment: no path ever stands in the shell text.
            words.push(if start.prompt.len() > MAX_INLINE {
                "\"$AGENTS_READ_KICKOFF\"".into()
            } else {
                "\"$(cat \"$AGENTS_KICKOFF\")\"".into()
            });
            words.join(" ")
        }
    };
    log.push(')');
    let first_message = (backend.delivery == PromptDelivery::Ping).then(|| prompt::read_kickoff(start.kickoff_file));
    Command { shell, first_message, log_line: log }
}

/// `{bin}` is shell text already; the other slots are data.
fn fill_raw_bin(text: &str, bin: &str, data: &[(&str, &str)]) -> String {
    fill(&text.replace("{bin}", bin), data)
}
