//! The screens of many panes, told apart by their heights.
//!
//! Every command costs the server some 40 µs beside its work, and one that names a pane of its own and prints fields of
//! it as much as a capture. So all cursors and titles come as one list, and then the captures with nothing in between.
//! The server runs a script without a pause: no pane comes, goes or changes its height meanwhile. Should the rows not
//! come out even after all, the answer is no answer.
use super::{
    screen::Captured,
    script::{Words, words},
};
use std::collections::BTreeMap;

/// A list has all panes of the server in it, ours or not.
pub(super) fn is_cheaper(panes: usize, all: usize) -> bool {
    panes >= 4 && panes * 3 >= all
}

pub(super) fn script(panes: &[&str], mark: &str) -> Vec<Words> {
    let fields = "#{pane_id} #{pane_height} #{cursor_x} #{cursor_y}";
    let list = format!("{mark} {fields}{mark}#{{pane_title}}{mark}");
    let captures = panes.iter().map(|pane| words(&["capture-pane", "-p", "-t", pane]));
    std::iter::once(words(&["list-panes", "-a", "-F", &list])).chain(captures).collect()
}

/// `None`: the rows do not come out even.
pub(super) fn parse(text: &str, panes: &[&str], mark: &str) -> Option<BTreeMap<String, Captured>> {
    let mut rest = text;
    let mut listed = BTreeMap::new();
    while let Some(row) = rest.strip_prefix(mark) {
        let (fields, row) = row.strip_prefix(' ')?.split_once(mark)?;
        let (title, after) = row.split_once(mark)?;
        rest = after.strip_prefix('\n')?;
        let mut fields = fields.split(' ');
        let id = fields.next()?;
        let mut number = || fields.next()?.parse::<u16>().ok();
        listed.insert(id, (number()?, number()?, number()?, title));
    }
    let mut captured = BTreeMap::new();
    for pane in panes {
        // One that has vanished printed no rows.
        let Some(&(height, cursor_x, cursor_y, title)) = listed.get(pane) else { continue };
        let end = rest.match_indices('\n').nth(usize::from(height).checked_sub(1)?)?.0 + 1;
        let (text, after) = rest.split_at(end);
        rest = after;
        let (pane_id, title, text) = ((*pane).to_owned(), title.to_owned(), text.to_owned());
        captured.insert(pane_id.clone(), Captured { pane_id, cursor_x, cursor_y, title, text });
    }
    rest.is_empty().then_some(captured)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn screens_are_told_apart_by_their_heights() {
        let text = "M %1 2 0 1MtitleM\nM %2 1 0 0MotherM\nM %3 3 5 2Ma\nbM\nhello\n\nM\n\nM 5\n";
        let panes = ["%1", "%7", "%3"];
        let got = parse(text, &panes, "M").unwrap();
        assert_eq!(got.keys().collect::<Vec<_>>(), ["%1", "%3"], "%7 has vanished, %2 was not asked for");
        assert_eq!((got["%1"].text.as_str(), got["%1"].cursor_y, got["%1"].title.as_str()), ("hello\n\n", 1, "title"));
        assert_eq!((got["%3"].text.as_str(), got["%3"].cursor_x, got["%3"].title.as_str()), ("M\n\nM 5\n", 5, "a\nb"));
    }

    #[test]
    fn rows_that_do_not_come_out_even_are_no_answer() {
        let list = "M %1 2 0 1MM\nM %2 2 0 0MM\n";
        for rows in ["a\nb\nc\n", "a\nb\nc\nd\ne\n", "", "a\nb\nc\nd"] {
            assert_eq!(parse(&format!("{list}{rows}"), &["%1", "%2"], "M"), None, "{rows:?}");
        }
        assert_eq!(parse("M %1 0 0 1MM\n", &["%1"], "M"), None);
        assert_eq!(parse("M %1 2 0 1MM\na\nb\n", &["%2"], "M"), None);
    }
}
