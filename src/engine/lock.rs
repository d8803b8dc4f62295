//! One engine at a time: a kernel lock on a file that also says who holds it.
use super::revivals::Revivals;
use crate::{
    model::time::{Boot, Now, Wall},
    world::process::ProcId,
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    path::Path,
};

/// Bytes for all that a holder tells.
const TOLD: usize = 1024;

/// Who runs the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Watchdog,
    /// A verb that does its own passes; soon over.
    Verb,
    /// Runs no engine: it brings the watchdog back. Its lock is a file of its own.
    Guardian,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub role: Role,
    pub pid: u32,
    pub pid_start: u64,
    pub since: Wall,
    #[serde(default)]
    pub since_boot: Boot,
    /// Of a guardian.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revivals: Option<Revivals>,
}

impl Holder {
    pub fn process(&self) -> ProcId {
        ProcId { pid: self.pid, start: self.pid_start }
    }
}

/// Held until dropped; the kernel lets go of it when the process dies.
pub struct Lock {
    file: File,
    holder: Holder,
}

pub enum Tried {
    Held(Lock),
    /// `None`: the holder has not written its name yet.
    Busy(Option<Holder>),
}

impl Lock {
    pub fn try_take(path: &Path, role: Role, now: Now) -> std::io::Result<Tried> {
        let mut file = open(path)?;
        let mut tries = 0;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(e)) => return Err(e),
                Err(TryLockError::WouldBlock) => {}
            }
            // Somebody may merely look at it, or has it and has not written his name yet.
            let holder = read(&mut file).filter(|h| h.process().is_alive());
            tries += 1;
            if holder.is_some() || tries > 100 {
                return Ok(Tried::Busy(holder));
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        let me = ProcId::own().unwrap_or(ProcId { pid: std::process::id(), start: 0 });
        let holder =
            Holder { role, pid: me.pid, pid_start: me.start, since: now.wall, since_boot: now.boot, revivals: None };
        let text = serde_json::to_vec(&holder).map_err(std::io::Error::other)?;
        file.set_len(0)?;
        file.rewind()?;
        // A full disk must not keep the watchdog from running: then the lock merely has no name on it.
        let _ = file.write_all(&text);
        Ok(Tried::Held(Lock { file, holder }))
    }

    /// Says beside our name what was done so far. In one write and never shorter: who reads meanwhile finds a whole text.
    pub fn tell(&mut self, revivals: &Revivals) {
        self.holder.revivals = Some(revivals.clone());
        if let Ok(text) = serde_json::to_string(&self.holder) {
            let _ = self.file.write_all_at(format!("{text:<TOLD$}").as_bytes(), 0);
        }
    }

    /// Who held it last, whether it lives or not.
    pub fn last_holder(path: &Path) -> Option<Holder> {
        serde_json::from_slice(&std::fs::read(path).ok()?).ok()
    }

    /// Whether this file still stands there, and not another one or none.
    pub fn is_at(&self, path: &Path) -> bool {
        let id = |m: std::fs::Metadata| (m.dev(), m.ino());
        match (self.file.metadata(), std::fs::symlink_metadata(path)) {
            (Ok(mine), Ok(there)) => id(mine) == id(there),
            (_, Err(e)) => e.kind() != std::io::ErrorKind::NotFound,
            _ => true,
        }
    }

    /// Who holds it now.
    pub fn holder(path: &Path) -> Option<Holder> {
        let mut file = OpenOptions::new().read(true).open(path).ok()?;
        match file.try_lock_shared() {
            Ok(()) => None,
            Err(_) => read(&mut file).filter(|h| h.process().is_alive()),
        }
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32)
        .open(path)
}

fn read(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.read_to_string(&mut text).ok()?;
    let holder: Holder = serde_json::from_str(&text).ok()?;
    // Whoever has just taken the lock has not written over the name of a dead one yet.
    holder.process().is_alive().then_some(holder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::clock;

    #[test]
    fn a_dead_holders_name_is_nobodys() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let Tried::Held(lock) = Lock::try_take(&path, Role::Watchdog, clock::now()).unwrap() else { panic!() };
        let holder = Lock::holder(&path).unwrap();
        assert_eq!(holder.pid, std::process::id());
        // The lock is held, but the name in it is that of a process that was killed.
        let dead = Holder { pid_start: holder.pid_start + 1, ..holder };
        std::fs::write(&path, serde_json::to_vec(&dead).unwrap()).unwrap();
        assert_eq!(Lock::holder(&path), None);
        assert!(matches!(Lock::try_take(&path, Role::Verb, clock::now()).unwrap(), Tried::Busy(None)));
        drop(lock);
        assert!(matches!(Lock::try_take(&path, Role::Verb, clock::now()).unwrap(), Tried::Held(_)));
    }
}
