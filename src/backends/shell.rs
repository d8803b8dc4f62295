//! Whether the program has left its pane: a dead pane, a shell in front, or a shell's prompt under its farewell.
use super::preset::Preset;
use crate::model::{name::printable_cut, reading::Evidence};
use regex::Regex;
use std::sync::LazyLock;

/// What is known of the pane's process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Process<'a> {
    /// `pane_current_command`.
    pub command: Option<&'a str>,
    /// It ended with this code.
    pub dead: Option<i32>,
}

const SHELLS: [&str; 14] =
    ["sh", "bash", "dash", "zsh", "fish", "ksh", "mksh", "tcsh", "csh", "ash", "nu", "pwsh", "xonsh", "login"];

/// What tmux writes into a pane that it keeps.
static DEAD_PANE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\APane is dead \((?:status|signal) [^\n]{1,60}\)\z").expect("a constant pattern"));
/// A prompt of a shell, with nothing typed: `user@host:~/x$`, `~ %`, a bare `$`. A bare `❯` is an agent's as well.
static PROMPT: LazyLock<Regex> = LazyLock::new(|| {
    let text = r"\A(?:\([^()\n]{1,30}\) )?(?:[^\s@]{1,40}@[^\s:]{1,60}[: ][^\n]{0,100}[$#%]|[~/][^\s]{0,100} ?[$#%❯>]|\[[^\]\n]{1,80}\][$#%]|(?:bash|zsh|sh)-[\d.]+[$#]|[$#%]) ?\z";
    Regex::new(text).expect("a constant pattern")
});

pub fn ended(preset: &Preset, text: &str, process: Process) -> Option<Evidence> {
    let evidence = |source: &str, rule: &str, line: usize, text: &str| {
        Some(Evidence {
            source: source.into(),
            rule: rule.to_owned(),
            line,
            text: printable_cut(text.trim(), 200),
            quoted: false,
        })
    };
    let last = || text.matches('\n').count();
    let row = || text.lines().next_back().unwrap_or_default();
    if let Some(code) = process.dead {
        return evidence("dead", "exit", 0, &format!("exit {code}"));
    }
    if DEAD_PANE.is_match(row()) {
        return evidence("pane", "dead-pane", last(), row());
    }
    if let Some(command) = process.command.map(|c| c.trim_start_matches('-')) {
        let its_own = preset.programs.as_ref().is_some_and(|re| re.plain().is_match(command));
        if SHELLS.contains(&command) && !its_own {
            return evidence("command", "shell", 0, command);
        }
        // Its own program stands in front: what looks like a prompt is what it printed.
        if its_own {
            return None;
        }
    }
    PROMPT.is_match(row()).then(|| evidence("pane", "shell-prompt", last(), row())).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::preset;

    #[test]
    fn a_shell_in_front_or_its_prompt_at_the_end() {
        let claude = preset::named("claude").unwrap();
        let with =
            |text: &str, command: Option<&str>| ended(claude, text, Process { command, dead: None }).map(|e| e.rule);
        for prompt in ["$", "dev@box:~/shop$", "[dev@box shop]#", "~/shop ❯", "bash-5.2$", "(venv) dev@box:~$", "~ %"]
        {
            assert_eq!(
                with(&format!("claude --resume x\n{prompt}"), None).as_deref(),
                Some("shell-prompt"),
                "{prompt}"
            );
        }
        assert_eq!(with("❯", None), None, "an input line of the program's own");
        assert_eq!(with("costs 5 $", None), None);
        assert_eq!(with("anything", Some("-zsh")).as_deref(), Some("shell"));
        assert_eq!(with("dev@box:~$", Some("claude")), None, "it printed that");
        assert_eq!(
            with("x\nPane is dead (status 0, Sat Nov 21 00:43:03 2026)", Some("env")).as_deref(),
            Some("dead-pane")
        );
        assert_eq!(ended(claude, "", Process { command: None, dead: Some(3) }).unwrap().text, "exit 3");
    }
}
