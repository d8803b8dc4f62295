//! The watchdog as a process: started detached from every terminal and tmux server, stopped, run.
use super::{
    config_file::{ConfigFile, LAST_GOOD},
    environment,
    fleet::{Fleet, FleetError},
    heart::Heart,
    import,
    journal::{Journal, last_beat},
    lock::{Lock, Role, Tried},
    rehearse, server,
    wakeup::Wakeup,
};
use crate::{model::event::EventKind, world::clock};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::{
    io::{Read, Write},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// Variables for us, not marks of an agent.
const KEPT: [&str; 2] = ["AGENTS_CONFIG", "AGENTS_BOOT_ID"];
const START: Duration = Duration::from_secs(30);
/// Said on stderr by a detached watchdog, once it has its memory and its lock.
const READY: &str = "watching\n";
const MOST_WORDS: usize = 64 * 1024;
const STOP: Duration = Duration::from_secs(15);

/// Calls `act` with each of TERM, INT, HUP and USR1 until the handle is dropped.
pub(super) fn on_signals(act: impl Fn(i32) + Send + 'static) -> Option<Signals> {
    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1},
        iterator::Signals as All,
    };
    let mut all = All::new([SIGTERM, SIGINT, SIGHUP, SIGUSR1]).ok()?;
    let handle = all.handle();
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            for signal in all.forever() {
                act(signal);
            }
        })
        .ok()?;
    Some(Signals(handle))
}

pub(super) struct Signals(signal_hook::iterator::Handle);

impl Drop for Signals {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Fleet {
    /// Starts the detached supervisor and waits until it watches. `Ok(false)`: one was running already.
    pub fn start_supervisor(&self) -> Result<bool, FleetError> {
        self.must_be_whole()?;
        start(self)
    }

    /// Ends the supervisor and waits until the lock is free. `Ok(false)`: none was running.
    pub fn stop_supervisor(&self) -> Result<bool, FleetError> {
        stop(self)
    }

