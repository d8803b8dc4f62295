//! The watchdog's side of being guarded: it knows its guardian, and starts another one if that was killed.
use super::{eyes::Eyes, guardian, lock::Lock, paths::Paths, revivals::Revivals, server, words};
use crate::{model::time::Boot, world::process::ProcId};
use rustix::pipe::{PipeFlags, pipe_with};
use std::{
    io,
    os::fd::OwnedFd,
    path::PathBuf,
    process::{Child, Stdio},
    time::Duration,
};

/// Between two starts of a guardian.
const REST: Duration = Duration::from_secs(2);

/// Of a detached watchdog.
pub struct Guarded {
    config: PathBuf,
    file: PathBuf,
    guardian: Option<ProcId>,
    /// One that we started, and the pipe that tells it why we ended.
    own: Option<(Child, OwnedFd)>,
    last_start: Option<Boot>,
}

impl Guarded {
    pub fn new(config: PathBuf, paths: &Paths) -> Guarded {
        Guarded { config, file: paths.guardian.clone(), guardian: None, own: None, last_start: None }
    }

    /// What brought this very process back, if something did.
    pub fn revival(paths: &Paths) -> Option<Revivals> {
        let parent = rustix::process::getppid()?.as_raw_nonzero().get() as u32;
        let guardian = Lock::holder(&paths.guardian).filter(|g| g.pid == parent)?;
        guardian.revivals.filter(|so_far| so_far.total > 0)
    }

    /// Its folder was removed and made anew: it has to be found there.
    pub fn has_new_ground(&self) {
        if let Some(guardian) = self.guardian {
            guardian.signal(rustix::process::Signal::HUP);
        }
    }

    /// For the end of this process: told to who cannot ask the kernel for it.
    pub fn ends_with(&self, code: u8) {
        if let Some((_, pipe)) = &self.own {
            let _ = rustix::io::write(pipe, &[code]);
        }
    }

    fn is_watched_by(&self, guardian: ProcId, eyes: &Eyes) -> bool {
        eyes.wakes_at_end_of(guardian) || guardian.is_alive()
    }

    /// For every tick: sees to it that somebody guards us. What there is to tell, and when to look again if not at its end.
    pub fn see_to_it(&mut self, eyes: &Eyes, now: Boot) -> (Option<String>, Option<Boot>) {
        if self.guardian.is_some_and(|g| self.is_watched_by(g, eyes)) {
            return (None, None);
        }
        if let Some((child, _)) = &mut self.own {
            let _ = child.try_wait();
        }
        // Somebody else may have started one.
        self.guardian = Lock::holder(&self.file).map(|holder| holder.process());
        if self.guardian.is_some_and(|g| self.is_watched_by(g, eyes)) {
            return (None, None);
        }
        if let Some(rested) = self.last_start.map(|at| at.after(REST)).filter(|at| *at > now) {
            return (None, Some(rested));
        }
        self.last_start = Some(now);
        match self.start() {
            Ok(pid) => {
                self.guardian = ProcId::of(pid);
                let watched = self.guardian.is_some_and(|g| self.is_watched_by(g, eyes));
                let text = format!("nobody guarded the watchdog any more — another guardian does: pid {pid}");
                (Some(text), (!watched).then(|| now.after(REST)))
            }
            Err(e) => {
                let text = format!("nobody guards the watchdog: no guardian can be started: {}", words::plain(&e));
                (Some(text), Some(now.after(Duration::from_secs(60))))
            }
        }
    }

    fn start(&mut self) -> io::Result<u32> {
        let (theirs, ours) = pipe_with(PipeFlags::CLOEXEC)?;
        let child = server::spawn(|command| {
            command.arg(guardian::WORD).arg(&self.config).arg(&self.file).arg(std::process::id().to_string());
            command.stdin(theirs.try_clone()?).stdout(Stdio::null()).stderr(Stdio::null());
            Ok(())
        })?;
        let pid = child.id();
        self.own = Some((child, ours));
        Ok(pid)
    }
}
