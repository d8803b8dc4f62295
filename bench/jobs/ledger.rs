//! What jobs write down themselves, so that nobody's word about them has to be believed: a line at the start and one at
//! the end of each, in the order in which they happened.
use crate::place::{Place, told};
use agents::{
    model::job::{Exit, Job, JobCommand, JobState},
    store::jobs::{JobFilter, JobStore},
};
use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::{self, Write},
    path::Path,
    process::ExitCode,
    time::Duration,
};

pub const WORD: &str = "__job";
pub const FILE: &str = "ledger";

/// A job of the test: number, how long it works, how it exits.
#[derive(Clone, Copy)]
pub struct Work {
    pub number: usize,
    pub ms: u64,
    pub code: u8,
}

/// `__job LEDGER NUMBER MS CODE`.
pub fn main(words: &[String]) -> ExitCode {
    let [ledger, number, ms, code] = words else { return ExitCode::from(200) };
    let (Ok(ms), Ok(code)) = (ms.parse(), code.parse::<u8>()) else { return ExitCode::from(201) };
    let pid = std::process::id();
    let write = |what: &str| -> io::Result<()> {
        // One write each: the kernel puts appended lines one after the other.
        let mut file = OpenOptions::new().append(true).create(true).open(ledger)?;
        file.write_all(format!("{what} {number} {pid}\n").as_bytes())
    };
    if write("start").is_err() {
        return ExitCode::from(202);
    }
    std::thread::sleep(Duration::from_millis(ms));
    if write("end").is_err() {
        return ExitCode::from(203);
    }
    ExitCode::from(code)
}

impl Work {
    pub fn words(self, own: &str, ledger: &str) -> Vec<String> {
        let Work { number, ms, code } = self;
        [own, WORD, ledger, &number.to_string(), &ms.to_string(), &code.to_string()].map(str::to_owned).to_vec()
    }

    /// A line for the shell. The two paths are ours: a build folder and a temporary one, with no quote in them.
    pub fn line(self, own: &str, ledger: &str) -> String {
        let Work { number, ms, code } = self;
        format!("exec '{own}' {WORD} '{ledger}' {number} {ms} {code}\n")
    }

    fn of(job: &Job) -> Option<usize> {
        let text = match &job.spec.steps.first()?.command {
            JobCommand::Shell(line) | JobCommand::Prompt(line) => line.0.to_string_lossy().into_owned(),
            JobCommand::Argv(words) => words.iter().map(|w| w.0.to_string_lossy()).collect::<Vec<_>>().join(" "),
        };
        text.split_once(WORD)?.1.split_whitespace().nth(1)?.parse().ok()
    }
}

#[derive(Default)]
pub struct Ledger {
    starts: BTreeMap<usize, u32>,
    ends: BTreeMap<usize, u32>,
    pub at_once: usize,
    pub lines: usize,
}

pub fn read(path: &Path) -> Ledger {
    let mut ledger = Ledger::default();
    let mut now = 0_usize;
    for line in fs::read_to_string(path).unwrap_or_default().lines() {
        let mut words = line.split(' ');
        let (Some(what), Some(Ok(number))) = (words.next(), words.next().map(str::parse)) else { continue };
        ledger.lines += 1;
        if what == "start" {
            *ledger.starts.entry(number).or_default() += 1;
            now += 1;
            ledger.at_once = ledger.at_once.max(now);
        } else {
            *ledger.ends.entry(number).or_default() += 1;
            now = now.saturating_sub(1);
        }
    }
    ledger
}

/// What the store says when all is over, and what of it is not so.
#[derive(Default)]
pub struct Checked {
    pub jobs: usize,
    pub true_codes: usize,
    pub interrupted: usize,
    pub at_once: usize,
    pub faults: Vec<String>,
}

/// Holds the store against the ledger. `acked`: ids that some client was given.
pub fn check(
    place: &Place,
    store: &JobStore,
    works: &[Work],
    acked: &[String],
    may_interrupt: bool,
) -> io::Result<Checked> {
    let ledger = read(&place.path(FILE));
    let jobs = store.list(&JobFilter::default(), None).map_err(told)?;
    let mut checked = Checked { at_once: ledger.at_once, ..Checked::default() };
    let mut seen: BTreeMap<usize, u32> = BTreeMap::new();
    for job in &jobs {
        // Others are there to have the queue go on.
        let Some(work) = Work::of(job).and_then(|number| works.get(number)) else { continue };
        let id = job.id;
        checked.jobs += 1;
        *seen.entry(work.number).or_default() += 1;
        let count = |map: &BTreeMap<usize, u32>| map.get(&work.number).copied().unwrap_or(0);
        let (starts, ends) = (count(&ledger.starts), count(&ledger.ends));
        let wanted = if work.code == 0 { JobState::Done } else { JobState::Failed };
        let mut fault = |text: String| checked.faults.push(format!("{id}: {text}"));
        if starts > 1 {
            fault(format!("it ran {starts} times"));
        }
        match job.state {
            state if state == wanted && job.exit == Some(Exit::Code(work.code.into())) && (starts, ends) == (1, 1) => {
                checked.true_codes += 1;
            }
            JobState::Interrupted if may_interrupt && job.exit.is_none() => checked.interrupted += 1,
            state => {
                let exit = job.exit;
                let word = state.word();
                fault(format!("{word}, {exit:?} for {}, {starts} starts, {ends} ends, {:?}", work.code, job.error));
            }
        }
    }
    for (number, times) in seen.iter().filter(|(_, times)| **times > 1) {
        checked.faults.push(format!("number {number} was queued {times} times"));
    }
    let unseen = |number: &&usize| !seen.contains_key(number);
    checked.faults.extend(ledger.starts.keys().filter(unseen).map(|n| format!("number {n} ran and is not known")));
    let known: Vec<String> = jobs.iter().map(|job| job.id.to_string()).collect();
    let lost = acked.iter().filter(|id| !known.contains(id));
    checked.faults.extend(lost.map(|id| format!("{id} was given out and is lost")));
    Ok(checked)
}
