//! A config that changed, broke, or reads again; units that came or went with it.
use super::{Mind, starts::END_MARGIN};
use crate::model::{
    action::Action,
    event::EventKind,
    observation::ConfigObs,
    policy::Reload,
    state::{AfterEnd, Life},
};
use std::collections::BTreeSet;

impl Mind<'_> {
    pub(super) fn config(&mut self) {
        let obs = self.obs;
        match &obs.config {
            None => {}
            Some(ConfigObs::Broken { faults }) => {
                if self.state.fleet.config_faults != *faults {
                    self.state.fleet.config_faults = faults.clone();
                    let first = faults.first().map(String::as_str).unwrap_or("unreadable");
                    let more = match faults.len() {
                        0 | 1 => String::new(),
                        n => format!(" (and {} more)", n - 1),
                    };
                    let text = format!(
                        "config is broken, the last good one stays in force: {first}{more} — see `agents check`"
                    );
                    self.alert(EventKind::ConfigBroken, None, text);
                }
            }
            Some(ConfigObs::Mended) => {
                self.state.fleet.config_faults.clear();
                self.tell(EventKind::ConfigMended, None, "config reads again");
            }
            Some(ConfigObs::Changed { commands }) => {
                self.state.fleet.config_faults.clear();
                self.tell(EventKind::ConfigChanged, None, "config changed — in force from now on");
                for change in commands {
                    let waits = match self.policy.watchdog.reload {
                        Reload::Auto => "",
                        Reload::Manual => " — waits for `agents up` or `agents restart`",
                    };
                    let text = format!(
                        "config changed what runs: {} `{}`: `{}` -> `{}`{waits}",
                        change.subject, change.key, change.before, change.after
                    );
                    let data = serde_json::to_value(change).unwrap_or_default();
                    self.tell_with(EventKind::CommandChanged, None, text, data, true);
                }
            }
        }
        if self.obs.supervised {
            self.warnings();
        }
    }

    /// Faults that did not stop the load: each is said once.
    fn warnings(&mut self) {
        let policy = self.policy;
        let agents = policy.agents.iter().filter_map(|a| Some((a.name.as_str(), a.fault.as_deref()?)));
        let services = policy.services.iter().filter_map(|s| Some((s.name.as_str(), s.fault.as_deref()?)));
        let mut known = BTreeSet::new();
        for (name, fault) in agents.chain(services) {
            let mark = format!("fault {name}: {fault}");
            if self.state.fleet.alerted.insert(mark.clone()) {
                self.alert(EventKind::Warning, Some(name), format!("{name} is disabled: {fault}"));
            }
            known.insert(mark);
        }
        for warning in &policy.warnings {
            let mark = format!("warning {warning}");
            if self.state.fleet.alerted.insert(mark.clone()) {
                self.tell(EventKind::Warning, None, format!("WARNING: {warning}"));
            }
            known.insert(mark);
        }
        // What was mended, or went with its agent, is news when it comes again.
        let passing = |mark: &str| mark.starts_with("fault ") || mark.starts_with("warning ");
        self.state.fleet.alerted.retain(|mark| !passing(mark) || known.contains(mark));
    }

    /// Units that the config does not name any more: stopped, said, forgotten.
    pub(super) fn removed_units(&mut self) {
        if !self.obs.supervised {
            return;
        }
        let policy = self.policy;
        let agents = policy.agents.iter().map(|a| a.session.as_str());
        let known: BTreeSet<&str> = agents.chain(policy.services.iter().map(|s| s.session.as_str())).collect();
        let gone: Vec<String> = self.state.units.keys().filter(|s| !known.contains(s.as_str())).cloned().collect();
        for session in gone {
            if self.is_left_alone(&session) {
                continue;
            }
            let unit = self.state.units[&session].clone();
            let live = self.obs.panes.get(&session).is_some_and(|p| !p.dead) || self.obs.lingering.contains(&session);
            match unit.life {
                Life::Ending { deadline, then } if live => {
                    if deadline <= self.now.boot {
                        let again = self.now.after(END_MARGIN);
                        self.actions.push(Action::End {
                            session: session.clone(),
                            incarnation: unit.incarnation,
                            grace_ms: 0,
                        });
                        self.set_life(&session, Life::Ending { deadline: again, then }, "does not end; killed");
                        self.wake_by(again);
                    } else {
                        self.wake_by(deadline);
                    }
                }
                _ if live => {
                    let text = format!("{} is no longer in the config — killing {session}", unit.name);
                    self.tell(EventKind::Stopped, Some(&unit.name), text);
                    self.end(&session, unit.incarnation, AfterEnd::Stay);
                }
                _ if self.sees_all() => {
                    self.close_texts(&session, "the agent was removed from the config");
                    self.nobody_for_texts(&session, "the agent was removed from the config");
                    self.state.deliveries.retain(|_, d| d.session != session || d.stage.is_over());
                    self.state.units.remove(&session);
                }
                _ => {}
            }
        }
    }
}
