//! The watchdog is watched: whoever kills it gets another one, until somebody says `down`.
use crate::fleet::{BASE, Fleet, signal};
use rustix::process::Signal;
use serde_json::Value;
use std::{
    path::Path,
    process::{Command, Stdio},
};

const ONE: &str = "[[agent]]\nname = \"a\"\n";

fn running() -> Fleet {
    let f = Fleet::new(ONE);
    f.up();
    f.wait("it runs", |f| f.starts("a") == 1 && f.state("a") == "idle");
    f
}

fn watchdog(f: &Fleet) -> Value {
    f.status()["watchdog"].clone()
}

fn pid(f: &Fleet, key: &str) -> Option<u32> {
    watchdog(f)[key].as_u64().map(|pid| pid as u32)
}

fn guardian(f: &Fleet) -> u32 {
    pid(f, "guardian").expect("a guardian")
}

/// Ends the watchdog by `how` and waits until another one has looked.
fn strike(f: &Fleet, how: Signal) -> u32 {
    let old = f.watchdog();
    signal(old, how);
    f.wait("another watchdog", |f| pid(f, "pid").is_some_and(|new| new != old));
    f.wait("it looks", |f| watchdog(f)["last_tick"].is_string());
    f.watchdog()
}

/// Ends it, with a guardian that waits for nearly a minute then: it takes over the count of one that was killed.
fn strike_long(f: &Fleet) {
    let (watchdog, guardian) = (f.watchdog(), guardian(f));
    signal(watchdog, Signal::STOP);
    signal(guardian, Signal::KILL);
    let mut told = lock(f, "t-agents.guardian");
    told["revivals"] = serde_json::json!({"total": 9, "row": 9, "why": "killed by signal 9", "at": 0, "next": null});
    f.write(".agents/state/t-agents.guardian", told.to_string());
    signal(watchdog, Signal::CONT);
    f.wait("another guardian", |f| pid(f, "guardian").is_some_and(|new| new != guardian));
    assert_eq!((f.watchdog(), &self::watchdog(f)["restarts"]), (watchdog, &9.into()));
    signal(watchdog, Signal::KILL);
    f.wait("it is waited for", |f| self::watchdog(f)["next_start"].is_string());
}

fn millis(at: &Value) -> i64 {
    agents::model::time::Wall::parse_rfc3339(at.as_str().expect("a time")).expect("a time").0
}

#[test]
fn a_killed_watchdog_comes_back_and_does_nothing_twice() {
    let mut f = Fleet::new(ONE);
    f.set("ONLY_OF_UP", "kept");
    f.up();
    f.wait("it runs", |f| f.state("a") == "idle");
    f.agents(&["send", "a", "one"]).ok();
    let (agent, guarded) = (f.pid("a"), guardian(&f));
    f.set("ONLY_OF_UP", "of another shell");
    for (n, how) in [Signal::KILL, Signal::ILL, Signal::ABORT].into_iter().enumerate() {
        strike(&f, how);
        let status = watchdog(&f);
        assert_eq!((&status["restarts"], guardian(&f)), (&(n + 1).into(), guarded), "{status}");
        assert_eq!(status["last_end"], format!("killed by signal {}", how.as_raw()), "{status}");
        assert_eq!(f.said(&format!("the last one was killed by signal {}", how.as_raw())), 1, "{}", f.log());
    }
    assert_eq!(f.events().iter().filter(|e| e["kind"] == "watchdog").count(), 7, "{}", f.log());
    f.agents(&["send", "a", "two"]).ok();
    f.ticks(3);
    assert_eq!((f.starts("a"), f.pid("a"), f.lines("a")), (1, agent, vec!["one".to_owned(), "two".to_owned()]));
    f.kill("a");
    f.wait("it is looked after", |f| f.starts("a") == 2 && f.alive("a"));
    let environment = std::fs::read(format!("/proc/{}/environ", f.pid("a"))).expect("its environment");
    assert!(environment.split(|b| *b == 0).any(|entry| entry == b"ONLY_OF_UP=kept"), "that of `up`");
    let said = f.agents(&["status"]).ok().out;
    assert!(said.contains("killed by signal 6"), "{said}");
    f.agents(&["down"]).ok();
    f.wait("nothing is left", |f| f.processes().is_empty());
}

