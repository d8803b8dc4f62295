//! Reads a journal: every decision with all that it was made of.
use super::record::{FORMAT, Line, policy_of, state_of};
use crate::model::{
    observation::Observation,
    policy::Policy,
    state::State,
    time::{Boot, Now},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// A decision as it was recorded.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its line in the file, from 1.
    pub line: usize,
    /// Who decided, like `0.1.0`.
    pub program: Arc<str>,
    pub now: Now,
    pub policy: Arc<Policy>,
    pub obs: Observation,
    pub state: State,
    pub actions: Value,
    pub events: Value,
    pub wake_at: Boot,
    /// What was remembered from then on.
    pub then: State,
}

/// Why a file cannot be read as a journal.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("it is empty")]
    Empty,
    #[error("line {line} is no record of a decision: {why}")]
    NoRecord { line: usize, why: String },
    #[error("line {line} has format {found}, this program knows up to {FORMAT}")]
    Newer { line: usize, found: u64 },
    /// What it leans on is not there.
    #[error("line {line} goes on from a line that is not there (record {n} after {before})")]
    Gap { line: usize, n: u64, before: String },
    #[error("line {line} does not fit the lines before it: {why}")]
    Misfit { line: usize, why: String },
}

type Lines<'a> = Box<dyn Iterator<Item = (usize, &'a [u8])> + 'a>;

/// The decisions of one file, first to last. A line that was cut short, at the end or before a line that needs no other
/// one, is what a killed process leaves behind: it is counted and left out.
pub struct Journal<'a> {
    /// With their numbers; blank ones are none.
    lines: std::iter::Peekable<Lines<'a>>,
    /// Lines that were cut short.
    pub cut: usize,
    known: Option<Known>,
    any: bool,
}

struct Known {
    n: u64,
    program: Arc<str>,
    policy: Arc<Policy>,
    obs: Value,
    state: Value,
}

/// What a line is, before it is read.
#[derive(Deserialize)]
struct Head {
    v: u64,
    n: Option<u64>,
}

impl<'a> Journal<'a> {
    pub fn new(bytes: &'a [u8]) -> Journal<'a> {
        let lines = bytes.split(|b| *b == b'\n').enumerate().map(|(at, line)| (at + 1, line));
        let filled = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
        let lines: Lines = Box::new(filled);
        Journal { lines: lines.peekable(), cut: 0, known: None, any: false }
    }

    fn read(&mut self, line: usize, bytes: &[u8]) -> Result<Recorded, Fault> {
        let no_record = |e: serde_json::Error| Fault::NoRecord { line, why: told(&e) };
        let misfit = |why: String| Fault::Misfit { line, why };
        let head: Head = serde_json::from_slice(bytes).map_err(no_record)?;
        if head.v > FORMAT {
            return Err(Fault::Newer { line, found: head.v });
        }
        let text: Line = serde_json::from_slice(bytes).map_err(no_record)?;
        let before = self.known.take();
        let n = text.n;
        if n > 0 && before.as_ref().is_none_or(|k| k.n + 1 != n) {
            let before = before.map_or("none".into(), |k| k.n.to_string());
            return Err(Fault::Gap { line, n, before });
        }
        let (mut obs, mut state) = (json!({}), json!({}));
        let mut program: Arc<str> = text.program.into();
        let mut policy = None;
        if let Some(known) = before.filter(|_| n > 0) {
            (obs, state, program, policy) = (known.obs, known.state, known.program, Some(known.policy));
        }
        if let Some(new) = text.policy {
            policy = Some(Arc::new(policy_of(new).map_err(|e| misfit(format!("`policy`: {e}")))?));
        }
        let policy = policy.ok_or_else(|| misfit("no `policy`".into()))?;
        text.obs.apply(&mut obs).map_err(|e| misfit(format!("`obs`: {e}")))?;
        text.state.apply(&mut state).map_err(|e| misfit(format!("`state`: {e}")))?;
        let read = state_of(&state).map_err(|e| misfit(format!("`state`: {e}")))?;
        text.then.apply(&mut state).map_err(|e| misfit(format!("`then`: {e}")))?;
        let recorded = Recorded {
            line,
            program: program.clone(),
            now: text.now,
            policy: policy.clone(),
            obs: Observation::deserialize(&obs).map_err(|e| misfit(format!("`obs`: {e}")))?,
            state: read,
            actions: text.actions,
            events: text.events,
            wake_at: text.wake_at,
            then: state_of(&state).map_err(|e| misfit(format!("`then`: {e}")))?,
        };
        self.known = Some(Known { n, program, policy, obs, state });
        Ok(recorded)
    }

    /// The next line needs no other one, or there is none: the one before it may have been cut short.
    fn may_be_cut(&mut self) -> bool {
        self.lines.peek().is_none_or(|(_, next)| {
            let head = serde_json::from_slice::<Head>(next);
            head.is_ok_and(|head| head.n == Some(0))
        })
    }
}

impl Iterator for Journal<'_> {
    type Item = Result<Recorded, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some((line, bytes)) = self.lines.next() else {
                return (!std::mem::replace(&mut self.any, true)).then_some(Err(Fault::Empty));
            };
            let alone = !self.any && self.lines.peek().is_none();
            self.any = true;
            let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok();
            if !is_json && !alone && self.may_be_cut() {
                self.cut += 1;
                self.known = None;
                continue;
            }
            return Some(self.read(line, bytes));
        }
    }
}

/// Where in the line, which is one line to us.
fn told(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.replace(&format!(" at line 1 column {}", error.column()), &format!(" (column {})", error.column()))
}
