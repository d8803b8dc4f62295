//! Choices side by side in one row, the marked one told apart by its ground alone.
use super::{
    super::{colours::Colours, pattern::Pattern},
    menu::{Choice, Menu},
};

/// Between two choices.
const GAP: &str = "  ";

/// The last such row. `bar`: its first group is all of the choices.
pub fn last(rows: &[&str], bar: &Pattern, colours: &Colours) -> Option<Menu> {
    let (at, all) = rows.iter().enumerate().rev().find_map(|(i, row)| {
        let found = bar.plain().captures(row)?;
        Some((i, found.get(1)?.range()))
    })?;
    let row = rows[at];
    let column = |byte: usize| row[..byte].chars().count();
    // The marked choice has a blank of its ground on either side.
    let ground = colours.ground(at, column(all.start).checked_sub(2)?);
    let (mut choices, mut marked) = (Vec::new(), Vec::new());
    let mut from = all.start;
    for text in row[all].split(GAP) {
        let (start, name) = (from + text.len() - text.trim_start().len(), text.trim());
        from += text.len() + GAP.len();
        if name.is_empty() {
            continue;
        }
        let columns = column(start)..column(start + name.len());
        let grounds: Vec<&str> = columns.map(|c| colours.ground(at, c)).collect();
        // One that is marked in part is something else.
        let own = grounds.iter().filter(|g| **g != ground).count();
        if own == grounds.len() {
            marked.push(choices.len());
        } else if own > 0 {
            return None;
        }
        choices.push(Choice { row: at, text: name.to_owned(), whole: name.to_owned() });
    }
    match marked[..] {
        [cursor] if choices.len() > 1 => Some(Menu { rows: at..at + 1, choices, cursor, across: true }),
        _ => None,
    }
}

/// Cuts off what stands beside the box that has the bar at row `bar`: a panel, in a wide window. Where a row does not end
/// as the bar's does, all of it counts: a part of a question must not be hidden.
pub fn cut(rows: &mut [&str], bar: usize, colours: &Colours) {
    let page = colours.ground(bar, 0).to_owned();
    let is_page = |row: usize, column: usize| colours.ground(row, column) == page;
    // Its own row may end before the box does.
    let mut borders = colours.borders(bar).skip_while(|c| is_page(bar, *c));
    let Some(edge) = borders.find(|c| is_page(bar, *c)) else { return };
    for (i, row) in rows.iter_mut().enumerate().filter(|(i, _)| *i != bar) {
        let ends = |c: &usize| is_page(i, *c) && !is_page(i, c - 1);
        if let Some((byte, ' ')) = Some(edge).filter(ends).and_then(|c| row.char_indices().nth(c)) {
            *row = row[..byte].trim_end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> Option<(Vec<String>, usize)> {
        let bar = Pattern::new(r"^ *┃ +(Allow once +Allow always +Reject|Confirm +Cancel)(?: {2,}|$)").unwrap();
        let (text, colours) = Colours::split(raw);
        let rows: Vec<&str> = text.lines().collect();
        last(&rows, &bar, &colours).map(|m| (m.choices.into_iter().map(|c| c.text).collect(), m.cursor))
    }

    fn drawn(marked: usize) -> String {
        let choices = ["Allow once", "Allow always", "Reject"].iter().enumerate();
        let cells = choices.map(|(i, c)| match i == marked {
            true => format!("\x1b[48;5;215m {c} \x1b[48;5;234m"),
            false => format!(" \x1b[38;5;8m{c}\x1b[38;5;15m "),
        });
        format!("  ┃\x1b[48;5;234m  {}   ctrl+f fullscreen", cells.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn the_marked_choice_is_told_by_its_ground() {
        let names = ["Allow once", "Allow always", "Reject"].map(String::from).to_vec();
        for marked in 0..3 {
            assert_eq!(read(&drawn(marked)), Some((names.clone(), marked)));
        }
        assert_eq!(
            read("  ┃   Confirm   \x1b[7m Cancel \x1b[0m  enter"),
            Some((vec!["Confirm".into(), "Cancel".into()], 1))
        );
    }

    #[test]
    fn a_panel_beside_the_box_is_cut_off_and_nothing_within_it() {
        let raw = "\x1b[48;5;1m  \x1b[48;5;3m┃ $ touch it      \x1b[48;5;1m  \x1b[48;5;3mPanel\n\
                   \x1b[48;5;1m  \x1b[48;5;3m┃ ; rm \x1b[48;5;1m-rf \x1b[48;5;3mx       Panel\n\
                   \x1b[48;5;1m  \x1b[48;5;3m┃\x1b[48;5;4m  Yes   No       \x1b[48;5;1m  \x1b[48;5;3m";
        let (text, colours) = Colours::split(raw);
        let mut rows: Vec<&str> = text.lines().map(str::trim_end).collect();
        cut(&mut rows, 2, &colours);
        assert_eq!(rows, ["  ┃ $ touch it", "  ┃ ; rm -rf x       Panel", "  ┃  Yes   No"]);
    }

    #[test]
    fn what_is_not_one_marked_choice_is_no_bar() {
        assert_eq!(read(&drawn(3)), None, "none is marked");
        assert_eq!(read("  ┃  \x1b[44m Confirm  \x1b[41m Cancel \x1b[49m  x"), None, "all are");
        assert_eq!(read("  ┃   Con\x1b[44mfirm   \x1b[49mCancel"), None, "a part of one is");
        assert_eq!(read("Confirm   \x1b[7mCancel"), None, "not in its box");
    }
}
