//! What a pane of ours prints goes to its log. As long as no log changed, no pane printed anything, and nobody needs to
//! ask tmux, which costs its server more than all the rest of a quiet tick.
use crate::model::state::State;
use rustix::fs::{AtFlags, Mode, OFlags, open, statat};
use std::{
    fmt::Write,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

/// Looks in a row that may believe the logs. A log writer that was killed, or has no space, says nothing.
const MAX_BELIEVED: u32 = 8;

pub struct GrownLogs {
    log_dir: PathBuf,
    /// Open while it is believed: a name is found in it faster than by its whole path.
    dir: Option<OwnedFd>,
    seen: Option<Vec<Mark>>,
    believed: u32,
    /// They rested, and were not believed once more.
    exhausted: bool,
}

/// Inode and length: logs are only appended to, and begun anew.
type Mark = (u64, i64);

impl GrownLogs {
    pub fn new(log_dir: &Path) -> GrownLogs {
        GrownLogs { log_dir: log_dir.to_owned(), dir: None, seen: None, believed: 0, exhausted: false }
    }

    /// The last answer would have been yes, but for the number of yeses before it.
    pub fn rested(&self) -> bool {
        self.exhausted
    }

    /// To be asked before each look. True: no pane that is known printed anything since the last one.
    pub fn rest(&mut self, state: &State) -> bool {
        let marks = self.marks(state);
        let same = marks.is_some() && marks == self.seen;
        self.seen = marks;
        self.exhausted = same && self.believed == MAX_BELIEVED;
        self.believed = if same && !self.exhausted { self.believed + 1 } else { 0 };
        if self.believed == 0 {
            // It may have been replaced.
            self.dir = None;
        }
        self.believed > 0
    }

    /// `None`: some pane has no log of ours that can be believed.
    fn marks(&mut self, state: &State) -> Option<Vec<Mark>> {
        if self.dir.is_none() {
            self.dir = open(&self.log_dir, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).ok();
        }
        let dir = self.dir.as_ref()?;
        let mut marks = Vec::with_capacity(state.units.len());
        let mut name = String::new();
        for unit in state.units.values() {
            let Some(pane) = &unit.pane else { continue };
            if !pane.piped || pane.incarnation.is_none() {
                return None;
            }
            name.clear();
            write!(name, "{}.log", unit.session).ok()?;
            let log = statat(dir, &name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
            marks.push((log.st_ino, log.st_size));
        }
        Some(marks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{observation::PaneObs, state::UnitState};
    use std::fs;

    fn state(piped: bool) -> State {
        let pane = PaneObs { piped, incarnation: Some(1), ..PaneObs::default() };
        let unit = UnitState { session: "p-a".into(), pane: Some(pane), ..UnitState::default() };
        State { units: [("p-a".to_owned(), unit)].into(), ..State::default() }
    }

    #[test]
    fn logs_are_believed_while_they_rest_and_not_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let (log, old) = (dir.path().join("p-a.log"), dir.path().join("old"));
        let mut logs = GrownLogs::new(dir.path());
        let state = state(true);
        assert!(!logs.rest(&state), "there is no log");
        fs::write(&log, "x").unwrap();
        assert!(!logs.rest(&state), "nothing to compare with");
        assert!(logs.rest(&state));
        fs::write(&log, "xy").unwrap();
        assert!(!logs.rest(&state), "it grew");
        assert!(logs.rest(&state));
        fs::rename(&log, old).unwrap();
        fs::write(&log, "xy").unwrap();
        assert!(!logs.rest(&state), "it is another one");
        assert_eq!((0..20).take_while(|_| logs.rest(&state)).count(), MAX_BELIEVED as usize);
    }

    #[test]
    fn a_pane_without_a_log_writer_is_asked_about_every_time() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("p-a.log"), "x").unwrap();
        let mut logs = GrownLogs::new(dir.path());
        assert!((0..4).all(|_| !logs.rest(&state(false))));
    }
}
