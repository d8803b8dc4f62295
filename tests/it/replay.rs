//! `agents replay`: what a fleet decided is decided again, equal or not.
use crate::fleet::{Fleet, signal};
use rustix::process::Signal;
use serde_json::Value;
use std::{fs, path::PathBuf};

const ONE: &str = "[[agent]]\nname = \"a\"\n";

fn running(toml: &str) -> Fleet {
    let f = Fleet::new(toml);
    f.up();
    f.wait("it runs", |f| f.starts("a") == 1 && f.state("a") == "idle");
    f
}

fn record(f: &Fleet, file: &str) -> PathBuf {
    f.project.join(".agents/state/decisions").join(file)
}

fn size(f: &Fleet) -> u64 {
    ["earlier.jsonl", "latest.jsonl"].iter().map(|file| fs::metadata(record(f, file)).map_or(0, |m| m.len())).sum()
}

fn text(f: &Fleet) -> String {
    fs::read_to_string(record(f, "latest.jsonl")).expect("a record")
}

#[track_caller]
fn json(f: &Fleet, args: &[&str]) -> Value {
    let said = f.agents(&[&["replay", "--json"], args].concat()).ok();
    serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {said:?}"))
}

#[test]
fn what_a_fleet_decided_is_decided_again() {
    let toml = "[loop]\nphases = [{ id = \"one\", status = \"S1\" }]\n[loop.handoff]\nrepo = \"watched\"\n\
                [[agent]]\nname = \"a\"\nkind = \"loop\"\nrole = \"builder\"\n\
                [[agent]]\nname = \"adversary\"\nkind = \"loop\"\nrole = \"builder\"\n\
                [[service]]\nname = \"web\"\ncommand = \"API_KEY=sk-12345 exec sleep 1000\"\n";
    let mut f = Fleet::new(toml);
    f.set("MY_TOKEN", "tk-98765");
    f.write("prompts/builder.md", "the plan is secret");
    let (root, watched) = (f.root(), f.project.join("watched"));
    f.git(&root, &["init", "-q", "--bare", "-b", "main", "origin.git"]);
    f.git(&root, &["clone", "-q", "origin.git", "project/watched"]);
    let commit = |f: &Fleet, subject: &str| {
        f.git(&watched, &["commit", "-q", "--allow-empty", "-m", subject]);
        f.git(&watched, &["push", "-q", "origin", "HEAD:main"]);
    };
    commit(&f, "first");
    f.up();
    f.wait("both run", |f| f.starts("a") == 1 && f.starts("adversary") == 1 && f.state("a") == "idle");
    f.kill("a");
    f.wait("it is back", |f| f.starts("a") == 2 && f.state("a") == "idle");
    f.agents(&["restart", "adversary"]).ok();
    f.wait("it is back", |f| f.starts("adversary") == 2 && f.state("adversary") == "idle");
    f.agents(&["send", "a", "the code is plugh"]).ok();
    f.ticks(3);
    commit(&f, "claim: it is done");
    f.wait("it is pinged", |f| f.lines("adversary").iter().any(|l| l.contains("CLAIM")));
    f.wait("that is told", |f| f.events().iter().filter(|e| e["kind"] == "delivered").count() == 2);

    let said = f.agents(&["replay"]).ok().out;
    assert!(said.contains("all equal") && said.contains(" decisions from "), "{said}");
    let all = json(&f, &[]);
    assert_eq!(
        (&all["v"], &all["different"], &all["first"], &all["cut"]),
        (&1.into(), &0.into(), &Value::Null, &0.into())
    );
    let of_one = json(&f, &["--agent", "a"]);
    let count = |v: &Value| v["decisions"].as_u64().expect("a number");
    assert!(count(&all) > 8 && count(&of_one) > 3 && count(&of_one) < count(&all), "{all} {of_one}");
    assert_eq!(count(&json(&f, &["--since", "2099-01-01"])), 0);
    let lines = f.agents(&["replay", "--verbose"]).ok().out;
    for part in ["launch a", "a (t-a) gone", "type adversary", "restarting"] {
        assert!(lines.contains(part), "{part}: {lines}");
    }
    assert_eq!(lines.lines().count(), count(&all) as usize + 2, "one line a decision: {lines}");
    // Nothing that somebody would not want to attach to a bug report.
    for secret in ["plugh", "sk-12345", "tk-98765", "the plan"] {
        assert!(!text(&f).contains(secret), "{secret}");
    }
    // Elsewhere, without the fleet.
    let mut elsewhere = f.command(&["replay", "-"]);
    elsewhere.current_dir(f.root()).stdin(fs::File::open(record(&f, "latest.jsonl")).expect("a record"));
    assert!(f.run(elsewhere).ok().out.contains("all equal"));
}