#[test]
fn who_dies_again_and_again_is_waited_for_longer_and_longer() {
    let f = Fleet::new(&format!("[alert]\ncommand = [\"sh\", \"-c\", \"cat >>{{root}}/alerts\"]\n{ONE}"));
    f.up();
    for n in 0..5 {
        strike(&f, Signal::KILL);
        let status = watchdog(&f);
        let pause = millis(&status["since"]) - millis(&status["last_end_at"]);
        assert!(pause >= 100 << n, "{n}: {pause} ms");
    }
    let alerts = |f: &Fleet| std::fs::read_to_string(f.root().join("alerts")).unwrap_or_default();
    f.wait("the fourth in a row is an alert", |f| alerts(f).contains("4 in a row"));
    assert_eq!(alerts(&f).matches("in a row").count(), 1, "{}", alerts(&f));
}

#[test]
fn down_and_up_end_the_waiting() {
    let f = running();
    strike_long(&f);
    let status = f.agents(&["status"]).ok().out;
    assert!(status.contains("stopped · killed, or crashed") && status.contains("starts again at"), "{status}");
    let said = f.agents(&["doctor"]);
    assert!(said.out.contains("started again with growing pauses"), "{said:?}");
    // A verb goes on without it.
    f.agents(&["send", "a", "meanwhile"]).ok();
    let first = guardian(&f);
    f.agents(&["up"]).ok();
    let status = watchdog(&f);
    assert_eq!((&status["running"], &status["restarts"]), (&true.into(), &0.into()), "{status}");
    assert_ne!(guardian(&f), first, "with the environment of this `up`");
    strike_long(&f);
    let said = f.agents(&["down"]).ok();
    assert!(said.out.contains("killing t-watchdog"), "{said:?}");
    f.wait("nothing is left", |f| f.processes().is_empty());
    assert_eq!((f.starts("a"), f.lines("a")), (1, vec!["meanwhile".to_owned()]));
}

#[test]
fn a_killed_guardian_is_followed_by_another() {
    let f = running();
    let (first, agent) = (guardian(&f), f.pid("a"));
    let watched = f.watchdog();
    signal(first, Signal::KILL);
    f.wait("another guardian", |f| pid(f, "guardian").is_some_and(|new| new != first));
    let second = guardian(&f);
    assert_eq!(f.watchdog(), watched, "the same watchdog");
    assert_eq!(f.said("another guardian does"), 1, "{}", f.log());
    strike(&f, Signal::KILL);
    assert_eq!((guardian(&f), &watchdog(&f)["restarts"]), (second, &1.into()));
    signal(second, Signal::KILL);
    f.wait("a third", |f| pid(f, "guardian").is_some_and(|new| new != second));
    let third = guardian(&f);
    strike(&f, Signal::KILL);
    assert_eq!((guardian(&f), &watchdog(&f)["restarts"]), (third, &2.into()), "who was killed had counted");
    assert_eq!((f.starts("a"), f.pid("a")), (1, agent));
    // An end that is meant is told to a guardian that is not its parent, too.
    signal(third, Signal::KILL);
    f.wait("a fourth", |f| pid(f, "guardian").is_some_and(|new| new != third));
    signal(f.watchdog(), Signal::TERM);
    f.wait("both are gone", |f| watchdog(f)["running"] == false && watchdog(f)["guardian"].is_null());
    f.up();
    assert_eq!((f.starts("a"), f.pid("a")), (1, agent));
    signal(guardian(&f), Signal::KILL);
    f.agents(&["down"]).ok();
    f.wait("nothing is left", |f| f.processes().is_empty());
}

#[test]
fn an_end_that_was_meant_is_no_crash() {
    let f = running();
    signal(f.watchdog(), Signal::TERM);
    f.wait("both are gone", |f| watchdog(f)["running"] == false && watchdog(f)["guardian"].is_null());
    f.up();
    let (first, guarded) = (f.watchdog(), guardian(&f));
    f.agents(&["restart", "watchdog"]).ok();
    assert!(f.watchdog() != first && guardian(&f) != guarded);
    assert_eq!(watchdog(&f)["restarts"], 0);
    // A guardian that is told to end takes its watchdog along.
    signal(guardian(&f), Signal::TERM);
    f.wait("both are gone", |f| watchdog(f)["running"] == false && watchdog(f)["guardian"].is_null());
    assert_eq!((f.starts("a"), f.said("watchdog back")), (1, 0), "{}", f.log());
}

