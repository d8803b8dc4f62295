//! `agents attach j7`: the session of a job.
use super::{
    Context,
    failure::Failure,
    jobs::{
        Ground,
        words::{self, Meant},
    },
};
use crate::{
    jobs::pane,
    model::job::{Job, JobId, JobState},
    world::tmux::Server,
};
use std::path::PathBuf;

/// Where a session is.
pub struct Place {
    pub socket: PathBuf,
    pub session: String,
}

/// The session of the job that a word means. `None`: it means no job, but may mean something else; with `only_jobs`, and
/// for what looks like an id, that is an error.
pub fn find(word: &str, only_jobs: bool, context: &Context) -> Result<Option<Place>, Failure> {
    let ground = Ground::find(context)?;
    let store = ground.existing()?;
    if !only_jobs && JobId::parse(word).is_none() && matches!(words::meant(store.as_ref(), word)?, Meant::None) {
        return Ok(None);
    }
    let id = words::one(store.as_ref(), word)?;
    let gone = || Failure::new(1, format!("{id} was removed"));
    let store = store.as_ref().ok_or_else(gone)?;
    let job = store.job(id)?.ok_or_else(gone)?;
    let Some(session) = job.session.clone().filter(|_| !job.state.is_over()) else { return Err(none(&job)) };
    let server = Server::of_jobs(store.dir()).map_err(told)?;
    if !server.has_session(&session, pane::DEADLINE).map_err(told)? {
        // It begins in this moment, or has just ended.
        let job = store.job(id)?.unwrap_or(job);
        return Err(none(&job));
    }
    Ok(Some(Place { socket: server.socket_path(), session }))
}

fn told(error: crate::world::tmux::TmuxError) -> Failure {
    Failure::new(1, error.to_string())
}

/// Why there is nothing to look at, and where else to look.
fn none(job: &Job) -> Failure {
    let id = job.id;
    let (text, hint) = match job.state {
        over if over.is_over() && job.spec.tmux => (
            format!("{id} is {}: its session is gone", over.word()),
            format!("`agents logs {id}` shows what it printed"),
        ),
        over if over.is_over() => (
            format!("{id} is {}: it had no tmux session", over.word()),
            format!("`agents logs {id}` shows what it printed"),
        ),
        JobState::Running | JobState::Paused => {
            (format!("{id} has no tmux session"), format!("`agents logs -f {id}` shows what it prints"))
        }
        waits => (
            format!("{id} is {}: it has no tmux session yet", waits.word()),
            format!("`agents jobs show {id}` tells what it waits for"),
        ),
    };
    Failure::new(1, text).hint(hint)
}
