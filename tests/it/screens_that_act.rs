//! What stands on a screen, and what comes of it on a real fleet: broken sessions, limits with a time, probes by kind.
use crate::fleet::{BASE, Fleet};
use agents::model::time::Wall;

#[test]
fn a_broken_session_is_restarted_and_words_in_passing_are_not_one() {
    let base = BASE.replace("active_re =", "fatal_re = '(?m)^FATAL: tool_use ids'\nactive_re =");
    let f = Fleet::with(&format!("{base}[[agent]]\nname = \"a\"\n[[agent]]\nname = \"b\"\n"));
    f.up();
    f.wait("both run", |f| f.starts("a") == 1 && f.starts("b") == 1);
    // Above newer work it is a story, and a busy agent is not broken.
    f.tell("b", "say he said FATAL: tool_use ids\nbusy");
    f.tell("a", "say FATAL: tool_use ids were found\nidle");
    f.wait("it is restarted", |f| f.starts("a") == 2);
    assert_eq!(f.said("FATAL session-state error on a (t-a) — kill + restart"), 1, "{}", f.log());
    f.ticks(4);
    assert_eq!((f.starts("a"), f.starts("b")), (2, 1), "{}", f.log());
    assert!(f.events().iter().any(|e| e["kind"] == "fatal" && e["agent"] == "a"));
}

#[test]
fn a_banner_with_a_time_holds_until_then_and_nobody_types() {
    let base = BASE.replace("[watchdog]", "[watchdog]\nlimit_reset_slack = 30");
    let mut f = Fleet::with(&format!("{base}[[agent]]\nname = \"a\"\n"));
    f.set("TZ", "UTC");
    f.up();
    f.wait("it runs", |f| f.starts("a") == 1);
    let before = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock").as_secs();
    // The next whole hour but one: never closer than an hour, never farther than two.
    let at = (before / 3600 + 2) * 3600;
    f.tell("a", &format!("say usage limit reached, resets at {}:00\nidle", at / 3600 % 24));
    f.wait("it is held", |f| f.state("a") == "limited");
    let row = f.row("a");
    let until = row["hold_until"].as_str().and_then(Wall::parse_rfc3339).unwrap_or_else(|| panic!("{row}"));
    assert_eq!(until.0 / 1000, at as i64 + 30, "{row}");
    assert_eq!(f.said("limit hit on a — banner says reset"), 1, "{}", f.log());
    f.agents(&["send", "a", "--timeout", "0.1", "hello"]).ok();
    f.ticks(4);
    assert_eq!((f.lines("a").len(), f.starts("a"), f.state("a").as_str()), (0, 1, "limited"));
    f.tell("a", "clear\nidle");
    f.wait("it is over, and the text arrives", |f| f.lines("a") == ["hello"]);
    assert_eq!(f.said("limit lifted on a — clearing limit state"), 1, "{}", f.log());
}

#[test]
fn a_probe_speaks_to_the_kind_of_agent() {
    let base = BASE.replace("[watchdog]", "[watchdog]\nlimit_probe_fallback = 0.3");
    let f = Fleet::with(&format!(
        "{base}[[agent]]\nname = \"a\"\n[[agent]]\nname = \"o\"\nkind = \"orchestrator\"\n\
         [[agent]]\nname = \"t\"\nkind = \"task\"\n"
    ));
    for name in ["a", "o", "t"] {
        f.script(name, "say usage limit reached\nidle");
    }
    f.up();
    let probe = "watchdog probe: if the quota window has reset, RESUME ";
    let short = format!("{probe}now — re-check status and continue from where you stopped.");
    let long = format!(
        "{probe}your loop now — pull latest, re-read your phase STATUS/REVIEW files, and continue; re-arm your loop pacing."
    );
    for (name, text) in [("a", &short), ("o", &short), ("t", &long)] {
        f.wait("it is probed", |f| !f.lines(name).is_empty());
        assert_eq!(&f.lines(name)[0], text);
        assert!(f.said(&format!("limit probe #1 on {name} — nudging to resume")) == 1, "{}", f.log());
    }
    assert!(f.said("limit hit on a — reset unparsable") == 1, "{}", f.log());
}
