//! The config on disk: found, read, read again when it changed; the last good one stays in force while it is broken.
use super::{disk::RealDisk, moved::moved};
use crate::{
    config::{self, Fault, Loaded, Source, Strictness},
    model::{
        observation::ConfigObs,
        policy::{Backend, Policy, Reload},
    },
    world::file,
};
use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A config that is larger is none: reading it would hold up the fleet.
pub const LARGEST: u64 = 4 << 20;

/// Store key of the last config text that was good.
pub const LAST_GOOD: &str = "last-good-config";

/// The config's identity: absolute, symlinks resolved. The error is for the reader.
pub fn resolve(path: &Path) -> Result<PathBuf, String> {
    path.canonicalize().map_err(|e| {
        let shown = crate::model::name::printable(&path.to_string_lossy());
        format!("cannot read config `{shown}`: {}\nhint: `agents init` writes a new one", super::words::plain(&e))
    })
}

/// Reads a text as the config at `path`.
pub fn load_text(path: &Path, text: &str, strictness: Strictness) -> Result<Loaded, Vec<Fault>> {
    let home = std::env::home_dir();
    config::load(&Source { path, text, home: home.as_deref() }, &RealDisk, strictness)
}

/// What a file looks like from outside; another look means that it is read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Look {
    fn at(path: &Path) -> Option<Look> {
        let m = path.metadata().ok()?;
        Some(Look {
            inode: m.ino(),
            size: m.size(),
            modified: (m.mtime(), m.mtime_nsec()),
            changed: (m.ctime(), m.ctime_nsec()),
        })
    }
}

/// The config as a running engine follows it.
pub struct ConfigFile {
    path: PathBuf,
    look: Option<Look>,
    /// The last text that was good.
    pub text: String,
    pub policy: Arc<Policy>,
    /// With `reload = "manual"`: the same with its changed commands, until somebody asks for a start.
    held: Option<Policy>,
    broken: bool,
    /// Gone or unreadable last time: editors rename, so it gets a second chance before that is a fault.
    missing: bool,
}

impl ConfigFile {
    pub fn new(policy: Policy, text: String, broken: bool) -> ConfigFile {
        let path = policy.config_path.clone();
        let look = if broken { None } else { Look::at(&path) };
        ConfigFile { path, look, text, policy: Arc::new(policy), held: None, broken, missing: false }
    }

    /// Whether something that was missing at the last load may be there by now.
    fn has_faults(&self) -> bool {
        self.policy.agents.iter().any(|a| a.fault.is_some()) || self.policy.services.iter().any(|s| s.fault.is_some())
    }

    /// Reads the file again if it changed (or, with `recheck`, if a part of it was disabled). `None`: nothing new.
    pub fn follow(&mut self, recheck: bool) -> Option<ConfigObs> {
        let look = Look::at(&self.path);
        if look == self.look && !(recheck && self.has_faults()) {
            return None;
        }
        let text = match file::read(&self.path, LARGEST) {
            Ok(bytes) => String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned()),
            Err(e) => Err(super::words::plain(&e)),
        };
        let text = match text {
            Ok(text) => text,
            Err(_) if !self.missing => {
                self.missing = true;
                return None;
            }
            Err(why) => {
                self.look = look;
                self.broken = true;
                return Some(ConfigObs::Broken { faults: vec![format!("cannot read {}: {why}", self.path.display())] });
            }
        };
        self.missing = false;
        // Written while we read: the next look reads it whole.
        if Look::at(&self.path) != look {
            return None;
        }
        self.look = look;
        match load_text(&self.path, &text, Strictness::Run) {
            Err(faults) => {
                self.broken = true;
                Some(ConfigObs::Broken { faults: faults.iter().map(Fault::one_line).collect() })
            }
            Ok(loaded) => match moved(&self.policy, &loaded.policy) {
                Some(why) => {
                    self.broken = true;
                    Some(ConfigObs::Broken { faults: vec![why] })
                }
                None => self.accept(loaded.policy, text),
            },
        }
    }

    /// Somebody asks for a start: commands that were held back are in force from now on.
    pub fn release(&mut self) {
        if let Some(policy) = self.held.take() {
            self.policy = Arc::new(policy);
        }
    }

    /// `None`: the same text and the same faults as before.
    fn accept(&mut self, mut policy: Policy, text: String) -> Option<ConfigObs> {
        let was_broken = std::mem::replace(&mut self.broken, false);
        let same = text == self.text;
        if same && !was_broken && faults(&self.policy) == faults(&policy) {
            return None;
        }
        self.text = text;
        let commands = config::changed_commands(&self.policy, &policy);
        self.held = None;
        if policy.watchdog.reload == Reload::Manual && !commands.is_empty() {
            self.held = Some(policy.clone());
            keep_commands(&self.policy, &mut policy);
        }
        self.policy = Arc::new(policy);
        if same && was_broken {
            return Some(ConfigObs::Mended);
        }
        // The text is the same: what was missing is there now, or the other way round.
        Some(ConfigObs::Changed { commands: if same { Vec::new() } else { commands } })
    }
}

