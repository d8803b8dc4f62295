//! Where the jobs of this line are, and by which rules they run.
use super::super::{Context, failure::Failure, locate};
use crate::{
    engine::fleet::Fleet,
    model::job_rules::{Durable, JobRules},
    store::{
        Durability,
        jobs::{self, FILE, JobStore},
    },
};
use std::path::PathBuf;

pub struct Ground {
    pub dir: PathBuf,
    pub rules: JobRules,
    durability: Durability,
}

impl Ground {
    /// Those of the fleet whose config this line means; without one, those of the user.
    pub fn find(context: &Context) -> Result<Ground, Failure> {
        let Some(config) = locate::optional(context.config.clone())? else {
            let dir = outside()?;
            return Ok(Ground { dir, rules: JobRules::default(), durability: Durability::Full });
        };
        let policy = Fleet::load(&config)?.policy;
        let durability = match policy.store.durability {
            Durable::Full => Durability::Full,
            Durable::Normal => Durability::Normal,
        };
        Ok(Ground { dir: policy.log_dir, rules: policy.jobs, durability })
    }

    /// `None`: nobody has submitted anything.
    pub fn existing(&self) -> Result<Option<JobStore>, Failure> {
        let Some(mut store) = jobs::open_existing(&self.dir.join(FILE), self.durability)? else { return Ok(None) };
        self.ready(&mut store)?;
        Ok(Some(store))
    }

    /// Makes it if need be.
    pub fn open(&self) -> Result<JobStore, Failure> {
        let mut store = jobs::open(&self.dir.join(FILE), self.durability)?;
        self.ready(&mut store)?;
        Ok(store)
    }

    fn ready(&self, store: &mut JobStore) -> Result<(), Failure> {
        if let Some(slots) = self.rules.slots {
            store.set_machine_slots(slots);
        }
        self.adopt(store)
    }

    /// Sees to jobs whose runner is gone.
    pub fn adopt(&self, _: &mut JobStore) -> Result<(), Failure> {
        Ok(())
    }

    /// Starts as many runners as there are jobs that may run now.
    pub fn start(&self, _: &mut JobStore) -> Result<(), Failure> {
        Ok(())
    }
}

fn outside() -> Result<PathBuf, Failure> {
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = named("XDG_STATE_HOME").or_else(|| Some(named("HOME")?.join(".local/state")));
    state.map(|dir| dir.join("agents")).ok_or_else(|| {
        Failure::new(1, "there is no config here, and no home folder to keep jobs in").hint("set `HOME`")
    })
}
