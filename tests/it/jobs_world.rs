//! A place for jobs without a fleet: a state folder of its own, the built binary, and the store as it stands.
use crate::sandbox::{Sandbox, wait_until};
use agents::{
    model::job::{Bytes, Job, JobCommand, JobId, JobSpec, JobState, StepSpec},
    store::{
        Durability,
        jobs::{JobFilter, JobStore, NewJob, open},
    },
    world::{clock, process::ProcId},
};
use std::{
    path::PathBuf,
    process::{Command, Output, Stdio},
    time::Duration,
};

pub struct JobWorld {
    pub sandbox: Sandbox,
}

impl JobWorld {
    pub fn new() -> JobWorld {
        JobWorld { sandbox: Sandbox::new() }
    }

    pub fn agents(&self, line: &[&str]) -> Command {
        let mut command = Command::new(Sandbox::exe());
        command.args(line).current_dir(self.sandbox.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("LANG", "C.UTF-8");
        command.env("HOME", self.sandbox.path()).env("SHELL", "/bin/sh").env("AGENTS_BOOT_ID", "first");
        command.stdin(Stdio::null());
        command
    }

    pub fn run(&self, line: &[&str]) -> Output {
        self.agents(line).output().expect("the program starts")
    }

    /// `agents run -b …`: the id.
    #[track_caller]
    pub fn background(&self, line: &[&str]) -> JobId {
        let output = self.run(&[&["run", "-b"], line].concat());
        let said = String::from_utf8_lossy(&output.stdout);
        JobId::parse(said.trim()).unwrap_or_else(|| panic!("no id: {output:?}"))
    }

    pub fn dir(&self) -> PathBuf {
        self.sandbox.join(".local/state/agents")
    }

    pub fn store(&self) -> JobStore {
        open(&self.dir().join("jobs.db"), Durability::Normal).expect("the store")
    }

    /// What the line cannot say: several steps, a short grace.
    pub fn submit(&self, steps: &[&str], change: impl FnOnce(&mut JobSpec)) -> JobId {
        let mut spec = JobSpec {
            dir: self.sandbox.path().into(),
            steps: steps.iter().map(|line| StepSpec::of(JobCommand::Shell(Bytes(line.into())))).collect(),
            stop_grace: Duration::from_millis(300),
            log_cap: 1 << 20,
            ..JobSpec::default()
        };
        change(&mut spec);
        let env = vec![("PATH".into(), std::env::var_os("PATH").unwrap_or_default())];
        let job = NewJob { spec, env: env.into(), caller: None, after_batch: Vec::new() };
        self.store().submit(&[job], clock::wall()).expect("queued")[0]
    }

    /// Any command that changes something sees to it that what may run runs.
    pub fn kick(&self) -> JobId {
        self.background(&["true"])
    }

    pub fn job(&self, id: JobId) -> Job {
        self.store().job(id).expect("the store").expect("the job")
    }

    pub fn jobs(&self) -> Vec<Job> {
        self.store().list(&JobFilter::default(), None).expect("the store")
    }

    #[track_caller]
    pub fn over(&self, id: JobId) -> Job {
        wait_until(30, &format!("{id} is over"), || self.job(id).state.is_over());
        self.job(id)
    }

    #[track_caller]
    pub fn running(&self, id: JobId) -> Job {
        let there = || Some(self.job(id)).filter(|job| job.state == JobState::Running && job.child.is_some());
        wait_until(30, &format!("{id} runs"), || there().is_some());
        there().expect("it still runs")
    }

    pub fn log(&self, id: JobId) -> String {
        std::fs::read_to_string(self.job(id).log).unwrap_or_default()
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.sandbox.join(name)).unwrap_or_default()
    }

    /// The process whose pid stands in this file.
    #[track_caller]
    pub fn process(&self, name: &str) -> ProcId {
        wait_until(30, name, || self.read(name).ends_with('\n'));
        ProcId::of(self.read(name).trim().parse().expect("a pid")).expect("it runs")
    }
}
