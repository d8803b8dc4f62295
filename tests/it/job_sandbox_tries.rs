//! Ways out of a sandbox, each tried by a process inside of it: this very program, started again by the job.
use rustix::{
    fs::{CWD, FileType, Mode, OFlags, RenameFlags, mknodat, open, renameat_with},
    process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal},
};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::{
        fd::AsRawFd,
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    process::Command,
};

/// Exit codes of a try.
pub const OUT: i32 = 10;
pub const HELD: i32 = 11;

/// The first word of the line that is to hold against it, and its name.
pub const TRIES: &[(&str, &str)] = &[
    ("writes", "open"),
    ("writes", "append"),
    ("writes", "create"),
    ("writes", "truncate"),
    ("writes", "truncate by open"),
    ("writes", "dot dot"),
    ("writes", "the root of proc"),
    ("writes", "a link that leads out"),
    ("writes", "a link to what is not there"),
    ("writes", "a link made elsewhere"),
    ("writes", "opened again for writing"),
    ("writes", "through an open folder"),
    ("writes", "rename"),
    ("writes", "rename out"),
    ("writes", "rename in"),
    ("writes", "exchange"),
    ("writes", "link out"),
    ("writes", "link in"),
    ("writes", "make a folder"),
    ("writes", "remove a folder"),
    ("writes", "remove"),
    ("writes", "make a pipe"),
    ("writes", "into a pipe"),
    ("writes", "make a device"),
    ("writes", "make a socket"),
    ("writes", "beside its log"),
    ("writes", "mount"),
    ("writes", "mount as a user"),
    ("processes", "attach"),
    ("processes", "its memory"),
    ("processes", "read its memory"),
    ("processes", "its files"),
    ("processes", "its environment"),
    ("privileges", "setuid"),
    ("devices", "ioctl"),
    ("signals", "kill"),
    ("signals", "kill by descriptor"),
    ("signals", "kill a group"),
    ("signals", "its runner"),
    ("signals", "by news of a socket"),
    ("sockets", "stream"),
    ("sockets", "datagram"),
];

/// What a try needs, by its environment.
pub const TRY: &str = "SANDBOX_TRY";
pub const OUTSIDE: &str = "SANDBOX_OUTSIDE";
pub const VICTIM: &str = "SANDBOX_VICTIM";
pub const SOCKET: &str = "SANDBOX_SOCKET";

/// Not a test of its own: a job of the tests in `job_sandbox.rs` runs it.
#[test]
#[allow(clippy::disallowed_methods, reason = "the job's exit code is the answer")]
fn a_try() {
    let Ok(name) = std::env::var(TRY) else { return };
    let ended = the_try(&name);
    println!("{name}: {ended:?}");
    std::process::exit(if ended.is_ok() { OUT } else { HELD });
}

fn variable(name: &str) -> String {
    std::env::var(name).expect("given by the test")
}

fn held<T>(why: &str) -> io::Result<T> {
    Err(io::Error::other(why.to_owned()))
}

