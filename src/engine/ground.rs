//! The ground under a running supervisor: somebody may remove the state folder (`git clean -fdx` in the project is enough).
//! Then it is made anew, with all that is remembered, before anybody takes the fleet for one that never ran.
use super::{
    config_file::LAST_GOOD,
    environment,
    guarded::Guarded,
    heart::{Ground, Heart},
    lock::{Lock, Role, Tried},
    owner,
    recorder::Decisions,
    saver::{RESOURCE, Saver},
    server,
};
use crate::{
    model::{event::EventKind, observation::ServerObs},
    store::{Store, StoreError, sqlite},
    world::{clock, process::ProcId, tmux::rescue_socket},
};

impl Heart {
    pub(super) fn ground(&mut self) -> Ground {
        let Some(lock) = &self.lock else { return Ground::Ours };
        // A project that was moved took everything along; nothing is made where it was.
        let moved = || !self.policy().config_path.exists();
        if lock.is_at(&self.paths.lock) || moved() || self.paths.make().is_err() {
            return Ground::Ours;
        }
        match Lock::try_take(&self.paths.lock, Role::Watchdog, clock::now()) {
            Ok(Tried::Held(lock)) => {
                self.lock = Some(lock);
                self.settle();
                Ground::Ours
            }
            Ok(Tried::Busy(Some(holder))) if holder.role == Role::Watchdog => {
                self.journal.reopen(&self.paths.watchdog_log);
                let text = format!("the state folder was removed, and another watchdog runs: pid {}", holder.pid);
                self.journal.line(clock::now().wall, &text);
                Ground::Anothers
            }
            Ok(Tried::Busy(_)) => Ground::Busy,
            Err(_) => Ground::Ours,
        }
    }

    /// Everything that others look for there.
    fn settle(&mut self) {
        let policy = self.policy();
        self.journal.reopen(&self.paths.watchdog_log);
        self.decisions = Decisions::at(&self.paths.decisions);
        self.guarded.iter().for_each(Guarded::has_new_ground);
        if !self.paths.env.exists() {
            let _ = environment::save(&self.paths.env, &policy.env);
        }
        if let (ServerObs::Up { pid }, own) = (self.state.fleet.server, server::of(&policy, &self.paths))
            && own.is_own()
            && let Some(process) = ProcId::of(pid)
        {
            let _ = rescue_socket(&own, process);
        }
        let text = match self.new_store() {
            Ok(()) => "the state folder was removed — made anew with what was remembered".to_owned(),
            Err(e) => format!("the state folder was removed, and what was remembered cannot be saved: {e}"),
        };
        self.note(EventKind::Store, text, true);
    }

    fn new_store(&mut self) -> Result<(), StoreError> {
        let mut store: Box<dyn Store> = Box::new(sqlite::open(&self.paths.db)?.store);
        let claim = store.claim(RESOURCE, &self.saver.claim.owner)?;
        owner::note(&mut *store, &self.policy());
        let _ = store.put(&[(LAST_GOOD.to_owned(), self.config.text.clone())].into());
        self.saver = Saver::for_new_file(store, claim, self.paths.db.clone());
        Ok(())
    }
}
