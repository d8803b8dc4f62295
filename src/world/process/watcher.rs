//! Tells within milliseconds that a process has ended, whoever its parent is: one thread that waits for pidfds.
use super::ProcId;
use rustix::{
    buffer::spare_capacity,
    event::{EventfdFlags, epoll, eventfd},
    io::Errno,
    process::{Pid, PidfdFlags, pidfd_open},
};
use std::{
    collections::BTreeMap,
    io,
    os::fd::OwnedFd,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};

/// Keys are the caller's own words, each for one process at a time. Ends its thread when dropped.
pub struct ExitWatcher {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    epoll: OwnedFd,
    /// Readable: the end.
    over: OwnedFd,
    watched: Mutex<Watched>,
}

#[derive(Default)]
struct Watched {
    last: u64,
    by_key: BTreeMap<String, Watch>,
    keys: BTreeMap<u64, String>,
}

struct Watch {
    /// Never used twice: an event that was on its way for an earlier watch finds nothing.
    number: u64,
    process: ProcId,
    /// Closing it ends the waiting for it.
    _fd: OwnedFd,
}

const OVER: u64 = 0;

impl Shared {
    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watched {
    fn forget(&mut self, key: &str) {
        if let Some(watch) = self.by_key.remove(key) {
            self.keys.remove(&watch.number);
        }
    }
}

impl ExitWatcher {
    /// `on_exit` gets the key, once for each watched process, on the watcher's thread.
    pub fn new(on_exit: impl Fn(String) + Send + 'static) -> io::Result<ExitWatcher> {
        let shared = Arc::new(Shared {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            over: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
            watched: Mutex::default(),
        });
        epoll::add(&shared.epoll, &shared.over, epoll::EventData::new_u64(OVER), epoll::EventFlags::IN)?;
        let theirs = shared.clone();
        let builder = std::thread::Builder::new().name("exits".into()).stack_size(128 * 1024);
        let thread = builder.spawn(move || run(&theirs, &on_exit))?;
        Ok(ExitWatcher { shared, thread: Some(thread) })
    }

    /// Watches `process` under `key`, instead of what had that key. `false`: it is over already; nothing will be told.
    pub fn watch(&self, key: &str, process: ProcId) -> bool {
        let mut watched = self.shared.watched();
        if watched.by_key.get(key).is_some_and(|w| w.process == process) {
            return true;
        }
        watched.forget(key);
        let pid = i32::try_from(process.pid).ok().and_then(Pid::from_raw);
        let fd = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        // The descriptor is open now: if it still is this process, it will be it for good.
        let Some(fd) = fd.filter(|_| process.is_alive()) else { return false };
        watched.last += 1;
        let number = watched.last;
        if epoll::add(&self.shared.epoll, &fd, epoll::EventData::new_u64(number), epoll::EventFlags::IN).is_err() {
            return false;
        }
        watched.keys.insert(number, key.to_owned());
        watched.by_key.insert(key.to_owned(), Watch { number, process, _fd: fd });
        true
    }

    pub fn forget(&self, key: &str) {
        self.shared.watched().forget(key);
    }
}

impl Drop for ExitWatcher {
    fn drop(&mut self) {
        let _ = rustix::io::write(&self.shared.over, &1_u64.to_ne_bytes());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(shared: &Shared, on_exit: &impl Fn(String)) {
    let mut events: Vec<epoll::Event> = Vec::with_capacity(64);
    loop {
        events.clear();
        match epoll::wait(&shared.epoll, spare_capacity(&mut events), None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return,
        }
        for event in &events {
            let number = event.data.u64();
            if number == OVER {
                return;
            }
            let key = {
                let mut watched = shared.watched();
                let Some(key) = watched.keys.remove(&number) else { continue };
                watched.by_key.remove(&key);
                key
            };
            on_exit(key);
        }
    }
}
