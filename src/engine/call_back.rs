//! A supervisor whose state folder was removed is called back to it.
use super::lock::Lock;
use crate::world::{
    clock,
    process::{called_with, handles},
};
use std::{path::Path, time::Duration};

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// For a verb that finds nothing: a supervisor whose folder was removed may not have seen it yet. It is woken, and waited
/// for until it stands there again.
pub fn call_back(config: &Path, lock: &Path) {
    if lock.exists() {
        return;
    }
    let poke = rustix::process::Signal::USR1;
    let lost = called_with(&["__watchdog".as_ref(), config.as_os_str()]);
    let until = clock::boot().after(PATIENCE);
    let called = lost.iter().filter(|p| handles(**p, poke) && p.signal(poke)).count();
    while called > 0 && clock::boot() < until && Lock::holder(lock).is_none() {
        std::thread::sleep(Duration::from_millis(10));
    }
}
