//! A short look at panes that are known already. Every field costs the server a search through its options for every
//! pane, and the foreground command a visit to /proc: a whole row costs some four times as much as the shortest.
use super::rows::PaneRow;

/// How much of the panes that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Activity and title.
    Output,
    /// Also what changes without any output: command, mode, input, log writer.
    Changeable,
}

/// The `-F` format; see [`super::rows::format`] about `nonce`.
pub(super) fn format(nonce: &str, extent: Extent) -> String {
    let start = format!("{nonce} #{{pane_id}} #{{pane_pid}} #{{pane_dead}} #{{window_activity}}");
    match extent {
        Extent::Output => format!("{start}{nonce}#{{pane_title}}{nonce}"),
        Extent::Changeable => format!(
            "{start} #{{?pane_in_mode,1,0}} #{{pane_input_off}} #{{pane_pipe}}{nonce}#{{pane_title}}{nonce}\
             #{{pane_current_command}}{nonce}"
        ),
    }
}

/// Brings `known` up to date with what [`format`] told. False: panes came, went or died; list them.
pub(super) fn update(known: &mut [PaneRow], text: &str, nonce: &str, extent: Extent) -> bool {
    let mut parts = text.split(nonce).skip(1);
    known.iter_mut().all(|row| one(row, &mut parts, extent).is_some()) && parts.next().is_none()
}

fn one<'a>(row: &mut PaneRow, parts: &mut impl Iterator<Item = &'a str>, extent: Extent) -> Option<()> {
    let mut fields = parts.next()?.split(' ').skip(1);
    let title = parts.next()?;
    let same = fields.next()? == row.pane_id
        && fields.next()?.parse() == Ok(row.pane_pid)
        && fields.next()? == if row.dead { "1" } else { "0" };
    if !same {
        return None;
    }
    row.activity = fields.next()?.parse().ok()?;
    set(&mut row.title, title);
    if extent == Extent::Changeable {
        row.in_mode = fields.next()? == "1";
        row.input_off = fields.next()? == "1";
        row.piped = fields.next()? == "1";
        set(&mut row.command, parts.next()?);
    }
    // The line's end.
    parts.next().map(drop)
}

fn set(old: &mut String, new: &str) {
    if old != new {
        new.clone_into(old);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::rows, *};

    #[test]
    fn only_known_panes_are_brought_up_to_date() {
        let list = "N $1 %1 77 0 s 0 0 1700000000 1 Na-oneNbashNoldN\n\
                    N $2 %2 78 0 s 0 0 1700000001 0 Na-twoNshNN\n";
        let known = rows::parse(list, "N").unwrap();
        let mut rows = known.clone();
        let text = "N %1 77 0 1700000009Nnew\ttitleN\nN %2 78 0 1700000001NN\n";
        assert!(update(&mut rows, text, "N", Extent::Output));
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
            assert!(!update(&mut known.clone(), other, "N", Extent::Output), "{other}");
        }
    }
    #[test]
    fn what_changes_in_silence_is_told_by_the_longer_look() {
        let known = rows::parse("N $1 %1 77 0 s 0 0 1700000000 1 Na-oneNbashNoldN\n", "N").unwrap();
        let mut rows = known.clone();
        assert!(update(&mut rows, "N %1 77 0 1700000000 1 1 0NoldNva\nimN\n", "N", Extent::Changeable));
        let expected =
            PaneRow { in_mode: true, input_off: true, piped: false, command: "va\nim".into(), ..known[0].clone() };
        assert_eq!(rows, [expected]);
        assert!(!update(&mut rows, "N %1 77 0 1700000000NoldN\n", "N", Extent::Changeable));
    }
}
