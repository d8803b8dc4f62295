//! What a new config would execute differently from the old one: for the event and the alert.
use crate::model::{
    observation::CommandChange,
    policy::{Backend, Policy},
};

/// Every changed piece of command of backends, services and the alert that exist in both, and every agent that moved to
/// another backend. Only what ends in a command line counts; patterns and pauses do not.
pub fn changed_commands(old: &Policy, new: &Policy) -> Vec<CommandChange> {
    let mut changes = Vec::new();
    let mut compare = |subject: &str, key: &str, before: &str, after: &str| {
        if before != after {
            changes.push(CommandChange {
                subject: subject.into(),
                key: key.into(),
                before: before.into(),
                after: after.into(),
            });
        }
    };
    for backend in &new.backends {
        let Some(was) = old.backends.iter().find(|b| b.name == backend.name) else { continue };
        let subject = format!("backend {}", backend.name);
        for ((key, before), (_, after)) in command_parts(was).into_iter().zip(command_parts(backend)) {
            compare(&subject, key, &before, &after);
        }
    }
    for service in &new.services {
        if let Some(was) = old.service(&service.name) {
            compare(&format!("service {}", service.name), "command", &was.command, &service.command);
        }
    }
    for agent in &new.agents {
        if let Some(was) = old.agent(&agent.name) {
            compare(&format!("agent {}", agent.name), "backend", &was.backend.name, &agent.backend.name);
        }
    }
    let argv = |policy: &Policy| policy.alert.as_ref().map(|a| a.join(" ")).unwrap_or_default();
    compare("alert", "command", &argv(old), &argv(new));
    changes
}

fn command_parts(b: &Backend) -> [(&'static str, String); 10] {
    [
        ("bin", b.bin.clone()),
        ("flags", b.flags.clone()),
        ("model_flag", b.model_flag.clone()),
        ("resume_flag", b.resume_flag.clone()),
        ("remote_control", b.remote_control.to_string()),
        ("remote_control_flag", b.remote_control_flag.clone()),
        ("hooks", b.hooks.to_string()),
        ("attach", b.attach.clone()),
        ("server", b.server.clone()),
        ("preamble", b.preamble.clone()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ListedDisk, Source, Strictness, load};
    use std::path::Path;

    fn policy(text: &str) -> Policy {
        let text = format!("[defaults]\nsession_prefix='p-'\nlog_dir='l'\n{text}");
        let source = Source { path: Path::new("/p/agents.toml"), text: &text, home: None };
        load(&source, &ListedDisk::full(), Strictness::Check).unwrap().policy
    }

    #[test]
    fn only_what_is_executed_counts() {
        let old =
            policy("[backend.a]\nbin='x'\nflags='-a'\n[[service]]\nname='w'\ncommand='one'\n[alert]\ncommand=['a']");
        let new = policy(
            "[backend.a]\nbin='y'\nflags='-b'\nactive_re='z'\n[backend.b]\nbin='q'\n[[service]]\nname='w'\ncommand='two'\n[alert]\ncommand=['a','b']",
        );
        let shown: Vec<String> = changed_commands(&old, &new)
            .iter()
            .map(|c| format!("{} {}: {} -> {}", c.subject, c.key, c.before, c.after))
            .collect();
        assert_eq!(
            shown,
            [
                "backend a bin: x -> y",
                "backend a flags: -a -> -b",
                "service w command: one -> two",
                "alert command: a -> a b"
            ]
        );
        assert!(changed_commands(&new, &new).is_empty());
    }
}
