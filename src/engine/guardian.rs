//! Parent of the detached watchdog: brings it back when it was killed or crashed, and goes when it went by itself.
//!
//! ```text
//! agents up ─ starts ─> agents __guardian CONFIG FILE        waits; no thread, no tmux, no store, no config
//!                          └─ agents __watchdog CONFIG       the watchdog
//! ```
//!
//! A watchdog whose guardian was killed starts another one, as its own child: `agents __guardian CONFIG FILE PID`. That
//! one sees the watchdog's end by its pid, and learns from the pipe on its standard input whether it was meant.
use super::{
    lock::{Lock, Role, Tried},
    revivals::Revivals,
    server, words,
};
use crate::{
    model::time::Boot,
    shim::signals,
    world::{
        clock,
        process::{ProcId, let_go_of_code},
    },
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Pid, PidfdFlags, Signal, pidfd_open},
};
use std::{
    ffi::OsString,
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::process::ExitStatusExt,
    },
    path::Path,
    process::{Child, ExitCode, ExitStatus, Stdio},
    time::Duration,
};

pub const WORD: &str = "__guardian";

/// How a watchdog ends that told why: it never came to watch.
pub const NEVER_RAN: u8 = 1;
/// Another one runs, or has taken over.
pub const ANOTHER: u8 = 5;
/// It watched, and cannot go on.
pub const BROKE_OFF: u8 = 70;

/// With no config to be found at so many starts in a row, the fleet is gone.
const HOMELESS: u32 = 10;

/// The hidden word `__guardian CONFIG FILE [PID]`. `None`: `words` do not begin with it.
pub fn main(words: &[OsString]) -> Option<ExitCode> {
    let (word, rest) = words.split_first()?;
    if word != WORD {
        return None;
    }
    let (config, file, adopted) = match rest {
        [config, file] => (config, file, None),
        [config, file, pid] => (config, file, Some(pid)),
        _ => {
            eprintln!("error: `{WORD}` is for agents itself");
            return Some(ExitCode::from(2));
        }
    };
    // Neither the terminal of who called `up` nor its job control reaches us.
    let _ = rustix::process::setsid();
    Some(match guard(config.as_ref(), file.as_ref(), adopted) {
        Ok(code) => ExitCode::from(code),
        Err(e) => {
            eprintln!("error: {}", words::plain(&e));
            ExitCode::from(NEVER_RAN)
        }
    })
}

fn guard(config: &Path, file: &Path, adopted: Option<&OsString>) -> io::Result<u8> {
    use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM, SIGUSR1};
    let mut guardian = Guardian {
        config,
        file,
        lock: None,
        // Whoever was killed had counted before us.
        revivals: adopted.and_then(|_| Lock::last_holder(file)?.revivals).unwrap_or_default(),
        child_changed: signals::pipe_for(&[SIGCHLD])?,
        told_to_end: signals::pipe_for(&[SIGTERM, SIGINT])?,
        make_way: signals::pipe_for(&[SIGUSR1])?,
        look_at_lock: signals::pipe_for(&[SIGHUP])?,
    };
    signals::unblock();
    guardian.revivals.next = None;
    if let Some(another) = guardian.take_lock() {
        eprintln!("error: the watchdog is guarded already: pid {another}");
        return Ok(ANOTHER);
    }
    let ward = match adopted {
        Some(pid) => Ward::adopt(pid)?,
        None => Ward::Child(guardian.start(true)?),
    };
    // Its words are for whoever waits for it; they end when it ends.
    rustix::stdio::dup2_stderr(std::fs::File::options().write(true).open("/dev/null")?)?;
    guardian.run(ward, adopted.is_none())
}

struct Guardian<'a> {
    config: &'a Path,
    /// Its lock, where others find it and what it did.
    file: &'a Path,
    /// `None`: it cannot be held now.
    lock: Option<Lock>,
    revivals: Revivals,
    child_changed: OwnedFd,
    told_to_end: OwnedFd,
    /// Somebody wants to start a watchdog of his own: we go, if there is none.
    make_way: OwnedFd,
    /// The folder of our lock was removed and made anew.
    look_at_lock: OwnedFd,
}

/// The watchdog that is guarded.
enum Ward {
    Child(Child),
    /// Not ours: it is our parent.
    Adopted {
        process: Option<(ProcId, OwnedFd)>,
    },
}

/// How a watchdog ended.
enum End {
    /// With this exit code.
    Said(u8),
    /// Killed or crashed, in words.
    Cut(String),
    /// We were told to end, and it did, too.
    Told,
}

