//! What only looks, or acts once: `status --watch`, `watchdog --once`, `events --since`; and settings whose effect only a
//! real start shows.
use crate::fleet::{BASE, Fleet};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::mpsc::channel,
};

#[test]
fn a_watched_status_has_a_line_for_every_change() {
    let f = Fleet::new("[[agent]]\nname = \"a\"\n");
    f.up();
    f.wait("it runs", |f| f.state("a") == "idle");
    let mut child = f.command(&["status", "--watch", "--json"]).stdout(Stdio::piped()).spawn().expect("it starts");
    let (sender, lines) = channel();
    let out = BufReader::new(child.stdout.take().expect("a pipe"));
    let reader = std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|l| sender.send(l)).is_ok());
    let mut states = Vec::new();
    let mut see = |state: &str| {
        f.wait(state, |_| {
            states.extend(lines.try_iter().map(|l| serde_json::from_str::<Value>(&l).expect("JSON")));
            states.last().is_some_and(|s| s["v"] == 1 && s["agents"][0]["state"] == state)
        });
    };
    see("idle");
    f.agents(&["pause", "a"]).ok();
    see("paused");
    f.agents(&["resume", "a"]).ok();
    see("idle");
    f.agents(&["down", "a"]).ok();
    see("stopped");
    child.kill().expect("it is ended");
    child.wait().expect("a child of ours");
    reader.join().expect("a reader");
    assert!(states.windows(2).all(|pair| pair[0] != pair[1]), "a line is news");
    let detailed = f.agents(&["status", "--detailed"]).ok().out;
    assert!(detailed.contains("last exit signal 15"), "{detailed}");
}

/// As people do it who watched the old driver: a terminal of theirs shows an agent, or the watchdog's log.
#[test]
fn an_agent_and_the_log_of_the_watchdog_are_shown_in_a_terminal() {
    let f = Fleet::new("[[agent]]\nname = \"a\"\n");
    f.script("a", "say here I am\nidle");
    let user = |args: &[&str]| {
        let agents = f.command(&[]);
        let env = agents.get_envs().filter_map(|(k, v)| Some((k.to_owned(), v?.to_owned())));
        let mut tmux = Command::new("tmux");
        tmux.args(["-f", "/dev/null"]).args(args).current_dir(&f.project).env_clear().envs(env);
        f.run(tmux)
    };
    f.up();
    // At once: the watchdog may not have made its session yet.
    for (name, text) in [("watchdog", "watchdog up — phase=-"), ("a", "here I am")] {
        let line = format!("exec '{}' attach {name}", env!("CARGO_BIN_EXE_agents"));
        user(&["new-session", "-d", "-x", "150", "-y", "20", "-s", name, &line]).ok();
        f.wait("it is shown", |_| user(&["capture-pane", "-p", "-t", &format!("={name}:")]).out.contains(text));
    }
    user(&["send-keys", "-t", "=a:", "by hand", "Enter"]).ok();
    f.wait("what is typed there arrives", |f| f.lines("a") == ["by hand"]);
    user(&["kill-server"]).ok();
    f.ticks(2);
    assert_eq!((f.starts("a"), f.alive("a")), (1, true), "it goes on");
}

#[test]
fn one_pass_of_the_watchdog_heals_and_goes() {
    let f = Fleet::new("[[agent]]\nname = \"a\"\n[[agent]]\nname = \"b\"\n");
    f.agents(&["up", "a"]).ok();
    f.wait("it runs", |f| f.starts("a") == 1 && f.alive("a"));
    f.kill("a");
    f.wait("nobody heals it", |f| !f.alive("a"));
    f.agents(&["watchdog", "--once", "--dry-run"]).ok();
    assert_eq!(f.starts("a"), 1, "a rehearsal does nothing");
    f.wait("one pass starts it", |f| f.agents(&["watchdog", "--once"]).ok().code == 0 && f.alive("a"));
    assert_eq!(f.status()["watchdog"]["running"], false);
    f.up();
    assert_ne!(f.agents(&["watchdog", "--once"]).code, 0, "one is enough");
}

