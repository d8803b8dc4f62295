//! Much work and no commit: told once, until there is one.
use super::{Mind, unit::Spec};
use crate::model::{
    event::EventKind,
    policy::Agent,
    tally::Doing,
    time::{Wall, human},
};
use std::time::Duration;

const MARK: &str = "no-progress";

impl Mind<'_> {
    pub(super) fn progress(&mut self, agent: &Agent) {
        let limit = agent.backend.no_progress;
        if limit.is_zero() || !agent.is_watched() {
            return;
        }
        let (obs, now) = (self.obs, self.now);
        let unit = self.unit(Spec::Agent(agent));
        let tally = &mut unit.tally;
        let live = if tally.doing == Doing::Working { now.boot.since(tally.counted) } else { Duration::ZERO };
        let worked = tally.worked + live.as_millis() as u64;
        let committed = obs.files.committed.get(&agent.session).copied();
        if committed > tally.committed {
            tally.committed = committed;
            tally.worked_at_commit = worked;
            unit.alerted.remove(MARK);
            return;
        }
        let barren = Duration::from_millis(worked.saturating_sub(tally.worked_at_commit));
        if barren < limit || tally.doing != Doing::Working || !unit.alerted.insert(MARK.into()) {
            return;
        }
        let last = tally.committed.map(Wall::rfc3339);
        let data = serde_json::json!({ "worked_s": barren.as_secs(), "last_commit": last });
        let text = format!("{} ({}) has worked for {} without a commit", agent.name, agent.session, human(barren));
        self.tell_with(EventKind::NoProgress, Some(&agent.name), text, data, true);
    }

    /// A commit was pushed, by this agent or by nobody knows whom.
    pub(super) fn progressed(&mut self, by: Option<&str>) {
        let now = self.now;
        let policy = self.policy;
        for agent in policy.agents.iter().filter(|a| by.is_none_or(|name| name == a.name)) {
            if agent.backend.no_progress.is_zero() {
                continue;
            }
            let unit = self.unit(Spec::Agent(agent));
            let tally = &mut unit.tally;
            tally.count(now.boot);
            tally.worked_at_commit = tally.worked;
            tally.committed = tally.committed.max(Some(now.wall));
            unit.alerted.remove(MARK);
        }
    }
}
