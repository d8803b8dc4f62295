//! How `agents init` writes each kind of agent program down: as the annotated example does, whose patterns are tested
//! against recorded screens.

const EXAMPLE: &str = include_str!("../../agents.example.toml");

/// Programs to begin with. The first one is the default.
pub const NAMES: [&str; 4] = ["claude", "codex", "opencode", "gemini"];

/// The example's `[backend.NAME]` table, without the settings that are commented out there.
pub fn table(name: &str) -> Option<String> {
    let header = format!("[backend.{name}]");
    let mut lines = EXAMPLE.lines().skip_while(|l| *l != header);
    let mut table = vec![lines.next()?];
    table.extend(lines.take_while(|l| !l.starts_with('[')).filter(|l| !is_setting_left_out(l)));
    // What stands above the next table belongs to that one.
    while table.last().is_some_and(|l| l.trim().is_empty() || l.starts_with('#')) {
        table.pop();
    }
    Some(table.join("\n") + "\n")
}

/// `#key = value`; a remark has a blank behind its `#`.
fn is_setting_left_out(line: &str) -> bool {
    line.strip_prefix('#').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_stands_in_the_example_alone_and_whole() {
        for name in NAMES {
            let table = table(name).expect("a table");
            assert!(table.starts_with(&format!("[backend.{name}]\nbin = \"{name}\"\n")), "{table}");
            assert_eq!(table.lines().filter(|l| l.starts_with('[')).count(), 1, "{table}");
            assert!(table.contains("\npreset = "), "{table}");
            assert!(!table.contains("\n#remote_control") && !table.ends_with("\n\n"), "{table}");
        }
        assert_eq!(table("nothing"), None);
    }
}