impl Guardian<'_> {
    /// `first`: nobody knows yet whether it starts at all, and somebody waits for that.
    fn run(&mut self, mut ward: Ward, mut first: bool) -> io::Result<u8> {
        loop {
            let since = clock::boot();
            let mut why = match self.watch(&mut ward)? {
                End::Told | End::Said(0) => return Ok(0),
                End::Said(ANOTHER) => return Ok(ANOTHER),
                End::Said(NEVER_RAN) if first => return Ok(NEVER_RAN),
                End::Said(code) => format!("ended with exit code {code}"),
                End::Cut(why) => why,
            };
            first = false;
            let mut ran = clock::boot().since(since);
            ward = loop {
                let pause = self.revivals.ended(why, ran, clock::wall());
                self.tell();
                if self.is_called_off(pause)? {
                    return Ok(0);
                }
                if self.revivals.row >= HOMELESS && !self.config.exists() {
                    return Ok(0);
                }
                self.revivals.next = None;
                self.take_lock();
                match self.start(false) {
                    Ok(child) => break Ward::Child(child),
                    Err(e) => (why, ran) = (format!("cannot be started: {}", words::plain(&e)), Duration::ZERO),
                }
            };
        }
    }

    fn start(&self, is_first: bool) -> io::Result<Child> {
        server::spawn(|command| {
            command.arg("__watchdog").arg(self.config).stdin(Stdio::null()).stdout(Stdio::null());
            // Words after the first ones nobody reads: what there is to tell goes to its log.
            command.stderr(if is_first { Stdio::inherit() } else { Stdio::null() });
            Ok(())
        })
    }

    /// Waits for its end.
    fn watch(&mut self, ward: &mut Ward) -> io::Result<End> {
        let mut told = false;
        loop {
            if let Some(end) = ward.end()? {
                return Ok(if told { End::Told } else { end });
            }
            let_go_of_code();
            let news = match &*ward {
                Ward::Child(_) => self.child_changed.as_fd(),
                Ward::Adopted { process: Some((_, pidfd)) } => pidfd.as_fd(),
                Ward::Adopted { process: None } => self.told_to_end.as_fd(),
            };
            wait(&[news, self.told_to_end.as_fd(), self.look_at_lock.as_fd()], None)?;
            signals::came(&self.child_changed);
            if signals::came(&self.told_to_end) {
                told = true;
                ward.tell_to_end();
            }
            if signals::came(&self.look_at_lock) {
                self.take_lock();
            }
        }
    }

    /// Waits before the next start. `true`: told to end, or to make way.
    fn is_called_off(&mut self, pause: Duration) -> io::Result<bool> {
        let until = clock::boot().after(pause);
        // What came while there was a watchdog is over. Whoever still means it says it again.
        signals::came(&self.make_way);
        loop {
            let fds = [self.told_to_end.as_fd(), self.make_way.as_fd(), self.look_at_lock.as_fd()];
            wait(&fds, Some(until))?;
            if signals::came(&self.told_to_end) || signals::came(&self.make_way) {
                return Ok(true);
            }
            if signals::came(&self.look_at_lock) {
                self.take_lock();
            }
            if clock::boot() >= until {
                return Ok(false);
            }
        }
    }

    /// Makes sure that our lock stands where others look for it. The pid of another guardian that has it.
    fn take_lock(&mut self) -> Option<u32> {
        if !self.lock.as_ref().is_some_and(|lock| lock.is_at(self.file)) {
            match Lock::try_take(self.file, Role::Guardian, clock::now()) {
                Ok(Tried::Held(lock)) => self.lock = Some(lock),
                Ok(Tried::Busy(holder)) => return Some(holder.map_or(0, |h| h.pid)),
                // The watchdog is worth more than our name on a disk.
                Err(_) => {}
            }
        }
        self.tell();
        None
    }

    fn tell(&mut self) {
        if let Some(lock) = &mut self.lock {
            lock.tell(&self.revivals);
        }
    }
}

impl Ward {
    /// Our parent, unless it is gone already: then what has its pid is a stranger.
    fn adopt(pid: &OsString) -> io::Result<Ward> {
        let pid = pid.to_str().and_then(|pid| pid.parse::<i32>().ok()).and_then(Pid::from_raw);
        let pid = pid.ok_or(io::ErrorKind::InvalidInput)?;
        let stdin = io::stdin();
        let flags = rustix::fs::fcntl_getfl(&stdin)? | rustix::fs::OFlags::NONBLOCK;
        rustix::fs::fcntl_setfl(&stdin, flags)?;
        let pidfd = pidfd_open(pid, PidfdFlags::empty());
        let process = ProcId::of(pid.as_raw_nonzero().get() as u32);
        let alive = rustix::process::getppid() == Some(pid);
        Ok(Ward::Adopted { process: process.zip(pidfd.ok()).filter(|_| alive) })
    }

    /// How it ended, if it has.
    fn end(&mut self) -> io::Result<Option<End>> {
        match self {
            Ward::Child(child) => Ok(child.try_wait()?.map(of_status)),
            // Not before its last thread and its locks are gone.
            Ward::Adopted { process: Some((_, pidfd)) } if !is_readable(pidfd) => Ok(None),
            Ward::Adopted { .. } => {
                let mut code = [0];
                Ok(Some(match rustix::io::read(io::stdin(), &mut code) {
                    Ok(1) => End::Said(code[0]),
                    _ => End::Cut("killed, or crashed".into()),
                }))
            }
        }
    }

    fn tell_to_end(&self) {
        match self {
            // Not waited for yet, so the pid is still its own.
            Ward::Child(child) => drop(rustix::process::kill_process(Pid::from_child(child), Signal::TERM)),
            Ward::Adopted { process } => drop(process.as_ref().map(|(process, _)| process.signal(Signal::TERM))),
        }
    }
}

fn of_status(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Said(code as u8),
        (None, Some(signal)) => End::Cut(format!("killed by signal {signal}")),
        (None, None) => End::Cut("ended".into()),
    }
}

fn is_readable(fd: &OwnedFd) -> bool {
    matches!(poll(&mut [PollFd::new(fd, PollFlags::IN)], Some(&Timespec { tv_sec: 0, tv_nsec: 0 })), Ok(1))
}

/// Until one of them is readable, or `until`.
fn wait(fds: &[rustix::fd::BorrowedFd<'_>], until: Option<Boot>) -> io::Result<()> {
    let left = until.and_then(|at| Timespec::try_from(at.since(clock::boot())).ok());
    let mut fds: Vec<_> = fds.iter().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
    match poll(&mut fds, left.as_ref()) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(e) => Err(e.into()),
    }
}
