//! A machine without room: starts wait, and go on by themselves.
use crate::fleet::{BASE, Fleet};

/// No machine has that much.
const NO_ROOM: &str = "[host]\nmin_memory = \"1000TB\"\nretry = 0.3\n";
const ROOM: &str = "[host]\nmin_memory = \"1MB\"\nretry = 0.3\n";

fn with(host: &str, agents: &str) -> String {
    format!("{BASE}{host}{agents}")
}

#[test]
fn a_start_waits_for_room_and_goes_on_by_itself() {
    let agents = "[alert]\ncommand = [\"sh\", \"-c\", \"cat >>{root}/alerts\"]\n[[agent]]\nname = \"a\"\n[[agent]]\nname = \"b\"\n";
    let f = Fleet::with(&with(NO_ROOM, agents));
    let said = f.up();
    assert!(said.out.contains("a (t-a) waits: ") && said.out.contains("`min_memory` of [host] is"), "{said:?}");
    f.ticks(6);
    assert_eq!((f.starts("a"), f.starts("b"), f.state("a").as_str()), (0, 0, "backoff"));
    let row = f.row("a");
    assert_eq!(row["next_action"], "look-for-room");
    assert!(row["reason"].as_str().is_some_and(|r| r.starts_with("no room: ")) && row["next_at"].is_string(), "{row}");
    let told = f.agents(&["explain", "a"]).ok().out;
    assert!(told.contains("it starts by itself once there is room"), "{told}");
    let told = f.agents(&["doctor"]).out;
    assert!(told.contains("of memory available") && told.contains(": starts wait"), "{told}");
    let report: serde_json::Value = serde_json::from_str(&f.agents(&["report", "--json"]).ok().out).expect("a report");
    assert_eq!((report["needs"][0]["kind"].as_str(), report["needs"][0]["agent"].as_str()), (Some("host"), Some("a")));
    let alerts = || std::fs::read_to_string(f.root().join("alerts")).unwrap_or_default();
    f.wait("the alert", |_| alerts().contains("host-low"));
    assert_eq!((f.said(" waits: "), alerts().matches("host-low").count()), (2, 1), "{}", f.log());

    f.config(&with(ROOM, agents));
    f.wait("both start", |f| f.starts("a") == 1 && f.starts("b") == 1 && f.alive("a"));
    assert_eq!(f.said("goes on: the machine has room again"), 2);

    // What runs stays; what dies waits for room again.
    f.config(&with(NO_ROOM, agents));
    f.wait("the change is known", |f| {
        f.said("config changed") >= 2 || f.events().iter().filter(|e| e["kind"] == "config-changed").count() >= 2
    });
    f.kill("a");
    f.wait("it waits", |f| f.state("a") == "backoff" && f.row("a")["next_action"] == "look-for-room");
    assert_eq!((f.starts("a"), f.starts("b"), f.alive("b")), (1, 1, true));
    // Another watchdog knows what waits.
    f.kill_watchdog();
    f.agents(&["up", "watchdog"]).ok();
    f.ticks(3);
    assert_eq!((f.starts("a"), f.state("a").as_str()), (1, "backoff"));
    f.config(&with(ROOM, agents));
    f.wait("it is back", |f| f.starts("a") == 2 && f.alive("a"));
    assert_eq!((f.row("a")["restarts"].as_u64(), f.starts("b")), (Some(1), 1));
}

#[test]
fn without_a_watchdog_the_reader_is_told_who_would_go_on() {
    let f = Fleet::with(&with(
        "[host]\nmin_disk = \"1000TB\"\nretry = 0.3\n",
        "[[agent]]\nname = \"a\"\nwatch = \"none\"\n",
    ));
    let said = f.agents(&["up", "a"]).ok();
    assert!(said.out.contains("a (t-a) waits: ") && said.out.contains(" free on the disk of "), "{said:?}");
    let told = f.agents(&["explain", "a"]).ok().out;
    assert!(f.state("a") == "backoff" && told.contains("no watchdog is running"), "{told}");
    // Asked for, and not forgotten, although nobody watches it.
    f.agents(&["up", "watchdog"]).ok();
    f.ticks(4);
    assert_eq!(f.state("a"), "backoff");
    f.config(&with("[host]\nmin_disk = 0\n", "[[agent]]\nname = \"a\"\nwatch = \"none\"\n"));
    f.wait("it starts", |f| f.starts("a") == 1 && f.alive("a"));
    // Stopped while it waits, it stays stopped.
    f.agents(&["down", "a"]).ok();
    f.config(&with("[host]\nmin_disk = \"1000TB\"\nretry = 0.3\n", "[[agent]]\nname = \"a\"\n"));
    f.ticks(2);
    f.agents(&["up", "a"]).ok();
    assert_eq!(f.state("a"), "backoff");
    f.agents(&["down", "a"]).ok();
    f.config(&with("", "[[agent]]\nname = \"a\"\n"));
    f.ticks(4);
    assert_eq!((f.starts("a"), f.state("a").as_str()), (1, "stopped"));
}
