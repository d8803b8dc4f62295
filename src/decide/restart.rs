//! How soon a dead unit starts again (promises G1 and G2).
use crate::model::{
    policy::Watchdog,
    state::Restarts,
    time::{Boot, Now},
};
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

/// When to start again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    After(Duration),
    /// The budget is spent just now.
    GiveUp,
    /// It was spent before, and the slow retry died too.
    StillGivenUp,
}

/// A unit that was not restarted within the window starts at once; then after 1 s, 2 s, 4 s … up to the cap, each
/// within ±10 %; more than the budget gives up.
pub fn verdict(past: &Restarts, rules: &Watchdog, session: &str, now: Now) -> Verdict {
    if past.gave_up {
        return Verdict::StillGivenUp;
    }
    let recent = past.recent.iter().filter(|at| now.boot.since(**at) < rules.restart_window).count() as u32;
    if recent >= rules.restart_burst {
        return Verdict::GiveUp;
    }
    Verdict::After(match recent {
        0 => Duration::ZERO,
        n => jittered(delay(n - 1, rules), session, past.total),
    })
}

/// The n-th growing delay, without jitter.
pub fn delay(n: u32, rules: &Watchdog) -> Duration {
    let factor = 1u32.checked_shl(n).filter(|_| n < 31).unwrap_or(u32::MAX);
    rules.restart_delay.checked_mul(factor).unwrap_or(rules.restart_delay_max).min(rules.restart_delay_max)
}

/// ±10 %, the same for the same unit and attempt.
pub fn jittered(d: Duration, session: &str, attempt: u32) -> Duration {
    let mut hasher = DefaultHasher::new();
    (session, attempt).hash(&mut hasher);
    let permille = 900 + (hasher.finish() % 201) as u32;
    d * permille / 1000
}

/// Notes a restart and forgets those that left the window.
pub fn note(past: &mut Restarts, rules: &Watchdog, at: Boot) {
    past.recent.retain(|then| at.since(*then) < rules.restart_window);
    past.recent.push(at);
    past.total += 1;
}
