//! The watchdog as a process: in the foreground, or detached from every terminal and tmux server.
use super::{
    config_file::{ConfigFile, LAST_GOOD},
    detached::READY,
    environment,
    fleet::{Fleet, FleetError},
    guarded::Guarded,
    guardian::{ANOTHER, BROKE_OFF, NEVER_RAN},
    heart::{Halt, Heart},
    import,
    journal::{Journal, last_beat},
    lock::{Lock, Role, Tried},
    rehearse,
    revivals::Revivals,
    wakeup::Wakeup,
};
use crate::{model::event::EventKind, store::StoreError, world::clock};
use std::{io::Write, time::Duration};

/// How long a verb may hold the lock before that is a fault.
const VERB: Duration = Duration::from_secs(60);

/// Why a supervisor ended that was not told to.
struct Broken {
    error: FleetError,
    /// For its guardian.
    code: u8,
}

impl<E: Into<FleetError>> From<E> for Broken {
    fn from(error: E) -> Broken {
        Broken { error: error.into(), code: NEVER_RAN }
    }
}

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
    /// The supervisor itself, in the foreground: returns when told to stop (TERM, INT) or, with `once`, after one tick.
    /// `dry_run`: decides and prints, does and saves nothing.
    pub fn run_supervisor(&self, once: bool, dry_run: bool) -> Result<(), FleetError> {
        if dry_run {
            self.must_be_whole()?;
            return rehearse::rehearse(self);
        }
        run(self, once, true, None).map_err(|broken| broken.error)
    }
}

/// The hidden word `__watchdog CONFIG`: the supervisor without a terminal. `None`: `words` do not begin with it.
pub fn main(words: &[std::ffi::OsString]) -> Option<std::process::ExitCode> {
    let [word, config] = words else { return None };
    if word != "__watchdog" {
        return None;
    }
    // A session of its own: neither the caller's terminal nor its job control reaches it. It may be one already.
    let _ = rustix::process::setsid();
    let result = Fleet::load(config.as_ref()).map_err(Broken::from).and_then(|fleet| {
        let revival = Guarded::revival(&fleet.paths);
        let result = run(&fleet, false, false, revival.as_ref());
        if let (Err(broken), Some(_)) = (&result, &revival) {
            // Nobody waits for our words any more.
            let mut journal = Journal::watchdog(&fleet.paths.watchdog_log, false);
            journal.line(clock::wall(), &format!("WARNING: the watchdog ended: {}", broken.error));
        }
        result
    });
    Some(match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(broken) => {
            // Who waited for it may be gone.
            let _ = writeln!(std::io::stderr(), "error: {}", broken.error);
            broken.code.into()
        }
    })
}

/// The loop itself. Returns when it is told to stop, or with `once` after one tick. `revival`: what our guardian brought
/// us back from; then a config that is broken now is no reason not to watch.
fn run(fleet: &Fleet, once: bool, foreground: bool, revival: Option<&Revivals>) -> Result<(), Broken> {
    crate::world::process::give_back_large_pieces();
    if revival.is_none() {
        fleet.must_be_whole()?;
    }
    // The first tick reads the requests anyway; until our own handler stands, a poke must not end us.
    let poked: std::sync::Arc<std::sync::atomic::AtomicBool> = Default::default();
    let _ = signal_hook::flag::register(signal_hook::consts::SIGUSR1, poked);
    let lock = lock(fleet)?;
    if foreground {
        // What was to come back is here.
        fleet.ask_guardian_to_make_way();
    }
    if !fleet.paths.env.exists() {
        environment::save(&fleet.paths.env, &fleet.policy.env).map_err(|e| {
            FleetError::Failed(format!("cannot write `{}`: {}", fleet.paths.env.display(), super::words::plain(&e)))
        })?;
    }
    let mut store = fleet.store()?;
    if fleet.faults.is_empty() {
        let _ = store.put(&[(LAST_GOOD.to_owned(), fleet.config_text.clone())].into());
    }
    let config = ConfigFile::new(fleet.policy.clone(), fleet.config_text.clone(), !fleet.faults.is_empty());
    let mut heart = Heart::new(config, store, true, Journal::watchdog(&fleet.paths.watchdog_log, foreground))?;
    heart.lock = Some(lock);
    heart.guarded = (!foreground).then(|| Guarded::new(fleet.policy.config_path.clone(), &fleet.paths));
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
    if let Some(so_far) = revival {
        heart.note(EventKind::Watchdog, revival_line(so_far), so_far.is_alarming());
    }
    heart.note_with(EventKind::Watchdog, up_line(fleet), came_up(fleet, revival), false);
    if !foreground {
        let _ = std::io::stderr().write_all(READY.as_bytes());
    }
    let ended = heart.run(once).map(drop).map_err(|halt| {
        let code = if matches!(halt, Halt::Store(StoreError::Fenced { .. })) { ANOTHER } else { BROKE_OFF };
        Broken { error: halt.into(), code }
    });
    if ended.is_ok() {
        heart.note_with(EventKind::Watchdog, "watchdog down".into(), serde_json::json!({ "up": false }), false);
    }
    if let Some(guarded) = &heart.guarded {
        guarded.ends_with(ended.as_ref().err().map_or(0, |broken| broken.code));
    }
    ended?;
    heart.finish();
    Ok(())
}

/// When somebody last looked, and why no longer: one that was killed could not say that it ended.
fn came_up(fleet: &Fleet, revival: Option<&Revivals>) -> serde_json::Value {
    let seen = last_beat(&fleet.paths.beat).map(|(at, _)| at.rfc3339());
    let last = revival.map(|so_far| format!("the last one {}", so_far.said()));
    serde_json::json!({ "up": true, "seen": seen, "last": last })
}

/// The fleet's lock. A verb that has it is soon over.
fn lock(fleet: &Fleet) -> Result<Lock, Broken> {
    let deadline = clock::boot().after(VERB);
    loop {
        let (who, code) = match Lock::try_take(&fleet.paths.lock, Role::Watchdog, clock::now()) {
            Ok(Tried::Held(lock)) => return Ok(lock),
            Ok(Tried::Busy(Some(holder))) if holder.role == Role::Watchdog => (format!("pid {}", holder.pid), ANOTHER),
            Ok(Tried::Busy(holder)) if clock::boot() >= deadline => {
                (holder.map_or("another process".into(), |h| format!("pid {}", h.pid)), NEVER_RAN)
            }
            Ok(Tried::Busy(_)) => {
                std::thread::sleep(Duration::from_millis(20));
                continue;
            }
            Err(e) => {
                let path = fleet.paths.lock.display();
                return Err(FleetError::Failed(format!("cannot lock `{path}`: {}", super::words::plain(&e))).into());
            }
        };
        let error = FleetError::Failed(format!("a watchdog runs already for this fleet: {who}"));
        return Err(Broken { error, code });
    }
}

/// `watchdog back: the last one was killed by signal 9 — brought back 3 times so far, 2 in a row`
fn revival_line(so_far: &Revivals) -> String {
    let row = if so_far.row > 1 { format!(", {} in a row", so_far.row) } else { String::new() };
    format!("watchdog back: the last one {} — brought back {} so far{row}", so_far.said(), so_far.times())
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
