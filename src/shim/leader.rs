//! Session leader and reaper of one agent.
//!
//! ```text
//! wait for the log ──> run ──main process ends──> exit.json ──nothing left──> last output read ──> exit
//!        │              │                             │
//!        │              └─TERM, HUP─> end the tree <──something left
//!        └─TERM, HUP─> exit.json (never ran), exit
//! ```
use super::{
    environment, last_output,
    record::{self, LaunchRecord, ShimRecord},
    signals,
};
use crate::{
    model::{name::printable, observation::ExitRecord},
    world::{
        clock,
        process::{Ending, ProcId, descendants, in_the_foreground, leftovers, let_go_of_code},
    },
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::inotify,
    io::Errno,
    process::{Pid, WaitOptions, WaitStatus},
};
use std::{io, os::fd::OwnedFd, path::Path, process::Command, time::Duration};

/// After KILL, how long to wait for processes that cannot die (uninterruptible sleep).
const AFTER_KILL: Duration = Duration::from_secs(5);

pub(super) fn run(run_dir: &Path) -> u8 {
    let record = match LaunchRecord::read(run_dir) {
        Ok(record) => record,
        Err(e) => {
            eprintln!("agents: {}", printable(&format!("cannot read `{}/{}`: {e}", run_dir.display(), record::LAUNCH)));
            return 126;
        }
    };
    match Leader::new(run_dir, &record).and_then(|mut leader| leader.run()) {
        Ok(code) => code,
        Err(e) => never_ran(run_dir, &record, &format!("the shim failed: {e}")),
    }
}

/// Leaves a record that says why there was no program.
fn never_ran(run_dir: &Path, launch: &LaunchRecord, why: &str) -> u8 {
    no_program(run_dir, launch, None, why)
}

/// `code`: as a shell would have ended that found no program.
fn no_program(run_dir: &Path, launch: &LaunchRecord, code: Option<i32>, why: &str) -> u8 {
    eprintln!("agents: {}", printable(why));
    let exit = ExitRecord {
        incarnation: launch.incarnation,
        code,
        signal: None,
        at: clock::wall(),
        error: Some(why.to_owned()),
        tree_ended: true,
    };
    save(run_dir, &exit);
    last_output::hand_over();
    code.map_or(126, |code| code as u8)
}

/// A full disk must not keep us from our duty; then the exit code is all there is.
fn save(run_dir: &Path, exit: &ExitRecord) {
    if let Ok(bytes) = serde_json::to_vec(exit) {
        let _ = record::write_atomically(&run_dir.join(record::EXIT), &bytes);
    }
}

struct Leader<'a> {
    run_dir: &'a Path,
    record: &'a LaunchRecord,
    /// Readable when a child changed.
    child_changed: OwnedFd,
    /// Readable when somebody wants us to end.
    told_to_end: OwnedFd,
    own_pid: u32,
}

