//! The config on disk: found, read, read again when it changed; the last good one stays in force while it is broken.
use super::disk::RealDisk;
use crate::{
    config::{self, Fault, Loaded, Source, Strictness},
    model::{
        observation::ConfigObs,
        policy::{Policy, Reload},
    },
};
use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// `--config`, else `AGENTS_CONFIG`, else `./agents.toml`, else the nearest one in a parent folder. Absolute, symlinks
/// resolved. The error is for the reader.
pub fn find(asked: Option<PathBuf>) -> Result<PathBuf, String> {
    let asked = asked.or_else(|| std::env::var_os("AGENTS_CONFIG").filter(|v| !v.is_empty()).map(PathBuf::from));
    if let Some(path) = asked {
        return path.canonicalize().map_err(|e| {
            let shown = crate::model::name::printable(&path.to_string_lossy());
            format!("cannot read config `{shown}`: {}\nhint: `agents init` writes a new one", super::words::plain(&e))
        });
    }
    let here = std::env::current_dir().map_err(|e| format!("cannot tell the current folder: {e}"))?;
    let found = here.ancestors().map(|dir| dir.join("agents.toml")).find(|p| p.is_file());
    found.and_then(|p| p.canonicalize().ok()).ok_or_else(|| {
        "no `agents.toml` here or in a parent folder\nhint: `agents init` writes one, `--config PATH` names another"
            .into()
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
    broken: bool,
    /// Gone or unreadable last time: editors rename, so it gets a second chance before that is a fault.
    missing: bool,
}

impl ConfigFile {
    pub fn new(policy: Policy, text: String, broken: bool) -> ConfigFile {
        let path = policy.config_path.clone();
        let look = if broken { None } else { Look::at(&path) };
        ConfigFile { path, look, text, policy: Arc::new(policy), broken, missing: false }
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
        let text = match std::fs::read(&self.path) {
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
            Ok(loaded) => Some(self.accept(loaded.policy, text)),
        }
    }

    fn accept(&mut self, mut policy: Policy, text: String) -> ConfigObs {
        let was_broken = std::mem::replace(&mut self.broken, false);
        let same = text == self.text;
        self.text = text;
        let commands = config::changed_commands(&self.policy, &policy);
        if policy.watchdog.reload == Reload::Manual {
            keep_commands(&self.policy, &mut policy);
        }
        self.policy = Arc::new(policy);
        if same && was_broken {
            return ConfigObs::Mended;
        }
        ConfigObs::Changed { commands }
    }
}

/// With `reload = "manual"` nothing that is executed changes until somebody starts the supervisor again.
fn keep_commands(old: &Policy, new: &mut Policy) {
    for agent in &mut new.agents {
        if let Some(before) = old.agent(&agent.name)
            && before.backend.name == agent.backend.name
        {
            agent.backend = before.backend.clone();
        }
    }
    for service in &mut new.services {
        if let Some(before) = old.service(&service.name) {
            service.command = before.command.clone();
        }
    }
}
