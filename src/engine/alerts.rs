//! `[alert] command`: run off the main path with the event as JSON on stdin, ended after 30 s, never queued without bound.
use crate::model::event::Event;
use rustix::process::{Pid, Signal, kill_process_group};
use std::{
    io::Write,
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    sync::{
        Arc, OnceLock,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    time::{Duration, Instant},
};

const QUEUE: usize = 100;
const LIMIT: Duration = Duration::from_secs(30);
/// What is still under way when the program ends has this long, all together.
const LAST: Duration = Duration::from_secs(3);

pub struct Alerts {
    queue: SyncSender<(Vec<String>, Event)>,
    worker: Option<std::thread::JoinHandle<()>>,
    /// Set when the program is about to end.
    end: Arc<OnceLock<Instant>>,
}

impl Alerts {
    pub fn start() -> Alerts {
        let (queue, inbox) = sync_channel(QUEUE);
        let end = Arc::new(OnceLock::new());
        let seen = end.clone();
        let worker = std::thread::Builder::new().name("alerts".into()).spawn(move || work(inbox, &seen)).ok();
        Alerts { queue, worker, end }
    }

    /// Never blocks. The error says why the alert is not run.
    pub fn raise(&self, command: &[String], event: &Event) -> Result<(), String> {
        self.queue.try_send((command.to_vec(), event.clone())).map_err(|e| match e {
            TrySendError::Full(_) => format!("{QUEUE} alerts wait already"),
            TrySendError::Disconnected(_) => "the alert thread is gone".into(),
        })
    }

    /// Runs what is queued, then returns; a command that hangs is ended.
    pub fn finish(self) {
        let Alerts { queue, worker, end } = self;
        let _ = end.set(Instant::now() + LAST);
        drop(queue);
        if let Some(worker) = worker {
            let _ = worker.join();
        }
    }
}

fn work(inbox: Receiver<(Vec<String>, Event)>, end: &OnceLock<Instant>) {
    for (command, event) in inbox {
        if end.get().is_none_or(|end| Instant::now() < *end) {
            // One alert that goes wrong must not cost the next ones.
            let _ = crate::world::mishap::caught(|| run(&command, &event, end));
        }
    }
}

fn run(command: &[String], event: &Event, end: &OnceLock<Instant>) {
    let Some((program, args)) = command.split_first() else { return };
    let child = Command::new(program)
        .args(args)
        .env("AGENTS_EVENT", event.kind.as_str())
        .env("AGENTS_EVENT_AGENT", event.agent.as_deref().unwrap_or_default())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn();
    let Ok(mut child) = child else { return };
    if let Some(mut stdin) = child.stdin.take() {
        // Small enough for the pipe: a command that does not read cannot hold us up.
        let text = format!("{}\n", crate::view::event::json(event));
        let _ = stdin.write_all(&text.as_bytes()[..text.len().min(60_000)]);
    }
    let deadline = Instant::now() + LIMIT;
    while matches!(child.try_wait(), Ok(None)) {
        let now = Instant::now();
        if now >= deadline || end.get().is_some_and(|end| now >= *end) {
            if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                let _ = kill_process_group(group, Signal::KILL);
            }
            let _ = child.wait();
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
