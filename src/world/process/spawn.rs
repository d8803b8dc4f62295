//! A child in a session of its own, begun without a copy of this process: a fork copies the table of all our pages and then
//! each page that either of the two writes to, which takes longer than a small program needs for its work.
use rustix::fd::{AsRawFd, BorrowedFd};
use std::{
    collections::BTreeMap,
    ffi::{CStr, CString, OsStr},
    io,
    os::unix::ffi::OsStrExt,
    path::Path,
    ptr,
};

/// What it is begun with.
pub struct Begin<'a> {
    /// With a `/` in it: it is not looked for.
    pub program: &'a OsStr,
    pub args: &'a [&'a OsStr],
    /// The whole environment; of two of the same name the last one counts.
    pub env: &'a [(&'a OsStr, &'a OsStr)],
    pub dir: &'a Path,
    /// `None`: nothing.
    pub stdin: Option<BorrowedFd<'a>>,
    /// Of both kinds.
    pub output: BorrowedFd<'a>,
}

/// Its pid. It blocks no signal, and none is ignored that our own library ignores.
///
/// Every file of ours must be one that is closed when another program begins: in here all are, and what our caller left
/// open was closed before ([`super::in_own_session`], [`super::split`]).
pub fn spawn(begin: &Begin) -> io::Result<u32> {
    if !begin.program.as_bytes().contains(&b'/') {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let program = word(begin.program.as_bytes())?;
    let mut args = vec![program.clone()];
    for arg in begin.args {
        args.push(word(arg.as_bytes())?);
    }
    let env: BTreeMap<&OsStr, &OsStr> = begin.env.iter().copied().collect();
    let entry = |(name, value): (&OsStr, &OsStr)| word(&[name.as_bytes(), b"=", value.as_bytes()].concat());
    let env = env.into_iter().map(entry).collect::<io::Result<Vec<CString>>>()?;
    let mut actions = Actions::new()?;
    actions.change_dir(&word(begin.dir.as_os_str().as_bytes())?)?;
    match begin.stdin {
        Some(file) => actions.give(file, 0)?,
        None => actions.open_nothing(0)?,
    }
    actions.give(begin.output, 1)?;
    actions.give(begin.output, 2)?;
    let attributes = Attributes::new()?;
    let mut pid: libc::pid_t = 0;
    let (args, env) = (pointers(&args), pointers(&env));
    // SAFETY: everything that is pointed to lives until the end of this function, and both lists end with a null.
    #[allow(unsafe_code, reason = "no library of ours has a call for it")]
    let failed = unsafe {
        libc::posix_spawn(&mut pid, program.as_ptr(), &actions.0, &attributes.0, args.as_ptr(), env.as_ptr())
    };
    told(failed)?;
    u32::try_from(pid).map_err(io::Error::other)
}

fn word(bytes: &[u8]) -> io::Result<CString> {
    CString::new(bytes).map_err(|_| io::ErrorKind::InvalidInput.into())
}

fn pointers(words: &[CString]) -> Vec<*mut libc::c_char> {
    words.iter().map(|word| word.as_ptr().cast_mut()).chain([ptr::null_mut()]).collect()
}

/// These calls give back what others leave in `errno`.
fn told(failed: libc::c_int) -> io::Result<()> {
    if failed == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(failed)) }
}

/// What the child does before it becomes the program.
struct Actions(libc::posix_spawn_file_actions_t);

impl Actions {
    fn new() -> io::Result<Actions> {
        // SAFETY: the call fills it in, and whatever stood there is not read before that.
        #[allow(unsafe_code, reason = "as above")]
        unsafe {
            let mut actions = std::mem::zeroed();
            told(libc::posix_spawn_file_actions_init(&mut actions))?;
            Ok(Actions(actions))
        }
    }

    fn change_dir(&mut self, dir: &CStr) -> io::Result<()> {
        // SAFETY: the path is copied.
        #[allow(unsafe_code, reason = "as above")]
        told(unsafe { libc::posix_spawn_file_actions_addchdir_np(&mut self.0, dir.as_ptr()) })
    }

    fn give(&mut self, file: BorrowedFd, number: i32) -> io::Result<()> {
        // SAFETY: a number is noted, and used while the file is borrowed.
        #[allow(unsafe_code, reason = "as above")]
        told(unsafe { libc::posix_spawn_file_actions_adddup2(&mut self.0, file.as_raw_fd(), number) })
    }

