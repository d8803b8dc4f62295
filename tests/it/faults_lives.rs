//! A running fleet over time: clocks, holds, phases, logs, and a config that changes under it.
use crate::fleet::{BASE, Fleet};
use serde_json::Value;
use std::time::{Duration, Instant};

const ONE: &str = "[[agent]]\nname = \"a\"\n";

/// The watchdog goes on for this long.
fn for_seconds(f: &Fleet, seconds: f64) {
    let until = Instant::now() + Duration::from_secs_f64(seconds);
    f.wait("time passes", |_| Instant::now() >= until);
}

fn events(f: &Fleet, kind: &str) -> Vec<Value> {
    f.events().into_iter().filter(|e| e["kind"] == kind).collect()
}

#[test]
fn fault_20_wakes_come_and_go_with_the_config() {
    let f = Fleet::new(ONE);
    f.write("wake.md", "look\n  around  you\n");
    f.up();
    f.wait("it runs", |f| f.starts("a") == 1);
    let watchdog = f.watchdog();
    f.config(&format!("{BASE}{ONE}wake = {{ interval = 0.4, prompt_file = \"wake.md\" }}\n"));
    f.wait("it is woken", |f| f.lines("a").len() >= 2);
    assert!(f.lines("a").iter().all(|l| l == "look around you"), "{:?}", f.lines("a"));
    f.config(&format!("{BASE}{ONE}"));
    f.wait("the config is in force", |f| f.said("config changed") == 2);
    // One may be on its way.
    for_seconds(&f, 1.5);
    let count = f.lines("a").len();
    for_seconds(&f, 2.0);
    assert_eq!(f.lines("a").len(), count, "{}", f.log());
    f.config(&format!("{BASE}{ONE}wake = {{ interval = 0.4, prompt_file = \"nowhere.md\" }}\n"));
    f.wait("a missing prompt is said", |f| f.said("nowhere.md") > 0);
    assert_eq!((f.watchdog(), f.starts("a")), (watchdog, 1));
}

#[test]
fn fault_21_the_idle_clock_outlives_the_watchdog() {
    let base =
        BASE.replace("watch = \"heal\"", "watch = \"heal+stall\"").replace("stop_grace", "start_grace = 0\nstop_grace");
    let f = Fleet::with(&format!("{base}stall_idle = 4\n{ONE}"));
    f.up();
    f.wait("it is idle", |f| f.starts("a") == 1 && f.state("a") == "idle");
    let begun = Instant::now();
    // No watchdog lives for as long as the agent may be idle.
    while f.starts("a") == 1 {
        assert!(begun.elapsed() < Duration::from_secs(30), "never restarted\n{}", f.log());
        let up = Instant::now();
        f.wait("a while", |f| up.elapsed() > Duration::from_millis(700) || f.starts("a") > 1);
        f.agents(&["down", "watchdog"]).ok();
        f.agents(&["up", "watchdog"]).ok();
    }
    assert!(begun.elapsed() >= Duration::from_secs(2), "too early: {}", f.log());
    assert!(f.said("no WAITING-UNTIL marker — kill + reboot") == 1, "{}", f.log());
}

#[test]
fn fault_29_a_log_stays_below_its_cap() {
    let f = Fleet::new(&format!("[log]\nmax_size = \"1MB\"\n{ONE}"));
    f.script("a", "say THE-FIRST-LINE\nexec yes 'a line that is repeated often' | head -c 12000000; echo THE-LAST-LINE; exec sleep 1000");
    let total = || {
        let all = std::fs::read_dir(f.project.join(".agents")).into_iter().flatten().flatten();
        let mine = all.filter(|e| e.file_name().to_string_lossy().starts_with("t-a.log"));
        mine.filter_map(|e| e.metadata().ok()).map(|m| m.len()).sum::<u64>()
    };
    f.up();
    let mut most = 0;
    f.wait("the last line is logged", |f| {
        most = most.max(total());
        f.output("a").contains("THE-LAST-LINE")
    });
    assert!((100_000..=1_100_000).contains(&most.max(total())), "{most} bytes");
    let said = f.agents(&["logs", "a", "-n", "3"]).ok();
    assert!(said.out.contains("THE-LAST-LINE"), "{said:?}");
}

#[test]
fn fault_31_a_finished_sequence_begins_again_when_it_is_set_back() {
    let f = Fleet::new(
        "[[agent]]\nname = \"l\"\nkind = \"loop\"\nrole = \"l\"\n[[agent]]\nname = \"p\"\n\
         [loop]\nphases = [{ id = \"one\", status = \"S.md\" }]\n",
    );
    f.write("prompts/l.md", "work");
    f.write("S.md", "# Status\n\nworking\n");
    let marker = f.project.join(".agents/SEQUENCE-COMPLETE");
    f.up();
    f.wait("both run", |f| f.starts("l") == 1 && f.starts("p") == 1 && f.alive("l"));
    f.write("S.md", "# Status\n\n## DONE\n");
    f.wait("the sequence is complete", |f| marker.exists() && !f.alive("l"));
    assert!(f.alive("p"));
    let text = std::fs::read_to_string(&marker).expect("the marker");
    assert!(
        text.starts_with("phase sequence complete 20") && text.ends_with("Loops stopped; build finished.\n"),
        "{text}"
    );
    for_seconds(&f, 1.0);
    assert_eq!((f.starts("l"), f.said("PHASE SEQUENCE COMPLETE")), (1, 1), "{}", f.log());
    f.write("S.md", "# Status\n\nonce more\n");
    f.agents(&["phase", "set", "0"]).ok();
    f.agents(&["up", "l"]).ok();
    f.wait("it runs again", |f| f.starts("l") == 2 && f.alive("l"));
    assert!(!marker.exists());
    f.kill("l");
    f.wait("it is healed again", |f| f.starts("l") == 3 && f.alive("l"));
}

