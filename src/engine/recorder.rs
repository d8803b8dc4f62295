//! The record of decisions on disk: two files in `state/decisions/`, the newer of which grows to half of what `[log]
//! decisions` allows and then takes the place of the older one. Nothing waits for it, and nothing fails with it.
use crate::{
    model::time::Boot,
    replay::record::{Made, Recorder},
};
use rustix::{
    fs::{AtFlags, Mode, OFlags, openat, renameat, unlinkat},
    io::Errno,
};
use std::{
    fs::File,
    io::{self, Write},
    os::{
        fd::OwnedFd,
        unix::fs::{DirBuilderExt, FileExt},
    },
    path::{Path, PathBuf},
    time::Duration,
};

pub const LATEST: &str = "latest.jsonl";
pub const EARLIER: &str = "earlier.jsonl";
/// After a failure.
const REST: Duration = Duration::from_secs(600);

pub struct Decisions {
    /// `None`: nothing is recorded.
    dir: Option<PathBuf>,
    recorder: Recorder,
    file: Option<Open>,
    /// Not tried before.
    rests: Option<Boot>,
}

struct Open {
    dir: OwnedFd,
    file: File,
    size: u64,
}

impl Decisions {
    pub fn at(dir: &Path) -> Decisions {
        Decisions { dir: Some(dir.to_owned()), ..Decisions::nowhere() }
    }

    /// A rehearsal: nothing is written.
    pub fn nowhere() -> Decisions {
        Decisions { dir: None, recorder: Recorder::default(), file: None, rests: None }
    }

    /// Writes it down, in at most about `most` bytes with all that was written before; 0: not at all. The error is told
    /// once: while the disk is as it is, nothing is recorded.
    pub fn add(&mut self, made: &Made, most: u64) -> Result<(), String> {
        let Some(dir) = self.dir.clone().filter(|_| most > 0) else {
            self.close();
            return Ok(());
        };
        if self.rests.is_some_and(|until| made.now.boot < until) {
            return Ok(());
        }
        let Err(error) = self.write(&dir, made, most / 2) else {
            self.rests = None;
            return Ok(());
        };
        self.close();
        let told = self.rests.replace(made.now.after(REST)).is_some();
        match told {
            true => Ok(()),
            false => Err(format!("decisions are not recorded: `{}`: {}", dir.display(), super::words::plain(&error))),
        }
    }

    fn write(&mut self, dir: &Path, made: &Made, half: u64) -> io::Result<()> {
        if self.file.as_ref().is_some_and(|open| !open.is_there()) {
            self.close();
        }
        let mut open = match self.file.take() {
            Some(open) => open,
            None => {
                self.recorder.start_anew();
                Open::at(dir)?
            }
        };
        let mut line = self.recorder.line(made)?;
        if open.size > 0 && open.size + line.len() as u64 > half {
            open = open.begin_anew()?;
            // Each file can be read alone.
            self.recorder.start_anew();
            line = self.recorder.line(made)?;
        }
        open.file.write_all(&line)?;
        open.size += line.len() as u64;
        self.file = Some(open);
        Ok(())
    }

    fn close(&mut self) {
        self.file = None;
        self.recorder.start_anew();
    }
}

impl Open {
    fn at(dir: &Path) -> io::Result<Open> {
        // Not where the fleet's folder is gone: who made that knows when to make it anew.
        match std::fs::DirBuilder::new().mode(0o700).create(dir) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
            _ => {}
        }
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let dir = rustix::fs::open(dir, OFlags::RDONLY | flags, Mode::empty())?;
        let (file, mut size) = latest(&dir)?;
        // A process that was killed while it wrote did not end its line.
        let mut last = [b'\n'];
        if size > 0 && file.read_exact_at(&mut last, size - 1).is_ok() && last != *b"\n" {
            (&file).write_all(b"\n")?;
            size += 1;
        }
        Ok(Open { dir, file, size })
    }

    /// Nobody removed it.
    fn is_there(&self) -> bool {
        rustix::fs::fstat(&self.file).is_ok_and(|stat| stat.st_nlink > 0)
    }

    fn begin_anew(self) -> io::Result<Open> {
        match renameat(&self.dir, LATEST, &self.dir, EARLIER) {
            // A folder in its place: what is older goes.
            Err(Errno::ISDIR) => unlinkat(&self.dir, LATEST, AtFlags::empty())?,
            renamed => renamed?,
        }
        let (file, size) = latest(&self.dir)?;
        Ok(Open { file, size, ..self })
    }
}

