//! A step of a job that is a prompt for its agent.
use super::{agent_log::AgentLog, child::Surroundings, tree::Tree};
use crate::{
    jobs::agent::{Tally, Turn, call, prompt},
    model::{
        job::{Bytes, Exit, JobCommand, JobState},
        job_agent::{JobAgent, SESSION, Stream},
    },
    store::jobs::{Claimed, JobStore},
    world::git::{FilesThen, files_changed, files_now},
};
use rustix::fs::{MemfdFlags, memfd_create};
use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs::File,
    io::{self, Seek, Write},
    os::unix::ffi::OsStrExt,
    time::Duration,
};

/// A look at the repository takes no longer, before the first prompt and after the last.
const LOOK: Duration = Duration::from_secs(3);

/// What a runner remembers of its job's agent from step to step.
pub struct Talk {
    agent: JobAgent,
    /// Steps whose prompts came into the conversation.
    told: BTreeSet<usize>,
    /// The step within which the last runner was cut off, after its prompt was heard.
    cut_off: Option<usize>,
    /// Outer `None`: not looked yet.
    then: Option<Option<FilesThen>>,
}

/// What a prompt becomes.
pub struct Started {
    pub command: JobCommand,
    /// The prompt, if it is read from there. Straight from memory: nobody has to stay and write it.
    pub stdin: Option<File>,
}

impl Talk {
    /// `None`: the job has no agent. Its log is read from now on.
    pub fn of(claimed: &Claimed, tree: &mut Tree) -> Option<Talk> {
        let job = &claimed.job;
        let agent = job.spec.agent.clone()?;
        let is_prompt =
            |step: usize| matches!(job.spec.steps.get(step).map(|s| &s.command), Some(JobCommand::Prompt(_)));
        let goes_on = claimed.goes_on;
        let done = |step: &usize| goes_on && job.steps.get(*step).is_some_and(|run| run.state == JobState::Done);
        let heard = goes_on && job.steps.get(job.step).is_some_and(|run| run.session.is_some());
        let tally = if goes_on { Tally::of(job) } else { Tally::default() };
        if let Some(cap) = &mut tree.cap {
            cap.agent = Some(AgentLog::of(agent.stream, tally));
        }
        Some(Talk {
            told: (0..job.step).filter(|step| is_prompt(*step)).filter(done).collect(),
            cut_off: Some(job.step).filter(|step| heard && is_prompt(*step) && !done(step)),
            agent,
            then: None,
        })
    }

    /// The process for a step's prompt. `Err`: why there can be none.
    pub fn begin(
        &mut self,
        tree: &mut Tree,
        around: &Surroundings,
        number: usize,
        text: &Bytes,
    ) -> Result<Started, String> {
        if self.then.is_none() {
            self.then = Some(files_now(around.dir, LOOK));
        }
        if let Some(cap) = &mut tree.cap {
            // What the steps before it wrote is read as theirs.
            cap.check();
            if let (Some(agent), Some(said)) = (&mut cap.agent, cap.progress.news()) {
                agent.said_progress(said);
                cap.progress.written();
            }
        }
        let log = tree.cap.as_mut().and_then(|cap| cap.agent.as_mut());
        let session = log.as_ref().and_then(|log| log.tally.session.clone());
        let go_on = self.cut_off.take() == Some(number);
        let earlier = self.told.range(..number).next().is_some();
        let mut own = None;
        let turn = match &session {
            Some(session) if (earlier || go_on) && self.agent.goes_on() => Turn::Resumed { session },
            _ if earlier => return Err("the conversation of the steps before it is not known".into()),
            _ => Turn::Fresh { session: own.insert(name(&self.agent)?) },
        };
        let resumed = matches!(turn, Turn::Resumed { .. });
        let go_on_words = prompt::go_on();
        let said: &OsStr = if go_on && resumed { go_on_words.as_ref() } else { &text.0 };
        let call = call(&self.agent, turn, said);
        let stdin = match call.by_stdin {
            true => Some(in_memory(said.as_bytes()).map_err(|e| format!("its prompt cannot be handed over: {e}"))?),
            false => None,
        };
        if let Some(log) = log {
            log.begin(number, resumed, around.log.metadata().map_or(0, |meta| meta.len()));
            if let Some(given) = session.as_ref().filter(|_| resumed).or(own.as_ref())
                && self.agent.stream == Stream::Text
                && !given.is_empty()
            {
                log.named(given);
            }
        }
        if let Some(cap) = &mut tree.cap {
            cap.look_soon();
        }
        self.told.insert(number);
        Ok(Started { command: JobCommand::Argv(call.argv), stdin })
    }

    /// Its process ended. Why the run failed, also where the exit code says nothing of it.
    pub fn end(&mut self, store: &mut JobStore, tree: &mut Tree, exit: Option<Exit>) -> Option<String> {
        let cap = tree.cap.as_mut()?;
        cap.check();
        let log = cap.agent.as_mut()?;
        let failed = log.end();
        let last = || log.tally.last_words().map(str::to_owned).filter(|_| exit != Some(Exit::Code(0)));
        let why = failed.or_else(last);
        log.tell(store, tree.id, tree.epoch);
        log.over();
        why
    }

    /// The job is over: what came of it.
    pub fn over(self, store: &mut JobStore, tree: &mut Tree, state: JobState) {
        let Some(log) = tree.cap.as_mut().and_then(|cap| cap.agent.as_mut()) else { return };
        if self.told.is_empty() {
            return;
        }
        let files = self.then.flatten().and_then(|then| files_changed(&then, LOOK));
        if let Some(files) = files {
            let _ = store.files_changed(tree.id, tree.epoch, files);
        }
        if state == JobState::Done {
            log.complete(files);
        }
    }
}

/// A conversation's name, where the program takes one of ours: a new UUID. Else empty.
fn name(agent: &JobAgent) -> Result<String, String> {
    let takes = |word: &Bytes| word.0.as_bytes().windows(SESSION.len()).any(|part| part == SESSION.as_bytes());
    if agent.stream != Stream::Text || !agent.start.iter().any(takes) {
        return Ok(String::new());
    }
    let made = std::fs::read_to_string("/proc/sys/kernel/random/uuid");
    made.map(|uuid| uuid.trim().to_owned()).map_err(|e| format!("its conversation cannot be named: {e}"))
}

fn in_memory(bytes: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create("prompt", MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file)
}
