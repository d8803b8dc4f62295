//! The log of a job: where it is, and going on with it until the job is over.
use super::{
    super::{
        Context,
        failure::{Failure, Report},
        log_follow::Take,
        log_lines::unreadable,
        out::Out,
    },
    Ground,
    news::News,
    told::stream_of,
    words::{self, Meant},
};
use crate::{
    model::{
        job::{JobId, JobState},
        job_agent::Stream,
    },
    store::jobs::JobStore,
};
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

/// A job whose log is wanted.
pub struct JobLog {
    store: JobStore,
    id: JobId,
    pub path: PathBuf,
    state: JobState,
    /// Of its agent.
    pub stream: Option<Stream>,
}

impl JobLog {
    /// Why there is no log.
    pub fn nothing(&self) -> Failure {
        let (id, state) = (self.id, self.state.word());
        if self.state.is_over() {
            return Failure::new(1, format!("{id} has no log: it is {state}"))
                .hint(format!("`agents jobs show {id}` tells why"));
        }
        Failure::new(1, format!("{id} has no log yet: it is {state}"))
            .hint(format!("`agents logs {id} -f` waits for it"))
    }
}

/// The job that a word means, if it means one. Several of that name: which, as a failure.
pub fn named(word: &str, context: &mut Context) -> Result<Option<JobLog>, Failure> {
    let ground = Ground::find(context)?;
    let Some(store) = ground.existing()? else { return Ok(None) };
    let id = match words::meant(Some(&store), word)? {
        Meant::None => return Ok(None),
        Meant::One(id) => id,
        Meant::Several(_) => words::one(Some(&store), word)?,
    };
    let Some(job) = store.job(id)? else { return Ok(None) };
    Ok(Some(JobLog { store, id, stream: stream_of(&job.spec), path: job.log, state: job.state }))
}

/// Gives what is written behind byte `from`, until the job is over and all was given.
pub fn follow(log: &mut JobLog, from: u64, out: &mut Out, take: &mut Take<'_>) -> Report {
    let mut news = News::of(log.store.dir());
    let mut file: Option<File> = None;
    let mut at = from;
    let mut over = false;
    let mut look = true;
    loop {
        if look {
            // Asked before the file is read: what it wrote until then is there.
            over = log.store.state(log.id)?.is_none_or(JobState::is_over);
            news.watch(&log.path);
        }
        if file.is_none() {
            file = open(&log.path, at)?;
        }
        if let Some(file) = &mut file {
            at = drain(file, at, &log.path, out, take)?;
        }
        out.flush()?;
        if over {
            return Ok(0);
        }
        let heard = news.wait(&mut log.store, None)?;
        look = heard.change;
    }
}

/// `None`: it is not there yet.
pub fn open(path: &Path, at: u64) -> Result<Option<File>, Failure> {
    match File::open(path) {
        Ok(mut file) => {
            let _ = file.seek(SeekFrom::Start(at));
            Ok(Some(file))
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(unreadable(path, &e)),
    }
}

/// Where it stands then. A log that was cut goes on at its end.
pub fn drain(file: &mut File, mut at: u64, path: &Path, out: &mut Out, take: &mut Take<'_>) -> Result<u64, Failure> {
    if file.metadata().is_ok_and(|m| m.len() < at) {
        at = file.seek(SeekFrom::End(0)).map_err(|e| unreadable(path, &e))?;
    }
    let mut buffer = [0_u8; 64 * 1024];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(at),
            Ok(n) => {
                at += n as u64;
                take(&buffer[..n], out)?;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(unreadable(path, &e)),
        }
    }
}
