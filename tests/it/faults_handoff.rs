//! The hand-off by git, as agents and people push it.
use crate::fleet::Fleet;
use std::{os::unix::fs::PermissionsExt, path::PathBuf};

const LOOP: &str = r#"
[[agent]]
name = "builder"
kind = "loop"
role = "builder"

[[agent]]
name = "adversary"
kind = "loop"
role = "adversary"

[loop]
phases = [{ id = "one", status = "STATUS.md" }]

[loop.handoff]
repo = "watched"
inboxes = ["for-adversary.md", "for-builder.md"]
"#;

/// A bare origin, the clone that is watched, and a clone in which the test commits.
fn shop(toml: &str) -> Fleet {
    let f = Fleet::new(toml);
    let root = f.root();
    f.git(&root, &["init", "-q", "--bare", "-b", "main", "origin.git"]);
    f.git(&root, &["clone", "-q", "origin.git", "desk"]);
    commit(&f, "start");
    push(&f, "HEAD:main");
    f.git(&root, &["clone", "-q", "origin.git", "project/watched"]);
    f.write("prompts/builder.md", "build");
    f.write("prompts/adversary.md", "look");
    f
}

fn desk(f: &Fleet) -> PathBuf {
    f.root().join("desk")
}

fn commit(f: &Fleet, subject: &str) {
    let file = f.root().join("subject");
    std::fs::write(&file, subject).expect("a subject");
    let file = file.to_string_lossy().into_owned();
    f.git(&desk(f), &["commit", "-q", "--allow-empty", "-F", &file]);
}

fn push(f: &Fleet, what: &str) {
    f.git(&desk(f), &["push", "-q", "-f", "origin", what]);
}

fn put(f: &Fleet, file: &str, bytes: &[u8]) {
    let place = desk(f).join(file);
    std::fs::create_dir_all(place.parent().expect("a folder")).expect("a folder");
    std::fs::write(place, bytes).expect("a file");
    f.git(&desk(f), &["add", "-A"]);
}

fn heard(f: &Fleet, name: &str, what: &str) -> usize {
    f.lines(name).iter().filter(|l| l.contains(what)).count()
}

const CLAIM: &str = "pushed a gate CLAIM commit";

/// Up, and what was there before has been looked at.
fn open(f: &Fleet) {
    f.up();
    f.wait("both run", |f| f.starts("builder") == 1 && f.starts("adversary") == 1);
    seen(f);
}

