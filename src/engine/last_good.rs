//! The way back to the last good config: a broken file does not say where its store is, so that is kept under the
//! user's state directory, by the hash of the config's path.
use super::{
    config_file::{self, LAST_GOOD},
    lock::{Lock, Role},
    moved::{moved, server_word},
    paths::{Paths, guardian_beside, make_private},
};
use crate::{
    config::Strictness,
    model::policy::Policy,
    store::{Store, sqlite},
    world::file::write_whole,
};
use md5::{Digest, Md5};
use std::{
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// The last good text for this config file, from its store.
pub fn read(path: &Path) -> Option<(Policy, String)> {
    let text = std::fs::read_to_string(index_of(path)?).ok()?;
    let db: PathBuf = text.lines().next()?.trim().into();
    let store = sqlite::open_read_only(&db).ok()??;
    let text = store.get(LAST_GOOD).ok()??;
    let loaded = config_file::load_text(path, &text, Strictness::Run).ok()?;
    Some((loaded.policy, text))
}

/// The fleet of this config runs somewhere else than the file says now: its last good config, and why.
pub fn running_elsewhere(path: &Path, new: &Policy) -> Option<(Policy, String, String)> {
    let text = std::fs::read_to_string(index_of(path)?).ok()?;
    if text == way(new, &Paths::of(new)) {
        return None;
    }
    let lock = PathBuf::from(text.lines().nth(1)?);
    // A watchdog that was killed is soon back.
    let watchdog = Lock::holder(&lock).filter(|h| h.role == Role::Watchdog);
    watchdog.or_else(|| Lock::holder(&guardian_beside(&lock)))?;
    let (old, old_text) = read(path)?;
    let why = moved(&old, new)?;
    Some((old, old_text, why))
}

/// Whether this config was ever used here.
pub fn is_known(path: &Path) -> bool {
    index_of(path).is_some_and(|index| index.exists())
}

/// Store, lock and tmux server, one a line.
fn way(policy: &Policy, paths: &Paths) -> String {
    format!("{}\n{}\n{}\n", paths.db.display(), paths.lock.display(), server_word(policy))
}

fn index_of(path: &Path) -> Option<PathBuf> {
    let base = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
    let base = base.or_else(|| std::env::home_dir().map(|h| h.join(".local/state")))?;
    let digest = Md5::digest(path.as_os_str().as_bytes());
    let hex: String = digest.iter().map(|b| format!("{b:02x}")).collect();
    Some(base.join("agents").join("fleets").join(hex))
}

/// Keeps the way to the store, once. The good text itself is kept by whoever holds the lock.
pub fn remember(policy: &Policy, paths: &Paths) {
    let Some(index) = index_of(&policy.config_path) else { return };
    let way = way(policy, paths);
    if std::fs::read_to_string(&index).ok().as_deref() != Some(&*way)
        && let Some(dir) = index.parent()
        && make_private(dir).is_ok()
    {
        let _ = write_whole(&index, way.as_bytes());
    }
}
