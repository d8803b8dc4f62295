//! A screen that says that work is under way and shows nothing new, and processes that do nothing but draw it: two
//! channels. It is restarted. A tool that runs is given longer: it may wait for something.
use super::{
    Mind,
    tree::{Allowance, Did},
    unit::Spec,
};
use crate::model::{
    event::EventKind,
    policy::{Agent, Quiet},
    reading::Reading,
    state::Spin,
    time::{Boot, human},
};

/// A tool that does nothing at all is waited for so many times as long.
const TOOL: u32 = 6;

impl Mind<'_> {
    /// `working`: by its screen, and nothing else has a claim on it.
    pub(super) fn hang(&mut self, agent: &Agent, reading: &Reading, working: bool) {
        let spec = Spec::Agent(agent);
        let timeout = agent.backend.hang_timeout;
        if !working || timeout.is_zero() {
            if self.unit(spec).sight.spin.take().is_some() {
                self.forget_tree(agent);
            }
            return;
        }
        let now = self.now.boot;
        let Some(since) = self.unchanged(agent, reading.still) else { return };
        if let Some(at) = self.worked_since(&agent.session, since) {
            return self.spins_since(agent, at);
        }
        let quiet = Quiet::of(agent.backend.reader.preset.as_deref());
        let allowance = Allowance { cpu: quiet.spinner_cpu, io: quiet.io };
        match self.tree(agent, since.after(timeout / 2), since.after(timeout), allowance) {
            Did::Later | Did::Unseen => {}
            Did::Something(what) => self.works_quietly(agent, what),
            Did::Nothing => {
                let still = now.since(since);
                // Whatever comes of it: not at every look.
                self.tree_again(agent, timeout / 2);
                if still < timeout * TOOL && self.runs_a_tool(agent) {
                    return self.works_quietly(agent, "a process that it started in this turn".into());
                }
                let text = format!(
                    "hang: {} ({}) shows nothing new for {} under its spinner, and its processes do nothing else — kill + restart",
                    agent.name,
                    agent.session,
                    human(still)
                );
                self.restart_live(spec, EventKind::Hung, &text, true);
            }
        }
    }

    /// Since when it shows what it shows. `None`: it has just changed, or may have.
    fn unchanged(&mut self, agent: &Agent, still: u64) -> Option<Boot> {
        let now = self.now.boot;
        let sight = &mut self.unit(Spec::Agent(agent)).sight;
        let began = sight.spin.as_ref().map_or(now, |spin| spin.began);
        let since = match &mut sight.spin {
            Some(spin) if spin.still == still => {
                spin.other = None;
                return Some(spin.since);
            }
            // One look alone may have come in the middle of a repaint.
            Some(spin) if spin.other.is_none() => {
                spin.other = Some(now);
                return None;
            }
            Some(spin) => spin.other.unwrap_or(now),
            None => now,
        };
        sight.spin = Some(Spin { began, still, since, other: None });
        self.forget_tree(agent);
        let due = now.after(agent.backend.hang_timeout / 2);
        self.unit(Spec::Agent(agent)).sight.tree_due = Some(due);
        None
    }

    /// Its session file shows progress that its screen does not.
    fn spins_since(&mut self, agent: &Agent, at: Boot) {
        if let Some(spin) = &mut self.unit(Spec::Agent(agent)).sight.spin {
            spin.since = at;
        }
        self.forget_tree(agent);
        self.unit(Spec::Agent(agent)).sight.tree_due = Some(at.after(agent.backend.hang_timeout / 2));
    }

    /// A process that began with this turn or later, and lived all the time between the two looks.
    fn runs_a_tool(&self, agent: &Agent) -> bool {
        let Some(sight) = self.state.units.get(&agent.session).map(|u| &u.sight) else { return false };
        let (Some(look), Some(spin), Some(now)) = (&sight.tree, &sight.spin, self.obs.usage.get(&agent.session)) else {
            return false;
        };
        // What draws the screen is older than the first look at it.
        let long = |pid: &u32, start: &Boot| look.usage.processes.get(pid) == Some(start);
        now.processes.iter().any(|(pid, start)| *start > spin.began && long(pid, start))
    }
}
