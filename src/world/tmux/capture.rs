//! The visible screens of many panes in one go.
//!
//! Not over control mode: tmux up to 3.5 never frees what `capture-pane -p` prints there.
use super::{
    counted,
    error::TmuxError,
    nonce::nonce,
    rows,
    screen::Captured,
    script::{self, Words, words},
    server::Server,
};
use crate::world::process::ProcId;
use std::{collections::BTreeMap, time::Duration};

/// Panes at once: bounds what the server keeps for us at once.
const BATCH: usize = 256;

/// A pane that has vanished is absent from the result. `speaks`: as for [`script::run`]. `all`: how many panes the server
/// has, about.
pub(super) fn capture(
    server: &Server,
    speaks: Option<ProcId>,
    panes: &[&str],
    all: usize,
    deadline: Duration,
) -> Result<BTreeMap<String, Captured>, TmuxError> {
    let mut captured = BTreeMap::new();
    for batch in panes.chunks(BATCH) {
        if let Some(pane) = batch.iter().find(|pane| rows::id(pane, '%').is_none()) {
            return Err(TmuxError::Refused(format!("`{pane}` is not a pane id")));
        }
        let mark = nonce().map_err(|e| TmuxError::io("/dev/urandom", e))?;
        let run = |commands| script::run(server, speaks, commands, &mark, deadline, "capture");
        let counted = match counted::is_cheaper(batch.len(), all) {
            true => counted::parse(&run(counted::script(batch, &mark))?, batch, &mark),
            false => None,
        };
        captured.extend(match counted {
            Some(counted) => counted,
            None => parse(&run(marked(batch, &mark))?, &mark),
        });
    }
    Ok(captured)
}

/// One pane's screen with its escape sequences.
pub(super) fn coloured(
    server: &Server,
    speaks: Option<ProcId>,
    pane: &str,
    deadline: Duration,
) -> Result<String, TmuxError> {
    if rows::id(pane, '%').is_none() {
        return Err(TmuxError::Refused(format!("`{pane}` is not a pane id")));
    }
    let mark = nonce().map_err(|e| TmuxError::io("/dev/urandom", e))?;
    script::run(server, speaks, vec![words(&["capture-pane", "-p", "-e", "-t", pane])], &mark, deadline, "capture")
}

fn marked(panes: &[&str], mark: &str) -> Vec<Words> {
    let one = |pane: &&str| {
        // Without its `%`: `display-message` also reads its text as a strftime pattern.
        let head = format!("{mark} {} #{{cursor_x}} #{{cursor_y}}{mark}#{{pane_title}}{mark}", &pane[1..]);
        [words(&["display-message", "-p", "-t", pane, &head]), words(&["capture-pane", "-p", "-t", pane])]
    };
    panes.iter().flat_map(one).collect()
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