/// `Ok`: it is out.
fn the_try(name: &str) -> io::Result<()> {
    let out = PathBuf::from(variable(OUTSIDE));
    let there = out.join("there");
    match name {
        "open" => put(OpenOptions::new().write(true).open(there)?),
        "append" => put(OpenOptions::new().append(true).open(there)?),
        "create" => put(File::create_new(out.join("new"))?),
        "truncate" => truncate(&there),
        "truncate by open" => File::create(there).map(drop),
        "dot dot" => put(OpenOptions::new().write(true).open(Path::new("..").join("out/there"))?),
        "the root of proc" => {
            put(OpenOptions::new().write(true).open(Path::new("/proc/self/root").join(strip(&there)))?)
        }
        "a link that leads out" => {
            std::os::unix::fs::symlink(&there, "link")?;
            put(OpenOptions::new().write(true).open("link")?)
        }
        "a link to what is not there" => {
            std::os::unix::fs::symlink(out.join("new"), "link")?;
            put(File::create("link")?)
        }
        "a link made elsewhere" => std::os::unix::fs::symlink("x", out.join("new")),
        "opened again for writing" => {
            let file = File::open(there)?;
            put(OpenOptions::new().write(true).open(format!("/proc/self/fd/{}", file.as_raw_fd()))?)
        }
        "through an open folder" => {
            let folder = open(&out, OFlags::PATH | OFlags::DIRECTORY, Mode::empty())?;
            put(OpenOptions::new().write(true).open(format!("/proc/self/fd/{}/there", folder.as_raw_fd()))?)
        }
        "rename" => fs::rename(there, out.join("new")),
        "rename out" => {
            fs::write("mine", "mine")?;
            fs::rename("mine", out.join("new"))
        }
        "rename in" => fs::rename(there, "stolen"),
        "exchange" => {
            fs::write("mine", "mine")?;
            Ok(renameat_with(CWD, "mine", CWD, there, RenameFlags::EXCHANGE)?)
        }
        "link out" => {
            fs::write("mine", "mine")?;
            fs::hard_link("mine", out.join("new"))
        }
        "link in" => {
            fs::hard_link(there, "link")?;
            put(OpenOptions::new().write(true).open("link")?)
        }
        "make a folder" => fs::create_dir(out.join("new")),
        "remove a folder" => fs::remove_dir(out.join("empty")),
        "remove" => fs::remove_file(there),
        "make a pipe" => Ok(mknodat(CWD, out.join("new"), FileType::Fifo, Mode::RWXU, 0)?),
        "into a pipe" => put(open(out.join("pipe"), OFlags::RDWR | OFlags::NONBLOCK, Mode::empty())?.into()),
        "make a device" => {
            Ok(mknodat(CWD, out.join("new"), FileType::CharacterDevice, Mode::RWXU, rustix::fs::makedev(1, 3))?)
        }
        "make a socket" => UnixListener::bind(out.join("new")).map(drop),
        "beside its log" => put(File::create_new(fs::read_link("/proc/self/fd/1")?.with_file_name("new"))?),
        "mount" => run("unshare", &["-m", "sh", "-ec", MOUNT]),
        "mount as a user" => run("unshare", &["-Urm", "sh", "-ec", MOUNT]),
        "attach" => attach(victim()),
        "its memory" => {
            OpenOptions::new().read(true).write(true).open(format!("/proc/{}/mem", variable(VICTIM))).map(drop)
        }
        "read its memory" => read_memory(victim()),
        "its files" => File::open(format!("/proc/{}/fd/0", variable(VICTIM))).map(drop),
        "its environment" => fs::read(format!("/proc/{}/environ", variable(VICTIM))).map(drop),
        "setuid" => {
            let told = Command::new(out.join("who")).arg("-u").output()?;
            let own = rustix::process::geteuid().as_raw().to_string();
            if String::from_utf8_lossy(&told.stdout).trim() == own { held("the same user") } else { Ok(()) }
        }
        "ioctl" => command_a_device(),
        "kill" => Ok(kill_process(victim(), Signal::KILL)?),
        "kill by descriptor" => Ok(pidfd_send_signal(pidfd_open(victim(), PidfdFlags::empty())?, Signal::KILL)?),
        "kill a group" => Ok(rustix::process::kill_process_group(victim(), Signal::KILL)?),
        "its runner" => {
            Ok(rustix::process::test_kill_process(rustix::process::getppid().ok_or(io::ErrorKind::NotFound)?)?)
        }
        "by news of a socket" => news_of_a_socket(victim()),
        "stream" => UnixStream::connect_addr(&SocketAddr::from_abstract_name(variable(SOCKET))?).map(drop),
        "datagram" => {
            let address = SocketAddr::from_abstract_name(format!("{}d", variable(SOCKET)))?;
            UnixDatagram::unbound()?.send_to_addr(b"out", &address).map(drop)
        }
        other => panic!("no try is named `{other}`"),
    }
}

