//! What the agent of a job says in its stream, read from the log as it grows: where that is looked at anyway
//! ([`super::log::Cap`]). Unlike progress all of it is read, and no more than a line of it is kept.
use crate::{
    jobs::agent::{Reader, Tally},
    model::{agent_said::Said, job::JobId, job_agent::Stream},
    store::jobs::{AgentNews, JobStore},
};
use std::{fs::File, os::unix::fs::FileExt};

/// Bytes read at one go.
const PIECE: usize = 64 * 1024;

pub struct AgentLog {
    stream: Stream,
    reader: Reader,
    pub tally: Tally,
    /// Where to read on.
    at: u64,
    /// The step whose prompt it works on. `None`: what is written is not its own.
    step: Option<usize>,
    news: bool,
}

impl AgentLog {
    pub fn of(stream: Stream, tally: Tally) -> AgentLog {
        AgentLog { stream, reader: Reader::of(stream), tally, at: 0, step: None, news: false }
    }

    /// The agent begins to work on a step's prompt, and its output at byte `at`.
    pub fn begin(&mut self, step: usize, resumed: bool, at: u64) {
        self.tally.begin(self.stream, resumed);
        self.reader = Reader::of(self.stream);
        (self.step, self.at) = (Some(step), at);
    }

    /// What the conversation of this step is called, where we give it its name.
    pub fn named(&mut self, session: &str) {
        self.tally.hear(&Said::Session(session.to_owned()));
        self.news = true;
    }

    /// The middle of the log was left out: what ended at `from` ends at `to` now.
    pub fn moved(&mut self, from: u64, to: u64) {
        self.at = to.saturating_sub(from.saturating_sub(self.at));
    }

    /// It reads a stream, so its log is looked at often.
    pub fn listens(&self) -> bool {
        self.step.is_some() && self.stream != Stream::Text
    }

    /// All that is new in a log of this length.
    pub fn read(&mut self, log: &File, length: u64) {
        if self.step.is_none() {
            return;
        }
        if length < self.at {
            // Somebody emptied it.
            self.at = 0;
        }
        let mut piece = vec![0; PIECE];
        let mut said = Vec::new();
        while self.at < length {
            let most = usize::try_from(length - self.at).unwrap_or(PIECE).min(PIECE);
            let Ok(n @ 1..) = log.read_at(&mut piece[..most], self.at) else { break };
            self.reader.feed(&piece[..n], &mut said);
            self.at += n as u64;
            self.hear(&mut said);
        }
    }

    /// The agent's process is over, and all that it wrote was read. Why its run failed, by its own words.
    pub fn end(&mut self) -> Option<String> {
        self.step?;
        let mut said = Vec::new();
        self.reader.end(&mut said);
        self.hear(&mut said);
        self.tally.error().map(str::to_owned)
    }

    /// After [`AgentLog::end`], when all was written down.
    pub fn over(&mut self) {
        self.step = None;
    }

    /// The agent's work is done.
    pub fn complete(&mut self, files: Option<u64>) {
        let files = match files {
            None => String::new(),
            Some(1) => " Modified 1 file".into(),
            Some(files) => format!(" Modified {files} files"),
        };
        self.tally.last_event = Some(format!("Complete!{files}"));
        self.news = true;
    }

    fn hear(&mut self, said: &mut Vec<Said>) {
        for said in said.drain(..) {
            self.news |= !matches!(said, Said::Text { .. } | Said::Result { .. } | Said::Plain(_));
            self.tally.hear(&said);
        }
    }

    /// Writes down what is new. What cannot be written now is tried again.
    pub fn tell(&mut self, store: &mut JobStore, id: JobId, epoch: i64) {
        if !self.news {
            return;
        }
        let tally = &self.tally;
        let news = AgentNews {
            progress: tally.progress.clone(),
            last_event: tally.last_event.clone(),
            cost_usd: tally.cost_usd,
            usage: tally.usage(),
            session: self.step.filter(|_| tally.is_named()).zip(tally.session.clone()),
        };
        self.news = store.agent_said(id, epoch, &news).is_err();
    }

    /// Nothing is said yet, because something is waited for. `None`: not any more.
    pub fn waits(&mut self, why: Option<&str>) {
        self.tally.progress.text = why.unwrap_or_default().to_owned();
        self.tally.last_event = why.map(str::to_owned);
        self.news = true;
    }

    /// What another step, or a program of plain text, says of its progress.
    pub fn said_progress(&mut self, said: &crate::model::job::Progress) {
        if !self.listens() {
            let own = &mut self.tally.progress;
            (own.done, own.total) = (said.done, said.total);
            own.text.clone_from(&said.text);
            self.tally.last_event = Some(said.words());
            self.news = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const INIT: &str = "{\"type\":\"system\",\"subtype\":\"init\",\"session_id\":\"s-1\"}\n";

    fn answer(id: u32, tool: &str) -> String {
        let call = serde_json::json!({"type": "tool_use", "name": tool, "input": {"command": "x"}});
        let line = serde_json::json!({"type": "assistant", "message": {"id": format!("m{id}"), "content": [call]}});
        format!("{line}\n")
    }

    #[test]
    fn a_log_that_is_cut_in_its_middle_is_read_on() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("l");
        let mut file = super::super::log::open(&path).expect("a log");
        file.write_all(b"of an earlier try\n").expect("written");
        let mut cap = super::super::log::Cap::of(&path, &file, 20_000).expect("a cap");
        let mut log = AgentLog::of(Stream::Claude, Tally::default());
        log.begin(0, false, 18);
        cap.agent = Some(log);
        file.write_all(INIT.as_bytes()).expect("written");
        for id in 0..500 {
            let line = answer(id, "Bash");
            // In two parts, with a look between them.
            let (one, two) = line.split_at(line.len() / 2);
            file.write_all(one.as_bytes()).expect("written");
            cap.check();
            file.write_all(two.as_bytes()).expect("written");
        }
        cap.check();
        assert!(file.metadata().expect("a length").len() < 21_000);
        let agent = cap.agent.as_mut().expect("an agent");
        assert_eq!((agent.tally.progress.tool_calls, agent.tally.progress.model_calls), (500, 500));
        assert_eq!(agent.tally.session.as_deref(), Some("s-1"));
        assert_eq!(agent.end(), None);
    }

    #[test]
    fn what_other_steps_write_is_none_of_its_own() {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(INIT.as_bytes()).expect("written");
        let mut log = AgentLog::of(Stream::Claude, Tally::default());
        log.read(&file, INIT.len() as u64);
        assert_eq!(log.tally.session, None);
        log.begin(1, false, 0);
        log.read(&file, INIT.len() as u64);
        assert_eq!(log.tally.session.as_deref(), Some("s-1"));
    }
}
