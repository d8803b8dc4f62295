//! Panes as rows of `list-panes`, in a form that no pane can forge.
use super::error::TmuxError;

/// One pane of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaneRow {
    pub session_name: String,
    /// `$3`
    pub session_id: String,
    /// `%3`
    pub pane_id: String,
    pub pane_pid: u32,
    pub dead: bool,
    /// tmux itself loses some of these for processes that end at once.
    pub dead_status: Option<i32>,
    /// Copy mode and the like: keys do not reach the program.
    pub in_mode: bool,
    pub input_off: bool,
    /// `window_activity`: epoch seconds of the last output.
    pub activity: i64,
    /// A reader is connected by `pipe-pane`. A dead reader of a quiet pane still counts.
    pub piped: bool,
    /// Untrusted: may hold any character.
    pub command: String,
    /// Untrusted.
    pub title: String,
}

/// How much of each pane is asked for: every field costs the server time for every pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fields {
    All,
    /// Name, pane, pid, dead, command: what a person is shown. The rest means nothing.
    Shown,
}

/// The `-F` format. `nonce` starts every row and stands between the free texts: without knowing it nobody can end one.
pub(super) fn format(nonce: &str, fields: Fields) -> String {
    let (fixed, title) = match fields {
        Fields::All => (
            "#{session_id} #{pane_id} #{pane_pid} #{pane_dead} s#{pane_dead_status} #{?pane_in_mode,1,0} \
             #{pane_input_off} #{window_activity} #{pane_pipe}",
            "#{pane_title}",
        ),
        Fields::Shown => ("$0 #{pane_id} #{pane_pid} #{pane_dead} s 0 0 0 1", ""),
    };
    format!("{nonce} {fixed} {nonce}#{{session_name}}{nonce}#{{pane_current_command}}{nonce}{title}{nonce}")
}

/// Reads what [`format`] made. A row that does not parse makes the whole list unusable: a pane that is missing from a
/// list would be taken for one that is gone.
pub(super) fn parse(text: &str, nonce: &str) -> Result<Vec<PaneRow>, TmuxError> {
    let mut parts = text.split(nonce);
    let lead = parts.next().unwrap_or_default();
    if !lead.trim().is_empty() {
        return Err(broken(lead));
    }
    let parts: Vec<&str> = parts.collect();
    if !parts.len().is_multiple_of(5) {
        return Err(broken("a list with a torn row"));
    }
    parts.chunks_exact(5).map(|row| one(row).ok_or_else(|| broken(row[0]))).collect()
}

fn one(parts: &[&str]) -> Option<PaneRow> {
    let [fixed, name, command, title, end] = parts else { return None };
    if !end.trim_end_matches('\n').is_empty() {
        return None;
    }
    let mut fields = fixed.split(' ').skip(1);
    let mut next = || fields.next();
    let flag = |text: &str| match text {
        "1" => Some(true),
        "0" => Some(false),
        _ => None,
    };
    let status = |text: &str| match text.strip_prefix('s')? {
        "" => Some(None),
        digits => digits.parse().ok().map(Some),
    };
    Some(PaneRow {
        session_id: id(next()?, '$')?,
        pane_id: id(next()?, '%')?,
        pane_pid: next()?.parse().ok()?,
        dead: flag(next()?)?,
        dead_status: status(next()?)?,
        in_mode: flag(next()?)?,
        input_off: flag(next()?)?,
        activity: next()?.parse().ok()?,
        piped: flag(next()?)?,
        session_name: (*name).to_owned(),
        command: (*command).to_owned(),
        title: (*title).to_owned(),
    })
}

/// `%12` for sigil `%`; nothing else passes.
pub(super) fn id(text: &str, sigil: char) -> Option<String> {
    let digits = text.strip_prefix(sigil)?;
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then(|| text.to_owned())
}

fn broken(text: &str) -> TmuxError {
    TmuxError::Protocol(format!("pane list: {}", crate::model::name::printable_cut(text, 80)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_whatever_the_pane_calls_itself() {
        let text = "N $1 %1 77 0 s 0 0 1700000000 1 Na-oneNba\nd\t$9 @9 %9NTit|leN\n\
                    N $2 %2 78 1 s7 1 0 1700000001 0 Na-twoNshNN\n";
        let rows = parse(text, "N").unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].command.as_str(), rows[0].title.as_str()), ("ba\nd\t$9 @9 %9", "Tit|le"));
        assert_eq!((rows[1].dead, rows[1].dead_status, rows[1].in_mode), (true, Some(7), true));
    }

    #[test]
    fn a_torn_list_is_no_list() {
        for text in ["N $1 %1 77", "x\n", "N $1 x1 77 0 s 0 0 1 1 NaNbNcN\n"] {
            assert!(parse(text, "N").is_err(), "{text}");
        }
        assert_eq!(parse("", "N").unwrap(), []);
    }
}
