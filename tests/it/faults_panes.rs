//! What happens to panes, trees and servers under a running watchdog.
use crate::fleet::{Fleet, signal};
use agents::world::process::{ProcId, Stat};
use rustix::process::Signal;
use std::process::Command;

const ONE: &str = "[[agent]]\nname = \"a\"\n";

/// The pids that the fake agent `name` left in sessions of their own.
fn children(f: &Fleet, name: &str) -> Vec<u32> {
    let text = std::fs::read_to_string(f.fake(name, "children")).unwrap_or_default();
    text.lines().filter_map(|l| l.parse().ok()).collect()
}

fn lives(pid: u32) -> bool {
    Stat::read(pid).is_some_and(|s| !s.is_over())
}

/// Until the watchdog has done this many more ticks.
fn ticks(f: &Fleet, count: usize) {
    let mut last = beat(f);
    let mut seen = 0;
    f.wait("more ticks", |f| {
        let now = beat(f);
        if now != last {
            last = now;
            seen += 1;
        }
        seen >= count
    });
}

fn beat(f: &Fleet) -> String {
    std::fs::read_to_string(f.project.join(".agents/state/t-agents.beat")).unwrap_or_default()
}

#[test]
fn fault_23_a_second_window_is_not_the_agent() {
    let f = Fleet::new(
        "[backend.cat]\nbin = \"cat\"\nprompt_delivery = \"exec\"\nprocess_name = \"cat\"\n\
         [backend.own]\nbin = \"exec {fake}\"\nprompt_delivery = \"exec\"\nprocess_name = \"sh\"\n\
         [[agent]]\nname = \"a\"\nbackend = \"own\"\n",
    );
    f.up();
    f.wait("the agent is there", |f| f.starts("a") == 1 && f.alive("a"));
    f.tmux(&["new-window", "-t", "=t-a:", "exec cat"]).ok();
    f.tmux(&["split-window", "-t", "=t-a:0", "exec cat"]).ok();
    ticks(&f, 6);
    assert_eq!(f.starts("a"), 1, "{}", f.log());
    assert_ne!(f.row("a")["command"], "cat");
    f.agents(&["send", "a", "for the agent"]).ok();
    f.wait("the text is in the agent's pane", |f| f.lines("a") == ["for the agent"]);
    // The agent's own pane with another backend's program is what the check is for.
    f.tell("a", "exec exec cat");
    f.wait("it is healed", |f| f.starts("a") == 2);
    assert_eq!(f.said("a (t-a) is 'cat', expected sh — kill + restart"), 1, "{}", f.log());
}

#[test]
fn fault_26_a_dead_pane_on_a_users_server_is_healed() {
    let f = Fleet::with(&format!("{}[tmux]\nserver = \"user\"\n{ONE}", crate::fleet::BASE));
    let user = |args: &[&str]| {
        let mut tmux = f.command(&[]);
        let env: Vec<_> = tmux.get_envs().filter_map(|(k, v)| Some((k.to_owned(), v?.to_owned()))).collect();
        tmux = Command::new("tmux");
        tmux.args(["-f", "/dev/null", "-L", "user"]).args(args).env_clear().envs(env);
        f.run(tmux)
    };
    user(&["new-session", "-d", "-s", "mine", "exec sleep 1000"]).ok();
    user(&["set-option", "-g", "remain-on-exit", "on"]).ok();
    user(&["set-window-option", "-g", "remain-on-exit", "on"]);
    f.up();
    f.wait("the agent is there", |f| f.starts("a") == 1 && f.alive("a"));
    f.kill("a");
    f.wait("it is started again", |f| f.starts("a") == 2 && f.alive("a"));
    assert_eq!(user(&["list-panes", "-t", "=t-a:", "-F", "#{pane_dead}"]).out.trim(), "0");
    f.agents(&["down"]).ok();
    assert!(!f.alive("a"));
    assert_eq!(user(&["list-sessions", "-F", "#{session_name}"]).out.trim(), "mine", "the user's own session stays");
    user(&["kill-server"]).ok();
}

#[test]
fn fault_27_a_killed_service_comes_back() {
    let f = Fleet::new("[[service]]\nname = \"web\"\ncommand = \"exec sleep 1000\"\n");
    f.up();
    f.wait("the service runs", |f| f.alive("web"));
    let first = f.row("web")["pid"].clone();
    let under = |shim: u64| {
        let all = f.processes().into_iter().filter_map(|p| Stat::read(p.pid));
        all.filter(|s| u64::from(s.parent) == shim).map(|s| s.pid).collect::<Vec<_>>()
    };
    let shim = first.as_u64().expect("a pid");
    f.wait("its program runs", |_| !under(shim).is_empty());
    under(shim).into_iter().for_each(|pid| signal(pid, Signal::KILL));
    f.wait("it is back", |f| f.alive("web") && f.row("web")["pid"] != first && f.row("web")["restarts"] == 1);
}

