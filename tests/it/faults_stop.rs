//! Faults of stopping.
use crate::fleet::{BASE, Fleet};

#[test]
fn fault_09_down_leaves_no_survivor_of_thirty() {
    let mut toml = BASE.replace("{fake}", "exec sleep 1000").replace("0.3", "0.2");
    for i in 0..30 {
        toml += &format!("[[agent]]\nname = \"a{i}\"\n");
    }
    let fleet = Fleet::with(&toml);
    for round in 0..2 {
        fleet.up();
        fleet.wait("the watchdog is at work", |f| f.said("watchdog up") == round + 1);
        let said = fleet.agents(&["down"]).ok();
        assert_eq!(said.out.matches("killing t-a").count(), 30, "{}", said.out);
        fleet.wait("nothing of it is left", |f| f.processes().is_empty());
        assert_eq!(fleet.status()["watchdog"]["running"], false);
    }
    let again = fleet.agents(&["down"]).ok();
    assert!(!again.out.contains("killing"), "{}", again.out);
}

#[test]
fn fault_09_down_of_one_agent_stays() {
    let fleet = Fleet::new("[[agent]]\nname = \"a\"\n[[agent]]\nname = \"b\"\n");
    fleet.up();
    fleet.wait("both run", |f| f.starts("a") + f.starts("b") == 2);
    fleet.agents(&["down", "a"]).ok();
    fleet.ticks(4);
    assert_eq!((fleet.starts("a"), fleet.state("a"), fleet.starts("b")), (1, "stopped".into(), 1));
    // A new watchdog keeps to it, too.
    fleet.agents(&["restart", "watchdog"]).ok();
    fleet.ticks(3);
    assert_eq!((fleet.starts("a"), fleet.state("a")), (1, "stopped".into()));
    fleet.up();
    fleet.wait("`up` covers it", |f| f.starts("a") == 2 && f.alive("a"));
    assert_eq!(fleet.starts("b"), 1);
}
