//! New sessions, and the command line that makes one without losing its first byte.
use super::{error::TmuxError, quote, rows};

/// A session to be made, with one window and one pane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    /// Checked with [`crate::model::name::unusable`].
    pub name: String,
    /// Columns and rows of the pane.
    pub size: (u16, u16),
    /// The pane's program. It starts in `/` with the server's environment, and has to go to its folder itself.
    pub argv: Vec<String>,
    /// Gets everything the pane prints on its stdin, from the first byte on.
    pub pipe: Option<Vec<String>>,
}

/// A session that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    pub session_id: String,
    pub pane_id: String,
    pub pid: u32,
    /// Why the log writer could not be connected, if so: the session runs without it.
    pub pipe_error: Option<String>,
}

/// Refuses what tmux would change, expand or run.
pub(super) fn check_name(name: &str) -> Result<(), TmuxError> {
    match crate::model::name::unusable(name) {
        None => Ok(()),
        Some(why) => Err(TmuxError::Refused(format!(
            "`{}` cannot be a session name: {why}\nhint: `{}` would do",
            crate::model::name::printable_cut(name, 120),
            crate::model::name::usable_form(name)
        ))),
    }
}

/// `new-session … ; pipe-pane …`: in one line, so that the pipe is there before the pane's program is read from.
pub(super) fn command_line(new: &NewSession, guard_options: bool) -> Result<String, TmuxError> {
    check_name(&new.name)?;
    let (columns, rows) = new.size;
    let mut line = format!(
        "new-session -d -P -F '#{{session_id}} #{{pane_id}} #{{pane_pid}}' -s {} -x {columns} -y {rows} -- {}",
        new.name,
        program(&new.argv)?
    );
    for option in options(guard_options) {
        line.push_str(&format!(" ; set-option {} -t ={}: {} {}", option[0], new.name, option[1], option[2]));
    }
    if let Some(pipe) = &new.pipe {
        line.push_str(&format!(" ; {}", pipe_line(&format!("={}:", new.name), pipe)));
    }
    Ok(line)
}

/// What a new session is given: flag, option, value. Chained to its making, before the server looks at it again.
pub(super) fn options(guard: bool) -> &'static [[&'static str; 3]] {
    const ALL: [[&str; 3]; 4] = [
        // Else a person who looks in from a small terminal leaves it small.
        ["-w", "window-size", "manual"],
        // The user's server has the user's options: these would end, keep or rename what we start.
        ["-q", "destroy-unattached", "off"],
        ["-w", "remain-on-exit", "off"],
        ["-w", "allow-rename", "off"],
    ];
    if guard { &ALL } else { &ALL[..1] }
}

/// The program as words: tmux gives several words to `execvp`, but a single one to a shell.
pub(super) fn program(argv: &[String]) -> Result<String, TmuxError> {
    if argv.is_empty() || argv.iter().any(|a| a.contains('\0')) {
        return Err(TmuxError::Refused("a session needs a program".into()));
    }
    Ok(if let [only] = argv {
        quote::word(&format!("exec {}", quote::sh(only)))
    } else {
        argv.iter().map(|a| quote::word(a)).collect::<Vec<_>>().join(" ")
    })
}

pub(super) fn pipe_line(target: &str, argv: &[String]) -> String {
    format!("pipe-pane -t {} {}", quote::word(target), quote::word(&pipe_command(argv)))
}

/// What tmux hands to `sh`, once it has read its formats.
pub(super) fn pipe_command(argv: &[String]) -> String {
    quote::through_format(&quote::sh_exec(argv))
}

/// Reads the first block of [`command_line`].
pub(super) fn created(text: &str) -> Option<Created> {
    let mut fields = text.split_whitespace();
    Some(Created {
        session_id: rows::id(fields.next()?, '$')?,
        pane_id: rows::id(fields.next()?, '%')?,
        pid: fields.next()?.parse().ok()?,
        pipe_error: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_tmux_would_change_are_refused() {
        let new = |name: &str| NewSession {
            name: name.into(),
            size: (80, 24),
            argv: vec!["a".into(), "b".into()],
            pipe: None,
        };
        for name in ["", "my.proj", "a:b", "#(touch x)", "$x", "a;", "-a", "a b", "é"] {
            assert!(matches!(command_line(&new(name), false), Err(TmuxError::Refused(_))), "{name}");
        }
        assert!(command_line(&new("p-a_1"), false).is_ok());
    }

    #[test]
    fn paths_reach_nobody_but_the_program() {
        let line = pipe_line("=a:", &["/bin/x".into(), "/d/it's #(touch y) 100% $(touch x)".into()]);
        assert_eq!(
            line,
            "pipe-pane -t '=a:' 'exec '\\''/bin/x'\\'' '\\''/d/it'\\''\\'\\'''\\''s ##(touch y) 100%% $(touch x)'\\'''"
        );
    }
}
