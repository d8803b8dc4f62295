//! Which tmux server, and how a command for it is made.
use super::{error::TmuxError, run};
use crate::world::file::write_whole;
use std::{
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

/// `sun_path` holds 108 bytes with its NUL; tmux appends nothing, but a margin for `.lock` costs nothing.
const MAX_SOCKET: usize = 100;

/// Variables the server of our own may see: whatever it sees, every pane of every agent would see too.
const SERVER_ENV: [&str; 10] =
    ["PATH", "HOME", "LANG", "LANGUAGE", "USER", "LOGNAME", "SHELL", "TERM", "XDG_RUNTIME_DIR", "TZ"];

/// A tmux server, running or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Program, by its path if it is in PATH: a process is started much faster when nothing has to be searched for.
    pub tmux: PathBuf,
    pub address: Address,
    /// Configuration read when we start the server: set for a server of our own.
    pub conf: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `tmux -S`.
    Socket(PathBuf),
    /// `tmux -L`.
    Named(String),
    /// No flag: the user's default server.
    Default,
}

impl Server {
    /// A server that the user looks after, or any socket.
    pub fn at(address: Address) -> Server {
        Server { tmux: program(), address, conf: None }
    }

    /// The fleet's own server: `<state_dir>/tmux.sock`, or where that is too long a name in a private folder under
    /// `$XDG_RUNTIME_DIR` or `/tmp`. Makes the folder (0700) and the configuration (0600); starts nothing.
    pub fn own(state_dir: &Path) -> Result<Server, TmuxError> {
        private_dir(state_dir)?;
        let conf = state_dir.join("tmux.conf");
        write_conf(&conf)?;
        Ok(Server { tmux: program(), address: Address::Socket(own_socket(state_dir)?), conf: Some(conf) })
    }

    /// Whether there is a program of that name in PATH. It is not asked anything.
    pub fn is_installed() -> bool {
        program().is_absolute()
    }

    pub fn is_own(&self) -> bool {
        self.conf.is_some()
    }

    /// Where the socket is, by tmux's rules: `TMUX_TMPDIR` (if that is a directory) or `/tmp`, then `tmux-UID/NAME`.
    pub fn socket_path(&self) -> PathBuf {
        let named = |name: &str| {
            let base = std::env::var_os("TMUX_TMPDIR").map(PathBuf::from).filter(|d| d.is_dir());
            let base = base.unwrap_or_else(|| "/tmp".into());
            let base = base.canonicalize().unwrap_or(base);
            base.join(format!("tmux-{}", rustix::process::getuid().as_raw())).join(name)
        };
        match &self.address {
            Address::Socket(path) => path.clone(),
            Address::Named(name) => named(name),
            Address::Default => named("default"),
        }
    }

    /// For messages.
    pub(super) fn place(&self) -> String {
        self.socket_path().display().to_string()
    }

    /// `3.3a`, as `tmux -V` prints it. An error if there is none, or one too old for the control mode used here.
    pub fn version(&self) -> Result<String, TmuxError> {
        let mut command = Command::new(&self.tmux);
        command.arg("-V").env_remove("TMUX").env_remove("TMUX_PANE");
        let out = run::run(command, b"", Duration::from_secs(5), "version")?;
        let text = String::from_utf8_lossy(&out.stdout);
        let version = text.trim().strip_prefix("tmux ").unwrap_or(text.trim()).to_owned();
        if is_too_old(&version) { Err(TmuxError::TooOld { found: version }) } else { Ok(version) }
    }

    /// `tmux -u` with the address; a client that never starts a server unless `starts`.
    pub(super) fn command(&self, starts: bool) -> Command {
        let mut command = Command::new(&self.tmux);
        command.arg("-u");
        if self.is_own() {
            command.env_clear();
            for (key, value) in std::env::vars_os() {
                let name = key.to_string_lossy();
                if SERVER_ENV.contains(&&*name) || name.starts_with("LC_") {
                    command.env(key, value);
                }
            }
        }
        command.env_remove("TMUX").env_remove("TMUX_PANE");
        if starts {
            if let Some(conf) = &self.conf {
                command.arg("-f").arg(conf);
            }
        } else {
            command.arg("-N");
        }
        match &self.address {
            Address::Socket(path) => command.arg("-S").arg(path),
            Address::Named(name) => command.arg("-L").arg(name),
            Address::Default => &mut command,
        };
        // A folder that cannot vanish under the server, and no path of ours in any pane.
        command.current_dir("/").stdin(Stdio::null());
        command
    }
}

fn program() -> PathBuf {
    let is_program = |p: &PathBuf| p.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let absolute = std::env::split_paths(&path).filter(|dir| dir.is_absolute());
    absolute.map(|dir| dir.join("tmux")).find(is_program).unwrap_or_else(|| "tmux".into())
}

