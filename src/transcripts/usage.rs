//! What an agent used: turns, tokens and cost, from its own session files.
use super::{survey::Survey, transcript::Transcript};
use crate::model::{
    time::Wall,
    transcript::{Row, Tokens, What},
    zones::Zones,
};
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sum {
    /// Texts that began a turn, or went into one.
    pub turns: u64,
    pub tokens: Tokens,
    /// `None`: no file says it.
    pub cost_usd: Option<f64>,
}

/// Adds up rows of one agent's files.
#[derive(Debug, Default)]
pub struct Adder {
    sum: Sum,
    since: Wall,
    /// Which file an answer was first seen in: a conversation that is continued under another id takes its rows along.
    answers: BTreeMap<u64, usize>,
    file: usize,
}

impl Adder {
    pub fn since(since: Wall) -> Adder {
        Adder { since, ..Adder::default() }
    }

    /// The rows that follow are those of another file.
    pub fn next_file(&mut self) {
        self.file += 1;
    }

    /// `helper`: of a conversation within a session, whose turns are no turns of the agent's.
    pub fn take(&mut self, row: &Row, helper: bool) {
        match &row.what {
            What::Asked { .. } if !helper && self.counts(row) => self.sum.turns += 1,
            What::Used(usage) => {
                let file = self.file;
                let first = usage.message.map(|id| *self.answers.entry(id).or_insert(file));
                if self.counts(row) && first.is_none_or(|first| first == file) {
                    self.sum.tokens += usage.tokens;
                    if let Some(cost) = usage.cost_usd {
                        *self.sum.cost_usd.get_or_insert(0.0) += cost;
                    }
                }
            }
            _ => {}
        }
    }

    fn counts(&self, row: &Row) -> bool {
        row.at.is_some_and(|at| at >= self.since)
    }

    pub fn sum(&self) -> Sum {
        self.sum
    }
}

/// All that an agent's files say since then. `None`: none of them is known to be its own.
pub fn usage(survey: &Survey, name: &str, since: Wall) -> Option<Sum> {
    let mut adder = Adder::since(since);
    let mut read = false;
    for (session, _) in survey.sessions_of(name) {
        for (session, helper) in std::iter::once((session, false)).chain(survey.helpers_of(session).map(|h| (h, true)))
        {
            adder.next_file();
            let mut file = Transcript::new(session.program, &session.path, Zones::default());
            read |= file.read(&mut |row| adder.take(&row, helper)).is_ok();
        }
    }
    read.then(|| adder.sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::transcript::Usage;

    #[test]
    fn an_answer_in_two_files_counts_once() {
        let mut adder = Adder::since(Wall(100));
        let used = |message, output| {
            let tokens = Tokens { output, ..Tokens::default() };
            Row { at: Some(Wall(100)), what: What::Used(Usage { message, tokens, cost_usd: Some(0.5) }) }
        };
        let asked = |at| Row { at: Some(Wall(at)), what: What::Asked { text: "x".into() } };
        for row in [asked(99), asked(100), used(Some(1), 10), used(Some(1), 5), used(None, 1)] {
            adder.take(&row, false);
        }
        adder.next_file();
        for row in [used(Some(1), 10), used(Some(2), 100), asked(100)] {
            adder.take(&row, true);
        }
        let sum = adder.sum();
        assert_eq!((sum.turns, sum.tokens.total(), sum.cost_usd), (1, 116, Some(2.0)));
    }
}
