//! Makes a recorded decision again, and compares.
use super::{
    difference::{Difference, Strictness, differences},
    masking::Masking,
    read::Recorded,
    record::{Order, whole_state},
};
use crate::{
    decide::Decision,
    model::{action::Action, event::Event, time::utc_offset_at},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// What differs between a decision as it was recorded and as it was made now; nothing: they are the same.
pub fn compare(recorded: &Recorded, now: &Decision) -> serde_json::Result<Vec<Difference>> {
    // What the state before tells of who wrote which text holds for both.
    let masking = || -> serde_json::Result<Masking> {
        let mut masking = Masking::default();
        whole_state(&recorded.state, &mut masking)?;
        masking.written(&mut serde_json::to_value(&recorded.obs)?);
        Ok(masking)
    };
    let mut ours = masking()?;
    let state = whole_state(&now.state, &mut ours)?;
    let order = Order::of(now, &mut ours)?;
    let (actions, events) = (as_now::<Vec<Action>>(&recorded.actions), as_now::<Vec<Event>>(&recorded.events));
    let theirs = json!({
        "actions": actions, "events": events,
        "state": whole_state(&recorded.then, &mut masking()?)?, "wake_at": recorded.wake_at,
    });
    let ours = json!({ "actions": order.actions, "events": order.events, "state": state, "wake_at": now.wake_at });
    // Times of day in texts are those of the place where it was decided.
    let same_zone = utc_offset_at(recorded.now.wall) == recorded.now.utc_offset_s;
    let strictness = if same_zone { Strictness::Words } else { Strictness::Shape };
    Ok(differences(&theirs, &ours, strictness))
}

/// A value with the fields of this program: what it does not know is left out, what is new has its default.
fn as_now<T: DeserializeOwned + Serialize>(recorded: &Value) -> Value {
    let read = T::deserialize(recorded);
    read.and_then(serde_json::to_value).unwrap_or_else(|_| recorded.clone())
}
