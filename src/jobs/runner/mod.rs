//! `agents __runner DIR`: runs jobs of the store in DIR, one after the other, until nothing can be claimed.
//!
//! ```text
//! claim ──job──> run ──> finish and claim ──job──> run …
//!   └─none─> wait a moment for the next one ──job──> run …
//!   └─none─> does some job wait for a time, and nobody sleeps for it? ──yes──> sleep ──> claim …
//!                                              └─no─> end
//! ```
mod adopted;
mod agent;
mod agent_log;
mod approval;
mod bounds;
mod child;
mod ears;
mod handing;
mod input;
mod job;
mod keys;
mod kin;
mod linger;
mod log;
mod pane;
mod progress;
mod ready;
mod room;
mod sleeper;
mod tree;
mod typed;
mod window;

use super::{adopt, handed, start, tidy, within};
use crate::{
    model::job::{JobId, JobState, ProcMark},
    store::{
        Durability, StoreError,
        jobs::{Claimed, Ending, FILE, Fenced, Finished, Habits, JobStore, open_existing},
    },
    world::{
        clock,
        process::{RUNNERS, call_ourselves, let_go_of_code, lift_file_limit, show_as},
    },
};
use ears::Ears;
use handing::Handed;
pub use job::SESSION_ENDED;
use linger::Lingered;
pub use log::open as open_log;
use md5::{Digest, Md5};
use pane::Pane;
pub use ready::Ready;
use std::{cell::Cell, ffi::OsString, os::unix::ffi::OsStrExt, path::Path, process::ExitCode, time::Duration};
use window::Opened;

pub const WORD: &str = "__runner";

/// What every runner of this store is called in lists of processes; and its children, until they become another program.
pub fn name(dir: &Path) -> String {
    let digest = Md5::digest(dir.as_os_str().as_bytes());
    let short: String = digest.iter().take(4).map(|b| format!("{b:02x}")).collect();
    format!("{RUNNERS}{short}")
}

/// What a runner without a job is called: it is no job's process in the making.
const IDLE_NAME: &str = "agents:idle";

/// Where there is always another job: jobs between two times at which old ones are forgotten.
const TIDY_AFTER: u32 = 256;

