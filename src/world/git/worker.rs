//! Git off the main path: one job at a time per repository, and nobody waits for it.
use super::{GitProgram, GitQuery, StatusFile, StatusQuery, look_with, read_status_with};
use crate::{model::observation::GitObs, world::mishap};
use std::{
    collections::{BTreeMap, VecDeque},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

#[derive(Clone, Debug)]
pub enum GitJob {
    Look(GitQuery),
    Status(StatusQuery),
}

impl GitJob {
    fn repo(&self) -> &Path {
        match self {
            GitJob::Look(query) => &query.repo,
            GitJob::Status(query) => &query.repo,
        }
    }
}

#[derive(Clone, Debug)]
pub struct GitAnswer {
    /// As given to [`GitWorker::ask`].
    pub id: u64,
    pub reply: GitReply,
    pub took: Duration,
}

#[derive(Clone, Debug)]
pub enum GitReply {
    Look(GitObs),
    Status(StatusFile),
}

/// Several times the pause between two looks of a running command at whether it is to stop.
const FAREWELL: Duration = Duration::from_millis(500);

/// What became of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It will be answered.
    Taken,
    /// A job with this id waits: it now asks the newer question.
    Replaced,
    /// A job with this id runs already: its answer will do.
    Running,
}

/// Runs git jobs on threads of its own. Dropping it ends a running fetch, and waits a moment for that: a process that
/// ended first would leave the fetch behind.
pub struct GitWorker {
    git: GitProgram,
    shared: Arc<Shared>,
}

struct Shared {
    repos: Mutex<BTreeMap<PathBuf, Queue>>,
    on_done: Mutex<Box<dyn Fn(GitAnswer) + Send>>,
}

/// A repository has an entry exactly while a thread works for it.
#[derive(Default)]
struct Queue {
    running: Option<(u64, Instant)>,
    waiting: VecDeque<(u64, GitJob)>,
}

impl Shared {
    fn repos(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Queue>> {
        self.repos.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GitWorker {
    /// `on_done` is called on a worker thread, one call at a time; it should only hand the answer on.
    pub fn spawn(on_done: impl Fn(GitAnswer) + Send + 'static) -> GitWorker {
        GitWorker::with_program(GitProgram::default(), on_done)
    }

    pub fn with_program(git: GitProgram, on_done: impl Fn(GitAnswer) + Send + 'static) -> GitWorker {
        let shared = Shared { repos: Mutex::default(), on_done: Mutex::new(Box::new(on_done)) };
        GitWorker { git, shared: Arc::new(shared) }
    }

    /// Never blocks. The same `id` means the same question about the same repository.
    pub fn ask(&self, id: u64, job: GitJob) -> Asked {
        let mut repos = self.shared.repos();
        let path = job.repo().to_owned();
        let new = !repos.contains_key(&path);
        let queue = repos.entry(path.clone()).or_default();
        if queue.running.is_some_and(|(running, _)| running == id) {
            return Asked::Running;
        }
        if let Some(waiting) = queue.waiting.iter_mut().find(|(waiting, _)| *waiting == id) {
            waiting.1 = job;
            return Asked::Replaced;
        }
        queue.waiting.push_back((id, job));
        if new {
            let (git, shared, repo) = (self.git.clone(), Arc::clone(&self.shared), path.clone());
            let spawned = thread::Builder::new().name("git".into()).spawn(move || work(&git, &shared, &repo));
            // Without a thread (a process limit) the question is dropped; the caller asks again at its next look.
            if spawned.is_err() {
                repos.remove(&path);
            }
        }
        Asked::Taken
    }

    /// How long the running job of this repository has been at it.
    pub fn busy(&self, repo: &Path) -> Option<Duration> {
        self.shared.repos().get(repo)?.running.map(|(_, since)| since.elapsed())
    }
}

impl Drop for GitWorker {
    fn drop(&mut self) {
        self.git.stop.store(true, Ordering::Relaxed);
        self.shared.repos().values_mut().for_each(|queue| queue.waiting.clear());
        let until = Instant::now() + FAREWELL;
        while Instant::now() < until && self.shared.repos().values().any(|queue| queue.running.is_some()) {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A fault of this program is an answer too: without one the question would stand for ever.
fn answer(job: &GitJob, git: &GitProgram) -> GitReply {
    match job {
        GitJob::Look(query) => GitReply::Look(mishap::caught(|| look_with(query, git)).unwrap_or_else(|words| {
            let error = Some(format!("this program has a fault: {words}"));
            GitObs { error, ..GitObs::default() }
        })),
        GitJob::Status(query) => GitReply::Status(mishap::caught(|| read_status_with(query, git)).unwrap_or_default()),
    }
}

fn work(git: &GitProgram, shared: &Shared, repo: &Path) {
    loop {
        let started = Instant::now();
        let (id, job) = {
            let mut repos = shared.repos();
            let Some(queue) = repos.get_mut(repo) else { return };
            let Some((id, job)) = queue.waiting.pop_front() else {
                repos.remove(repo);
                return;
            };
            queue.running = Some((id, started));
            (id, job)
        };
        let reply = answer(&job, git);
        // Not running any more before the answer is out: who asks in reply to it is not told "running".
        if let Some(queue) = shared.repos().get_mut(repo) {
            queue.running = None;
        }
        if git.stop.load(Ordering::Relaxed) {
            return;
        }
        let answer = GitAnswer { id, reply, took: started.elapsed() };
        (shared.on_done.lock().unwrap_or_else(PoisonError::into_inner))(answer);
    }
}