/// Each is raised once, with the event as JSON on stdin.
#[test]
fn alerts_are_raised_once_each() {
    let base = BASE.replace("stop_grace", "restart_burst = 2\nstop_grace");
    let toml = format!(
        "{base}waiting_re = '\\[y/n\\]'\n[alert]\ncommand = [\"sh\", \"-c\", \"cat >>{{root}}/alerts\"]\n\
         [[agent]]\nname = \"asks\"\n[[agent]]\nname = \"held\"\n[[agent]]\nname = \"falls\"\n"
    );
    let f = Fleet::with(&toml);
    f.script("asks", "dialog Really?\nidle");
    f.script("held", "say usage limit reached\nidle");
    f.script("falls", "exit 1");
    let alerts = || {
        let text = std::fs::read_to_string(f.root().join("alerts")).unwrap_or_default();
        let all: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).expect("JSON, one a line")).collect();
        all
    };
    let count = |kind: &str| alerts().iter().filter(|e| e["kind"] == kind).count();
    f.up();
    f.wait("three alerts", |_| ["waiting", "limited", "gave-up"].iter().all(|k| count(k) == 1));
    f.config("[defaults\nbroken");
    f.wait("the fault is said", |_| count("config-broken") == 1);
    for_seconds(&f, 1.0);
    f.agents(&["restart", "watchdog"]);
    for_seconds(&f, 1.0);
    for kind in ["waiting", "limited", "gave-up", "config-broken"] {
        assert_eq!(count(kind), 1, "{kind}: {:#?}\n{}", alerts(), f.log());
    }
    for event in alerts() {
        assert!(event["v"] == 1 && event["at"].is_string() && event["text"].is_string(), "{event}");
    }
    assert!(f.status()["faults"].as_array().is_some_and(|l| !l.is_empty()), "{}", f.status());
    f.config(&toml);
}

#[test]
fn an_alert_command_that_hangs_holds_up_nobody() {
    let f = Fleet::new(&format!("[alert]\ncommand = [\"sleep\", \"1000\"]\n{ONE}[[agent]]\nname = \"held\"\n"));
    f.script("held", "say usage limit reached\nidle");
    f.up();
    f.wait("an alert is on its way", |f| f.said("limit hit on held") == 1);
    for n in 2..=4 {
        let begun = Instant::now();
        f.kill("a");
        f.wait("it is back", |f| f.starts("a") == n);
        assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    }
    let begun = Instant::now();
    f.agents(&["down"]).ok();
    assert!(begun.elapsed() < Duration::from_secs(12), "`down` waited for it: {:?}", begun.elapsed());
}

#[test]
fn a_changed_command_is_an_event_and_an_alert_with_the_difference() {
    let alert = "[alert]\ncommand = [\"sh\", \"-c\", \"cat >>{root}/alerts\"]\n";
    let f = Fleet::new(&format!("{alert}{ONE}"));
    f.up();
    f.wait("it runs", |f| f.starts("a") == 1 && f.alive("a"));
    f.config(&format!("{BASE}{alert}{ONE}").replace("bin = \"{fake}\"", "bin = \"exec {fake}\""));
    f.wait("it is said", |f| events(f, "command-changed").len() == 1);
    let event = &events(&f, "command-changed")[0];
    assert!(event["data"]["before"].as_str().is_some_and(|b| b.starts_with("sh ")), "{event}");
    assert!(event["data"]["after"].as_str().is_some_and(|b| b.starts_with("exec sh ")), "{event}");
    f.wait("it is alerted", |f| {
        std::fs::read_to_string(f.root().join("alerts")).is_ok_and(|t| t.contains("command-changed"))
    });
    assert_eq!(f.starts("a"), 1, "what runs goes on");
}

#[test]
fn agents_come_and_go_with_the_config() {
    let f = Fleet::new("[[agent]]\nname = \"a\"\n[[agent]]\nname = \"b\"\n");
    f.up();
    f.wait("both run", |f| f.alive("a") && f.alive("b") && f.starts("a") == 1);
    f.config(&format!("{BASE}[[agent]]\nname = \"a\"\n[[agent]]\nname = \"c\"\n[[service]]\nname = \"web\"\ncommand = \"exec sleep 1000\"\n"));
    f.wait("the new ones run, the old one is gone", |f| {
        f.alive("c") && f.alive("web") && !f.sessions().contains(&"t-b".to_owned())
    });
    assert_eq!(f.said("b is no longer in the config — killing t-b"), 1, "{}", f.log());
    assert_eq!((f.starts("a"), f.starts("c")), (1, 1));
    f.config(&format!("{BASE}[[agent]]\nname = \"a\"\n[[agent]]\nname = \"b\"\n"));
    f.wait("it is back", |f| f.starts("b") == 2 && f.alive("b"));
    f.wait("the others are gone", |f| f.sessions().len() == 3);
    assert_eq!(f.starts("a"), 1);
}