/// What is disabled, and why.
fn faults(policy: &Policy) -> Vec<Option<&str>> {
    let agents = policy.agents.iter().map(|a| a.fault.as_deref());
    agents.chain(policy.services.iter().map(|s| s.fault.as_deref())).collect()
}

/// With `reload = "manual"` nothing that is executed changes until somebody asks for a start; all else does.
fn keep_commands(old: &Policy, new: &mut Policy) {
    for agent in &mut new.agents {
        let Some(before) = old.agent(&agent.name).map(|a| &a.backend) else { continue };
        agent.backend = if before.name == agent.backend.name {
            Arc::new(with_commands_of(before, &agent.backend))
        } else {
            before.clone()
        };
    }
    for service in &mut new.services {
        if let Some(before) = old.service(&service.name) {
            service.command = before.command.clone();
        }
    }
    if old.alert.is_some() {
        new.alert = old.alert.clone();
    }
}

/// How the new one is read, and how the old one is started.
fn with_commands_of(old: &Backend, new: &Backend) -> Backend {
    Backend {
        reader: new.reader.clone(),
        stall_idle: new.stall_idle,
        stall_action: new.stall_action,
        hang_timeout: new.hang_timeout,
        no_progress: new.no_progress,
        submit_key: new.submit_key.clone(),
        connect_delay: new.connect_delay,
        process_name: new.process_name.clone(),
        ..old.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bin: &str, active: &str) -> String {
        format!(
            "[defaults]\nsession_prefix = 'p-'\nlog_dir = 'l'\n[watchdog]\nreload = 'manual'\n\
             [backend.a]\nbin = '{bin}'\nactive_re = '{active}'\n[backend.b]\nbin = 'b'\n\
             [[agent]]\nname = 'x'\nbackend = 'a'\n[[service]]\nname = 'w'\ncommand = '{bin}'\n"
        )
    }

    #[test]
    fn with_manual_reload_a_changed_command_waits_for_a_start() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap().join("agents.toml");
        let write = |text: &str| std::fs::write(&path, text).unwrap();
        let before = text("old", "one");
        write(&before);
        let policy = load_text(&path, &before, Strictness::Run).unwrap().policy;
        let mut file = ConfigFile::new(policy, before, false);
        write(&text("newer", "other"));
        assert!(matches!(file.follow(false), Some(ConfigObs::Changed { commands }) if commands.len() == 2));
        let backend = |file: &ConfigFile| file.policy.agents[0].backend.clone();
        assert_eq!((backend(&file).bin.as_str(), file.policy.services[0].command.as_str()), ("old", "old"));
        assert!(backend(&file).reader.active.as_ref().unwrap().is_match("other"), "patterns do not wait");
        // Another program by way of another backend is another program.
        write(&text("newest", "other").replace("backend = 'a'", "backend = 'b'"));
        assert!(file.follow(false).is_some());
        assert_eq!(backend(&file).bin, "old");
        file.release();
        assert_eq!((backend(&file).bin.as_str(), file.policy.services[0].command.as_str()), ("b", "newest"));
    }
}
