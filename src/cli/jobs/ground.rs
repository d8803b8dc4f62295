//! Where the jobs of this line are, and by which rules they run.
use super::super::{Context, failure::Failure, job_backends::Backends, locate};
use crate::{
    engine::{fleet::Fleet, paths::Paths},
    jobs::{adopt, kick, place::Place, tidy, waited, within},
    model::job_rules::{Durable, JobRules},
    store::{
        Durability,
        jobs::{self, Habits, JobStore, Keep},
    },
};
use std::{
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

/// Whoever looks for a mistake wants to see everything: what is over is kept, whatever the config says.
const DEBUG: &str = "AGENTS_DEBUG";

pub struct Ground {
    place: Place,
    /// Of the fleet, if it is one's.
    paths: Option<Paths>,
    pub rules: JobRules,
    /// Root of the relative paths of a project's config.
    pub project: Option<PathBuf>,
    /// Whose prompts can be jobs here.
    pub backends: Backends,
    durability: Durability,
}

impl Ground {
    /// Those of the fleet whose config this line means; without one, those of the user.
    pub fn find(context: &Context) -> Result<Ground, Failure> {
        let Some(config) = locate::optional(context.config.clone())? else {
            let place = Place::of_user(|name| std::env::var_os(name))
                .ok_or_else(|| Failure::new(1, "there is no place for jobs: neither HOME nor XDG_STATE_HOME is set"))?;
            return Ok(Ground {
                place,
                paths: None,
                rules: JobRules::default(),
                backends: Backends::default(),
                project: None,
                durability: Durability::Full,
            });
        };
        let policy = Fleet::policy_of(&config)?;
        let paths = Paths::of(&policy);
        let durability = match policy.store.durability {
            Durable::Full => Durability::Full,
            Durable::Normal => Durability::Normal,
        };
        let place = Place::of_fleet(&policy.log_dir);
        let backends = Backends::of(&policy);
        Ok(Ground {
            place,
            paths: Some(paths),
            backends,
            rules: in_force(policy.jobs),
            project: Some(policy.project_dir),
            durability,
        })
    }

    /// The folder that holds the store, if there is one.
    pub fn dir(&self) -> &Path {
        self.place.dir()
    }

    /// `None`: nobody has submitted anything.
    pub fn existing(&self) -> Result<Option<JobStore>, Failure> {
        let Some(mut store) = jobs::open_existing(&self.place.db(), self.durability)? else { return Ok(None) };
        self.ready(&mut store)?;
        // Whoever submitted last may have been killed before it started anybody.
        self.start(&mut store)?;
        Ok(Some(store))
    }

    /// Makes it if need be. Whoever has put something into it calls [`Ground::start`].
    pub fn open(&self) -> Result<JobStore, Failure> {
        if let Some(paths) = &self.paths {
            // As the engine makes it: kept out of git.
            let told = |e| Failure::new(1, format!("cannot make the folder `{}`: {e}", paths.log_dir.display()));
            paths.make_with(self.durability).map_err(told)?;
        }
        let mut store = jobs::open(&self.place.db(), self.durability)?;
        self.ready(&mut store)?;
        Ok(store)
    }

    fn keep(&self) -> Keep {
        let JobRules { keep_finished, keep_unfinished, keep_dirs, .. } = self.rules;
        Keep { finished: keep_finished, unfinished: keep_unfinished, dirs: keep_dirs }
    }

    /// How jobs end is to be seen before they are forgotten: to be called before they can end. Give it back to
    /// [`Ground::seen`].
    pub fn wait(&self, store: &JobStore) -> Option<OwnedFd> {
        if self.keep().none_of_some() { waited::wait(store.dir()) } else { None }
    }

    /// Nobody here wants to know any more.
    pub fn seen(&self, waited: Option<OwnedFd>, store: &mut JobStore) {
        if waited.is_some() {
            drop(waited);
            // The next runner tries again.
            let _ = tidy::tidy(store, false);
        }
    }

    fn ready(&self, store: &mut JobStore) -> Result<(), Failure> {
        let (slots, keep) = (self.rules.slots, self.keep());
        store.set_habits(Habits { slots, keep, durability: self.durability });
        Ok(within::enter(store)?)
    }

    /// Sees to jobs whose runner is gone.
    pub fn adopt(&self, store: &mut JobStore) -> Result<(), Failure> {
        Ok(adopt::lost(store).map(drop)?)
    }

    /// Starts runners for what may run now.
    pub fn start(&self, store: &mut JobStore) -> Result<(), Failure> {
        Ok(kick(store).map(drop)?)
    }
}

fn in_force(rules: JobRules) -> JobRules {
    match std::env::var_os(DEBUG) {
        Some(value) if !value.is_empty() && value != "0" => {
            JobRules { keep_finished: u32::MAX, keep_unfinished: u32::MAX, keep_dirs: u32::MAX, ..rules }
        }
        _ => rules,
    }
}