fn is_too_old(version: &str) -> bool {
    let digits = version.trim_start_matches(|c: char| !c.is_ascii_digit());
    let mut parts = digits.split(|c: char| !c.is_ascii_digit());
    let major = parts.next().and_then(|p| p.parse::<u32>().ok());
    let minor = parts.next().and_then(|p| p.parse::<u32>().ok()).unwrap_or(0);
    // `openbsd-7.5`, `master`: recent enough.
    major.is_some_and(|major| (major, minor) < (3, 2))
}

/// Makes `dir` (0700) if need be; refuses one that belongs to somebody else.
fn private_dir(dir: &Path) -> Result<(), TmuxError> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|e| TmuxError::io(dir.display().to_string(), e))?;
    let meta = std::fs::symlink_metadata(dir).map_err(|e| TmuxError::io(dir.display().to_string(), e))?;
    if meta.uid() != rustix::process::geteuid().as_raw() {
        return Err(TmuxError::Socket(format!("`{}` belongs to another user", dir.display())));
    }
    Ok(())
}

fn own_socket(state_dir: &Path) -> Result<PathBuf, TmuxError> {
    use std::os::unix::ffi::OsStrExt;
    let near = state_dir.join("tmux.sock");
    if near.as_os_str().len() <= MAX_SOCKET {
        return Ok(near);
    }
    let uid = rustix::process::geteuid().as_raw();
    let runtime =
        std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|d| d.is_dir() && d.as_os_str().len() < 60);
    let dir = match runtime {
        Some(dir) => dir.join("agents"),
        None => PathBuf::from(format!("/tmp/agents-{uid}")),
    };
    private_dir(&dir)?;
    // `/tmp` is everybody's: the folder must be a real one, ours, and closed to others.
    let meta = std::fs::symlink_metadata(&dir).map_err(|e| TmuxError::io(dir.display().to_string(), e))?;
    if !meta.is_dir() {
        return Err(TmuxError::Socket(format!("`{}` is not a directory", dir.display())));
    }
    if meta.permissions().mode() & 0o077 != 0 {
        return Err(TmuxError::Socket(format!("`{0}` is open to other users\nhint: chmod 700 {0}", dir.display())));
    }
    let identity = state_dir.canonicalize().unwrap_or_else(|_| state_dir.to_owned());
    Ok(dir.join(format!("{:016x}.sock", fnv(identity.as_os_str().as_bytes()))))
}

/// FNV-1a: a name that stays the same over versions of this program.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
}

fn write_conf(path: &Path) -> Result<(), TmuxError> {
    let text = conf_text(terminal());
    if std::fs::read_to_string(path).is_ok_and(|have| have == text) {
        return Ok(());
    }
    write_whole(path, text.as_bytes()).map_err(|e| TmuxError::io(path.display().to_string(), e))
}

fn terminal() -> &'static str {
    let home = std::env::var("HOME").unwrap_or_default();
    let dirs =
        ["/usr/share/terminfo", "/lib/terminfo", "/etc/terminfo", "/usr/lib/terminfo", "/usr/local/share/terminfo"];
    let known = dirs.iter().map(PathBuf::from).chain([PathBuf::from(home).join(".terminfo")]).any(|dir| {
        // Some systems file by letter, others by its hex code.
        dir.join("t/tmux-256color").exists() || dir.join("74/tmux-256color").exists()
    });
    if known { "tmux-256color" } else { "screen-256color" }
}

/// Not here: `window-size manual`, which makes tmux 3.3a crash at the next `new-session` when it is set globally. Every
/// window gets its own.
fn conf_text(terminal: &str) -> String {
    format!(
        "# Written by agents at every start; changes are lost.\n\
         set -s exit-empty off\n\
         set -s escape-time 0\n\
         set -s focus-events on\n\
         set -s set-clipboard off\n\
         set -s default-terminal {terminal}\n\
         set -g destroy-unattached off\n\
         set -g update-environment ''\n\
         set -g history-limit 10000\n\
         set -g status-left '[#{{session_name}}] '\n\
         set -g status-left-length 60\n\
         set -g status-right 'leave with C-b d'\n\
         set -g status-right-length 200\n\
         set -g window-status-format ''\n\
         set -g window-status-current-format ''\n\
         set -gw remain-on-exit off\n\
         set -gw allow-rename off\n\
         set -gw automatic-rename off\n\
         set -gwq allow-passthrough off\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        for (version, old) in
            [("3.3a", false), ("2.9", true), ("3.1c", true), ("next-3.6", false), ("master", false), ("3.2", false)]
        {
            assert_eq!(is_too_old(version), old, "{version}");
        }
    }

    #[test]
    fn a_long_path_gets_a_short_socket() {
        let dir = tempfile::tempdir().unwrap();
        let short = own_socket(&dir.path().join("state")).unwrap();
        assert!(short.ends_with("state/tmux.sock"));
        let deep = dir.path().join("d".repeat(120));
        let long = own_socket(&deep).unwrap();
        assert!(long.as_os_str().len() <= MAX_SOCKET, "{long:?}");
        assert_eq!(long, own_socket(&deep).unwrap(), "the same fleet finds the same server");
    }
}
