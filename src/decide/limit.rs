//! The usage-limit hold: seen, held, probed with a growing pause for ever, lifted. A held agent is never restarted.
use super::{Mind, unit::Spec};
use crate::{
    launch::prompt,
    model::{
        delivery::DeliveryKind,
        event::EventKind,
        policy::Agent,
        reading::Reading,
        state::Hold,
        time::{Wall, human},
    },
};
use std::time::Duration;

/// A reset further away than this is not trusted: probes find out.
const FAR: Duration = Duration::from_secs(6 * 3600);

/// After a probe, the limit is over when its banner is gone for so long.
pub(super) const PROVED: Duration = Duration::from_secs(15);
/// A program that announced to go on by itself after the reset does it within this.
const BY_ITSELF: Duration = Duration::from_secs(60);

impl Mind<'_> {
    pub(super) fn limit(&mut self, agent: &Agent, reading: &Reading) {
        let (name, session) = (&agent.name, &agent.session);
        let spec = Spec::Agent(agent);
        let banner = reading.limit.as_ref().is_some_and(|e| !e.quoted);
        let active = reading.active.is_some();
        let Some(hold) = self.unit(spec).hold.clone() else {
            if banner && !active {
                self.hold(agent, reading);
            }
            return;
        };
        if (active || !banner) && !reading.blank {
            // A probe pushes the banner up and makes it work, and an answered menu makes room for a banner that may not
            // name the reset any more; whether the limit is over shows only after that.
            let now = self.now.boot;
            let first = hold.gone.unwrap_or(now);
            let named = hold.reset.is_some() && now < hold.until;
            if (hold.probes > 0 || named) && now.since(first) < PROVED {
                self.unit(spec).hold = Some(Hold { gone: Some(first), ..hold });
                return self.wake_by(first.after(PROVED));
            }
            let how = match hold.probes {
                0 => "clearing limit state",
                _ if active => "probe resumed it",
                _ => "clearing limit state",
            };
            self.unit(spec).hold = None;
            self.unit(spec).alerted.remove("limited");
            self.drop_queued(session, DeliveryKind::Probe, "the limit is over");
            self.hold_over(name, hold.since, self.now.wall, how);
            return;
        }
        let hold = self.told_later(agent, reading, Hold { gone: None, ..hold });
        self.unit(spec).hold = Some(hold.clone());
        if self.now.boot < hold.until {
            return self.wake_by(hold.until);
        }
        if self.has_text(session, DeliveryKind::Probe) {
            // The last probe still waits for the pane to be free.
            let until = self.now.after(Duration::from_millis(hold.pause_ms.max(1000)));
            self.unit(spec).hold = Some(Hold { until, until_wall: self.now.wall_at(until), ..hold });
            return self.wake_by(until);
        }
        let n = hold.probes + 1;
        self.tell(EventKind::Probe, Some(name), format!("limit probe #{n} on {name} — nudging to resume"));
        if n == 3 {
            self.tell(
                EventKind::Probe,
                Some(name),
                format!("WARNING: {name} still limited after 3 probes — flat probes; never rebooting"),
            );
        }
        let key = self.submit_key(spec);
        let now = self.now;
        let text = self.with_forgotten(session, prompt::probe(&agent.kind));
        self.queue_text(session, DeliveryKind::Probe, text, key, None, now.boot);
        let rules = &self.policy.watchdog;
        let (wait, reset) = match self.trusted_reset(reading) {
            Some(reset) => (self.until_reset(agent, reading, reset), Some(reset)),
            None => (Duration::from_millis(hold.pause_ms), None),
        };
        let pause = Duration::from_millis(hold.pause_ms)
            .saturating_mul(2)
            .min(rules.limit_probe_max.max(rules.limit_probe_fallback));
        self.unit(spec).hold = Some(Hold {
            until: now.after(wait),
            until_wall: now.wall.after(wait),
            reset: reset.or(hold.reset),
            probes: n,
            pause_ms: pause.as_millis() as u64,
            ..hold
        });
        self.wake_by(now.after(wait));
    }

    /// A banner may name its reset a moment after it was first seen.
    fn told_later(&self, agent: &Agent, reading: &Reading, hold: Hold) -> Hold {
        let Some(reset) = self.trusted_reset(reading).filter(|_| hold.reset.is_none()) else { return hold };
        let wait = self.until_reset(agent, reading, reset);
        Hold { until: self.now.after(wait), until_wall: self.now.wall.after(wait), reset: Some(reset), ..hold }
    }

    fn hold(&mut self, agent: &Agent, reading: &Reading) {
        let (name, now) = (&agent.name, self.now);
        let fallback = self.policy.watchdog.limit_probe_fallback;
        let reset = self.trusted_reset(reading);
        let wait = reset.map_or(fallback, |reset| self.until_reset(agent, reading, reset));
        let until_wall = now.wall.after(wait);
        let text = match reset {
            Some(_) => {
                let shown = until_wall.format_local("%a %H:%M");
                format!("limit hit on {name} — banner says reset {shown}; holding (no reboots)")
            }
            None => {
                let pause = match fallback.as_secs() {
                    seconds if seconds % 60 == 0 => format!("{}-min", seconds / 60),
                    _ => human(fallback),
                };
                format!("limit hit on {name} — reset unparsable; flat {pause} probe loop (no reboots)")
            }
        };
        let banner = reading.limit.as_ref().map(|e| e.text.clone());
        let data = serde_json::json!({
            "until": until_wall.rfc3339(), "reset": reset.map(Wall::rfc3339), "banner": banner, "account": agent.account,
        });
        let unit = self.unit(Spec::Agent(agent));
        unit.hold = Some(Hold {
            since: now.wall,
            until: now.after(wait),
            until_wall,
            reset,
            probes: 0,
            pause_ms: fallback.as_millis() as u64,
            gone: None,
        });
        unit.sight.idle_since = None;
        unit.alerted.insert("limited".into());
        self.tell_with(EventKind::Limited, Some(name), text, data, true);
        self.wake_by(now.after(wait));
    }

    /// A reset in the near future. One that has passed is no reason to wait, and a far one is not believed.
    fn trusted_reset(&self, reading: &Reading) -> Option<Wall> {
        let reset = reading.reset?;
        let ahead = reset.0 - self.now.wall.0;
        (ahead > 0 && ahead <= FAR.as_millis() as i64).then_some(reset)
    }

    /// A program that says it will go on by itself has its time for that first.
    fn until_reset(&self, agent: &Agent, reading: &Reading, reset: Wall) -> Duration {
        let ahead = Duration::from_millis((reset.0 - self.now.wall.0).max(0) as u64);
        let by_itself = reading.limit.as_ref().is_some_and(|e| e.text.to_lowercase().contains("automatically"));
        let its_time = if by_itself { BY_ITSELF } else { Duration::ZERO };
        ahead + self.policy.watchdog.limit_reset_slack + its_time + self.turn_at_reset(agent)
    }
}
