//! Faults in this program itself: a panic costs one agent its attendance, never the fleet its watchdog. The panics are
//! asked for by `AGENTS_CRASH_AT`, which a release build does not know.
#![cfg(debug_assertions)]
use crate::fleet::Fleet;
use std::process::{Child, Stdio};

const TWO: &str = "[[agent]]\nname = \"a\"\n[[agent]]\nname = \"b\"\n";

/// A watchdog in the foreground that crashes or stumbles there.
pub struct Watchdog(Child);

impl Watchdog {
    pub fn at(f: &Fleet, place: &str) -> Watchdog {
        let mut command = f.command(&["watchdog"]);
        command.env("AGENTS_CRASH_AT", place).stdout(Stdio::null()).stderr(Stdio::null());
        Watchdog(command.spawn().expect("a watchdog"))
    }
    pub fn lives(&mut self) -> bool {
        self.0.try_wait().expect("a child").is_none()
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn alerts(f: &Fleet, kind: &str) -> usize {
    let text = std::fs::read_to_string(f.root().join("alerts")).unwrap_or_default();
    text.lines().filter(|l| l.contains(&format!("\"kind\":\"{kind}\""))).count()
}

fn fleet() -> Fleet {
    Fleet::new(&format!("[alert]\ncommand = [\"sh\", \"-c\", \"cat >>{{root}}/alerts\"]\n{TWO}"))
}

fn up_without_watchdog(f: &Fleet) {
    f.agents(&["up", "a", "b"]).ok();
    f.wait("both run", |f| f.starts("a") == 1 && f.starts("b") == 1);
}

#[test]
fn a_panic_about_one_agent_leaves_that_one_alone_and_the_others_attended() {
    let f = fleet();
    up_without_watchdog(&f);
    let mut watchdog = Watchdog::at(&f, "panic:t-a");
    f.wait("it is left alone", |f| f.state("a") == "quarantined");
    let row = f.row("a");
    assert!(row["reason"].as_str().is_some_and(|r| r.contains("asked to stumble")), "{row}");
    assert_eq!(row["next_action"], "try-again", "{row}");
    f.kill("a");
    f.kill("b");
    f.wait("the other is healed", |f| f.starts("b") == 2);
    f.ticks(3);
    assert!(watchdog.lives());
    assert_eq!((f.starts("a"), f.said("cannot be handled")), (1, 1), "{}", f.log());
    f.wait("one alert", |f| alerts(f, "quarantined") == 1);
    let said = f.agents(&["explain", "a"]).ok();
    assert!(said.out.contains("left alone") && said.out.contains("agents up a"), "{said:?}");
    // Somebody asks for it: it is tried, and fails as before.
    f.agents(&["up", "a"]);
    f.wait("it is left alone again", |f| f.state("a") == "quarantined");
    drop(watchdog);
    f.up();
    f.agents(&["up", "a"]).ok();
    f.wait("with the fault gone it comes back", |f| f.starts("a") == 2 && f.state("a") == "idle");
}

#[test]
fn a_panic_over_a_screen_leaves_that_agent_alone() {
    let f = fleet();
    up_without_watchdog(&f);
    let mut watchdog = Watchdog::at(&f, "panic:reading t-b");
    f.wait("it is left alone", |f| f.state("b") == "quarantined");
    f.kill("a");
    f.wait("the other is healed", |f| f.starts("a") == 2);
    assert!(watchdog.lives());
}

#[test]
fn a_panic_while_a_start_is_prepared_is_a_failed_start() {
    let f = fleet();
    up_without_watchdog(&f);
    let mut watchdog = Watchdog::at(&f, "panic:prepare t-a");
    f.wait("it watches", |f| f.status()["watchdog"]["running"] == true);
    f.kill("a");
    f.wait("it is said", |f| f.said("this program has a fault: the start of t-a could not be prepared") == 1);
    f.wait("it backs off", |f| ["backoff", "gave-up"].contains(&f.state("a").as_str()));
    f.kill("b");
    f.wait("the other is healed", |f| f.starts("b") == 2);
    assert!(watchdog.lives());
    f.wait("one alert", |f| alerts(f, "internal-error") == 1);
}

#[test]
fn a_tick_that_panics_is_tried_again_and_never_in_a_hurry() {
    let f = fleet();
    up_without_watchdog(&f);
    let mut watchdog = Watchdog::at(&f, "panic:tick");
    f.wait("it is said", |f| f.said("a tick was cut short") == 1);
    let stat = |f: &Fleet| {
        let pid = f.status()["watchdog"]["pid"].as_u64().expect("a watchdog");
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("a process");
        let after = text.rsplit(')').next().expect("fields").split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        after[11].parse::<u64>().expect("ticks") + after[12].parse::<u64>().expect("ticks")
    };
    // Deaths are news that would wake it: it does not hurry for them.
    f.kill("a");
    f.kill("b");
    let before = stat(&f);
    let since = std::time::Instant::now();
    f.wait("a few pauses", |_| since.elapsed().as_millis() > 2500);
    assert!(stat(&f) - before < 60, "it spins: {} hundredths of a second", stat(&f) - before);
    assert!(watchdog.lives());
    assert_eq!(f.said("a tick was cut short"), 1, "said once: {}", f.log());
    drop(watchdog);
    f.up();
    f.wait("the next one heals what died", |f| f.starts("a") == 2 && f.starts("b") == 2);
}
