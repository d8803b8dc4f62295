//! Whether a process tree does anything: two looks at what it has used, some time apart. It is looked at only where the
//! answer decides something: the moment of the next look is a deadline in the state.
use super::{Mind, looks::SECOND_LOOK, unit::Spec};
use crate::model::{
    observation::TreeUse,
    policy::{Agent, StallAction},
    state::{QuietWork, TreeLook},
    time::Boot,
};
use std::time::Duration;

/// Between two looks at the least: what the kernel counts is exact to 10 ms.
const SHORTEST: Duration = Duration::from_millis(100);

/// What a process tree did between two looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Did {
    /// To be seen at a later look.
    Later,
    Nothing,
    /// In words, for people.
    Something(String),
    /// It could not be looked at.
    Unseen,
}

/// How little is nothing.
#[derive(Clone, Copy)]
pub(super) struct Allowance {
    /// Thousandths of a core.
    pub cpu: u64,
    /// Bytes a second.
    pub io: u64,
}

impl Mind<'_> {
    /// What its tree did from `first` on until `due` or later. To be asked at every look at the agent.
    pub(super) fn tree(&mut self, agent: &Agent, first: Boot, due: Boot, allowance: Allowance) -> Did {
        let obs = self.obs;
        let now = self.now.boot;
        let span = due.since(first).max(SHORTEST);
        let sight = &mut self.unit(Spec::Agent(agent)).sight;
        let was_due = sight.tree_due.is_some_and(|at| at <= now);
        let usage = obs.usage.get(&agent.session);
        let next = sight.tree.as_ref().map_or(first, |look| due.max(look.at.after(span)));
        if now < next {
            sight.tree_due = Some(next);
            return Did::Later;
        }
        let Some(usage) = usage else {
            // Asked for and not there, or to be asked for at the very next look.
            if was_due {
                sight.tree_due = Some(now.after(span));
                return Did::Unseen;
            }
            sight.tree_due.get_or_insert(now);
            return Did::Later;
        };
        let Some(before) = &sight.tree else {
            sight.tree_due = Some(due.max(now.after(span)));
            sight.tree = Some(TreeLook { at: now, usage: usage.clone() });
            return Did::Later;
        };
        match work(&before.usage, usage, now.since(before.at), allowance) {
            None => {
                sight.tree_due = Some(now.after(SECOND_LOOK));
                Did::Nothing
            }
            Some(what) => {
                sight.tree_due = Some(now.after(span));
                sight.tree = Some(TreeLook { at: now, usage: usage.clone() });
                Did::Something(what)
            }
        }
    }

    /// Nothing comes of what was seen for now.
    pub(super) fn tree_again(&mut self, agent: &Agent, pause: Duration) {
        let due = self.now.after(pause.max(SHORTEST));
        self.unit(Spec::Agent(agent)).sight.tree_due = Some(due);
    }

    /// Nobody looked for a while: what was seen before is no evidence for that time.
    pub(super) fn looks_again(&mut self, agent: &Agent) {
        let now = self.now.boot;
        let nudges = agent.backend.stall_action == StallAction::Nudge;
        let sight = &mut self.unit(Spec::Agent(agent)).sight;
        sight.spin = None;
        (sight.tree, sight.tree_due, sight.quiet_work) = (None, None, None);
        if let Some(over) = sight.nudged.as_mut().and_then(|n| n.over.as_mut()) {
            *over = now;
        }
        if let Some(idle_since) = sight.idle_since.as_mut().filter(|_| nudges) {
            *idle_since = now;
        }
    }

    /// It stands still no more, or in another way.
    pub(super) fn forget_tree(&mut self, agent: &Agent) {
        let sight = &mut self.unit(Spec::Agent(agent)).sight;
        (sight.tree, sight.tree_due, sight.quiet_work) = (None, None, None);
    }

    /// For `status` and `explain`: why nothing is done about it.
    pub(super) fn works_quietly(&mut self, agent: &Agent, what: String) {
        let wall = self.now.wall;
        let sight = &mut self.unit(Spec::Agent(agent)).sight;
        let since = sight.quiet_work.as_ref().map_or(wall, |work| work.since);
        sight.quiet_work = Some(QuietWork { since, what });
    }
}

/// What it did, if it was more than nothing.
fn work(before: &TreeUse, now: &TreeUse, time: Duration, allowance: Allowance) -> Option<String> {
    let ms = (time.as_millis() as u64).max(1);
    // Less than before: somebody ended whom nobody waited for.
    let Some(cpu) = now.cpu_ms.checked_sub(before.cpu_ms) else { return Some("its processes come and go".into()) };
    let permille = cpu * 1000 / ms;
    // One tick of the kernel's clock may fall into any span.
    if permille >= allowance.cpu && cpu > 10 {
        return Some(format!("CPU {}.{} % of a core", permille / 10, permille % 10));
    }
    let per_second = now.io_bytes.checked_sub(before.io_bytes)? * 1000 / ms;
    (per_second >= allowance.io).then(|| format!("{} kB/s read and written", per_second / 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(cpu_ms: u64, io_bytes: u64) -> TreeUse {
        TreeUse { cpu_ms, io_bytes, ..TreeUse::default() }
    }

    #[test]
    fn under_one_percent_is_nothing() {
        let allowance = Allowance { cpu: 10, io: 1000 };
        let minute = Duration::from_secs(60);
        let work = |cpu: u64, io: u64| work(&used(1000, 1000), &used(1000 + cpu, 1000 + io), minute, allowance);
        assert_eq!(work(0, 0), None);
        assert_eq!(work(300, 0), None, "half a percent");
        assert_eq!(work(1200, 0).as_deref(), Some("CPU 2.0 % of a core"));
        assert_eq!(work(0, 59_000), None);
        assert_eq!(work(0, 600_000).as_deref(), Some("10 kB/s read and written"));
        assert!(super::work(&used(9, 9), &used(1, 9), minute, allowance).is_some());
        assert_eq!(super::work(&used(0, 0), &used(10, 0), Duration::from_millis(200), allowance), None);
    }
}
