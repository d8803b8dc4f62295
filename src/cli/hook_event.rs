//! `agents __hook FILE`: what an agent's own program runs when something happens in it (`src/launch/hooks.rs`). One
//! line is appended to FILE. It must never hold up or change the agent: nothing is printed, no failure is told, no
//! config and no store is read, and its exit code is 0.
use crate::{
    transcripts::{hook_line, hooks},
    world::clock,
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{CWD, FileType, FlockOperation, Mode, OFlags},
    io::Errno,
};
use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::{FileExt, MetadataExt},
    path::Path,
    process::ExitCode,
    time::Duration,
};

pub const WORD: &str = "__hook";

/// More input than this is read, and not kept: whoever writes it must not be stopped.
const MOST: usize = 1 << 20;
/// An input that does not come, or does not end, is not waited for any longer.
const PATIENCE: Duration = Duration::from_secs(1);

/// The hidden word [`WORD`]. `None`: `words` do not begin with it.
pub fn main(words: &[OsString]) -> Option<ExitCode> {
    let (word, rest) = words.split_first()?;
    if word != WORD {
        return None;
    }
    if let [file] = rest {
        // Nobody is there to hear of a failure.
        let _ = note(Path::new(file), std::env::var_os("AGENTS_INCARNATION").as_deref());
    }
    Some(ExitCode::SUCCESS)
}

fn note(file: &Path, run: Option<&OsStr>) -> io::Result<()> {
    let input = input()?;
    // Without it this is no program of ours: somebody tries the settings by hand.
    let Some(run) = run.and_then(|run| run.to_str()?.parse().ok()) else { return Ok(()) };
    match hook_line(&input, clock::wall(), run) {
        Some(line) => append(file, line + "\n"),
        None => Ok(()),
    }
}

/// All of standard input; nothing, if it is too much.
fn input() -> io::Result<Vec<u8>> {
    let stdin = rustix::stdio::stdin();
    let until = clock::boot().after(PATIENCE);
    let (mut input, mut buffer) = (Vec::new(), vec![0; 64 << 10]);
    let mut too_much = false;
    loop {
        let left = until.since(clock::boot());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let left = Timespec::try_from(left).map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&left)) {
            Ok(0) | Err(Errno::INTR) => continue,
            Ok(_) => {}
            Err(e) => return Err(e.into()),
        }
        match rustix::io::read(stdin, &mut buffer) {
            Ok(0) => return Ok(input),
            Ok(read) if too_much || input.len() + read > MOST => {
                too_much = true;
                input.clear();
                let _ = read;
            }
            Ok(read) => input.extend_from_slice(&buffer[..read]),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(e) => return Err(e.into()),
        }
    }
}

/// One write, so that hooks that run at once do not mix their lines.
fn append(path: &Path, mut line: String) -> io::Result<()> {
    let mut file = open(path)?;
    if file.metadata()?.len() >= hooks::LARGEST && begin_anew(path, &file).is_ok() {
        file = open(path)?;
    }
    let size = file.metadata()?.len();
    let mut last = [b'\n'];
    // What a full disk left of an earlier line must not swallow this one.
    if size > 0 && file.read_exact_at(&mut last, size - 1).is_ok() && last != [b'\n'] {
        line.insert(0, '\n');
    }
    file.write_all(line.as_bytes())
}

/// 0600, and only a regular file: a link may lead anywhere, and a pipe would hold us up.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDWR
        | OFlags::APPEND
        | OFlags::CREATE
        | OFlags::NOFOLLOW
        | OFlags::NONBLOCK
        | OFlags::NOCTTY
        | OFlags::CLOEXEC;
    let file = rustix::fs::openat(CWD, path, flags, Mode::RUSR | Mode::WUSR)?;
    match FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) {
        FileType::RegularFile => Ok(file.into()),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}

/// Of several at once, one moves the file away, and only if it is still there.
fn begin_anew(path: &Path, file: &File) -> io::Result<()> {
    rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive)?;
    let (ours, there) = (file.metadata()?, fs::symlink_metadata(path)?);
    if (ours.dev(), ours.ino()) == (there.dev(), there.ino()) {
        fs::rename(path, hooks::older(path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_line_is_appended_whole_and_for_us_alone() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a.hooks");
        append(&path, "one\n".into()).expect("written");
        fs::write(dir.path().join("half"), "one\ntw").expect("written");
        append(&dir.path().join("half"), "three\n".into()).expect("written");
        assert_eq!(fs::read_to_string(&path).expect("read"), "one\n");
        assert_eq!(fs::read_to_string(dir.path().join("half")).expect("read"), "one\ntw\nthree\n");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn links_pipes_and_missing_folders_are_left_alone() {
        let dir = tempfile::tempdir().expect("a folder");
        let (target, link, pipe) = (dir.path().join("target"), dir.path().join("link"), dir.path().join("pipe"));
        fs::write(&target, "untouched").expect("written");
        symlink(&target, &link).expect("a link");
        rustix::fs::mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe");
        for path in [&link, &pipe, dir.path(), &dir.path().join("no/such"), Path::new("/dev/full")] {
            assert!(append(path, "x\n".into()).is_err(), "{}", path.display());
        }
        assert_eq!(fs::read_to_string(&target).expect("read"), "untouched");
    }

    #[test]
    fn a_full_file_gives_way_to_a_new_one() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a.hooks");
        File::create(&path).and_then(|f| f.set_len(hooks::LARGEST)).expect("made");
        append(&path, "new\n".into()).expect("written");
        assert_eq!(fs::read_to_string(&path).expect("read"), "new\n");
        assert_eq!(fs::metadata(hooks::older(&path)).expect("kept").len(), hooks::LARGEST);
        let old = open(&path).expect("opened");
        fs::remove_file(&path).expect("removed");
        fs::write(&path, "somebody else's").expect("written");
        begin_anew(&path, &old).expect("nothing to do");
        assert_eq!(fs::read_to_string(&path).expect("read"), "somebody else's");
    }
}