#[test]
fn fault_27_a_killed_tmux_server_costs_nothing_but_a_restart() {
    let f = Fleet::new(
        "[[agent]]\nname = \"a\"\n[[agent]]\nname = \"deaf\"\n[[service]]\nname = \"web\"\ncommand = \"exec sleep 1000\"\n",
    );
    f.script("deaf", "ignore HUP\nidle");
    f.up();
    f.wait("all run", |f| {
        ["a", "deaf", "web"].iter().all(|n| f.alive(n)) && f.starts("a") == 1 && f.starts("deaf") == 1
    });
    let (watchdog, old) = (f.watchdog(), [f.pid("a"), f.pid("deaf")]);
    f.tmux(&["kill-server"]).ok();
    f.wait("all are back", |f| {
        f.starts("a") == 2 && f.starts("deaf") == 2 && ["a", "deaf", "web"].iter().all(|n| f.alive(n))
    });
    assert_eq!(f.watchdog(), watchdog, "the watchdog lives outside of the server");
    f.wait("what ran before is gone", |_| !old.into_iter().any(lives));
    ticks(&f, 3);
    assert_eq!((f.starts("a"), f.starts("deaf")), (2, 2), "{}", f.log());
    assert_eq!(f.sessions().len(), 4, "{:?}", f.sessions());
    assert_eq!(f.events().iter().filter(|e| e["kind"] == "server-lost").count(), 1, "one incident: {}", f.log());
    // It is nobody's fault, so it does not count towards giving up.
    assert_eq!(f.row("a")["state"], "idle", "{}", f.row("a"));
}

#[test]
fn fault_32_nothing_survives_down_or_restart() {
    let f = Fleet::new("[[agent]]\nname = \"hup\"\n[[agent]]\nname = \"term\"\n");
    f.script("hup", "ignore HUP\nchild 1000\nidle");
    f.script("term", "ignore HUP TERM\nchild 1000\nidle");
    f.up();
    f.wait("both run", |f| ["hup", "term"].iter().all(|n| children(f, n).len() == 1 && f.alive(n)));
    let mut all = vec![f.pid("hup"), f.pid("term")];
    all.extend(["hup", "term"].iter().flat_map(|n| children(&f, n)));
    assert!(all.iter().all(|pid| lives(*pid)));
    f.agents(&["restart", "hup", "term"]).ok();
    f.wait("both are new", |f| f.starts("hup") == 2 && f.starts("term") == 2);
    assert!(!all.iter().any(|pid| lives(*pid)), "the restart left something behind");
    f.wait("their children are there", |f| ["hup", "term"].iter().all(|n| children(f, n).len() == 2));
    all = vec![f.pid("hup"), f.pid("term")];
    all.extend(["hup", "term"].iter().flat_map(|n| children(&f, n)));
    f.agents(&["down"]).ok();
    assert!(!all.iter().any(|pid| lives(*pid)), "`down` left something behind");
    assert_eq!(f.processes(), Vec::<ProcId>::new());
}

#[test]
fn fault_32_a_child_that_outlives_its_agent_is_ended_before_the_next_start() {
    let f = Fleet::new(ONE);
    f.script("a", "child 1000\nidle");
    f.up();
    f.wait("it runs", |f| children(f, "a").len() == 1);
    let child = children(&f, "a")[0];
    f.kill("a");
    f.wait("it is back", |f| f.starts("a") == 2);
    assert!(!lives(child), "a child of the first start still runs beside the second");
}

/// The socket's file is gone, the server and its agents live: they are found again, and no second fleet begins.
#[test]
fn a_removed_socket_is_no_dead_server() {
    let f = Fleet::new(ONE);
    f.up();
    f.wait("it runs", |f| f.starts("a") == 1 && f.alive("a"));
    let (server, pid) = (f.server(), f.pid("a"));
    let socket = f.status()["tmux_socket"].as_str().expect("a path").to_owned();
    std::fs::remove_file(&socket).expect("removed");
    ticks(&f, 3);
    // The watchdog's own connection lives on, but captures need the socket: the server is asked to make it anew.
    f.agents(&["send", "a", "still there?"]).ok();
    f.wait("it is typed", |f| f.lines("a") == ["still there?"]);
    std::fs::remove_file(&socket).expect("removed");
    f.agents(&["down", "watchdog"]).ok();
    f.up();
    f.wait("the agent is found", |f| f.alive("a"));
    ticks(&f, 3);
    assert_eq!((f.starts("a"), f.pid("a"), f.server()), (1, pid, server), "{}", f.log());
}