/// Pauses between two tries to write down how a job ended.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The hidden word [`WORD`]. `None`: `words` do not begin with it.
pub fn main(words: &[OsString]) -> Option<ExitCode> {
    let (word, rest) = words.split_first()?;
    if word != WORD {
        return None;
    }
    let done = match rest {
        [dir, flags @ ..] => match Meant::parse(flags) {
            Some(meant) => run(Path::new(dir), &meant),
            None => return Some(wrong()),
        },
        [] => return Some(wrong()),
    };
    // Nobody is there to read an error: what it means for a job stands in the store, or cannot be written there.
    Some(if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What stands behind the folder.
#[derive(Default)]
struct Meant {
    /// A job whose runner is gone, and the epoch by which its finder sent us.
    adopt: Option<(JobId, i64)>,
    /// We were started in this job's session: the job, and the epoch by which it is handed on.
    pane: Option<(JobId, i64)>,
    habits: Option<Habits>,
}

impl Meant {
    fn parse(flags: &[OsString]) -> Option<Meant> {
        let mut meant = Meant::default();
        for pair in flags.chunks(2) {
            let [flag, value] = pair else { return None };
            match (flag.to_str()?, value.to_str()?) {
                ("--adopt", word) => meant.adopt = Some(handed::parse(word)?),
                ("--pane", word) => meant.pane = Some(handed::parse(word)?),
                ("--habits", word) => meant.habits = Some(Habits::parse(word)?),
                _ => return None,
            }
        }
        Some(meant)
    }
}

fn wrong() -> ExitCode {
    eprintln!("error: `{WORD}` is for agents itself");
    ExitCode::from(2)
}

/// Tells a runner that the store has something for its job: an end that somebody asked for. One that has another job by
/// now looks, and goes on.
pub fn tell(runner: ProcMark) -> bool {
    let runner = super::process(runner);
    let told = runner.signal(rustix::process::Signal::USR1);
    // One that somebody has stopped would hear of it when it is too late.
    told && runner.signal(rustix::process::Signal::CONT)
}

/// What one runner is.
struct Runner {
    store: JobStore,
    ears: Ears,
    me: ProcMark,
    boot_id: String,
    /// How many it has run since it tidied up.
    jobs: u32,
    /// Some of them had folders of their own.
    dirs: bool,
    /// Some of them had sessions.
    sessions: bool,
    /// It has still to be looked at what else may run: after the first job has begun, which somebody waits for.
    due: Cell<bool>,
}

fn run(dir: &Path, meant: &Meant) -> Result<(), StoreError> {
    let Some(mut runner) = begin(dir, meant.habits)? else { return Ok(()) };
    let (first, pane) = match meant.pane {
        None => (meant.adopt.map(|(id, epoch)| runner.adopt(id, epoch)).transpose()?.flatten(), None),
        Some((id, epoch)) => match runner.sit_down(id, epoch)? {
            Some((claimed, pane)) => (Some(claimed), Some(pane)),
            None => return Ok(()),
        },
    };
    let first = match first {
        Some(first) => Some(Box::new(first)),
        None => runner.claim()?,
    };
    work(runner, first, pane)
}

/// This process, which has just submitted a job and belongs to nobody, is a runner from here on: of `first`, or of what
/// may run, if there is anything.
pub fn stay(mut store: JobStore, me: Ready, first: Option<Claimed>) {
    show_as(&[b"agents __runner ", store.dir().as_os_str().as_bytes()].concat());
    // As for one that was started: nobody is there to read an error.
    let _ = store.set_busy();
    let _ = (|| -> Result<(), StoreError> {
        let mut first = first.map(Box::new);
        // Asked without a write, which others would have to wait for.
        if first.is_none() && store.startable(clock::wall(), 1)? == 0 {
            super::kick(&mut store)?;
            store.leave();
            return Ok(());
        }
        let mut runner = Runner::of(store, me);
        if first.is_none() {
            first = runner.claim()?;
        }
        if first.is_none() {
            return super::kick(&mut runner.store).map(drop);
        }
        runner.due.set(true);
        work(runner, first, None)
    })();
}

/// `None`: the store is gone, or this process cannot be a runner.
fn begin(dir: &Path, habits: Option<Habits>) -> Result<Option<Runner>, StoreError> {
    // Opening the store makes files, too.
    lift_file_limit();
    let Some(mut store) = open_existing(&dir.join(FILE), Durability::Full)? else { return Ok(None) };
    if let Some(habits) = habits {
        store.set_habits(habits);
    }
    store.set_busy()?;
    within::enter_as_runner(&mut store);
    Ok(Ready::be().map(|me| Runner::of(store, me)))
}

fn work(mut runner: Runner, mut next: Option<Box<Claimed>>, mut pane: Option<Pane>) -> Result<(), StoreError> {
    // One in a tmux session would keep that open.
    let mut lingers = false;
    loop {
        next = match next {
            Some(claimed) => {
                lingers = pane.is_none() && runner.store.within().is_none();
                match runner.run_and_claim(*claimed, pane.take())? {
                    Next::Job(next) => next,
                    Next::End => return Ok(()),
                }
            }
            None if std::mem::take(&mut lingers) => {
                runner.tidy_at_once();
                call_ourselves(IDLE_NAME);
                let lingered = runner.linger();
                call_ourselves(&name(runner.store.dir()));
                match lingered? {
                    Lingered::Job(next) => Some(next),
                    Lingered::Nothing => None,
                    Lingered::Down => return Ok(()),
                }
            }
            None => {
                if runner.store.within().is_none() {
                    // Another runner may have been killed meanwhile, with nobody there to give a command.
                    adopt::lost(&mut runner.store)?;
                    runner.tidy();
                    runner.leave_tmux();
                    runner.store.settle();
                }
                let_go_of_code();
                call_ourselves(IDLE_NAME);
                if !sleeper::sleep(&runner.store, &runner.ears)? {
                    within::leave(runner.store);
                    return Ok(());
                }
                call_ourselves(&name(runner.store.dir()));
                runner.claim_awake()?
            }
        }
    }
}

enum Next {
    Job(Option<Box<Claimed>>),
    /// The machine goes down: nothing more is begun.
    End,
}

impl Runner {
    fn of(store: JobStore, Ready { ears, me, boot_id }: Ready) -> Runner {
        call_ourselves(&name(store.dir()));
        Runner { store, ears, me, boot_id, jobs: 0, dirs: false, sessions: false, due: Cell::new(false) }
    }

    /// What is queued must not stay so because the disk was full when its runner came.
    fn claim(&mut self) -> Result<Option<Box<Claimed>>, StoreError> {
        let (me, boot_id) = (self.me, self.boot_id.clone());
        let claimed = self.persist(|store, _| store.claim(me, &boot_id, clock::wall()))?;
        Ok(claimed.map(Box::new))
    }

    /// Of who has slept.
    fn claim_awake(&mut self) -> Result<Option<Box<Claimed>>, StoreError> {
        let next = self.claim()?;
        // Others whose time has come, and somebody who sleeps for the rest.
        start::start(&self.store)?;
        Ok(next)
    }

    fn run_and_claim(&mut self, mut claimed: Claimed, pane: Option<Pane>) -> Result<Next, StoreError> {
        let mut no_session = None;
        // A session takes its time.
        if claimed.job.spec.tmux && self.due.take() {
            super::kick(&mut self.store)?;
        }
        if claimed.job.spec.tmux && claimed.job.spec.agent.is_some() {
            match self.open_window(&claimed)? {
                Opened::Open => {}
                Opened::Without(why) => no_session = Some(why).filter(|_| claimed.job.spec.tmux_asked),
                Opened::Over => return Ok(Next::Job(self.claim()?)),
            }
        } else if claimed.job.spec.tmux && pane.is_none() {
            match self.hand_on(&claimed)? {
                Handed::Over { down: true } => return Ok(Next::End),
                Handed::Over { down: false } => return Ok(Next::Job(self.claim()?)),
                Handed::Kept { epoch, why } => {
                    claimed.epoch = epoch;
                    no_session = Some(why).filter(|_| claimed.job.spec.tmux_asked);
                }
            }
        }
        self.sessions |= pane.is_some();
        let ran = match no_session {
            None => job::run(&mut self.store, &self.ears, &claimed, pane, &self.due),
            Some(why) => job::Ran::without_session(&why),
        };
        if self.due.take() {
            super::kick(&mut self.store)?;
        }
        let (id, epoch) = (claimed.job.id, claimed.epoch);
        self.jobs += 1;
        self.dirs |= claimed.job.spec.own_dir;
        if ran.going_down {
            if !ran.paused {
                self.persist(|store, _| store.finish(id, epoch, &ran.ending, clock::wall()))?;
            }
            return Ok(Next::End);
        }
        let (me, boot_id) = (self.me, self.boot_id.clone());
        let (finished, next) =
            self.persist(|store, _| store.finish_and_claim(id, epoch, &ran.ending, me, &boot_id, clock::wall()))?;
        if matches!(finished, Fenced::Held(Finished { freed, wake, .. }) if freed > 0 || wake.is_some()) {
            start::start(&self.store)?;
        }
        if self.jobs >= TIDY_AFTER {
            self.tidy();
        }
        Ok(Next::Job(next.map(Box::new)))
    }

    /// In the session of a job that another runner has claimed: it is ours now. `None`: nobody waits for us any more.
    fn sit_down(&mut self, id: JobId, epoch: i64) -> Result<Option<(Claimed, Pane)>, StoreError> {
        let Ok(mut pane) = Pane::of_ours() else { return Ok(None) };
        self.ears.sit();
        let (me, boot_id) = (self.me, self.boot_id.clone());
        let held = self.persist(|store, _| store.take_over(id, epoch, me, &boot_id))?;
        let Fenced::Held(new) = held else { return Ok(None) };
        let Some(claimed) = self.store.handed_on(id, new)? else { return Ok(None) };
        pane.meet_writer(self.store.dir(), &claimed.job, epoch);
        Ok(Some((claimed, pane)))
    }

    fn leave_tmux(&mut self) {
        if std::mem::take(&mut self.sessions) {
            super::pane::leave_server(&self.store);
        }
    }

    /// Where jobs are not kept, they are forgotten as soon as they are over.
    fn tidy_at_once(&mut self) {
        if self.store.habits().is_some_and(|habits| habits.keep.none_of_some()) {
            self.tidy();
        }
    }

    /// Best effort: the next one tries again.
    fn tidy(&mut self) {
        if self.jobs > 0 {
            let _ = tidy::tidy(&mut self.store, self.dirs);
        }
        (self.jobs, self.dirs) = (0, false);
    }

    /// How a job ended must not be lost because the disk is full for a while: it is tried again until it stands there.
    fn persist<T>(
        &mut self,
        mut write: impl FnMut(&mut JobStore, &Ears) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut pause = FIRST_PAUSE;
        loop {
            match write(&mut self.store, &self.ears) {
                Err(StoreError::Full { .. } | StoreError::FileLimit { .. } | StoreError::Other { .. })
                    if !self.is_gone() =>
                {
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                done => return done,
            }
        }
    }

    /// Somebody deleted the whole store: there is nobody to tell.
    fn is_gone(&self) -> bool {
        !self.store.path().exists()
    }

    /// A job whose runner is gone. One that waits for an answer comes back: it goes on as if nothing had happened.
    fn adopt(&mut self, id: JobId, epoch: i64) -> Result<Option<Claimed>, StoreError> {
        let Some(taken) = adopted::take(&mut self.store, id, epoch, self.me, &self.boot_id)? else { return Ok(None) };
        if taken.paused {
            return self.store.taken_over(id, taken.epoch, clock::wall());
        }
        let ending = adopted::look_after(&self.store, &self.ears, &taken);
        if let Some(log) = self.store.job(id)?.filter(|job| job.session.is_some()).map(|job| job.log) {
            pane::wait_for_writer(&log);
            self.sessions = true;
        }
        let ending: Ending = Ending { state: ending.state, error: ending.error, ..Ending::of(JobState::Interrupted) };
        self.persist(|store, _| store.finish(id, taken.epoch, &ending, clock::wall()))?;
        start::start(&self.store)?;
        Ok(None)
    }
}
