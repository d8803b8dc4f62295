//! On its way into a tmux session: the runner that claimed the job makes the session, and sees that the runner in it takes
//! the job. No lock and no transaction is held meanwhile.
use super::{Runner, pane::end_of};
use crate::{
    jobs::{handed, pane, pulse::Watch, start::KEPT},
    store::{
        StoreError,
        jobs::{Claimed, Fenced},
    },
    world::{
        clock,
        process::as_given,
        tmux::{Created, NewSession, Server, TmuxError},
    },
};
use std::{os::fd::AsFd, time::Duration};

/// From the start of the session until the runner in it has the job.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why there is no session where we are held in: the server would be so, too, and with it the sessions of all jobs after
/// this one.
pub const HELD_IN: &str = "a job that was submitted by one with a sandbox or limits gets none";

pub enum Handed {
    /// Another process has the job, or it is nobody's any more. `down`: we were told to end meanwhile.
    Over { down: bool },
    /// There is no session. The job still is the caller's, by this epoch.
    Kept { epoch: i64, why: String },
}

impl Runner {
    pub(super) fn hand_on(&mut self, claimed: &Claimed) -> Result<Handed, StoreError> {
        let (id, epoch) = (claimed.job.id, claimed.epoch);
        if self.store.within().is_some() {
            return Ok(Handed::Kept { epoch, why: HELD_IN.into() });
        }
        let name = pane::session_name(id, &claimed.job.spec.name);
        // What is about to be made stands in the store before it is made.
        if self.persist(|store, _| store.set_session(id, epoch, Some(&name)))? == Fenced::Over {
            return Ok(Handed::Over { down: false });
        }
        let server = Server::of_jobs(self.store.dir());
        let made = match &server {
            Ok(server) => self.open_session(server, claimed, &name),
            Err(e) => Err(e.clone()),
        };
        let mut down = false;
        let why = match made {
            Ok(leader) => {
                down = self.until_taken(claimed, leader)?;
                "the runner in it did not begin".to_owned()
            }
            Err(e) => e.to_string(),
        };
        // Whoever comes too late finds another epoch, and goes.
        let (me, boot_id) = (self.me, self.boot_id.clone());
        let held = match self.store.is_held(id, epoch)? {
            true => self.persist(|store, _| store.take_over(id, epoch, me, &boot_id))?,
            false => Fenced::Over,
        };
        let Fenced::Held(epoch) = held else { return Ok(Handed::Over { down }) };
        self.persist(|store, _| store.set_session(id, epoch, None))?;
        if let Ok(server) = &server {
            let _ = server.close_session(&name, pane::DEADLINE);
            let _ = std::fs::remove_file(pane::sign(server, id, claimed.epoch));
        }
        Ok(Handed::Kept { epoch, why })
    }

    /// The process id of its leader.
    fn open_session(&self, server: &Server, claimed: &Claimed, name: &str) -> Result<u32, TmuxError> {
        let (id, epoch) = (claimed.job.id, claimed.epoch);
        let mut argv = vec![pane::program()?, pane::HOLDER.into(), pane::text(self.store.dir())?];
        if let Some(habits) = self.store.habits() {
            argv.extend(["--habits".into(), habits.word()]);
        }
        argv.extend(["--pane".into(), handed::word(id, epoch)]);
        let pipe = pane::writer_line(&claimed.job.log, &pane::sign(server, id, epoch))?;
        let new = NewSession { name: name.into(), size: pane::SIZE, argv, pipe: Some(pipe) };
        let created = open(server, &new)?;
        match created.pipe_error {
            None => Ok(created.pid),
            Some(why) => Err(TmuxError::Refused(format!("its log cannot be written: {why}"))),
        }
    }

    /// Until the job is not ours any more, or the session is gone, or it took too long. Whether we were told to end.
    fn until_taken(&mut self, claimed: &Claimed, leader: u32) -> Result<bool, StoreError> {
        let until = clock::boot().after(PATIENCE);
        let news = Watch::changes(self.store.dir());
        let leader = end_of(leader);
        let mut down = false;
        loop {
            // Asked before the store: what the runner did before its end stands there.
            let is_there = leader.is_some();
            if !self.store.is_held(claimed.job.id, claimed.epoch)? || !is_there || clock::boot() >= until {
                return Ok(down);
            }
            let mut fds: Vec<_> = leader.iter().map(AsFd::as_fd).collect();
            fds.extend(news.fd());
            let look = news.fd().is_none().then(|| clock::boot().after(crate::jobs::pulse::SLOW));
            let next = look.map_or(until, |look| look.min(until));
            down |= self.ears.rest(&fds, Some(next)).down;
            news.clear();
            if leader.as_ref().is_some_and(ended) {
                return Ok(down);
            }
        }
    }
}

/// Makes a session of a job, and the server if need be. One of that name is left over from an earlier run of the job,
/// which is over.
pub fn open(server: &Server, new: &NewSession) -> Result<Created, TmuxError> {
    let env: Vec<(String, String)> =
        KEPT.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?))).collect();
    // A server that is started has what we were handed, not what is for our own files.
    let open = || as_given(|| server.open_session(new, &env, pane::DEADLINE));
    // A server that is started is nobody's: not ours either, who end all that is ours with the job.
    let _ = rustix::process::set_child_subreaper(None);
    let made = match open() {
        Err(TmuxError::Duplicate(_)) => server.close_session(&new.name, pane::DEADLINE).and_then(|()| open()),
        made => made,
    };
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    made
}

/// Of a pidfd.
fn ended(leader: &std::os::fd::OwnedFd) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut [PollFd::new(leader, PollFlags::IN)], Some(&now)).is_ok_and(|ready| ready > 0)
}
