//! What agent CLIs print while they work for a job: bytes of their JSON streams -> what was said, and what that comes to.
//! Pure. One file a CLI; lines and fields that are not known are passed over.
mod call;
mod claude;
mod codex;
mod field;
mod gemini;
mod line;
mod opencode;
pub mod prompt;
mod tally;
#[cfg(test)]
mod tests;

pub use call::{Call, Turn, call};
pub use tally::Tally;

use crate::model::{agent_said::Said, job_agent::Stream};
use line::Lines;
use serde_json::Value;

/// Reads one run of a CLI, or several in a row.
#[derive(Debug)]
pub struct Reader {
    lines: Lines,
    cli: Cli,
}

#[derive(Debug)]
enum Cli {
    Claude(claude::Claude),
    Codex(codex::Codex),
    Opencode(opencode::Opencode),
    Gemini(gemini::Gemini),
    Text,
}

impl Reader {
    pub fn of(stream: Stream) -> Reader {
        let cli = match stream {
            Stream::Claude => Cli::Claude(claude::Claude::default()),
            Stream::Codex => Cli::Codex(codex::Codex::default()),
            Stream::Opencode => Cli::Opencode(opencode::Opencode::default()),
            Stream::Gemini => Cli::Gemini(gemini::Gemini::default()),
            Stream::Text => Cli::Text,
        };
        Reader { lines: Lines::default(), cli }
    }

    /// What the lines say that are whole with these bytes.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<Said>) {
        let cli = &mut self.cli;
        self.lines.feed(bytes, &mut |line| cli.line(line, out));
    }

    /// Nothing follows.
    pub fn end(&mut self, out: &mut Vec<Said>) {
        let cli = &mut self.cli;
        self.lines.finish(&mut |line| cli.line(line, out));
        if let Cli::Opencode(cli) = cli {
            cli.end(out);
        }
    }
}

impl Cli {
    fn line(&mut self, line: &[u8], out: &mut Vec<Said>) {
        let read = || serde_json::from_slice::<Value>(line).ok().filter(Value::is_object);
        match (&mut *self, line.starts_with(b"{").then(read).flatten()) {
            (Cli::Text, _) | (_, None) => out.push(Said::Plain(String::from_utf8_lossy(line).into_owned())),
            (Cli::Claude(cli), Some(line)) => cli.line(&line, out),
            (Cli::Codex(cli), Some(line)) => cli.line(&line, out),
            (Cli::Opencode(cli), Some(line)) => cli.line(&line, out),
            (Cli::Gemini(cli), Some(line)) => cli.line(&line, out),
        }
    }
}
