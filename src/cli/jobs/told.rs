//! The output of a job, as it is shown: of an agent's stream, what it says in it.
use crate::{
    jobs::agent::Reader,
    model::{agent_said::Said, job::JobSpec, job_agent::Stream},
    view::{
        jobs::stream::{Line, Painter},
        paint::Paint,
    },
};

pub struct Told {
    reader: Reader,
    painter: Painter,
    said: Vec<Said>,
}

/// The stream that stands in a job's log. `None`: words for people.
pub fn stream_of(spec: &JobSpec) -> Option<Stream> {
    spec.agent.as_ref().map(|agent| agent.stream).filter(|stream| *stream != Stream::Text)
}

impl Told {
    pub fn new(stream: Stream, paint: Paint) -> Told {
        Told { reader: Reader::of(stream), painter: Painter::new(paint), said: Vec::new() }
    }

    /// The lines that are whole with these bytes.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<Line>) {
        self.reader.feed(bytes, &mut self.said);
        self.said.drain(..).for_each(|said| self.painter.lines(&said, out));
    }

    /// What has no end yet: somebody waits for it.
    pub fn flush(&mut self, out: &mut Vec<Line>) {
        self.painter.flush(out);
    }

    /// Nothing follows.
    pub fn end(&mut self, out: &mut Vec<Line>) {
        self.reader.end(&mut self.said);
        self.said.drain(..).for_each(|said| self.painter.lines(&said, out));
        self.painter.flush(out);
    }
}
