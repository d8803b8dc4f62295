//! `agents logs` of a job whose agent writes a stream: what it says in it.
use super::{
    failure::{Failure, Report},
    jobs::told::Told,
    out::Out,
};
use crate::{
    model::{job_agent::Stream, time::Wall},
    view::jobs::stream::Line,
};
use std::{
    collections::VecDeque,
    fs::File,
    io::{self, Read},
    path::Path,
    time::SystemTime,
};

/// Which lines.
pub struct Wanted<'a> {
    /// Only the last so many of what is there.
    pub limit: Option<usize>,
    pub keep: &'a dyn Fn(&Line) -> bool,
    /// Nothing that was written last before: its lines have no times.
    pub since: Option<Wall>,
}

/// A log as it is read on.
pub struct Shown<'a> {
    told: Told,
    wanted: Wanted<'a>,
}

impl<'a> Shown<'a> {
    pub fn new(stream: Stream, wanted: Wanted<'a>, out: &Out) -> Shown<'a> {
        Shown { told: Told::new(stream, out.paint), wanted }
    }

    /// All that is there. Where it ended.
    pub fn whole(&mut self, path: &Path, out: &mut Out) -> Result<u64, Failure> {
        let unreadable = |e: io::Error| Failure::new(1, format!("`{}` cannot be read: {e}", path.display()));
        let mut file = match File::open(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(0),
            opened => opened.map_err(unreadable)?,
        };
        if let Some(since) = self.wanted.since {
            let written = file.metadata().and_then(|meta| meta.modified()).map_err(unreadable)?;
            let written = written.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
            if i64::try_from(written).is_ok_and(|written| written < since.0) {
                return file.metadata().map(|meta| meta.len()).map_err(unreadable);
            }
        }
        let (mut at, mut piece) = (0, vec![0; 64 * 1024]);
        let mut last: VecDeque<Line> = VecDeque::new();
        loop {
            let n = match file.read(&mut piece) {
                Ok(0) => break,
                Ok(n) => n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(unreadable(e)),
            };
            at += n as u64;
            let mut lines = Vec::new();
            self.told.feed(&piece[..n], &mut lines);
            match self.wanted.limit {
                None => self.print(lines, out)?,
                Some(limit) => {
                    last.extend(lines.into_iter().filter(|line| (self.wanted.keep)(line)));
                    while last.len() > limit {
                        last.pop_front();
                    }
                }
            }
        }
        self.print(last.into(), out)?;
        Ok(at)
    }

    pub fn more(&mut self, bytes: &[u8], out: &mut Out) -> Result<(), Failure> {
        let mut lines = Vec::new();
        self.told.feed(bytes, &mut lines);
        self.print(lines, out)
    }

    /// Nothing follows, as far as anybody waits for it.
    pub fn end(&mut self, out: &mut Out) -> Report {
        let mut lines = Vec::new();
        self.told.end(&mut lines);
        self.print(lines, out)?;
        Ok(0)
    }

    fn print(&self, lines: Vec<Line>, out: &mut Out) -> Result<(), Failure> {
        lines.iter().filter(|line| (self.wanted.keep)(line)).try_for_each(|line| out.line(&line.text))
    }
}
