//! The two clocks, read together.
use super::zones;
use crate::model::time::{Boot, Now, Wall, utc_offset_at};
use rustix::time::{ClockId, clock_gettime};
use std::time::{SystemTime, UNIX_EPOCH};

/// Wall time alone, without a look at the time zone.
pub fn wall() -> Wall {
    Wall(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or_else(|before| -(before.duration().as_millis() as i64), |d| d.as_millis() as i64),
    )
}

/// This moment on both clocks.
pub fn now() -> Now {
    let (boot, wall) = (boot(), wall());
    let zones = zones::current(boot);
    let utc_offset_s = zones.utc_offset_at(wall.0).unwrap_or_else(|| utc_offset_at(wall));
    Now { boot, wall, utc_offset_s, zones }
}

/// This moment for who asks for no time zone: their rules stay on the disk, and local is what UTC is.
pub fn moment() -> Now {
    Now { boot: boot(), wall: wall(), ..Now::default() }
}

/// CLOCK_BOOTTIME alone: cheaper than [`now`], for deadlines.
pub fn boot() -> Boot {
    let t = clock_gettime(ClockId::Boottime);
    Boot(t.tv_sec as u64 * 1000 + t.tv_nsec as u64 / 1_000_000)
}

/// Names one run of the machine: [`Boot`] values of another run mean nothing. `AGENTS_BOOT_ID` stands in for the
/// kernel's. Empty if the kernel tells none.
pub fn boot_id() -> String {
    std::env::var("AGENTS_BOOT_ID")
        .or_else(|_| std::fs::read_to_string("/proc/sys/kernel/random/boot_id"))
        .map(|id| id.trim().to_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn both_clocks_go_forward_together() {
        let a = super::now();
        let b = super::now();
        assert!(b.boot >= a.boot);
        assert!(a.wall.0 > 1_600_000_000_000, "epoch milliseconds: {:?}", a.wall);
    }
}
