//! What the fleet as a whole went through: times without a watchdog, phases, incidents, other alerts.
use super::{
    agent::moment,
    data::{Gap, PhaseDone, Told},
    spans::Window,
};
use crate::model::{
    event::{Event, EventKind},
    name::printable,
    time::Wall,
};

/// Why nobody looked.
pub const STOPPED: &str = "stopped";
pub const DIED: &str = "it ended without a word";
pub const SLEPT: &str = "the machine slept, or the watchdog was stopped";

/// Times without a watchdog. `beat`: its last tick, if none runs now.
pub fn gaps(events: &[Event], window: Window, now_without: Option<Option<Wall>>) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = Vec::new();
    // Up, or down since then.
    let mut down: Option<Wall> = None;
    // Who looked so long ago that no event is left of that time was stopped, for all that is known.
    let first = events.first().map(|e| e.at);
    let since = |down: Option<Wall>, seen: Option<Wall>| match (down, seen) {
        (Some(at), _) => Some((at, STOPPED)),
        (None, Some(seen)) if first.is_some_and(|first| first <= seen) => Some((seen, DIED)),
        (None, seen) => seen.map(|seen| (seen, STOPPED)),
    };
    for event in events.iter().filter(|e| e.kind == EventKind::Watchdog) {
        let data = &event.data;
        if let (Some(from), Some(until)) = (moment(&data["gap"]["from"]), moment(&data["gap"]["until"])) {
            gaps.push(Gap { from, until: Some(until), reason: SLEPT.into() });
        } else if data["up"] == false {
            down = Some(event.at);
        } else if data["up"] == true
            && let Some((from, reason)) = since(down.take(), moment(&data["seen"]))
        {
            let reason = data["last"].as_str().filter(|_| reason == DIED).unwrap_or(reason);
            gaps.push(Gap { from, until: Some(event.at), reason: printable(reason) });
        }
    }
    if let Some(beat) = now_without
        && let Some((from, reason)) = since(down, beat)
    {
        gaps.push(Gap { from, until: None, reason: reason.into() });
    }
    cut(gaps, window)
}

/// To the window, in order, and none over another.
fn cut(mut gaps: Vec<Gap>, window: Window) -> Vec<Gap> {
    gaps.sort_by_key(|gap| gap.from);
    let mut all: Vec<Gap> = Vec::new();
    for mut gap in gaps {
        let end = gap.until.unwrap_or(window.until);
        let Some((from, until)) = window.cut((gap.from, end)).filter(|(from, until)| from < until) else { continue };
        gap.from = from;
        match all.last_mut() {
            Some(last) if last.until.is_none_or(|end| from <= end) => {
                last.until = last.until.and_then(|end| gap.until.map(|_| end.max(until)));
            }
            _ => all.push(gap),
        }
    }
    all
}

/// Phases that the watchdog found done.
pub fn phases_done(events: &[Event], window: Window) -> Vec<PhaseDone> {
    let done = |e: &Event| match e.kind {
        EventKind::Phase => e.data["from"].as_str().map(printable),
        EventKind::SequenceComplete => e.data["phase"].as_str().map(printable),
        _ => None,
    };
    let inside = events.iter().filter(|e| window.holds(e.at));
    inside.filter_map(|e| Some(PhaseDone { at: e.at, id: done(e)? })).collect()
}

/// What concerns more than one agent, or this program itself.
pub fn is_incident(kind: EventKind) -> bool {
    use EventKind::*;
    matches!(
        kind,
        ServerLost | ServerBack | Storm | Store | ConfigBroken | ConfigMended | Git | Quarantined | InternalError
    )
}

/// An alert of which no other list tells.
pub fn is_other_alert(event: &Event) -> bool {
    use EventKind::*;
    let told = match event.kind {
        Waiting => event.data["asked"].is_string(),
        Limited | GaveUp | Undelivered | Unknown => true,
        kind => is_incident(kind),
    };
    event.alert && !told
}

pub fn told(events: &[Event], window: Window, which: impl Fn(&Event) -> bool) -> Vec<Told> {
    let one = |e: &Event| Told { at: e.at, kind: e.kind.as_str(), agent: e.agent.clone(), text: printable(&e.text) };
    events.iter().filter(|e| window.holds(e.at) && which(e)).map(one).collect()
}