    fn open_nothing(&mut self, number: i32) -> io::Result<()> {
        let null = c"/dev/null";
        // SAFETY: the path is copied.
        #[allow(unsafe_code, reason = "as above")]
        told(unsafe { libc::posix_spawn_file_actions_addopen(&mut self.0, number, null.as_ptr(), libc::O_RDONLY, 0) })
    }
}

impl Drop for Actions {
    fn drop(&mut self) {
        // SAFETY: it was made by its own call.
        #[allow(unsafe_code, reason = "as above")]
        unsafe {
            libc::posix_spawn_file_actions_destroy(&mut self.0)
        };
    }
}

/// What the child is.
struct Attributes(libc::posix_spawnattr_t);

impl Attributes {
    fn new() -> io::Result<Attributes> {
        let flags = libc::POSIX_SPAWN_SETSID
            | libc::POSIX_SPAWN_SETSIGMASK as libc::c_short
            | libc::POSIX_SPAWN_SETSIGDEF as libc::c_short;
        // SAFETY: the calls fill in what they are given, and whatever stood there is not read before that.
        #[allow(unsafe_code, reason = "as above")]
        unsafe {
            let mut made = std::mem::zeroed();
            told(libc::posix_spawnattr_init(&mut made))?;
            let mut attributes = Attributes(made);
            let mut signals: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&mut signals);
            told(libc::posix_spawnattr_setsigmask(&mut attributes.0, &signals))?;
            libc::sigaddset(&mut signals, libc::SIGPIPE);
            told(libc::posix_spawnattr_setsigdefault(&mut attributes.0, &signals))?;
            told(libc::posix_spawnattr_setflags(&mut attributes.0, flags))?;
            Ok(attributes)
        }
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: it was made by its own call.
        #[allow(unsafe_code, reason = "as above")]
        unsafe {
            libc::posix_spawnattr_destroy(&mut self.0)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fd::AsFd;
    use std::fs::{File, read_to_string};

    fn begun(program: &str, line: &str, env: &[(&str, &str)], dir: &Path, output: &File) -> io::Result<u32> {
        let env: Vec<(&OsStr, &OsStr)> =
            env.iter().map(|(name, value)| (OsStr::new(*name), OsStr::new(*value))).collect();
        spawn(&Begin {
            program: OsStr::new(program),
            args: &[OsStr::new("-c"), OsStr::new(line)],
            env: &env,
            dir,
            stdin: None,
            output: output.as_fd(),
        })
    }

    #[test]
    fn it_has_what_it_was_given_and_nothing_else() {
        let dir = tempfile::tempdir().expect("a folder");
        let home = dir.path().canonicalize().expect("there");
        let output = File::create(home.join("output")).expect("made");
        let line = "pwd; env | grep ^A; cat; grep SigBlk /proc/self/status; \
                    [ $(cut -d' ' -f6 /proc/$$/stat) = $$ ] && echo own; echo bad >&2";
        let pid = begun("/bin/sh", line, &[("A", "1"), ("A", "2"), ("PATH", "/usr/bin:/bin")], &home, &output)
            .expect("begun");
        let status = loop {
            // Other tests of this process have children, too.
            match rustix::process::waitpid(
                rustix::process::Pid::from_raw(pid as i32),
                rustix::process::WaitOptions::empty(),
            ) {
                Ok(Some((_, status))) => break status,
                Ok(None) | Err(rustix::io::Errno::INTR) => {}
                Err(e) => panic!("{e}"),
            }
        };
        assert_eq!(status.exit_status(), Some(0));
        let said = read_to_string(home.join("output")).expect("read");
        let lines: Vec<&str> = said.lines().collect();
        let expected = [home.to_str().expect("UTF-8"), "A=2", "SigBlk:\t0000000000000000"];
        assert_eq!(lines[..3], expected, "{said}");
        assert_eq!(lines[3..], ["own", "bad"], "{said}");
    }

    #[test]
    fn what_cannot_be_begun_is_told() {
        let dir = tempfile::tempdir().expect("a folder");
        let output = File::create(dir.path().join("output")).expect("made");
        let kind = |program: &str, env: &[(&str, &str)], dir: &Path| {
            begun(program, "true", env, dir, &output).map_err(|e| e.kind()).expect_err("refused")
        };
        assert_eq!(kind("/bin/nobody", &[], dir.path()), io::ErrorKind::NotFound);
        assert_eq!(kind("/bin/sh", &[], &dir.path().join("gone")), io::ErrorKind::NotFound);
        assert_eq!(kind("sh", &[], dir.path()), io::ErrorKind::InvalidInput);
        assert_eq!(kind("/bin/sh", &[("A", "a\0b")], dir.path()), io::ErrorKind::InvalidInput);
    }
}
