//! What a pane of ours prints goes to its log. The kernel tells which logs changed, so nobody needs to ask tmux which
//! panes printed: that costs its server more than all the rest of a quiet tick.
use crate::model::state::{State, UnitState};
use rustix::{
    fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags},
    io::Errno,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    mem::MaybeUninit,
    os::fd::{AsFd, OwnedFd},
    path::{Path, PathBuf},
};

/// Looks in a row that may believe the logs. A log writer that is stopped says nothing.
const MAX_BELIEVED: u32 = 32;

pub struct GrownLogs {
    log_dir: PathBuf,
    watch: Option<Watch>,
    believed: u32,
}

/// What the logs tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Sessions of the known panes that printed since the last question; no other did.
    Grown(BTreeSet<String>),
    /// They were believed for long enough, or are watched from now on only.
    AskOnce,
    /// Some pane has no log of ours.
    Nothing,
}

impl GrownLogs {
    pub fn new(log_dir: &Path) -> GrownLogs {
        GrownLogs { log_dir: log_dir.to_owned(), watch: None, believed: 0 }
    }

    /// To be asked before each look.
    pub fn ask(&mut self, state: &State) -> Told {
        if !panes(state).all(|unit| unit.pane.as_ref().is_some_and(|p| p.piped && p.incarnation.is_some())) {
            self.watch = None;
            return Told::Nothing;
        }
        let known = self.watch.as_mut().filter(|w| self.believed < MAX_BELIEVED && w.is_of(state));
        match known.map(|watch| watch.changed(&self.log_dir)) {
            Some(Ok(grown)) => {
                self.believed += 1;
                Told::Grown(grown)
            }
            Some(Err(_)) | None => {
                self.believed = 0;
                self.watch = Watch::new(&self.log_dir, state).ok();
                if self.watch.is_some() { Told::AskOnce } else { Told::Nothing }
            }
        }
    }

    /// tmux was asked all the same.
    pub fn asked(&mut self) {
        self.believed = 0;
    }
}

fn panes(state: &State) -> impl Iterator<Item = &UnitState> {
    state.units.values().filter(|u| u.pane.is_some())
}

struct Watch {
    inotify: OwnedFd,
    /// In the order of the state.
    sessions: Vec<String>,
    by_descriptor: BTreeMap<i32, usize>,
}

impl Watch {
    fn new(log_dir: &Path, state: &State) -> Result<Watch, Errno> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let sessions: Vec<String> = panes(state).map(|u| u.session.clone()).collect();
        let mut by_descriptor = BTreeMap::new();
        for (index, session) in sessions.iter().enumerate() {
            by_descriptor.insert(add(&inotify, log_dir, session)?, index);
        }
        Ok(Watch { inotify, sessions, by_descriptor })
    }

    fn is_of(&self, state: &State) -> bool {
        panes(state).map(|u| &u.session).eq(&self.sessions)
    }

    /// Those that changed are watched again before anybody looks at their panes: what comes later is told later.
    fn changed(&mut self, log_dir: &Path) -> Result<BTreeSet<String>, Errno> {
        let mut grown = BTreeSet::new();
        let mut buffer = [MaybeUninit::<u8>::uninit(); 4096];
        let mut events = inotify::Reader::new(self.inotify.as_fd(), &mut buffer);
        loop {
            let event = match events.next() {
                Ok(event) => event,
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => continue,
                Err(e) => return Err(e),
            };
            if event.events().contains(ReadFlags::QUEUE_OVERFLOW) {
                return Err(Errno::OVERFLOW);
            }
            if let Some(index) = self.by_descriptor.remove(&event.wd()) {
                grown.insert(index);
            }
        }
        for &index in &grown {
            let descriptor = add(&self.inotify, log_dir, &self.sessions[index])?;
            self.by_descriptor.insert(descriptor, index);
        }
        Ok(grown.into_iter().map(|index| self.sessions[index].clone()).collect())
    }
}

