//! The visible screens of many panes with one process.
//!
//! Not over control mode: tmux up to 3.5 never frees what `capture-pane -p` prints there. `source-file -` reads one
//! command a line, and one that fails does not stop the next.
use super::{error::TmuxError, nonce::nonce, rows, run, server::Server};
use std::{collections::BTreeMap, time::Duration};

/// One pane's screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    pub pane_id: String,
    /// From 0, from the top left.
    pub cursor_x: u16,
    pub cursor_y: u16,
    /// Untrusted.
    pub title: String,
    /// Physical rows, each ended by a newline, without the blanks at their ends.
    pub text: String,
}

/// Panes a process: bounds what the server keeps for us at once.
const BATCH: usize = 256;

/// A pane that has vanished is absent from the result.
pub(super) fn capture(
    server: &Server,
    panes: &[&str],
    deadline: Duration,
) -> Result<BTreeMap<String, Captured>, TmuxError> {
    let mut all = BTreeMap::new();
    for batch in panes.chunks(BATCH) {
        let mark = nonce().map_err(|e| TmuxError::io("/dev/urandom", e))?;
        let mut script = String::with_capacity(batch.len() * 220);
        for pane in batch {
            let pane = rows::id(pane, '%').ok_or_else(|| TmuxError::Refused(format!("`{pane}` is not a pane id")))?;
            // Without its `%`: `display-message` also reads its text as a strftime pattern.
            let number = &pane[1..];
            script.push_str(&format!(
                "display-message -p -t {pane} '{mark} {number} #{{cursor_x}} #{{cursor_y}}{mark}#{{pane_title}}{mark}'\n\
                 capture-pane -p -t {pane}\n"
            ));
        }
        script.push_str(&format!("display-message -p '{mark} end'\n"));
        let mut command = server.command(false);
        command.args(["source-file", "-"]);
        let out = run::run(command, script.as_bytes(), deadline, "capture")?;
        // As a rule all of it is valid, which is found out much faster than it is repaired.
        let text = String::from_utf8(out.stdout).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned());
        // Vanished panes make it fail as a whole; only the end mark tells that everything was tried.
        let Some(whole) = text.strip_suffix(&format!("{mark} end\n")) else {
            let words = String::from_utf8_lossy(&out.stderr);
            return Err(TmuxError::from_text(&words, "capture", &server.place(), &server.tmux.display().to_string()));
        };
        all.extend(parse(whole, &mark));
    }
    Ok(all)
}

fn parse(text: &str, mark: &str) -> BTreeMap<String, Captured> {
    let start = format!("{mark} ");
    text.split(&start).skip(1).filter_map(|part| one(part, mark)).map(|c| (c.pane_id.clone(), c)).collect()
}

fn one(part: &str, mark: &str) -> Option<Captured> {
    let (head, rest) = part.split_once(mark)?;
    let (title, rest) = rest.split_once(mark)?;
    let text = rest.strip_prefix('\n')?;
    let mut fields = head.split(' ');
    let asked = fields.next()?;
    let mut number = || fields.next()?.parse().ok();
    // A pane that is gone has neither a cursor nor rows.
    let (cursor_x, cursor_y) = (number()?, number()?);
    (!text.is_empty()).then(|| Captured {
        pane_id: format!("%{asked}"),
        cursor_x,
        cursor_y,
        title: title.to_owned(),
        text: text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_vanished_is_absent() {
        let text = "M 1 0 1MtitleM\nhello\n\nM 2  MM\nM 3 5 6Ma\nbM\nM5\nM 4 7 8MM\n";
        let got = super::parse(text, "M");
        assert_eq!(got.keys().collect::<Vec<_>>(), ["%1", "%3"]);
        let (first, third) = (&got["%1"], &got["%3"]);
        assert_eq!((first.text.as_str(), first.cursor_y, first.title.as_str()), ("hello\n\n", 1, "title"));
        assert_eq!((third.text.as_str(), third.cursor_x, third.title.as_str()), ("M5\n", 5, "a\nb"));
    }
}