/// Opened for appending, and its size.
fn latest(dir: &OwnedFd) -> io::Result<(File, u64)> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(openat(dir, LATEST, flags, Mode::RUSR | Mode::WUSR)?);
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::Error::other(format!("`{LATEST}` is not a regular file")));
    }
    Ok((file, meta.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        decide::decide,
        decide::tests::world::policy,
        model::{
            observation::Observation,
            state::State,
            time::{Now, Wall},
        },
        replay::read::Journal,
    };
    use std::{
        fs,
        os::unix::fs::{PermissionsExt, symlink},
        sync::Arc,
    };

    fn add(decisions: &mut Decisions, at: u64, most: u64) -> Result<(), String> {
        let policy = Arc::new(policy(vec![]));
        let now = Now { boot: Boot(at), wall: Wall(at as i64), ..Now::default() };
        let (obs, state) = (Observation::default(), State::default());
        let decision = decide(&obs, &state, &policy, now);
        decisions.add(&Made { obs: &obs, state: &state, policy: &policy, now, decision: &decision }, most)
    }

    fn count(file: &Path) -> usize {
        fs::read(file).map_or(0, |bytes| Journal::new(&bytes).inspect(|r| assert!(r.is_ok(), "{r:?}")).count())
    }

    #[test]
    fn the_ring_stays_bounded_and_each_file_stands_alone() {
        let place = tempfile::tempdir().unwrap();
        let dir = place.path().join("decisions");
        let mut decisions = Decisions::at(&dir);
        let most = 100_000;
        for at in 0..300 {
            add(&mut decisions, at, most).unwrap();
            let size = |name| fs::metadata(dir.join(name)).map_or(0, |m| m.len());
            assert!(size(LATEST) + size(EARLIER) <= most);
        }
        assert!(count(&dir.join(EARLIER)) > 5 && count(&dir.join(LATEST)) > 0);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&dir), mode(&dir.join(LATEST)), mode(&dir.join(EARLIER))), (0o700, 0o600, 0o600));
    }

    #[test]
    fn a_line_that_was_cut_short_is_ended_first() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join(LATEST);
        add(&mut Decisions::at(place.path()), 1, 1 << 20).unwrap();
        let whole = fs::read(&file).unwrap();
        fs::write(&file, [whole.as_slice(), &whole[..whole.len() / 2]].concat()).unwrap();
        let mut decisions = Decisions::at(place.path());
        add(&mut decisions, 2, 1 << 20).unwrap();
        add(&mut decisions, 3, 1 << 20).unwrap();
        assert_eq!(count(&file), 3);
        // Removed under it: it begins anew.
        fs::remove_file(&file).unwrap();
        add(&mut decisions, 4, 1 << 20).unwrap();
        assert_eq!(count(&file), 1);
    }

    #[test]
    fn what_cannot_be_written_is_told_once_and_tried_again_later() {
        let place = tempfile::tempdir().unwrap();
        let elsewhere = place.path().join("elsewhere");
        fs::write(&elsewhere, "mine").unwrap();
        symlink(&elsewhere, place.path().join(LATEST)).unwrap();
        let mut decisions = Decisions::at(place.path());
        assert!(add(&mut decisions, 0, 1 << 20).unwrap_err().starts_with("decisions are not recorded: "));
        assert_eq!(add(&mut decisions, 1, 1 << 20), Ok(()));
        assert_eq!(add(&mut decisions, 700_000, 1 << 20), Ok(()), "told before");
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "mine", "nothing is written through a link");
        fs::remove_file(place.path().join(LATEST)).unwrap();
        add(&mut decisions, 1_000_000, 1 << 20).unwrap();
        assert_eq!(count(&place.path().join(LATEST)), 0);
        add(&mut decisions, 1_300_001, 1 << 20).unwrap();
        assert_eq!(count(&place.path().join(LATEST)), 1);
    }

    #[test]
    fn none_is_none() {
        let place = tempfile::tempdir().unwrap();
        let dir = place.path().join("decisions");
        add(&mut Decisions::at(&dir), 1, 0).unwrap();
        add(&mut Decisions::nowhere(), 1, 1 << 20).unwrap();
        assert!(!dir.exists());
    }
}