#[test]
fn events_are_chosen_by_number_time_and_agent() {
    let f = Fleet::new("[[agent]]\nname = \"a\"\n[[agent]]\nname = \"b\"\n");
    f.up();
    f.wait("both run", |f| f.starts("a") == 1 && f.starts("b") == 1);
    let lines = |args: &[&str]| -> Vec<Value> {
        let out = f.agents(&[&["events", "--json"], args].concat()).ok().out;
        out.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect()
    };
    let all = lines(&["--since", "1h"]);
    assert!(all.len() >= 3 && all.windows(2).all(|p| p[0]["seq"].as_u64() < p[1]["seq"].as_u64()), "{all:?}");
    assert!(all.iter().all(|e| ["v", "seq", "at", "kind", "text", "data"].iter().all(|k| e.get(k).is_some())));
    assert_eq!(lines(&["-n", "1"]), all[all.len() - 1..]);
    assert!(!lines(&["--agent", "b"]).is_empty() && lines(&["--agent", "b"]).iter().all(|e| e["agent"] == "b"));
    assert_eq!(lines(&["--since", "2099-01-01"]), Vec::<Value>::new());
    assert_eq!(f.agents(&["events", "--since", "soon"]).code, 2);
}

#[test]
fn a_service_is_explained_like_an_agent() {
    let f = Fleet::new("[[service]]\nname = \"srv\"\ncommand = \"exec no-such-program-here\"\n");
    f.up();
    f.wait("it gave up", |f| f.status()["services"][0]["state"] == "gave-up");
    let text = f.agents(&["explain", "srv"]).ok().out;
    for part in ["srv: gave-up", "exit code 127", "command not found", "`agents up srv`"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let json: Value = serde_json::from_str(&f.agents(&["explain", "srv", "--json"]).ok().out).expect("JSON");
    assert_eq!((&json["v"], &json["name"], &json["state"]), (&1.into(), &"srv".into(), &"gave-up".into()));
    assert!(json["next_at"].is_string() && json["blocker"].is_string(), "{json}");
    let said = f.agents(&["resume", "srv"]).ok().out;
    assert!(said.contains("srv is not paused"), "{said}");
}

#[test]
fn agents_see_only_the_variables_that_are_allowed() {
    let rules = "[env]\nallow = [\"PATH\", \"FAKE_*\", \"MY_*\"]\ndeny = [\"MY_SECRET\"]\n[[agent]]\nname = \"a\"\n";
    let f =
        Fleet::with(&format!("{BASE}{rules}").replace("bin = \"{fake}\"", "bin = \"env >{root}/seen; exec {fake}\""));
    let mut up = f.command(&["up"]);
    up.env("MY_WORD", "yes").env("MY_SECRET", "no").env("OTHER", "no");
    f.run(up).ok();
    f.wait("it runs", |f| f.starts("a") == 1);
    let seen = || fs::read_to_string(f.root().join("seen")).expect("an environment");
    let has = |line: &str| seen().lines().any(|l| l == line);
    let rules_hold = || has("MY_WORD=yes") && has("AGENTS_NAME=a") && !seen().contains("SECRET") && !has("OTHER=no");
    assert!(rules_hold(), "{}", seen());
    f.kill("a");
    f.wait("it is back", |f| f.starts("a") == 2);
    assert!(rules_hold(), "{}", seen());
}

#[test]
fn with_manual_reload_a_changed_command_waits_for_a_person() {
    let base = BASE.replace("[watchdog]", "[watchdog]\nreload = \"manual\"");
    let agent = "[[agent]]\nname = \"a\"\n";
    let f = Fleet::with(&format!("{base}{agent}"));
    f.up();
    f.wait("it runs", |f| f.starts("a") == 1);
    f.config(&format!("{base}{agent}").replace("bin = \"{fake}\"", "bin = \"touch {root}/changed; exec {fake}\""));
    f.wait("it is said", |f| f.said("config changed what runs") == 1);
    f.kill("a");
    f.wait("it is back", |f| f.starts("a") == 2);
    assert!(!f.root().join("changed").exists(), "as it was");
    f.agents(&["restart", "a"]).ok();
    f.wait("a person asked for it", |f| f.root().join("changed").exists() && f.starts("a") == 3);
}

/// `footer_ui`: a log that grows is activity, until it has not grown for `log_grace`.
#[test]
fn a_growing_log_is_work_for_a_footer_ui() {
    let backend = "[backend.foot]\nbin = \"{fake}\"\nprompt_delivery = \"exec\"\nfooter_ui = true\nlog_grace = 2\n";
    let f = Fleet::new(&format!("{backend}[[agent]]\nname = \"a\"\nbackend = \"foot\"\n"));
    f.script("a", "rate 5 1000");
    f.up();
    f.wait("it works", |f| f.state("a") == "working");
    f.tell("a", "idle");
    f.wait("it rests", |f| f.state("a") == "idle");
}
