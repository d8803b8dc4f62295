//! Other programs: are they there, and do they answer?
use std::{
    env,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const DEADLINE: Duration = Duration::from_secs(3);

/// The first line that a program prints, or why there is none.
pub fn first_line(program: &str, args: &[&str]) -> Result<String, String> {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|e| format!("`{program}` cannot be started: {e}"))?;
    let start = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if start.elapsed() < DEADLINE => std::thread::sleep(Duration::from_millis(2)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("`{program}` does not answer"));
            }
        }
    };
    let mut text = Vec::new();
    if let Some(out) = child.stdout.take() {
        // It has ended; what it wrote fits into the pipe.
        let _ = out.take(4096).read_to_end(&mut text);
    }
    let text = String::from_utf8_lossy(&text);
    match text.lines().next() {
        Some(line) if status.success() => Ok(line.trim().to_owned()),
        _ => Err(format!("`{program}` failed: {status}")),
    }
}

/// Where a program is found: as the shell would.
pub fn on_path(program: &str) -> Option<PathBuf> {
    let runs = |p: &Path| p.is_file() && rustix::fs::access(p, rustix::fs::Access::EXEC_OK).is_ok();
    if program.contains('/') {
        let path = PathBuf::from(program);
        return runs(&path).then_some(path);
    }
    env::split_paths(&env::var_os("PATH")?).map(|dir| dir.join(program)).find(|p| runs(p))
}

/// Words that begin a line of shell text and are no program.
const OF_THE_SHELL: [&str; 18] = [
    "while", "until", "for", "if", "case", "time", "cd", "source", ".", "eval", "set", "export", "trap", "command",
    "builtin", "ulimit", "umask", "read",
];

/// The program that a line of shell text starts, where that can be told without a shell.
pub fn program_of(shell: &str) -> Option<&str> {
    let mut words = shell.split_whitespace().skip_while(|w| {
        *w == "exec"
            || *w == "env"
            || w.split_once('=').is_some_and(|(k, _)| k.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
    });
    let word = words.next()?;
    let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+~".contains(c));
    (plain && !OF_THE_SHELL.contains(&word)).then_some(word)
}

/// The number in `tmux 3.3a`, `tmux next-3.4`: (3, 3).
pub fn version(text: &str) -> Option<(u32, u32)> {
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let mut numbers = text[start..].split(|c: char| !c.is_ascii_digit()).map(|n| n.parse().ok());
    Some((numbers.next()??, numbers.next().flatten().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_programs_are_read() {
        assert_eq!(version("tmux 3.3a"), Some((3, 3)));
        assert_eq!(version("tmux next-3.6"), Some((3, 6)));
        assert_eq!(version("git version 2.39.5"), Some((2, 39)));
        assert_eq!(version("none"), None);
        assert_eq!(program_of("claude --x"), Some("claude"));
        assert_eq!(program_of("FOO=1 exec env BAR=2 ./run.sh {kickoff}"), Some("./run.sh"));
        assert_eq!(program_of("{bin} x"), None);
        assert_eq!(program_of("\"$HOME/x\""), None);
        assert_eq!(program_of("while date; do sleep 1; done"), None);
        assert_eq!(program_of(""), None);
    }
}
