//! Faults of healing: what is restarted, when, and what is left alone.
use crate::fleet::{BASE, Fleet};
use std::{
    collections::BTreeSet,
    fs,
    time::{Duration, Instant},
};

#[test]
fn fault_02_an_agent_whose_prompt_is_gone_is_not_killed() {
    let stall = BASE.replace("watch = \"heal\"", "watch = \"heal+stall\"") + "stall_idle = 0.5\n";
    let stall = stall.replace("[watchdog]", "[watchdog]\nstart_grace = 0.5");
    let fleet = Fleet::with(&format!("{stall}[[agent]]\nname = \"a\"\nprompt_file = \"p.md\"\n"));
    fleet.write("p.md", "work");
    fleet.script("a", "busy 600");
    fleet.up();
    fleet.wait("it works", |f| f.state("a") == "working");
    let (watchdog, pid) = (fleet.watchdog(), fleet.pid("a"));
    fs::remove_file(fleet.project.join("p.md")).expect("no prompt any more");
    fleet.tell("a", "idle");
    fleet.wait("its restart is due and cannot be", |f| f.said("it is left as it is") > 0);
    fleet.ticks(3);
    assert_eq!((fleet.starts("a"), fleet.pid("a"), fleet.watchdog()), (1, pid, watchdog));
    // Nor when a person asks for it.
    assert_eq!(fleet.agents(&["restart", "a"]).code, 1);
    assert_eq!((fleet.starts("a"), fleet.pid("a"), fleet.alive("a")), (1, pid, true));
    fleet.write("p.md", "work again");
    fleet.agents(&["restart", "a"]).ok();
    fleet.wait("now it is restarted", |f| f.starts("a") == 2);
    assert_eq!(fleet.watchdog(), watchdog);
}

#[test]
fn fault_04_a_dead_agent_waits_for_no_slow_one() {
    let slow = "[backend.slow]\nbin = \"{fake}\"\nprompt_delivery = \"ping\"\nconnect_delay = 60\n";
    let slow = slow.to_owned()
        + "[[agent]]\nname = \"p1\"\nbackend = \"slow\"\n[[agent]]\nname = \"p2\"\nbackend = \"slow\"\n";
    let fleet = Fleet::new(&(slow + "[[agent]]\nname = \"p3\"\nbackend = \"slow\"\n[[agent]]\nname = \"e\"\n"));
    // Neither `up` nor the restart below may wait for a connect_delay: it is longer than this test's patience.
    fleet.up();
    let names = ["p1", "p2", "p3", "e"];
    fleet.wait("all run", |f| names.iter().all(|n| f.starts(n) == 1));
    for name in names {
        fleet.kill(name);
    }
    fleet.wait("all are back", |f| names.iter().all(|n| f.starts(n) == 2));
    assert!(fleet.lines("p1").is_empty(), "the first messages are still to come");
}

#[test]
fn fault_05_a_crash_loop_backs_off_and_gives_up() {
    let fleet = Fleet::with(&format!(
        "{}[[agent]]\nname = \"a\"\n[[agent]]\nname = \"b\"\n",
        BASE.replace("restart_delay = 0.1", "restart_delay = 0.1\nrestart_burst = 3\ngave_up_retry = 0")
    ));
    fleet.script("a", "say BOOM\nexit 7");
    fleet.up();
    fleet.wait("it gave up", |f| f.state("a") == "gave-up");
    fleet.ticks(4);
    assert_eq!(fleet.starts("a"), 4, "one start and three restarts");
    assert_eq!(fleet.said("gave up after 3 restarts"), 1);
    let row = fleet.row("a");
    assert_eq!((&row["last_exit"]["code"], &row["restarts"]), (&7.into(), &3.into()), "{row}");
    let pauses: Vec<String> =
        fleet.events().iter().filter(|e| e["kind"] == "backoff").map(|e| e["text"].to_string()).collect();
    assert_eq!(pauses.len(), 2, "{pauses:?}");
    assert!(fleet.output("a").contains("BOOM"), "a crash leaves a trace");
    assert_eq!(fleet.starts("b"), 1);
    // Mended and asked for again: it goes on.
    fleet.script("a", "idle");
    fleet.agents(&["up", "a"]).ok();
    fleet.wait("it runs", |f| f.alive("a") && f.starts("a") == 5);
}

