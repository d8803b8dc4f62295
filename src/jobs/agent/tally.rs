//! What was said in a stream, added up: for the row of the job. A job may have several runs, one a step.
use super::codex;
use crate::model::{
    agent_said::{Said, Scope},
    job::{Job, Progress},
    job_agent::Stream,
    name::printable_cut,
    transcript::Tokens,
};
use serde_json::{Value, json};

/// Characters of an error, and of the last event.
const ERROR: usize = 500;
const EVENT: usize = 200;
/// Characters of a conversation's name; a longer one is none.
const SESSION: usize = 200;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    pub progress: Progress,
    pub last_event: Option<String>,
    /// Of the conversation that was named last.
    pub session: Option<String>,
    pub cost_usd: Option<f64>,
    /// Tokens of all runs.
    tokens: Tokens,
    /// Somebody counted them.
    counted: bool,
    /// The CLI's own words about the last run.
    own: Option<Value>,
    /// As it was before the run that is read.
    before: Before,
    /// Tokens of the answer that was told last, which may be told again.
    answer: Option<(String, Tokens)>,
    /// Of the run that is read.
    run: Run,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Before {
    rounds: u64,
    tokens: Tokens,
    cost_usd: f64,
    /// Of `tokens`, those of the conversation that this run goes on with.
    conversation: Tokens,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Run {
    calls: u64,
    /// By its own count.
    rounds: Option<u64>,
    named: bool,
    failed: Option<String>,
    /// What it wrote beside the stream: its last line, or the last that begins as an error.
    plain: Option<String>,
}

impl Tally {
    /// Of a job that goes on where it was cut off.
    pub fn of(job: &Job) -> Tally {
        let count = |key: &str| job.usage.as_ref()?.get(key)?.as_u64();
        let tokens = Tokens {
            input: count("input_tokens").unwrap_or(0),
            output: count("output_tokens").unwrap_or(0),
            cache_read: count("cache_read_tokens").unwrap_or(0),
            cache_write: count("cache_write_tokens").unwrap_or(0),
        };
        Tally {
            progress: job.progress.clone(),
            last_event: job.last_event.clone(),
            session: job.agent_session.clone(),
            cost_usd: job.cost_usd,
            tokens,
            counted: job.usage.is_some(),
            own: job.usage.as_ref().and_then(|usage| usage.get("cli")).cloned(),
            ..Tally::default()
        }
    }

    /// A run begins. `resumed`: it goes on with the conversation of the last one.
    pub fn begin(&mut self, stream: Stream, resumed: bool) {
        let conversation = match (&self.own, stream) {
            (Some(own), Stream::Codex) if resumed => codex::tokens(own),
            _ => Tokens::default(),
        };
        self.before = Before {
            rounds: self.progress.rounds,
            tokens: self.tokens,
            cost_usd: self.cost_usd.unwrap_or(0.0),
            conversation,
        };
        (self.run, self.answer) = (Run::default(), None);
    }

    pub fn hear(&mut self, said: &Said) {
        match said {
            Said::Session(name) if name.is_empty() || name.chars().count() > SESSION => {}
            Said::Session(name) => {
                self.session = Some(name.clone());
                self.run.named = true;
            }
            Said::Call => {
                self.run.calls += 1;
                self.progress.model_calls += 1;
                self.count_rounds();
            }
            Said::Rounds(rounds) => {
                self.run.rounds = Some(*rounds);
                self.count_rounds();
            }
            Said::Tool(call) => {
                self.progress.tool_calls += 1;
                self.last_event = Some(call.words());
            }
            Said::Note(text) => self.last_event = Some(one_line(text, EVENT)),
            Said::Used { of, tokens } => self.used(of, *tokens),
            Said::Usage(own) => self.own = Some(own.clone()),
            Said::Cost { usd, more } => {
                let before = if *more { self.cost_usd.unwrap_or(0.0) } else { self.before.cost_usd };
                self.cost_usd = Some(before + usd);
            }
            Said::Failed(text) => self.run.failed = Some(one_line(text, ERROR)),
            Said::Ended => self.run.failed = None,
            Said::Plain(line) => {
                let line = one_line(line, ERROR);
                let is_error = |line: &str| line.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("error"));
                let kept = self.run.plain.as_deref().is_some_and(is_error) && !is_error(&line);
                if !kept && !line.is_empty() {
                    self.run.plain = Some(line);
                }
            }
            Said::Text { .. } | Said::Result { .. } => {}
        }
    }

    fn count_rounds(&mut self) {
        self.progress.rounds = self.before.rounds + self.run.rounds.unwrap_or(self.run.calls);
    }

    fn used(&mut self, of: &Scope, tokens: Tokens) {
        self.counted = true;
        match of {
            Scope::More => self.tokens += tokens,
            Scope::Run => {
                self.tokens = self.before.tokens;
                self.tokens += tokens;
            }
            Scope::Conversation => {
                self.tokens = self.before.tokens;
                self.tokens += tokens.beyond(self.before.conversation);
            }
            Scope::Answer(id) => {
                let known = self.answer.take().filter(|(known, _)| known == id).map(|(_, tokens)| tokens);
                self.tokens = self.tokens.beyond(known.unwrap_or_default());
                self.tokens += tokens;
                self.answer = Some((id.clone(), tokens));
            }
        }
    }

    /// The run that is read has named its conversation.
    pub fn is_named(&self) -> bool {
        self.run.named
    }

    /// Tokens by our names, and what the CLI said of the last run.
    pub fn usage(&self) -> Option<Value> {
        let Tokens { input, output, cache_read, cache_write } = self.tokens;
        self.counted.then(|| {
            json!({"input_tokens": input, "output_tokens": output, "cache_read_tokens": cache_read,
                "cache_write_tokens": cache_write, "cli": self.own})
        })
    }

    /// The run ended with this error, by its own words.
    pub fn error(&self) -> Option<&str> {
        self.run.failed.as_deref()
    }

    /// What a run that ended with a failure wrote, if it said nothing in its stream.
    pub fn last_words(&self) -> Option<&str> {
        self.run.plain.as_deref().filter(|_| !self.run.named)
    }
}

fn one_line(text: &str, most: usize) -> String {
    let beginning: String = text.chars().take(most * 4).collect();
    printable_cut(&beginning.split_whitespace().collect::<Vec<_>>().join(" "), most)
}
