//! The detached watchdog and its guardian, from outside: started together, and ended together.
use super::{
    fleet::{Fleet, FleetError},
    guardian,
    lock::{Holder, Lock, Role},
    server, supervision, words,
};
use crate::{model::time::Boot, world::clock};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::Signal,
};
use std::{
    collections::BTreeSet,
    io::{Read, Write},
    process::{Child, ChildStderr, Command, Stdio},
    time::Duration,
};

/// Variables for us, not marks of an agent.
const KEPT: [&str; 2] = ["AGENTS_CONFIG", "AGENTS_BOOT_ID"];
const START: Duration = Duration::from_secs(30);
const STOP: Duration = Duration::from_secs(15);
const LOOK: Duration = Duration::from_millis(10);
const MOST_WORDS: usize = 64 * 1024;
/// Said on stderr by a detached watchdog, once it has its memory and its lock.
pub const READY: &str = "watching\n";

impl Fleet {
    /// Starts the detached supervisor and waits until it watches. `Ok(false)`: one was running already.
    pub fn start_supervisor(&self) -> Result<bool, FleetError> {
        self.must_be_whole()?;
        let deadline = clock::boot().after(START);
        loop {
            if self.supervisor().is_some() {
                return Ok(false);
            }
            if !self.ask_guardian_to_make_way() {
                match self.launch(deadline)? {
                    First::Ready => return Ok(true),
                    // Somebody else was faster. A name alone proves nothing: it may be that of one that is just ending.
                    First::Over { code: Some(guardian::ANOTHER), .. } if clock::boot() < deadline => continue,
                    First::Over { .. } if self.supervisor().is_some() => return Ok(false),
                    First::Over { status, words, .. } => {
                        let words = words.trim().trim_start_matches("error: ");
                        return Err(FleetError::Failed(format!("the watchdog ended at once ({status}): {words}")));
                    }
                    First::Silence => return Err(silence()),
                }
            }
            if clock::boot() >= deadline {
                return Err(silence());
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Ends the supervisor and its guardian, and waits until their locks are free. `Ok(false)`: there was none.
    pub fn stop_supervisor(&self) -> Result<bool, FleetError> {
        let deadline = clock::boot().after(STOP);
        let mut told = BTreeSet::new();
        let mut killed = false;
        loop {
            // The guardian first: it brings back nothing that is told to end.
            let guardian = self.guardian_holder();
            let watchdog = Lock::holder(&self.paths.lock).filter(|h| h.role == Role::Watchdog);
            let there: Vec<Holder> = guardian.into_iter().chain(watchdog).collect();
            let Some(last) = there.last() else { return Ok(!told.is_empty()) };
            for holder in there.iter().filter(|h| told.insert(h.process())) {
                holder.process().signal(Signal::TERM);
                // A stopped one heeds nothing until it goes on.
                holder.process().signal(Signal::CONT);
            }
            if clock::boot() >= deadline {
                if killed {
                    return Err(FleetError::Failed(format!("the watchdog (pid {}) cannot be ended", last.pid)));
                }
                // The watchdog first: it would start another guardian.
                for holder in there.iter().rev() {
                    killed |= holder.process().signal(Signal::KILL);
                }
                std::thread::sleep(Duration::from_millis(200));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Who brings the detached watchdog back, if somebody does.
    pub fn guardian(&self) -> Option<supervision::Guardian> {
        supervision::guardian(&self.paths)
    }

    /// A watchdog runs, or one that was killed is soon back.
    pub fn is_attended(&self) -> bool {
        self.supervisor().is_some() || self.guardian().is_some()
    }

    /// One that waits before its next start ends; one that has a watchdog, or just starts it, goes on. `false`: there is
    /// none.
    pub(super) fn ask_guardian_to_make_way(&self) -> bool {
        self.guardian_holder().is_some_and(|guardian| guardian.process().signal(Signal::USR1))
    }

    fn guardian_holder(&self) -> Option<Holder> {
        Lock::holder(&self.paths.guardian)
    }

    /// Starts `agents __guardian`, which leaves this terminal by itself, and waits until its watchdog watches.
    fn launch(&self, deadline: Boot) -> Result<First, FleetError> {
        let mut command = Command::new(server::program());
        command.arg(guardian::WORD).arg(&self.policy.config_path).arg(&self.paths.guardian);
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
            .map_err(|e| FleetError::Failed(format!("cannot start the watchdog: {}", words::plain(&e))))?;
        let words = match child.stderr.take() {
            Some(stderr) => first_words(stderr, deadline),
            None => return Ok(First::Silence),
        };
        Ok(match words {
            Words::Ready => First::Ready,
            Words::Silence => First::Silence,
            Words::End(words) => self.after_the_end(&mut child, words, deadline),
        })
    }

    /// Nobody will say more: the guardian ends as well, or its watchdog was killed and it brings it back.
    fn after_the_end(&self, child: &mut Child, words: String, deadline: Boot) -> First {
        loop {
            if let Ok(Some(status)) = child.try_wait() {
                return First::Over { code: status.code().map(|code| code as u8), status: status.to_string(), words };
            }
            if self.supervisor().is_some() {
                return First::Ready;
            }
            if clock::boot() >= deadline {
                return First::Silence;
            }
            std::thread::sleep(LOOK);
        }
    }
}

fn silence() -> FleetError {
    FleetError::Failed(
        "the watchdog does not get to its first tick; it is tried again until `agents down`\nhint: agents status"
            .into(),
    )
}

/// What became of a watchdog that was started.
enum First {
    Ready,
    Over { code: Option<u8>, status: String, words: String },
    Silence,
}

enum Words {
    Ready,
    End(String),
    Silence,
}

/// Waits until it says that it watches, or ends. What it says before goes to our own caller.
fn first_words(mut stderr: ChildStderr, deadline: Boot) -> Words {
    let mut words = Vec::new();
    loop {
        let left = deadline.since(clock::boot());
        let timeout = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
        let news = poll(&mut [PollFd::new(&stderr, PollFlags::IN)], Some(&timeout));
        if left.is_zero() || matches!(news, Ok(0)) {
            return Words::Silence;
        }
        let mut part = [0; 4096];
        let n = stderr.read(&mut part).unwrap_or(0);
        if words.len() < MOST_WORDS {
            words.extend_from_slice(&part[..n]);
        }
        let text = String::from_utf8_lossy(&words);
        if let Some((before, _)) = text.split_once(READY) {
            let _ = std::io::stderr().write_all(before.as_bytes());
            return Words::Ready;
        }
        if n == 0 {
            return Words::End(text.into_owned());
        }
    }
}
