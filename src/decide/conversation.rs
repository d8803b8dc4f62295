//! What an agent's own session file tells beside its screen: which conversation it is in, and when it worked last.
use super::Mind;
use crate::model::{
    own::{Conversation, OwnObs},
    time::Boot,
};

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
}