/// One event each: a pane that prints all the time must not fill the queue between two ticks. Logs grow, are emptied,
/// rotated, moved and deleted; a log writer without space touches its log.
fn add(inotify: &OwnedFd, log_dir: &Path, session: &str) -> Result<i32, Errno> {
    let changes = WatchFlags::MODIFY | WatchFlags::ATTRIB | WatchFlags::MOVE_SELF | WatchFlags::DELETE_SELF;
    let once = WatchFlags::ONESHOT | WatchFlags::DONT_FOLLOW;
    inotify::add_watch(inotify, log_dir.join(format!("{session}.log")), changes | once)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::observation::PaneObs;
    use std::{fs, io::Write};

    fn state(names: &[&str], piped: bool) -> State {
        let pane = PaneObs { piped, incarnation: Some(1), ..PaneObs::default() };
        let unit = |name: &str| UnitState { session: name.into(), pane: Some(pane.clone()), ..UnitState::default() };
        State { units: names.iter().map(|n| ((*n).to_owned(), unit(n))).collect(), ..State::default() }
    }

    fn grown(names: &[&str]) -> Told {
        Told::Grown(names.iter().map(|n| (*n).to_owned()).collect())
    }

    #[test]
    fn who_printed_is_told_once_each_time() {
        let dir = tempfile::tempdir().unwrap();
        let log = |name: &str| dir.path().join(format!("{name}.log"));
        let append = |name: &str| fs::File::options().append(true).open(log(name)).unwrap().write_all(b"x").unwrap();
        let mut logs = GrownLogs::new(dir.path());
        let two = state(&["p-a", "p-b"], true);
        fs::write(log("p-a"), "x").unwrap();
        assert_eq!(logs.ask(&two), Told::Nothing, "one has no log");
        fs::write(log("p-b"), "x").unwrap();
        assert_eq!(logs.ask(&two), Told::AskOnce, "what was before is not known");
        assert_eq!(logs.ask(&two), grown(&[]));
        for _ in 0..3 {
            append("p-b");
            append("p-b");
            assert_eq!(logs.ask(&two), grown(&["p-b"]));
            assert_eq!(logs.ask(&two), grown(&[]));
        }
        append("p-a");
        append("p-b");
        assert_eq!(logs.ask(&two), grown(&["p-a", "p-b"]));
        let three = state(&["p-a", "p-b", "p-c"], true);
        fs::write(log("p-c"), "").unwrap();
        assert_eq!(logs.ask(&three), Told::AskOnce, "another pane");
        assert_eq!(logs.ask(&three), grown(&[]));
    }

    #[test]
    fn a_log_that_is_emptied_rotated_or_touched_is_told_of() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("p-a.log");
        fs::write(&log, "xyz").unwrap();
        let mut logs = GrownLogs::new(dir.path());
        let state = state(&["p-a"], true);
        assert_eq!(logs.ask(&state), Told::AskOnce);
        fs::write(&log, "").unwrap();
        assert_eq!(logs.ask(&state), grown(&["p-a"]));
        fs::rename(&log, dir.path().join("old")).unwrap();
        fs::write(&log, "").unwrap();
        assert_eq!(logs.ask(&state), grown(&["p-a"]));
        fs::write(&log, "it is the new one that is watched").unwrap();
        assert_eq!(logs.ask(&state), grown(&["p-a"]));
        let at = std::time::SystemTime::now();
        fs::File::open(&log).unwrap().set_times(fs::FileTimes::new().set_modified(at)).unwrap();
        assert_eq!(logs.ask(&state), grown(&["p-a"]));
        fs::remove_file(&log).unwrap();
        assert_eq!(logs.ask(&state), Told::Nothing, "it is gone");
        fs::write(&log, "").unwrap();
        assert_eq!(logs.ask(&state), Told::AskOnce);
    }

    #[test]
    fn logs_are_not_believed_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("p-a.log"), "x").unwrap();
        let mut logs = GrownLogs::new(dir.path());
        let state = state(&["p-a"], true);
        logs.ask(&state);
        let in_a_row = |logs: &mut GrownLogs| (0..99).take_while(|_| logs.ask(&state) == grown(&[])).count();
        assert_eq!(in_a_row(&mut logs), MAX_BELIEVED as usize);
        assert_eq!(logs.ask(&state), grown(&[]), "they were renewed");
        logs.asked();
        assert_eq!(in_a_row(&mut logs), MAX_BELIEVED as usize);
    }

    #[test]
    fn a_pane_without_a_log_writer_is_asked_about_every_time() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("p-a.log"), "x").unwrap();
        let mut logs = GrownLogs::new(dir.path());
        assert!((0..4).all(|_| logs.ask(&state(&["p-a"], false)) == Told::Nothing));
    }
}
