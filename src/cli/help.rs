//! The top-level help: verbs in groups, with examples.
use clap::Command;

/// Every verb stands in one group; a test holds that.
const GROUPS: [(&str, &[&str]); 5] = [
    ("Run a fleet", &["init", "up", "down", "restart", "pause", "resume"]),
    ("See what it does", &["status", "explain", "events", "report", "logs"]),
    ("Take part", &["attach", "send", "phase"]),
    ("Run jobs", &["run", "jobs", "monitor", "stop"]),
    ("Look after it", &["watchdog", "check", "schema", "doctor", "selftest", "detect", "replay", "completions"]),
];

const EXAMPLES: &str = "\
Examples:
  agents init && agents check     make a config and check it
  agents up                       start everything, and the watchdog
  agents status --watch           look on
  agents explain builder          why is it waiting?
  agents send builder 'run the tests again'
  agents down                     stop everything

Exit codes: 0 ok, 1 it failed, 2 usage, 3 config, 4 no watchdog is running, 5 denied
`agents VERB --help` tells more about a verb.";

pub fn with_groups(command: Command) -> Command {
    let mut template = String::from("{about}\n\n{usage-heading} agents [VERB] [OPTIONS]\n");
    for (title, verbs) in GROUPS {
        template.push_str(&format!("\n{title}:\n"));
        for verb in verbs {
            let about = command.find_subcommand(verb).and_then(Command::get_about).map(ToString::to_string);
            template.push_str(&format!("  {verb:<12} {}\n", about.unwrap_or_default()));
        }
    }
    template.push_str("\nOptions:\n{options}{after-help}");
    command.help_template(template).after_help(EXAMPLES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::Args;
    use clap::CommandFactory;

    #[test]
    fn the_command_is_sound() {
        with_groups(Args::command()).debug_assert();
    }

    #[test]
    fn every_verb_stands_in_one_group() {
        let command = Args::command();
        let mut verbs: Vec<&str> =
            command.get_subcommands().filter(|c| !c.is_hide_set()).map(Command::get_name).collect();
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, v)| v.iter().copied()).collect();
        verbs.sort_unstable();
        grouped.sort_unstable();
        assert_eq!(verbs, grouped);
    }
}
