//! Tells within milliseconds that a process has ended, whoever its parent is: one thread, one poll over pidfds.
use super::ProcId;
use rustix::{
    event::{EventfdFlags, PollFd, PollFlags, eventfd, poll},
    process::{Pid, PidfdFlags, pidfd_open},
};
use std::{
    collections::BTreeMap,
    io,
    os::fd::OwnedFd,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

/// Keys are the caller's own words, each for one process at a time. Ends its thread when dropped.
pub struct ExitWatcher {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    watched: Mutex<BTreeMap<String, (ProcId, Arc<OwnedFd>)>>,
    wake: OwnedFd,
    over: AtomicBool,
}

impl ExitWatcher {
    /// `on_exit` gets the key, once for each watched process, on the watcher's thread.
    pub fn new(on_exit: impl Fn(String) + Send + 'static) -> io::Result<ExitWatcher> {
        let shared = Arc::new(Shared {
            watched: Mutex::default(),
            wake: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
            over: AtomicBool::new(false),
        });
        let theirs = shared.clone();
        let builder = std::thread::Builder::new().name("exits".into()).stack_size(128 * 1024);
        let thread = builder.spawn(move || run(&theirs, &on_exit))?;
        Ok(ExitWatcher { shared, thread: Some(thread) })
    }

    /// Watches `process` under `key`, instead of what had that key. `false`: it is over already; nothing will be told.
    pub fn watch(&self, key: &str, process: ProcId) -> bool {
        let mut watched = self.shared.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if watched.get(key).is_some_and(|(known, _)| *known == process) {
            return true;
        }
        let pid = i32::try_from(process.pid).ok().and_then(Pid::from_raw);
        let fd = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        match fd {
            // The descriptor is open now: if it still is this process, it will be it for good.
            Some(fd) if process.is_alive() => {
                watched.insert(key.to_owned(), (process, Arc::new(fd)));
            }
            _ => {
                watched.remove(key);
                return false;
            }
        }
        drop(watched);
        self.wake();
        true
    }

    pub fn forget(&self, key: &str) {
        self.shared.watched.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        self.wake();
    }

    /// A full counter wakes as well, so nothing can fail that matters.
    fn wake(&self) {
        let _ = rustix::io::write(&self.shared.wake, &1_u64.to_ne_bytes());
    }
}

impl Drop for ExitWatcher {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Release);
        self.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(shared: &Shared, on_exit: &impl Fn(String)) {
    while !shared.over.load(Ordering::Acquire) {
        let now: Vec<(String, ProcId, Arc<OwnedFd>)> = {
            let watched = shared.watched.lock().unwrap_or_else(PoisonError::into_inner);
            watched.iter().map(|(key, (process, fd))| (key.clone(), *process, fd.clone())).collect()
        };
        let mut fds: Vec<PollFd> = now.iter().map(|(_, _, fd)| PollFd::new(fd, PollFlags::IN)).collect();
        fds.push(PollFd::new(&shared.wake, PollFlags::IN));
        if poll(&mut fds, None).is_err() {
            continue;
        }
        let over: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        drop(fds);
        let mut counter = [0; 8];
        let _ = rustix::io::read(&shared.wake, &mut counter);
        for ((key, process, _), over) in now.into_iter().zip(over) {
            if over && take(shared, &key, process) {
                on_exit(key);
            }
        }
    }
}

/// Whether `key` still meant that process; if so it no longer does.
fn take(shared: &Shared, key: &str, process: ProcId) -> bool {
    let mut watched = shared.watched.lock().unwrap_or_else(PoisonError::into_inner);
    let still = watched.get(key).is_some_and(|(known, _)| *known == process);
    if still {
        watched.remove(key);
    }
    still
}