#[test]
fn fault_05_a_task_that_ends_normally_is_done() {
    let fleet = Fleet::new("[[agent]]\nname = \"one\"\nkind = \"task\"\n[[agent]]\nname = \"bad\"\nkind = \"task\"\n");
    fleet.script("one", "say done\nexit 0");
    fleet.script("bad", "exit 1");
    fleet.up();
    fleet.wait("it is done", |f| f.state("one") == "done");
    fleet.wait("the other is tried again", |f| f.starts("bad") > 1);
    fleet.ticks(4);
    assert_eq!((fleet.starts("one"), fleet.state("one")), (1, "done".into()));
}

#[test]
fn fault_07_the_last_marker_on_the_screen_counts() {
    let stall = BASE.replace("watch = \"heal\"", "watch = \"heal+stall\"") + "stall_idle = 0.5\n";
    let fleet = Fleet::with(&format!(
        "{}[[agent]]\nname = \"a\"\n",
        stall.replace("[watchdog]", "[watchdog]\nstall_grace = 0\nstart_grace = 0.5")
    ));
    let valid = "say WAITING-UNTIL: 2020-01-01T00:00:00Z\nsay later\nsay WAITING-UNTIL: 2099-01-01T00:00:00Z\nidle";
    fleet.script("a", valid);
    fleet.up();
    fleet.wait("its screen is up", |f| f.output("a").contains("2099"));
    fleet.ticks(5);
    assert_eq!((fleet.starts("a"), fleet.said("kill + reboot")), (1, 0));
    fleet.tell("a", "say WAITING-UNTIL: 2021-01-01T00:00:00Z\nidle");
    fleet.wait("now it is late", |f| f.starts("a") == 2);
    fleet.wait("its screen is up again", |f| f.output("a").matches("2099").count() == 2);
    fleet.ticks(5);
    assert_eq!((fleet.starts("a"), fleet.said("past its WAITING-UNTIL")), (2, 1), "{}", fleet.log());
}

#[test]
fn fault_08_half_a_second_is_an_interval() {
    let fleet = Fleet::with(&format!("{}[[agent]]\nname = \"a\"\n", BASE.replace("0.3", "0.5")));
    fleet.up();
    fleet.ticks(2);
    let place = fleet.project.join(".agents/state/t-agents.beat");
    let (from, mut beats) = (Instant::now(), BTreeSet::new());
    fleet.wait("some time passes", |_| {
        beats.insert(fs::read(&place).unwrap_or_default());
        from.elapsed() > Duration::from_millis(1600)
    });
    // One tick in half a second, and one or the other because something happened: no busy loop.
    assert!((2..=8).contains(&beats.len()), "{} ticks in {:?}", beats.len(), from.elapsed());
    fleet.kill("a");
    fleet.wait("heavy ticks go on", |f| f.starts("a") == 2);
    fleet.config(&format!("{}[[agent]]\nname = \"a\"\n", BASE.replace("0.3", "-0.5")));
    fleet.wait("a negative one is said", |f| f.said("config is broken") == 1);
    fleet.ticks(1);
    assert!(fleet.alive("a"));
}

#[test]
fn fault_12_the_first_line_of_forty_agents_is_logged() {
    let mut toml = BASE.replace("{fake}", "echo EARLY-LINE; exec sleep 1000");
    for i in 0..40 {
        toml += &format!("[[agent]]\nname = \"a{i}\"\n");
    }
    let fleet = Fleet::with(&toml);
    fleet.up();
    let logged = |f: &Fleet| (0..40).filter(|i| f.output(&format!("a{i}")).contains("EARLY-LINE")).count();
    fleet.wait("40 of 40 logs have it", |f| logged(f) == 40);
}
