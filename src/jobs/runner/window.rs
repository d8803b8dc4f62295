//! The session of a job with prompts: made before its first step, and only a window ([`crate::jobs::window`]). The job stays
//! with the runner that claimed it.
use super::{Runner, handing};
use crate::{
    jobs::{pane, window::Meant},
    model::job::JobId,
    store::{
        StoreError,
        jobs::{Claimed, Fenced, JobStore},
    },
    world::tmux::{NewSession, Server, TmuxError},
};

pub enum Opened {
    Open,
    /// There is none, and why.
    Without(String),
    /// The job is nobody's any more.
    Over,
}

impl Runner {
    pub(super) fn open_window(&mut self, claimed: &Claimed) -> Result<Opened, StoreError> {
        let (id, epoch) = (claimed.job.id, claimed.epoch);
        if self.store.within().is_some() {
            return Ok(Opened::Without(handing::HELD_IN.into()));
        }
        let name = pane::session_name(id, &claimed.job.spec.name);
        // What is about to be made stands in the store before it is made.
        if self.persist(|store, _| store.set_session(id, epoch, Some(&name)))? == Fenced::Over {
            return Ok(Opened::Over);
        }
        match open(&self.store, id, epoch, &name) {
            Ok(()) => {
                self.sessions = true;
                Ok(Opened::Open)
            }
            Err(error) => {
                self.persist(|store, _| store.set_session(id, epoch, None))?;
                Ok(Opened::Without(error.to_string()))
            }
        }
    }
}

fn open(store: &JobStore, id: JobId, epoch: i64, name: &str) -> Result<(), TmuxError> {
    let server = Server::of_jobs(store.dir())?;
    let line = Meant::line(pane::text(store.dir())?, id, epoch, store.habits());
    let argv = [vec![pane::program()?], line].concat();
    handing::open(&server, &NewSession { name: name.into(), size: pane::SIZE, argv, pipe: None }).map(drop)
}
