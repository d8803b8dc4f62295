//! The morning page of a small fleet in which everything happened.
use crate::fleet::{BASE, Fleet, signal};
use rustix::process::Signal;
use serde_json::Value;

#[track_caller]
fn report(fleet: &Fleet, line: &[&str]) -> Value {
    let said = fleet.agents(&[&["report", "--json"], line].concat()).ok();
    serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {}", said.out))
}

fn agent<'a>(report: &'a Value, name: &str) -> &'a Value {
    let all = report["agents"].as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().find(|a| a["name"] == name).unwrap_or_else(|| panic!("no `{name}` in {report}"))
}

fn len(list: &Value) -> usize {
    list.as_array().map_or(0, Vec::len)
}

#[test]
fn the_page_says_who_worked_was_held_was_killed_and_waits() {
    let names = ["worker", "limited", "killed", "asking", "stopped"];
    let agents: String = names.iter().map(|name| format!("[[agent]]\nname = \"{name}\"\n")).collect();
    let fleet = Fleet::with(&format!("{BASE}waiting_re = '\\[y/n\\]'\n{agents}"));
    fleet.script("worker", "busy");
    fleet.script("limited", "say usage limit reached\nidle");
    fleet.script("asking", "dialog Delete the folder build?");
    fleet.script("stopped", "dialog Trust this folder?");
    fleet.up();
    fleet.wait("all of them are seen", |f| {
        ["working", "limited", "idle", "waiting"].iter().zip(names).all(|(state, name)| f.state(name) == *state)
    });
    fleet.kill("killed");
    fleet.wait("it is started again", |f| f.starts("killed") == 2 && f.state("killed") == "idle");
    fleet.wait("it asks, too", |f| f.state("stopped") == "waiting");
    fleet.agents(&["send", "stopped", "and then look at the tests"]);
    fleet.agents(&["down", "stopped"]).ok();
    fleet.wait("some work is seen", |f| agent(&report(f, &[]), "worker")["worked_s"].as_u64() > Some(0));

    let json = report(&fleet, &["--since", "1h"]);
    assert_eq!(json["v"], 1);
    let worker = agent(&json, "worker");
    assert!(worker["share"].as_f64() > Some(0.5), "{worker}");
    assert_eq!((&worker["turns"], &worker["commits"]), (&Value::Null, &Value::Null));
    let hold = &agent(&json, "limited")["holds"][0];
    assert!(hold["reason"].as_str().is_some_and(|r| r.contains("usage limit reached")), "{hold}");
    assert_eq!(hold["until"], Value::Null, "still in force");
    let killed = &agent(&json, "killed")["restarts"];
    assert_eq!((len(killed), &killed[0]["reason"]), (1, &"exit code 137".into()));
    let wait = &agent(&json, "asking")["waits"][0];
    assert!(wait["asked"].as_str().is_some_and(|t| t.contains("Delete the folder build?")), "{wait}");
    let stopped = agent(&json, "stopped");
    assert_eq!(stopped["undelivered"][0]["text"], "and then look at the tests", "{stopped}");
    assert!(stopped["waits"][0]["until"].is_string(), "nobody is asked any more: {stopped}");
    let needs: Vec<_> = json["needs"].as_array().unwrap().iter().map(|n| (&n["kind"], &n["agent"])).collect();
    assert_eq!(needs, [(&"waiting".into(), &"asking".into()), (&"undelivered".into(), &"stopped".into())]);

    // One whose watchdog was killed and brought back, and one that is looked at without any.
    fleet.tell("limited", "clear\nsay fine again\nidle");
    fleet.wait("the hold is over", |f| agent(&report(f, &[]), "limited")["holds"][0]["until"].is_string());
    signal(fleet.watchdog(), Signal::KILL);
    fleet.wait("the gap is told", |f| report(f, &[])["gaps"][0]["until"].is_string());
    let gap = &report(&fleet, &[])["gaps"][0]["reason"];
    assert!(gap.as_str().is_some_and(|r| r.contains("killed by signal 9")), "{gap}");
    let up = report(&fleet, &["--since", "up"]);
    assert_eq!((len(&up["gaps"]), len(&agent(&up, "killed")["restarts"])), (0, 0));
    fleet.agents(&["down", "watchdog"]).ok();
    let without = report(&fleet, &[]);
    assert_eq!((&without["needs"][0]["kind"], &without["gaps"][1]["until"]), (&"waiting".into(), &Value::Null));
    assert_eq!(without["gaps"][1]["reason"], "stopped");
    assert!(agent(&without, "worker")["worked_s"].as_u64() > Some(0));
    let page = fleet.agents(&["report"]).ok().out;
    for words in
        ["no watchdog runs", "Delete the folder build?", "agents attach asking", "exit code 137", "usage limit"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains('\u{1b}'), "no colour in a pipe: {page}");

    fleet.agents(&["down"]).ok();
    fleet.config("broken [");
    let broken = fleet.agents(&["report"]).ok();
    assert!(
        broken.out.contains("the config has faults") && broken.out.contains("Delete the folder build?"),
        "{broken:?}"
    );
    assert_eq!(fleet.agents(&["report", "--since", "soon"]).code, 2);
}

#[test]
fn a_fleet_that_never_ran_has_an_empty_page() {
    let fleet = Fleet::new("[[agent]]\nname = \"a\"\n");
    let said = fleet.agents(&["report"]).ok();
    assert!(said.out.contains("nobody's work was seen"), "{said:?}");
    assert_eq!(report(&fleet, &["--since", "yesterday"])["agents"][0]["state"], "stopped");
    assert_eq!(fleet.agents(&["report", "--since", "up"]).code, 0);
}
