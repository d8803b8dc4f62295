//! Shows the watchdog's log in its session: the last lines, then what comes, also when the file is made anew.
use crate::world::process::let_go_of_code;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::inotify,
};
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::MetadataExt,
    path::Path,
};

/// Bytes of the past that are shown at the start.
const TAIL: u64 = 16 * 1024;

pub(super) fn run(path: &Path) -> u8 {
    match follow(path) {
        Ok(()) => 0,
        Err(e) => {
            eprintln!("agents: {}: {e}", path.display());
            1
        }
    }
}

fn follow(path: &Path) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("/"));
    // None where the user's editors hold all there are: then a look a second. This session must not end for that.
    let watch = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK).ok();
    let changes = inotify::WatchFlags::CREATE | inotify::WatchFlags::MOVED_TO | inotify::WatchFlags::MODIFY;
    let watches = || watch.as_ref().is_some_and(|watch| inotify::add_watch(watch, dir, changes).is_ok());
    let mut watching = watches();
    let mut file = None;
    let mut first = true;
    loop {
        show(path, &mut file, first)?;
        first = false;
        let mut fds: Vec<_> = watch.iter().map(|watch| PollFd::new(watch, PollFlags::IN)).collect();
        let pause = Timespec { tv_sec: 1, tv_nsec: 0 };
        if matches!(poll(&mut fds, Some(&pause)), Ok(0)) && watching {
            let_go_of_code();
            // Interrupted or not: look again.
            let _ = poll(&mut fds, None);
        }
        let mut events = [0_u8; 2048];
        while watch.as_ref().is_some_and(|w| matches!(rustix::io::read(w, &mut events), Ok(n) if n > 0)) {}
        watching = watching || watches();
    }
}

/// Prints what is new; goes on with the file that has the name now. Fails only if nobody can read it any more.
fn show(path: &Path, file: &mut Option<File>, first: bool) -> io::Result<()> {
    copy(file)?;
    let Ok(meta) = std::fs::metadata(path) else { return Ok(()) };
    let same =
        file.as_ref().and_then(|f| f.metadata().ok()).is_some_and(|m| (m.dev(), m.ino()) == (meta.dev(), meta.ino()));
    if same {
        // Emptied in place: from its start again.
        if let Some(f) = file
            && f.stream_position().is_ok_and(|at| at > meta.len())
        {
            f.rewind()?;
        }
    } else if let Ok(mut new) = File::open(path) {
        if first && meta.len() > TAIL {
            new.seek(SeekFrom::Start(meta.len() - TAIL))?;
            skip_line(&mut new)?;
        }
        *file = Some(new);
    }
    copy(file)
}

fn skip_line(file: &mut File) -> io::Result<()> {
    let mut byte = [0];
    while file.read(&mut byte)? == 1 && byte[0] != b'\n' {}
    Ok(())
}

fn copy(file: &mut Option<File>) -> io::Result<()> {
    let Some(file) = file else { return Ok(()) };
    let mut out = io::stdout().lock();
    let mut buffer = [0; 4096];
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return out.flush();
        }
        out.write_all(&buffer[..n])?;
    }
}
