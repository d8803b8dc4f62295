//! What an agent's own session file tells beside its screen: which conversation it is in, and when it worked last.
use super::Mind;
use crate::model::{
    own::{Conversation, OwnObs},
    policy::{Prompt, PromptDelivery},
    state::Life,
    time::Boot,
    transcript::Program,
};
use std::time::Duration;

/// A first message that was not seen within this may have been left out by the program, or is kept elsewhere.
const BEGINNING: Duration = Duration::from_secs(20);

impl Mind<'_> {
    /// What was seen of the program that runs now.
    pub(super) fn own(&self, session: &str) -> Option<&OwnObs> {
        let own = self.obs.own.get(session)?;
        self.state.units.get(session).is_some_and(|u| u.incarnation == own.incarnation).then_some(own)
    }

    /// Remembers which conversation each agent is in: its next start takes it up.
    pub(super) fn conversations(&mut self) {
        let obs = self.obs;
        for (session, own) in &obs.own {
            let Some(unit) = self.state.units.get_mut(session) else { continue };
            let Some(whose) = &own.conversation else { continue };
            let known = unit.conversation.as_ref().is_some_and(|c| c.whose == *whose);
            if unit.incarnation == own.incarnation && !known {
                unit.conversation = Some(Conversation { whose: whose.clone(), since: self.now.wall });
            }
        }
    }

    /// The model or a tool wrote something later than `since`: it is work, whatever the screen shows.
    pub(super) fn worked_since(&self, session: &str, since: Boot) -> Option<Boot> {
        let ago = self.now.wall.0 - self.own(session)?.worked?.0;
        // The wall clock was set back: nobody can tell when that was.
        let ago = u64::try_from(ago).ok()?;
        let at = Boot(self.now.boot.0.saturating_sub(ago));
        (at > since).then_some(at)
    }

    /// Its session file shows the first message of this start, or it has had time enough. A program that draws its input
    /// line before it takes the message of its command line drops what is typed in between.
    pub(super) fn has_begun(&self, session: &str) -> bool {
        let Some(agent) = self.policy.agents.iter().find(|a| a.session == session) else { return true };
        let Some(unit) = self.state.units.get(session) else { return true };
        let Life::Running { since } = unit.life else { return true };
        let backend = self.policy.backend_of(agent, unit.started_with.as_deref());
        let told = backend.delivery == PromptDelivery::Arg && agent.prompt != Prompt::Empty;
        let kept = Program::of(backend.reader.preset.as_deref(), &backend.bin).is_some();
        if !(told && kept) || self.now.boot.since(since) >= BEGINNING {
            return true;
        }
        let started = unit.pane.as_ref().and_then(|p| p.started).unwrap_or(self.now.wall_at(since));
        self.own(session).and_then(|own| own.asked).is_some_and(|at| at >= started)
    }
}