    /// The supervisor itself, in the foreground: returns when told to stop (TERM, INT) or, with `once`, after one tick.
    /// `dry_run`: decides and prints, does and saves nothing.
    pub fn run_supervisor(&self, once: bool, dry_run: bool) -> Result<(), FleetError> {
        run(self, once, dry_run, true)
    }
}

/// Starts `agents __watchdog`, which leaves this terminal by itself, and waits until it watches.
fn start(fleet: &Fleet) -> Result<bool, FleetError> {
    if fleet.supervisor().is_some() {
        return Ok(false);
    }
    let mut command = Command::new(server::program());
    command.arg("__watchdog").arg(&fleet.policy.config_path);
    for (key, _) in std::env::vars_os() {
        let name = key.to_string_lossy();
        if name == "TMUX"
            || name == "TMUX_PANE"
            || name.starts_with("AGENT_MODEL_")
            || name.starts_with("AGENT_BACKEND_")
            // Started by an agent: it is not that agent's child.
            || name.starts_with("AGENTS_") && !KEPT.contains(&&*name)
        {
            command.env_remove(&key);
        }
    }
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .map_err(|e| FleetError::Failed(format!("cannot start the watchdog: {}", super::words::plain(&e))))?;
    match first_words(&mut child) {
        First::Ready => Ok(true),
        First::Silence => {
            Err(FleetError::Failed("the watchdog does not get to its first tick\nhint: agents logs".into()))
        }
        // Somebody else was faster. A name alone proves nothing: it may be that of one that is just ending.
        First::Over { .. } if fleet.supervisor().is_some() => Ok(false),
        First::Over { status, words } => {
            let words = words.trim().trim_start_matches("error: ");
            Err(FleetError::Failed(format!("the watchdog ended at once ({status}): {words}")))
        }
    }
}

/// What became of a watchdog that was started.
enum First {
    Ready,
    Over { status: String, words: String },
    Silence,
}

/// Waits until it says that it watches, or ends. What it says before goes to our own caller.
fn first_words(child: &mut Child) -> First {
    let Some(mut stderr) = child.stderr.take() else { return First::Silence };
    let deadline = clock::boot().after(START);
    let mut words = Vec::new();
    loop {
        let left = deadline.since(clock::boot());
        let timeout = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
        let news = poll(&mut [PollFd::new(&stderr, PollFlags::IN)], Some(&timeout));
        if left.is_zero() || matches!(news, Ok(0)) {
            return First::Silence;
        }
        let mut part = [0; 4096];
        let n = stderr.read(&mut part).unwrap_or(0);
        if words.len() < MOST_WORDS {
            words.extend_from_slice(&part[..n]);
        }
        let text = String::from_utf8_lossy(&words);
        if let Some((before, _)) = text.split_once(READY) {
            let _ = std::io::stderr().write_all(before.as_bytes());
            return First::Ready;
        }
        if n == 0 {
            let status = child.wait().map(|s| s.to_string()).unwrap_or_default();
            return First::Over { status, words: text.into_owned() };
        }
    }
}

/// TERM, then KILL; the lock is free afterwards.
fn stop(fleet: &Fleet) -> Result<bool, FleetError> {
    let mut stopped = false;
    let deadline = clock::boot().after(STOP);
    let mut killed = false;
    while let Some(holder) = Lock::holder(&fleet.paths.lock).filter(|h| h.role == Role::Watchdog) {
        if !stopped {
            stopped = holder.process().signal(rustix::process::Signal::TERM);
        }
        if clock::boot() >= deadline {
            if killed {
                return Err(FleetError::Failed(format!("the watchdog (pid {}) cannot be ended", holder.pid)));
            }
            killed = holder.process().signal(rustix::process::Signal::KILL);
            std::thread::sleep(Duration::from_millis(200));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(stopped)
}

/// The hidden word `__watchdog CONFIG`: the supervisor without a terminal. `None`: `words` do not begin with it.
pub fn main(words: &[std::ffi::OsString]) -> Option<std::process::ExitCode> {
    let [word, config] = words else { return None };
    if word != "__watchdog" {
        return None;
    }
    // A session of its own: neither the caller's terminal nor its job control reaches it. It may be one already.
    let _ = rustix::process::setsid();
    let result = Fleet::load(config.as_ref()).and_then(|fleet| run(&fleet, false, false, false));
    Some(match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("error: {e}");
            std::process::ExitCode::FAILURE
        }
    })
}

/// The loop itself. Returns when it is told to stop, or with `once` after one tick.
fn run(fleet: &Fleet, once: bool, dry_run: bool, foreground: bool) -> Result<(), FleetError> {
    fleet.must_be_whole()?;
    if dry_run {
        return rehearse::rehearse(fleet);
    }
    // The first tick reads the requests anyway; until our own handler stands, a poke must not end us.
    let poked: std::sync::Arc<std::sync::atomic::AtomicBool> = Default::default();
    let _ = signal_hook::flag::register(signal_hook::consts::SIGUSR1, poked);
    let lock = match Lock::try_take(&fleet.paths.lock, Role::Watchdog, clock::now()) {
        Ok(Tried::Held(lock)) => lock,
        Ok(Tried::Busy(holder)) => {
            let who = holder.map_or("another process".into(), |h| format!("pid {}", h.pid));
            return Err(FleetError::Failed(format!("a watchdog runs already for this fleet: {who}")));
        }
        Err(e) => {
            let path = fleet.paths.lock.display();
            return Err(FleetError::Failed(format!("cannot lock `{path}`: {}", super::words::plain(&e))));
        }
    };
    if !fleet.paths.env.exists() {
        environment::save(&fleet.paths.env, &fleet.policy.env).map_err(|e| {
            FleetError::Failed(format!("cannot write `{}`: {}", fleet.paths.env.display(), super::words::plain(&e)))
        })?;
    }
    let mut store = fleet.store()?;
    let _ = store.put(&[(LAST_GOOD.to_owned(), fleet.config_text.clone())].into());
    let config = ConfigFile::new(fleet.policy.clone(), fleet.config_text.clone(), false);
    let mut heart = Heart::new(config, store, true, Journal::watchdog(&fleet.paths.watchdog_log, foreground))?;
    heart.lock = Some(lock);
    import::old_limits(&mut heart);
    let sender = heart.sender.clone();
    let _signals = on_signals(move |signal| {
        use signal_hook::consts::{SIGHUP, SIGUSR1};
        let wakeup = match signal {
            SIGUSR1 => Wakeup::Poke,
            // Detached: a terminal that closes is nothing to us.
            SIGHUP if !foreground => return,
            _ => Wakeup::Stop,
        };
        let _ = sender.send(wakeup);
    });
    heart.note_with(EventKind::Watchdog, up_line(fleet), came_up(fleet), false);
    if !foreground {
        let _ = std::io::stderr().write_all(READY.as_bytes());
    }
    heart.run(once)?;
    heart.note_with(EventKind::Watchdog, "watchdog down".into(), serde_json::json!({ "up": false }), false);
    heart.finish();
    Ok(())
}

/// When somebody last looked: one that was killed could not say that it ended.
fn came_up(fleet: &Fleet) -> serde_json::Value {
    let seen = last_beat(&fleet.paths.beat).map(|(at, _)| at.rfc3339());
    serde_json::json!({ "up": true, "seen": seen })
}

/// `watchdog up — phase=p1 [1/3] signal=30s heavy=300s, watching: ['a', 'b']`, as people grep it.
fn up_line(fleet: &Fleet) -> String {
    let policy = &fleet.policy;
    let (id, at, count) = match &policy.phases {
        Some(phases) => {
            let at = fleet.phase_index();
            (phases.phases.get(at).map_or("-", |p| p.id.as_str()), at + 1, phases.phases.len())
        }
        None => ("-", 1, 0),
    };
    let names: Vec<String> = policy.watched().map(|a| format!("'{}'", a.name)).collect();
    let seconds = |d: Duration| d.as_secs_f64();
    format!(
        "watchdog up — phase={id} [{at}/{count}] signal={}s heavy={}s, watching: [{}]",
        seconds(policy.watchdog.signal_interval),
        seconds(policy.watchdog.heavy_interval),
        names.join(", ")
    )
}
