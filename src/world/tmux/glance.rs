//! A short look at panes that are known already. Every field costs the server a search through its options for every
//! pane, and the foreground command a visit to /proc: a whole row costs some four times as much as this.
use super::rows::PaneRow;

/// The `-F` format; see [`super::rows::format`] about `nonce`.
pub(super) fn format(nonce: &str) -> String {
    format!("{nonce} #{{pane_id}} #{{pane_pid}} #{{pane_dead}} #{{window_activity}}{nonce}#{{pane_title}}{nonce}")
}

/// `known` with what [`format`] told about it. `None`: panes came, went, died or run something else; list them.
pub(super) fn update(known: &[PaneRow], text: &str, nonce: &str) -> Option<Vec<PaneRow>> {
    let parts: Vec<&str> = text.split(nonce).skip(1).collect();
    if parts.len() != known.len() * 3 {
        return None;
    }
    let mut rows = Vec::with_capacity(known.len());
    for (row, parts) in known.iter().zip(parts.chunks_exact(3)) {
        let mut fields = parts[0].split(' ').skip(1);
        let same = fields.next() == Some(row.pane_id.as_str())
            && fields.next().and_then(|f| f.parse().ok()) == Some(row.pane_pid)
            && fields.next() == Some(if row.dead { "1" } else { "0" });
        let activity = fields.next().and_then(|f| f.parse().ok());
        let (true, Some(activity)) = (same, activity) else { return None };
        rows.push(PaneRow { activity, title: parts[1].to_owned(), ..row.clone() });
    }
    Some(rows)
}

#[cfg(test)]
mod tests {
    use super::{super::rows, *};

    #[test]
    fn only_known_panes_are_brought_up_to_date() {
        let list = "N $1 @1 %1 77 1 0 s s 0 0 1700000000 1 120 40 Na-oneNbashNoldN\n\
                    N $2 @2 %2 78 1 0 s s 0 0 1700000001 0 80 24 Na-twoNshNN\n";
        let known = rows::parse(list, "N").unwrap();
        let glance = "N %1 77 0 1700000009Nnew\ttitleN\nN %2 78 0 1700000001NN\n";
        let rows = update(&known, glance, "N").unwrap();
        assert_eq!(
            (rows[0].activity, rows[0].title.as_str(), rows[0].command.as_str()),
            (1_700_000_009, "new\ttitle", "bash")
        );
        assert_eq!(rows[1], known[1]);
        for other in [
            "N %1 77 0 1NN\n",
            "N %1 77 0 1NN\nN %3 78 0 1NN\n",
            "N %1 77 0 1NN\nN %2 99 0 1NN\n",
            "N %1 77 1 1NN\nN %2 78 0 1NN\n",
            "",
        ] {
            assert_eq!(update(&known, other, "N"), None, "{other}");
        }
    }
}