impl Leader<'_> {
    fn new<'a>(run_dir: &'a Path, record: &'a LaunchRecord) -> io::Result<Leader<'a>> {
        use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
        rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
        let child_changed = signals::pipe_for(&[SIGCHLD])?;
        let told_to_end = signals::pipe_for(&[SIGTERM, SIGHUP])?;
        // What is typed goes to the foreground group; until that is the agent's, it must not hit us.
        signals::pipe_for(&[SIGINT, SIGQUIT, SIGTSTP])?;
        Ok(Leader { run_dir, record, child_changed, told_to_end, own_pid: std::process::id() })
    }

    fn run(&mut self) -> io::Result<u8> {
        self.introduce(None)?;
        if !self.wait_for_log()? {
            return Ok(never_ran(self.run_dir, self.record, "told to end before the start"));
        }
        if let Err(e) = std::fs::read_dir(&self.record.dir) {
            let why = format!("working directory `{}`: {e}", self.record.dir.display());
            return Ok(never_ran(self.run_dir, self.record, &why));
        }
        // The first start has no predecessor; two hundred first starts would each read every process of the others.
        if self.record.sweep && self.record.incarnation > 1 && !self.sweep()? {
            return Ok(never_ran(self.run_dir, self.record, "told to end before the start"));
        }
        let main = match self.spawn() {
            Ok(main) => main,
            Err(e) => {
                let why = format!("cannot run `{}` in `{}`: {e}", self.record.shell, self.record.dir.display());
                return Ok(no_program(self.run_dir, self.record, Some(127), &why));
            }
        };
        self.introduce(Some(main.as_raw_nonzero().get() as u32))?;
        let_go_of_code();
        let (exit, code) = self.look_after(main)?;
        last_output::hand_over();
        save(self.run_dir, &exit);
        Ok(code)
    }

    fn introduce(&self, child: Option<u32>) -> io::Result<()> {
        let start = ProcId::own().map_or(0, |own| own.start);
        let me = ShimRecord { pid: self.own_pid, start, child };
        record::write_atomically(&self.run_dir.join(record::SHIM), &serde_json::to_vec(&me)?)
    }

    /// `false`: told to end meanwhile. A log writer that does not come is no reason not to run.
    fn wait_for_log(&self) -> io::Result<bool> {
        let piped = self.run_dir.join(record::PIPED);
        let until = clock::boot().after(Duration::from_millis(self.record.wait_for_log_ms));
        // A user has 128 of these at first: where none is left, the marker is looked for in growing pauses.
        let flags = inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK;
        let changes = inotify::WatchFlags::CREATE | inotify::WatchFlags::MOVED_TO;
        let watch = inotify::init(flags).ok().filter(|w| inotify::add_watch(w, self.run_dir, changes).is_ok());
        let mut pause = Duration::from_millis(1);
        while !piped.exists() {
            let left = until.since(clock::boot());
            if left.is_zero() {
                eprintln!("agents: no log writer; what follows is not in the log");
                let _ = record::write_atomically(&self.run_dir.join(record::GAP), b"no log writer at the start");
                break;
            }
            let told;
            match &watch {
                Some(watch) => {
                    let mut fds = [PollFd::new(&self.told_to_end, PollFlags::IN), PollFd::new(watch, PollFlags::IN)];
                    wait(&mut fds, Some(left))?;
                    told = !fds[0].revents().is_empty();
                    let mut events = [0_u8; 512];
                    while matches!(rustix::io::read(watch, &mut events), Ok(n) if n > 0) {}
                }
                None => {
                    let mut fds = [PollFd::new(&self.told_to_end, PollFlags::IN)];
                    wait(&mut fds, Some(pause.min(left)))?;
                    told = !fds[0].revents().is_empty();
                    pause = (pause * 2).min(Duration::from_millis(20));
                }
            }
            if told {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Ends what an earlier start of this session left behind. `false`: told to end meanwhile.
    fn sweep(&self) -> io::Result<bool> {
        let grace = Duration::from_millis(self.record.grace_ms);
        let give_up = clock::boot().after(grace + AFTER_KILL);
        let mut ending = Ending::new(grace);
        loop {
            let left = leftovers(&self.record.fleet, &self.record.session, self.record.incarnation);
            if left.is_empty() || clock::boot() >= give_up {
                return Ok(true);
            }
            ending.step(&left);
            let mut fds = [PollFd::new(&self.told_to_end, PollFlags::IN)];
            wait(&mut fds, Some(Duration::from_millis(20)))?;
            if !fds[0].revents().is_empty() {
                return Ok(false);
            }
        }
    }

    fn spawn(&self) -> io::Result<Pid> {
        let caller = std::fs::read(&self.record.env_file).unwrap_or_default();
        let environment = environment::build(self.record, &caller, |name| std::env::var_os(name));
        let mut command = Command::new(&self.record.shell);
        command.arg("-c").arg(&self.record.command).env_clear().envs(environment).current_dir(&self.record.dir);
        let child = in_the_foreground(&mut command).spawn()?;
        Ok(i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?)
    }

    /// Until the main process and its whole tree are gone.
    fn look_after(&self, main: Pid) -> io::Result<(ExitRecord, u8)> {
        let grace = Duration::from_millis(self.record.grace_ms);
        let mut exit: Option<ExitRecord> = None;
        let mut code = 0;
        let mut ending: Option<(Ending, crate::model::time::Boot)> = None;
        loop {
            let mut childless = false;
            loop {
                let options = WaitOptions::NOHANG | WaitOptions::UNTRACED | WaitOptions::CONTINUED;
                match rustix::process::wait(options) {
                    Ok(Some((pid, status))) if pid == main => {
                        if let Some((ended, its_code)) = self.main_changed(status) {
                            // At once: a restart need not wait for what is left of the tree.
                            save(self.run_dir, &ended);
                            exit = Some(ended);
                            code = its_code;
                        }
                    }
                    Ok(Some(_)) | Err(Errno::INTR) => {}
                    Ok(None) => break,
                    Err(Errno::CHILD) => {
                        childless = true;
                        break;
                    }
                    Err(e) => return Err(e.into()),
                }
            }
            // The runner of a job that the agent submitted may be a child of ours by now, and stays.
            let alone = childless || exit.is_some() && descendants(self.own_pid).is_empty();
            if let (Some(ended), true) = (&exit, alone) {
                return Ok((ExitRecord { tree_ended: true, ..ended.clone() }, code));
            }
            if signals::came(&self.told_to_end) || exit.is_some() {
                ending.get_or_insert_with(|| (Ending::new(grace), clock::boot().after(grace + AFTER_KILL)));
            }
            // Orphans come to us one by one as their parents end: look again soon.
            let mut pause = None;
            if let Some((ending, give_up)) = &mut ending {
                ending.step(&descendants(self.own_pid));
                if clock::boot() >= *give_up {
                    let ended = exit.unwrap_or_else(|| self.record_of(None, None));
                    return Ok((ended, code));
                }
                pause = Some(Duration::from_millis(20));
            }
            let mut fds =
                [PollFd::new(&self.child_changed, PollFlags::IN), PollFd::new(&self.told_to_end, PollFlags::IN)];
            wait(&mut fds, pause)?;
            signals::came(&self.child_changed);
        }
    }

    /// The record and our own exit code, if it ended.
    fn main_changed(&self, status: WaitStatus) -> Option<(ExitRecord, u8)> {
        let stopped = self.run_dir.join(record::STOPPED);
        if let Some(signal) = status.stopping_signal() {
            let _ = record::write_atomically(&stopped, format!("{signal}\n").as_bytes());
            return None;
        }
        let _ = std::fs::remove_file(&stopped);
        if status.continued() {
            return None;
        }
        let (code, signal) = (status.exit_status(), status.terminating_signal());
        let own = code.or_else(|| signal.map(|n| 128 + n)).unwrap_or(1);
        Some((self.record_of(code, signal), own as u8))
    }

    fn record_of(&self, code: Option<i32>, signal: Option<i32>) -> ExitRecord {
        let at = clock::wall();
        ExitRecord { incarnation: self.record.incarnation, code, signal, at, error: None, tree_ended: false }
    }
}

fn wait(fds: &mut [PollFd], longest: Option<Duration>) -> io::Result<()> {
    let longest = longest.and_then(|d| Timespec::try_from(d).ok());
    match poll(fds, longest.as_ref()) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(e) => Err(e.into()),
    }
}
