//! Whether a program has come to rest since a key was sent to it.
//!
//! That it has read a key is not yet that it has acted on it: on a busy machine seconds lie between the two, in which the
//! text still stands in the input line. A second key then is read before the first one's work is done, and Gemini CLI
//! submits the text twice.
use crate::{
    model::{
        delivery::{Delivery, Stage},
        observation::Observation,
        state::State,
        time::{Boot, Now},
    },
    world::process::{ProcId, wanted_processor},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Less time than this between two samples says nothing.
const SHORTEST: Duration = Duration::from_millis(150);

struct Sample {
    at: Boot,
    wanted: Option<Duration>,
    unsettled: bool,
}

/// The last samples of the sessions in which a text is being typed or submitted.
#[derive(Default)]
pub(super) struct Settling(BTreeMap<String, Sample>);

impl Settling {
    /// Those of them whose program ran, or stood in line for a processor, for half of the time or more since it was last
    /// looked at; and those that are looked at for the first time.
    pub(super) fn look(&mut self, obs: &Observation, state: &State, now: Now) -> BTreeSet<String> {
        let is_typed = |d: &&Delivery| matches!(d.stage, Stage::Typing { .. } | Stage::Submitting { .. });
        let typed: BTreeSet<&String> = state.deliveries.values().filter(is_typed).map(|d| &d.session).collect();
        self.0.retain(|session, _| typed.contains(session));
        for session in &typed {
            let Some(pane) = obs.panes.get(*session).filter(|p| p.pid_start != 0) else { continue };
            self.sample((*session).clone(), now.boot, || {
                wanted_processor(ProcId { pid: pane.pid, start: pane.pid_start })
            });
        }
        self.0.iter().filter(|(_, sample)| sample.unsettled).map(|(session, _)| session.clone()).collect()
    }

    fn sample(&mut self, session: String, now: Boot, wanted: impl FnOnce() -> Option<Duration>) {
        let last = self.0.get(&session);
        if last.is_some_and(|last| now.since(last.at) < SHORTEST) {
            return;
        }
        let wanted = wanted();
        let unsettled = match (last, wanted) {
            // Where it cannot be told, the screen alone decides.
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(last), Some(wanted)) => {
                last.wanted.is_none_or(|before| wanted.saturating_sub(before) * 2 >= now.since(last.at))
            }
        };
        self.0.insert(session, Sample { at: now, wanted, unsettled });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(samples: &[(u64, Option<u64>)]) -> Option<bool> {
        let mut settling = Settling::default();
        for (at, wanted) in samples {
            settling.sample("p-a".into(), Boot(*at), || wanted.map(Duration::from_millis));
        }
        settling.0.get("p-a").map(|sample| sample.unsettled)
    }

    #[test]
    fn rest_is_what_was_seen_to_be_rest() {
        assert_eq!(after(&[(1000, Some(70))]), Some(true), "one look shows nothing");
        assert_eq!(after(&[(1000, Some(70)), (1500, Some(80))]), Some(false));
        assert_eq!(after(&[(1000, Some(70)), (1500, Some(320))]), Some(true), "half of the time");
        assert_eq!(after(&[(1000, Some(70)), (1500, Some(320)), (2000, Some(321))]), Some(false), "over");
        assert_eq!(after(&[(1000, Some(70)), (1100, Some(70))]), Some(true), "too soon to say");
        assert_eq!(after(&[(1000, None)]), Some(false), "it cannot be told");
        assert_eq!(after(&[(1000, None), (1500, Some(70))]), Some(true), "it can, from now on");
    }
}
