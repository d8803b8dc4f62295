//! The watchdog itself: one at a time, killed at any moment, and what it costs.
use crate::fleet::{Fleet, signal};
use rustix::process::Signal;
use std::{
    os::unix::fs::PermissionsExt,
    process::Stdio,
    time::{Duration, Instant},
};

const ONE: &str = "[[agent]]\nname = \"a\"\n";

/// One seed, one run.
struct Dice(u64);

impl Dice {
    fn up_to(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % (most + 1)
    }
}

fn pause(ms: u64) {
    let until = Instant::now() + Duration::from_millis(ms);
    while Instant::now() < until {
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn fault_33_a_second_watchdog_names_the_first_and_goes() {
    let f = Fleet::new(ONE);
    f.up();
    let first = f.watchdog();
    let said = f.agents(&["watchdog"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains(&format!("pid {first}")), "{said:?}");
    let said = f.up();
    assert!(said.out.contains("watchdog already running"), "{said:?}");
    assert_eq!(f.watchdog(), first);
    assert_eq!(f.starts("a"), 1);
}

#[test]
fn fault_33_an_agent_named_watchdog_does_not_take_its_place() {
    let f = Fleet::new("[[agent]]\nname = \"a\"\n[[agent]]\nname = \"watchdog\"\n");
    let said = f.agents(&["up"]);
    assert!(said.err.contains("agent `watchdog` has the watchdog's own name"), "{said:?}");
    f.wait("the others run", |f| f.alive("a") && f.status()["watchdog"]["running"] == true);
    assert_eq!(f.starts("watchdog"), 0);
    assert_eq!(f.agents(&["check"]).code, 3);
}

/// Verbs are killed while they write: what they leave is the old text or the new one.
#[test]
fn fault_33_a_kill_during_a_write_leaves_whole_files() {
    let f = Fleet::new(
        "[[agent]]\nname = \"l\"\nkind = \"loop\"\nrole = \"l\"\n\
         [loop]\nphases = [{ id = \"one\", status = \"S\" }, { id = \"two\", status = \"S\" }, { id = \"three\", status = \"S\" }]\n",
    );
    f.write("prompts/l.md", "work");
    f.agents(&["phase", "set", "1"]).ok();
    let mut dice = Dice(0x5eed);
    for round in 0..15 {
        let mut verb = f.command(&["phase", "set", &(round % 3).to_string()]);
        let mut child = verb.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
        pause(dice.up_to(60));
        let _ = child.kill();
        let _ = child.wait();
        let index = std::fs::read_to_string(f.project.join(".agents/state/phase-idx")).expect("the index");
        assert!(["0", "1", "2"].contains(&index.as_str()), "{index:?}");
    }
    f.agents(&["phase", "set", "2"]).ok();
    assert_eq!(f.status()["phase"]["id"], "three");
}

/// G19, by the agents' own ledgers: no start and no text twice, and no text lost in silence.
#[test]
fn a_watchdog_killed_at_any_moment_does_nothing_twice() {
    let mut f = Fleet::new("[[agent]]\nname = \"a\"\n[[agent]]\nname = \"b\"\n");
    // Killed clients of tmux may take a moment to notice.
    f.may_leave = false;
    f.up();
    f.wait("both run", |f| f.starts("a") == 1 && f.starts("b") == 1);
    let mut dice = Dice(20_261_121);
    let mut deaths = 0;
    for round in 0..20 {
        let mut send = f.command(&["send", "a", &format!("text {round}"), "--timeout", "0s"]);
        let mut send = send.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
        if round % 5 == 4 && f.starts("b") == deaths + 1 {
            f.kill("b");
            deaths += 1;
        }
        pause(dice.up_to(700));
        if let Some(pid) = f.status()["watchdog"]["pid"].as_u64() {
            signal(pid as u32, Signal::KILL);
        }
        let _ = send.wait();
        if round % 2 == 0 {
            f.agents(&["up", "watchdog"]).ok();
        } else {
            f.agents(&["up"]).ok();
        }
        if round % 5 == 4 {
            f.wait("what died is back", |f| f.starts("b") > deaths);
        }
    }
    let over = ["delivered", "undelivered", "unknown"];
    let sent = |f: &Fleet| {
        let all = f.events();
        let is_text = |e: &&serde_json::Value| over.iter().any(|k| e["kind"] == *k) && e["data"]["kind"] == "send";
        all.iter().filter(is_text).map(|e| (e["kind"].to_string(), e["data"]["delivery"].as_i64())).collect::<Vec<_>>()
    };
    let asked = |f: &Fleet| f.agents(&["send", "b", "the end"]).ok().out;
    let last = asked(&f);
    f.wait("the queues are empty", |f| f.lines("b").iter().any(|l| l == "the end"));
    f.wait("every text is over", |f| {
        let told = sent(f);
        let ids: std::collections::BTreeSet<_> = told.iter().map(|(_, id)| *id).collect();
        assert_eq!(ids.len(), told.len(), "told twice: {told:?}");
        let newest = last.split_whitespace().nth(1).and_then(|w| w.parse::<usize>().ok()).expect("an id");
        ids.len() == newest
    });
    assert_eq!((f.starts("a"), f.starts("b")), (1, deaths + 1), "{}", f.log());
    let lines = f.lines("a");
    for line in &lines {
        assert_eq!(lines.iter().filter(|l| *l == line).count(), 1, "typed twice: {lines:?}\n{}", f.log());
        assert!(line.starts_with("text ") && line.len() <= 7, "two texts in one: {lines:?}");
    }
    let delivered = sent(&f).iter().filter(|(kind, _)| kind == "\"delivered\"").count();
    assert!(lines.len() + 1 >= delivered, "{delivered} of {lines:?}");
    assert!(lines.len() >= 10, "{lines:?}\n{}", f.log());
}

/// Puts a `tmux` before the real one that notes who calls it with what.
fn count_tmux(f: &mut Fleet) -> std::path::PathBuf {
    let bin = f.root().join("bin");
    std::fs::create_dir_all(&bin).expect("a folder");
    let ledger = f.root().join("calls");
    let script = format!(
        "#!/bin/sh\nprintf '%s %s\\n' \"$PPID\" \"$*\" >>'{}'\nPATH=${{PATH#*:}} exec tmux \"$@\"\n",
        ledger.display()
    );
    std::fs::write(bin.join("tmux"), script).expect("a wrapper");
    std::fs::set_permissions(bin.join("tmux"), PermissionsExt::from_mode(0o755)).expect("executable");
    f.set("PATH", format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default()));
    ledger
}

#[test]
fn fault_38_a_quiet_tick_starts_no_process_and_any_other_at_most_one() {
    let names = ["a", "b", "c", "d"];
    let toml: String = names.iter().map(|n| format!("[[agent]]\nname = \"{n}\"\n")).collect();
    let mut f = Fleet::new(&toml);
    let ledger = count_tmux(&mut f);
    f.up();
    f.wait("all are idle", |f| names.iter().all(|n| f.starts(n) == 1 && f.state(n) == "idle"));
    let watchdog = f.watchdog();
    let calls = || {
        let text = std::fs::read_to_string(&ledger).unwrap_or_default();
        let mine = text.lines().filter_map(|l| l.strip_prefix(&format!("{watchdog} "))).map(str::to_owned);
        mine.collect::<Vec<_>>()
    };
    let beat = |f: &Fleet| std::fs::read_to_string(f.project.join(".agents/state/t-agents.beat")).unwrap_or_default();
    let after = |f: &Fleet, ticks: usize| {
        let (mut last, mut seen) = (beat(f), 0);
        f.wait("more ticks", |f| {
            let now = beat(f);
            seen += usize::from(now != last);
            last = now;
            seen >= ticks
        });
    };
    // What was drawn last is looked at once more.
    after(&f, 6);
    let before = calls().len();
    after(&f, 8);
    assert_eq!(calls()[before..], [] as [String; 0], "nothing moves, and yet");
    // Four panes that print: one process a look for all of them, or none where we speak the server's protocol.
    for name in names {
        f.tell(name, "rate 20 2\nidle");
    }
    let before = calls().len();
    after(&f, 5);
    let busy = calls().len() - before;
    // Every look is a tick, and one or two more may have passed before it was counted.
    assert!(busy <= 8, "{busy} processes in 5 ticks: {:?}", &calls()[before..]);
}

#[test]
fn a_hold_outlives_the_watchdog() {
    let f = Fleet::new(ONE);
    f.script("a", "say usage limit reached, resets at 3 hours from now\nidle");
    f.up();
    f.wait("it is held", |f| f.row("a")["hold_until"].is_string());
    let until = f.row("a")["hold_until"].clone();
    f.agents(&["restart", "watchdog"]).ok();
    assert_eq!(f.row("a")["hold_until"], until);
    f.kill("a");
    f.wait("it is back", |f| f.starts("a") == 2);
    assert_eq!(f.said("limit hit on a"), 1, "{}", f.log());
}

#[test]
fn what_the_old_driver_held_is_held_on_and_read_once() {
    let f = Fleet::new(ONE);
    f.script("a", "say usage limit reached\nidle");
    let file = f.project.join(".agents/state/limited-t-a.json");
    let until = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time").as_secs() + 7200;
    f.write(".agents/state/limited-t-a.json", format!("{{\"until\": {until}.25, \"nudges\": 2}}"));
    f.up();
    f.wait("it is held", |f| f.row("a")["hold_until"].is_string());
    assert!(!file.exists());
    f.wait("it is up", |f| f.starts("a") == 1);
    f.agents(&["restart", "watchdog"]).ok();
    assert!(f.row("a")["hold_until"].is_string());
    assert_eq!(f.said("limit hit on a"), 0, "{}", f.log());
    assert_eq!(f.lines("a"), [] as [String; 0], "nothing is typed into it before its time");
}

#[test]
fn a_hold_of_the_old_driver_outlives_a_rehearsal_and_verbs_for_others() {
    let f = Fleet::new("[[agent]]\nname = \"a\"\n[[agent]]\nname = \"b\"\n");
    let file = f.project.join(".agents/state/limited-t-b.json");
    let until = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time").as_secs() + 7200;
    f.write(".agents/state/limited-t-b.json", format!("{{\"until\": {until}}}"));
    f.agents(&["watchdog", "--dry-run"]).ok();
    assert!(file.exists(), "a rehearsal takes nothing");
    f.agents(&["up", "a"]).ok();
    assert!(!file.exists());
    assert!(f.row("b")["hold_until"].is_string(), "it was read for `b` as well, and is remembered: {}", f.status());
}
