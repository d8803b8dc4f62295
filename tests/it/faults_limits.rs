//! Faults of the usage-limit hold.
use crate::fleet::{BASE, Fleet};

#[test]
fn fault_03_real_probes_go_on_until_the_limit_is_over() {
    let base = BASE.replace("[watchdog]", "[watchdog]\nlimit_probe_fallback = 0.5\nlimit_probe_max = 0.5");
    let fleet = Fleet::with(&format!("{base}[[agent]]\nname = \"a\"\n"));
    fleet.script("a", "say usage limit reached\nidle");
    fleet.up();
    // Each probe stays on the screen, as chat programs do it, and stops none of those after it.
    fleet.wait("three probes arrive", |f| f.lines("a").len() >= 3);
    assert_eq!(fleet.state("a"), "limited");
    assert!(
        fleet.lines("a").iter().all(|l| l.starts_with("watchdog probe: if the quota window has reset")),
        "{:?}",
        fleet.lines("a")
    );
    assert_eq!(fleet.said("limit hit on a"), 1);
    fleet.tell("a", "clear\nsay fine again\nidle");
    fleet.wait("it is lifted", |f| f.said("limit lifted on a") == 1);
    let probes = fleet.lines("a").len();
    fleet.ticks(4);
    assert_eq!((fleet.starts("a"), fleet.lines("a").len()), (1, probes), "never rebooted, nobody asks any more");
}
