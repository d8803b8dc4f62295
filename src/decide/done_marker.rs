//! Whether a status file says that its phase is done.
//!
//! The marker begins a line, with nothing, a date or a remark after it. It does not count inside a code fence, as
//! `## DONE WHEN …`, with an open checkbox under it, or when the next line that is not blank says that it is not so.

/// Beginnings of a line that take the marker back (lower case).
const NOT_SO: [&str; 11] = [
    "not yet",
    "not done",
    "not complete",
    "incomplete",
    "pending",
    "tbd",
    "n/a",
    "written here only",
    "only when",
    "to be written",
    "when all",
];

pub fn is_done(text: &str, marker: &str) -> bool {
    let lines: Vec<&str> = text.lines().collect();
    let mut fence: Option<(char, usize)> = None;
    for (i, line) in lines.iter().enumerate() {
        let bare = line.trim_start();
        let run = |c: char| bare.chars().take_while(|x| *x == c).count();
        let opens = ['`', '~'].into_iter().map(|c| (c, run(c))).find(|(_, n)| *n >= 3);
        match (fence, opens) {
            (None, Some(f)) => fence = Some(f),
            (Some((c, n)), Some((d, m))) if c == d && m >= n => fence = None,
            _ => {}
        }
        if fence.is_none()
            && !marker.is_empty()
            && line.starts_with(marker)
            && holds(&line[marker.len()..], &lines[i + 1..])
        {
            return true;
        }
    }
    false
}

/// `after`: the rest of the marker's line. `below`: the lines under it.
fn holds(after: &str, below: &[&str]) -> bool {
    // `## DONENESS` is another word.
    if after.starts_with(|c: char| c.is_alphanumeric()) {
        return false;
    }
    let remark = after.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '<').to_lowercase();
    let word =
        |text: &str, w: &str| text.strip_prefix(w).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()));
    if word(&remark, "when") || word(&remark, "if") || word(&remark, "criteria") || denies(&remark) {
        return false;
    }
    // The section under the marker, up to the next heading.
    let section = below.iter().take_while(|l| !l.starts_with('#'));
    if section.clone().any(|l| open_box(l)) {
        return false;
    }
    below.iter().find(|l| !l.trim().is_empty()).is_none_or(|next| !denies(&next.trim_start().to_lowercase()))
}

fn denies(text: &str) -> bool {
    if text.starts_with('<') && text.contains('>') {
        return true;
    }
    let na = text == "na" || text.strip_prefix("na").is_some_and(|r| !r.starts_with(|c: char| c.is_alphanumeric()));
    na || text.starts_with("to be filled") || NOT_SO.iter().any(|no| text.starts_with(no))
}

/// `- [ ] …`, `* [ ] …`, `1. [ ] …`
fn open_box(line: &str) -> bool {
    let item = line
        .trim_start()
        .trim_start_matches(|c: char| c.is_ascii_digit())
        .trim_start_matches(['-', '*', '+', '.', ')']);
    item.trim_start().starts_with("[ ]")
}

#[cfg(test)]
mod tests {
    use super::is_done;

    #[test]
    fn done_with_nothing_a_date_or_a_remark_after_it() {
        for text in [
            "## DONE",
            "# Status\n\n## DONE\nall gates green\n",
            "## DONE 2026-06-15",
            "## DONE — verified by the adversary",
            "## DONE: all tests pass\n\n- [x] a\n- [x] b",
            "## DONE\n\nAll of it.\n\n## Next\n- [ ] phase 2",
            "```\n## DONE example\n```\n## DONE\n",
        ] {
            assert!(is_done(text, "## DONE"), "{text}");
        }
    }

    #[test]
    fn not_done() {
        for text in [
            "",
            "## DONE WHEN all green",
            "## DONE when all green",
            "## DONE\n- [ ] not done",
            "## DONE\n\nsome words\n\n* [ ] later",
            "```\n## DONE\n```",
            "~~~md\n## DONE\n~~~",
            "````\n```\n## DONE\n```\n````",
            "## DONE\n\nNot yet",
            "## DONE\n<date and summary>",
            "## DONE\nTBD",
            "## DONE\nn/a",
            "## DONE\nNA",
            "## DONE\nto be filled in",
            "## DONE (not yet)",
            "## DONENESS",
            " ## DONE",
            "# DONE",
            "## done",
        ] {
            assert!(!is_done(text, "## DONE"), "{text}");
        }
    }

    #[test]
    fn another_marker() {
        assert!(is_done("STATUS: finished\n", "STATUS: finished"));
        assert!(!is_done("anything", ""));
    }
}