/// The watchdog knows what is pushed now: a marker that pings goes through it.
fn seen(f: &Fleet) {
    let before = heard(f, "builder", "verdict/finding");
    let wait = |f: &Fleet| {
        commit(f, "review: marker");
        push(f, "HEAD:main");
        let until = std::time::Instant::now() + std::time::Duration::from_secs(4);
        while std::time::Instant::now() < until {
            if heard(f, "builder", "verdict/finding") > before {
                return true;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        false
    };
    f.wait("a review is heard of", wait);
}

#[test]
fn fault_20_an_inbox_that_is_not_utf_8_is_a_ping_like_any_other() {
    let f = shop(LOOP);
    open(&f);
    let watchdog = f.watchdog();
    put(&f, "machine-docs/for-adversary.md", b"caf\xe9 \xff\xfe look at this\n");
    commit(&f, "note");
    push(&f, "HEAD:main");
    f.wait("the adversary hears of it", |f| heard(f, "adversary", "machine-docs/for-adversary.md") == 1);
    assert_eq!(f.watchdog(), watchdog);
    commit(&f, "claim: one");
    push(&f, "HEAD:main");
    f.wait("claims go on", |f| heard(f, "adversary", CLAIM) == 1);
}

#[test]
fn fault_21_a_claim_pushed_while_nobody_watched_is_pinged_once_and_an_inbox_not_again() {
    let f = shop(LOOP);
    open(&f);
    put(&f, "machine-docs/for-builder.md", b"mind the gap\n");
    commit(&f, "note");
    push(&f, "HEAD:main");
    f.wait("the builder hears of the file", |f| heard(f, "builder", "for-builder.md") == 1);
    f.agents(&["down", "watchdog"]).ok();
    commit(&f, "claim: while you were away");
    push(&f, "HEAD:main");
    f.agents(&["up", "watchdog"]).ok();
    f.wait("the claim is heard of", |f| heard(f, "adversary", CLAIM) == 1);
    f.agents(&["restart", "watchdog"]).ok();
    seen(&f);
    assert_eq!(heard(&f, "adversary", CLAIM), 1, "{}", f.log());
    assert_eq!(heard(&f, "builder", "for-builder.md"), 1, "{}", f.log());
}

#[test]
fn fault_30_any_branch_and_a_force_push_ping_once_for_each_commit() {
    let f = shop(LOOP);
    open(&f);
    commit(&f, "claim: on a branch");
    push(&f, "HEAD:work");
    f.wait("a claim on another branch is heard of", |f| heard(f, "adversary", CLAIM) == 1);
    // The same commit reaches main: it was handled.
    push(&f, "HEAD:main");
    seen(&f);
    assert_eq!(heard(&f, "adversary", CLAIM), 1, "{}", f.log());
    // History is rewritten under it; what is new in it is one commit.
    f.git(&desk(&f), &["reset", "-q", "--hard", "HEAD~1"]);
    commit(&f, "claim: another way");
    push(&f, "HEAD:main");
    f.wait("the new claim is heard of", |f| heard(f, "adversary", CLAIM) == 2);
    seen(&f);
    assert_eq!(heard(&f, "adversary", CLAIM), 2, "{}", f.log());
}

#[test]
fn fault_30_a_slow_remote_is_asked_one_question_at_a_time() {
    let mut f = shop(LOOP);
    let bin = f.root().join("bin");
    std::fs::create_dir_all(&bin).expect("a folder");
    let ledger = f.root().join("fetches");
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *fetch*) echo begin >>'{0}'; sleep 0.7; PATH=${{PATH#*:}} git \"$@\"; c=$?; echo end >>'{0}'; exit $c;; esac\n\
         PATH=${{PATH#*:}} exec git \"$@\"\n",
        ledger.display()
    );
    std::fs::write(bin.join("git"), script).expect("a wrapper");
    std::fs::set_permissions(bin.join("git"), PermissionsExt::from_mode(0o755)).expect("executable");
    f.set("PATH", format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default()));
    f.up();
    let all = || std::fs::read_to_string(&ledger).unwrap_or_default();
    f.wait("four fetches", |_| all().lines().filter(|l| *l == "end").count() >= 4);
    let text = all();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.chunks(2).all(|pair| pair[0] == "begin" && pair.get(1).is_none_or(|l| *l == "end")), "{text}");
}

/// Nothing of a commit is typed, interpreted or logged raw.
#[test]
fn a_megabyte_of_escape_sequences_in_a_subject_is_just_a_claim() {
    let f = shop(LOOP);
    open(&f);
    let pwned = f.root().join("pwned");
    let subject = format!(
        "claim: \u{1b}]0;EVIL\u{7} \u{1b}[201~\u{3}EVIL $(touch {0}) `touch {0}` #(touch {0}) \u{202e}{1}",
        pwned.display(),
        "EVIL \u{1b}[31m".repeat(110_000)
    );
    assert!(subject.len() > 1_000_000);
    commit(&f, &subject);
    push(&f, "HEAD:main");
    f.wait("the adversary is pinged", |f| heard(f, "adversary", CLAIM) == 1);
    f.wait("the fake has everything", |f| f.lines("adversary").len() == 1);
    let bytes = std::fs::read(f.fake("adversary", "bytes")).expect("what was typed");
    assert!(!bytes.contains(&0x1b) && !bytes.contains(&3) && bytes.len() < 2000, "{} bytes", bytes.len());
    let said = f.agents(&["events", "-n", "1000"]).ok().out;
    for text in [f.log(), f.output("adversary"), said] {
        assert!(!text.contains("EVIL"), "a subject in the clear");
    }
    assert!(!f.log().contains(['\u{1b}', '\u{202e}']));
    assert!(!pwned.exists());
}

#[test]
fn a_repository_that_is_gone_is_said_once_and_taken_up_again() {
    let f = shop(LOOP);
    open(&f);
    std::fs::rename(f.project.join("watched"), f.project.join("away")).expect("moved");
    f.wait("it is said", |f| f.said("the repository is gone") == 1);
    f.kill("builder");
    f.wait("healing goes on", |f| f.starts("builder") == 2);
    commit(&f, "claim: meanwhile");
    push(&f, "HEAD:main");
    assert_eq!(f.said("the repository is gone"), 1, "{}", f.log());
    std::fs::rename(f.project.join("away"), f.project.join("watched")).expect("moved back");
    f.wait("the claim is heard of", |f| heard(f, "adversary", CLAIM) == 1);
    assert_eq!(f.said("the repository can be read again"), 1, "{}", f.log());
}
