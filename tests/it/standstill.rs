//! Agents that stand still: idle ones are told to go on, hung ones are restarted, those that work quietly are left alone.
use crate::fleet::{BASE, Fleet};
use serde_json::Value;

fn of<'a>(events: &'a [Value], agent: &'a str, kind: &'a str) -> usize {
    events.iter().filter(|e| e["agent"] == agent && e["kind"] == kind).count()
}

#[test]
fn a_nudge_is_answered_or_the_agent_is_restarted() {
    let base = BASE.replace("watch = \"heal\"", "watch = \"heal+stall\"");
    let base = base.replace("[watchdog]", "[watchdog]\nstart_grace = 0\nrestart_burst = 50\nstorm_limit = 50");
    let fleet = Fleet::with(&format!(
        "{base}stall_idle = 1.5\nstall_action = \"nudge\"\n[[agent]]\nname = \"good\"\n[[agent]]\nname = \"mute\"\n"
    ));
    // The terminal echoes what is typed to both; one says something below it.
    fleet.script("good", "exec n=0; printf '> '; while read -r line; do n=$((n+1)); printf 'answer %s\\n> ' $n; done");
    fleet.script("mute", "exec printf '> '; while read -r line; do printf '> '; done");
    fleet.up();
    fleet.wait("it is foreseen", |f| f.row("good")["next_action"] == "nudge");
    fleet.wait("two answers", |f| f.output("good").contains("answer 2"));
    fleet.wait("two restarts", |f| f.starts("mute") > 2);
    let events = fleet.events();
    assert_eq!((fleet.starts("good"), of(&events, "good", "stalled")), (1, 0), "{}", fleet.log());
    let (nudged, stalled) = (of(&events, "mute", "nudged"), of(&events, "mute", "stalled"));
    assert!(stalled >= 2 && (stalled..=stalled + 1).contains(&nudged), "{nudged} {stalled}\n{}", fleet.log());
    assert!(fleet.said("nudge not answered for") >= 2, "{}", fleet.log());
}

#[test]
fn a_hang_is_restarted_and_quiet_work_is_not() {
    let fleet = Fleet::with(&format!(
        "{}hang_timeout = 3\n[[agent]]\nname = \"hung\"\n[[agent]]\nname = \"busy\"\n",
        BASE.replace("[watchdog]", "[watchdog]\nstart_grace = 0\nrestart_burst = 50\nstorm_limit = 50")
    ));
    let spinner = "i=0; while sleep 0.5; do i=$((i+1)); printf '\\rworking (%ss)' $i; done";
    fleet.script("hung", &format!("exec {spinner}"));
    fleet.script("busy", &format!("exec while sleep 0.3; do head -c 3000000 /dev/zero; done >/dev/null & {spinner}"));
    fleet.up();
    fleet.wait("two restarts", |f| f.starts("hung") > 2);
    fleet.wait("it is said why the other is left alone", |f| {
        f.agents(&["explain", "busy"]).ok().out.contains("working, quiet work (")
    });
    let events = fleet.events();
    assert!(of(&events, "hung", "hung") >= 2, "{}", fleet.log());
    assert_eq!((fleet.starts("busy"), of(&events, "busy", "hung")), (1, 0), "{}", fleet.log());
}

#[test]
fn work_without_a_commit_is_told_once_until_there_is_one() {
    let fleet = Fleet::new("[[agent]]\nname = \"a\"\n");
    fleet.git(&fleet.project, &["init", "-q"]);
    fleet.script("a", "say hello\nbusy");
    fleet.config(&format!("{BASE}no_progress = 1\n[[agent]]\nname = \"a\"\n"));
    fleet.up();
    fleet.wait("it is told", |f| of(&f.events(), "a", "no-progress") == 1);
    fleet.ticks(5);
    assert_eq!(of(&fleet.events(), "a", "no-progress"), 1, "{}", fleet.log());
    fleet.git(
        &fleet.project,
        &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x"],
    );
    fleet.wait("it is told again", |f| of(&f.events(), "a", "no-progress") == 2);
    assert_eq!(fleet.starts("a"), 1);
}