#[test]
fn a_watchdog_in_the_foreground_is_nobodys_ward() {
    let f = Fleet::new(ONE);
    f.agents(&["up", "a"]).ok();
    let start = || f.command(&["watchdog"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
    let mut child = start();
    f.wait("it watches", |f| watchdog(f)["last_tick"].is_string());
    assert!(watchdog(&f)["guardian"].is_null() && watchdog(&f)["restarts"].is_null());
    child.kill().expect("killed");
    child.wait().expect("ended");
    f.up();
    strike_long(&f);
    // Whoever takes the watch in the foreground has it.
    let mut child = start();
    f.wait("it watches", |f| watchdog(f)["pid"] == child.id());
    f.wait("its guardian sees that, and goes", |f| watchdog(f)["guardian"].is_null());
    assert_eq!((f.watchdog(), f.starts("a")), (child.id(), 1));
    f.agents(&["down"]).ok();
    child.wait().expect("ended");
}

#[test]
fn it_comes_back_with_the_last_good_config_and_to_its_old_place() {
    let f = running();
    f.config("[[agent]\nname =");
    strike(&f, Signal::KILL);
    assert_ne!(f.status()["faults"], serde_json::json!([]));
    f.kill("a");
    f.wait("it is looked after", |f| f.starts("a") == 2 && f.state("a") == "idle");
    assert_eq!(f.agents(&["up"]).code, 3);
    f.config(&format!("{BASE}{ONE}").replace("\".agents\"", "\".elsewhere\""));
    let guarded = guardian(&f);
    strike(&f, Signal::KILL);
    f.wait("it is said", |f| f.said("`log_dir` cannot change while the fleet runs") > 0);
    assert_eq!((f.starts("a"), guardian(&f)), (2, guarded));
    f.config(&format!("{BASE}{ONE}[[agent]]\nname = \"b\"\n"));
    f.wait("what is new is started", |f| f.starts("b") == 1 && f.status()["faults"] == serde_json::json!([]));
    // Gone for a while, as some editors do it.
    std::fs::remove_file(f.project.join("agents.toml")).expect("removed");
    signal(pid_by_lock(&f), Signal::KILL);
    f.wait("starts fail", |f| lock(f, "t-agents.guardian")["revivals"]["row"].as_u64().is_some_and(|row| row >= 4));
    f.config(&format!("{BASE}{ONE}[[agent]]\nname = \"b\"\n"));
    f.wait("it is back", |f| watchdog(f)["running"] == true);
    assert_eq!((f.starts("a"), f.starts("b"), guardian(&f)), (2, 1, guarded));
}

fn lock(f: &Fleet, name: &str) -> Value {
    let text = std::fs::read(f.project.join(".agents/state").join(name)).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

fn pid_by_lock(f: &Fleet) -> u32 {
    lock(f, "t-agents.lock")["pid"].as_u64().expect("a watchdog") as u32
}

#[test]
fn a_removed_state_folder_does_not_hide_the_guardian() {
    let f = running();
    let (guarded, watched) = (guardian(&f), f.watchdog());
    // The fleet may write into it at that moment.
    f.wait("it is removed", |f| std::fs::remove_dir_all(f.project.join(".agents")).is_ok());
    f.wait("both are found again", |f| pid(f, "guardian") == Some(guarded) && pid(f, "pid") == Some(watched));
    strike(&f, Signal::KILL);
    assert_eq!((f.starts("a"), guardian(&f)), (1, guarded));
}

/// After an update the next watchdog is the new program; while there is none on disk, the old one goes on.
#[test]
fn what_comes_back_is_the_program_on_disk() {
    let f = Fleet::new(ONE);
    let place = f.root().join("agents-copy");
    let install = || std::fs::copy(env!("CARGO_BIN_EXE_agents"), &place).map(drop).expect("a copy");
    install();
    let mut up = Command::new(&place);
    let own = f.command(&["up"]);
    up.args(own.get_args()).current_dir(&f.project).env_clear().stdin(Stdio::null());
    up.envs(own.get_envs().filter_map(|(key, value)| Some((key, value?))));
    f.run(up).ok();
    f.wait("it runs", |f| f.starts("a") == 1);
    let program = |pid: u32| std::fs::read_link(format!("/proc/{pid}/exe")).expect("a program");
    assert_eq!(program(f.watchdog()), place);
    std::fs::remove_file(&place).expect("removed");
    let gone = program(strike(&f, Signal::KILL));
    assert_eq!(gone, Path::new(&format!("{} (deleted)", place.display())));
    install();
    assert_eq!(program(strike(&f, Signal::KILL)), place);
    assert_eq!(f.starts("a"), 1);
}