#[test]
fn a_journal_that_says_otherwise_shows_the_first_difference() {
    let f = running(ONE);
    f.kill("a");
    f.wait("it is back", |f| f.starts("a") == 2 && f.state("a") == "idle");
    let doctored = text(&f).replacen("gone \u{2014} restarting", "gone \u{2014} left alone", 1);
    let line = 1 + doctored.lines().position(|l| l.contains("left alone")).expect("doctored");
    f.write("bug/latest.jsonl", &doctored);
    let said = f.agents(&["replay", "bug"]);
    assert_eq!((said.code, said.err.as_str()), (1, ""), "{said:?}");
    for part in [
        " equal, 1 different\n\nfirst difference: ",
        &format!(
            ", line {line} of `bug/latest.jsonl`\n  a\n    events.0.text\n      recorded \"a (t-a) gone — left alone ("
        ),
        "\n      now      \"a (t-a) gone — restarting (",
    ] {
        assert!(said.out.contains(part), "{part:?}: {}", said.out);
    }
    let said = f.agents(&["replay", "--json", "bug/latest.jsonl"]);
    let all: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!((said.code, &all["different"], &all["first"]["line"]), (1, &1.into(), &line.into()), "{all}");
    assert_eq!(
        (&all["first"]["fields"][0]["agent"], &all["first"]["fields"][0]["field"]),
        (&"a".into(), &"/events/0/text".into())
    );
    let said = f.agents(&["replay", "bug", "--verbose"]);
    assert_eq!(said.out.lines().filter(|l| l.starts_with('!')).count(), 1, "{}", said.out);
}

#[test]
fn what_is_no_journal_is_refused_with_its_line() {
    let f = Fleet::new(ONE);
    let refused = |args: &[&str], part: &str| {
        let said = f.agents(&[&["replay"], args].concat());
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{args:?}: {said:?}");
        assert!(said.err.contains(part) && said.err.contains("hint: "), "{part:?}: {}", said.err);
    };
    refused(&[], "no decisions are recorded in `");
    f.write("empty", "");
    refused(&["empty"], "`empty` cannot be replayed: it is empty");
    f.write("junk", [0xff, 0x00, b'\n', 0x07, 0xfe]);
    refused(&["junk"], "line 1 is no record of a decision");
    f.write("events", "{\"v\":1,\"kind\":\"started\"}\n{\"v\":1,\"kind\":\"gone\"}\n");
    refused(&["events"], "line 1 is no record of a decision: missing field `n`");
    f.write("newer", "{\"v\":2,\"n\":0}\n");
    refused(&["newer"], "line 1 has format 2, this program knows up to 1\nhint: it takes the program that wrote it");
    let said = f.agents(&["replay", "nowhere"]);
    assert_eq!((said.code, said.err.contains("`nowhere` cannot be read: No such file")), (2, true), "{said:?}");
    assert_eq!(f.agents(&["replay", "--since", "soon"]).code, 2);
    fs::write(f.project.join("agents.toml"), "nonsense").expect("a config");
    assert_eq!(f.agents(&["replay"]).code, 3);
}

#[test]
fn a_watchdog_killed_within_a_line_goes_on_with_a_whole_one() {
    let f = running(ONE);
    let old = f.watchdog();
    signal(old, Signal::STOP);
    let before = text(&f);
    let last = before.lines().next_back().expect("a line");
    fs::write(record(&f, "latest.jsonl"), format!("{before}{}", &last[..last.len() / 2])).expect("half a line");
    signal(old, Signal::KILL);
    f.wait("another watchdog", |f| f.status()["watchdog"]["pid"].as_u64().is_some_and(|pid| pid != u64::from(old)));
    f.kill("a");
    f.wait("it is back", |f| f.starts("a") == 2 && f.state("a") == "idle");
    let all = json(&f, &[]);
    assert_eq!((&all["cut"], &all["different"]), (&1.into(), &0.into()), "{all}");
    let lines = text(&f);
    let whole = lines.lines().filter_map(|l| serde_json::from_str::<Value>(l).ok()).filter(|l| l["n"] == 0).count();
    assert_eq!(whole, 3, "`up` and each watchdog begin with a whole line");
    assert!(f.agents(&["replay"]).ok().out.contains("1 line left out"));
}

#[test]
fn the_record_stays_within_its_size() {
    let f = running(&format!("[log]\ndecisions = \"60kB\"\n{ONE}"));
    f.wait("it turned over", |f| {
        f.agents(&["pause", "a"]).ok();
        f.agents(&["resume", "a"]).ok();
        assert!(size(f) <= 60_000, "{}", size(f));
        record(f, "earlier.jsonl").exists()
    });
    let earlier = f.agents(&["replay", ".agents/state/decisions/earlier.jsonl"]).ok().out;
    assert!(earlier.contains("all equal"), "{earlier}");
    f.agents(&["replay", ".agents/state/decisions/latest.jsonl"]).ok();
}

#[test]
fn a_quiet_tick_is_not_recorded() {
    let f = running(ONE);
    f.ticks(5);
    let before = size(&f);
    f.ticks(10);
    assert_eq!(size(&f), before, "{}", text(&f));
    // Nor one that sees what changes all the time.
    f.tell("a", "rate 10 60");
    f.wait("it prints", |f| f.output("a").lines().count() > 20);
    f.ticks(3);
    let before = size(&f);
    f.ticks(10);
    assert_eq!(size(&f), before, "{}", text(&f));
}

#[test]
fn a_fleet_goes_on_where_nothing_can_be_recorded() {
    let f = Fleet::new(ONE);
    f.write(".agents/state/decisions", "in the way");
    f.up();
    f.wait("it runs", |f| f.starts("a") == 1 && f.state("a") == "idle");
    f.kill("a");
    f.wait("it is back", |f| f.starts("a") == 2 && f.state("a") == "idle");
    assert_eq!(f.said("decisions are not recorded: "), 2, "by `up` and the watchdog, once each: {}", f.log());
}

#[test]
fn a_fleet_may_keep_no_record() {
    let f = running(&format!("[log]\ndecisions = 0\n{ONE}"));
    let said = f.agents(&["replay"]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.err.contains("hint: `decisions` of [log] is 0"), "{}", said.err);
    assert!(!f.project.join(".agents/state/decisions").exists());
}
