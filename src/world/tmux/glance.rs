//! A short look at panes that are known already. Every field costs the server a search through its options for every
//! pane, and the foreground command a visit to /proc: a whole row costs some four times as much as this.
use super::rows::PaneRow;

/// The `-F` format; see [`super::rows::format`] about `nonce`.
pub(super) fn format(nonce: &str) -> String {
    format!("{nonce} #{{pane_id}} #{{pane_pid}} #{{pane_dead}} #{{window_activity}}{nonce}#{{pane_title}}{nonce}")
}

/// Brings `known` up to date with what [`format`] told. False: panes came, went, died or run something else; list them.
pub(super) fn update(known: &mut [PaneRow], text: &str, nonce: &str) -> bool {
    let mut parts = text.split(nonce).skip(1);
    for row in known {
        let (Some(fixed), Some(title), Some(_)) = (parts.next(), parts.next(), parts.next()) else { return false };
        let mut fields = fixed.split(' ').skip(1);
        let same = fields.next() == Some(row.pane_id.as_str())
            && fields.next().and_then(|f| f.parse().ok()) == Some(row.pane_pid)
            && fields.next() == Some(if row.dead { "1" } else { "0" });
        let (true, Some(activity)) = (same, fields.next().and_then(|f| f.parse().ok())) else { return false };
        row.activity = activity;
        if row.title != title {
            row.title = title.to_owned();
        }
    }
    parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::{super::rows, *};

    #[test]
    fn only_known_panes_are_brought_up_to_date() {
        let list = "N $1 %1 77 0 s 0 0 1700000000 1 120 40 Na-oneNbashNoldN\n\
                    N $2 %2 78 0 s 0 0 1700000001 0 80 24 Na-twoNshNN\n";
        let known = rows::parse(list, "N").unwrap();
        let mut rows = known.clone();
        assert!(update(&mut rows, "N %1 77 0 1700000009Nnew\ttitleN\nN %2 78 0 1700000001NN\n", "N"));
        let expected = PaneRow { activity: 1_700_000_009, title: "new\ttitle".into(), ..known[0].clone() };
        assert_eq!(rows, [expected, known[1].clone()]);
        for other in [
            "N %1 77 0 1NN\n",
            "N %1 77 0 1NN\nN %3 78 0 1NN\n",
            "N %1 77 0 1NN\nN %2 99 0 1NN\n",
            "N %1 77 1 1NN\nN %2 78 0 1NN\n",
            "N %1 77 0 1NN\nN %2 78 0 1NN\nN %3 79 0 1NN\n",
            "",
        ] {
            assert!(!update(&mut known.clone(), other, "N"), "{other}");
        }
    }
}