/// What is elsewhere, in place of a folder of its own.
const MOUNT: &str = "mkdir -p m; mount --bind \"$SANDBOX_OUTSIDE\" m; echo out > m/there";

fn put(mut file: File) -> io::Result<()> {
    file.write_all(b"out")
}

fn strip(path: &Path) -> &Path {
    path.strip_prefix("/").expect("absolute")
}

fn victim() -> Pid {
    Pid::from_raw(variable(VICTIM).parse().expect("a pid")).expect("a pid")
}

fn run(program: &str, words: &[&str]) -> io::Result<()> {
    let ended = Command::new(program).args(words).output()?;
    if ended.status.success() { Ok(()) } else { held(&String::from_utf8_lossy(&ended.stderr)) }
}

/// By name, and not through an open file.
#[allow(unsafe_code, reason = "the libraries truncate open files only")]
fn truncate(path: &Path) -> io::Result<()> {
    let path = std::ffi::CString::new(path.as_os_str().as_encoded_bytes()).expect("a path");
    // SAFETY: a text that ends with a zero.
    done(unsafe { libc::truncate(path.as_ptr(), 0) }.into())
}

#[allow(unsafe_code, reason = "no library has it")]
fn attach(victim: Pid) -> io::Result<()> {
    // SAFETY: no pointer is followed.
    done(unsafe { libc::ptrace(libc::PTRACE_SEIZE, victim.as_raw_nonzero().get(), 0_usize, 0_usize) })
}

#[allow(unsafe_code, reason = "no library has it")]
fn read_memory(victim: Pid) -> io::Result<()> {
    let maps = fs::read_to_string(format!("/proc/{}/maps", victim.as_raw_nonzero()))?;
    let from = maps.split('-').next().and_then(|hex| usize::from_str_radix(hex, 16).ok());
    let mut bytes = [0_u8; 16];
    let here = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    let there = libc::iovec { iov_base: from.unwrap_or(0) as *mut libc::c_void, iov_len: bytes.len() };
    // SAFETY: what is here outlives the call, and the kernel looks whether the other one is there.
    let read = unsafe { libc::process_vm_readv(victim.as_raw_nonzero().get(), &here, 1, &there, 1, 0) };
    done(read as libc::c_long)
}

/// A device that the sandbox does not name: the kernel asks the device, or answers for it.
#[allow(unsafe_code, reason = "a command that no device knows has no safe call")]
fn command_a_device() -> io::Result<()> {
    let all = ["kmsg", "fuse", "net/tun", "loop-control", "kvm", "hwrng", "rtc0"];
    let opened = all.iter().find_map(|name| File::open(Path::new("/dev").join(name)).ok());
    let device = opened.ok_or_else(|| io::Error::other("no device can be opened"))?;
    // SAFETY: without an argument, and known to no driver.
    let ended = done(unsafe { libc::ioctl(device.as_raw_fd(), 0x5f5f, 0_usize) }.into());
    ended.or_else(|e| if e.raw_os_error() == Some(libc::EACCES) { Err(e) } else { Ok(()) })
}

/// The kernel signals whoever is named as the owner of a file when there is something to read.
#[allow(unsafe_code, reason = "no library has all of it")]
fn news_of_a_socket(victim: Pid) -> io::Result<()> {
    let (mut one, other) = UnixStream::pair()?;
    let fd = other.as_raw_fd();
    // SAFETY: numbers only, on a file of ours.
    unsafe {
        done(libc::fcntl(fd, libc::F_SETOWN, victim.as_raw_nonzero().get()).into())?;
        // F_SETSIG
        done(libc::fcntl(fd, 10, libc::SIGKILL).into())?;
        done(libc::fcntl(fd, libc::F_SETFL, libc::O_ASYNC).into())?;
    }
    one.write_all(b"news")?;
    // Nobody tells who sent it: whether the victim is there, the test looks. The signal is sent before the write ends.
    held("looked at from outside")
}

fn done(code: libc::c_long) -> io::Result<()> {
    if code < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
