//! A usage limit holds for an account, whoever hit it: nothing is typed to the others that share it until the moment that
//! the banner named, and then to one after the other. One that worked since then is evidently not concerned (another model, another plan).
use super::{Mind, restart, unit::Spec};
use crate::model::{
    event::EventKind,
    policy::Agent,
    state::{AccountHold, Hold, Life, Seen},
    time::Boot,
};
use std::time::Duration;

/// A turn that ends so long after the banner was seen, and after the program's start, went on all the same.
const WORKED_ON: i64 = 60_000;

impl Mind<'_> {
    /// Who shares an account with a limited agent, and until when.
    pub(super) fn account_holds(&mut self) {
        let policy = self.policy;
        let any = |u: &crate::model::state::UnitState| u.hold.is_some() || u.account_hold.is_some();
        if !self.state.units.values().any(any) {
            return;
        }
        let shares = |session: &str| policy.watched().any(|a| a.account.is_some() && a.session == session);
        for unit in self.state.units.values_mut().filter(|u| u.account_hold.is_some()) {
            if !shares(&unit.session) {
                // The config changed; nobody else would ever lift it.
                unit.account_hold = None;
            }
        }
        for agent in policy.watched().filter(|a| a.account.is_some()) {
            let hold = self.account_hold(agent);
            hold.iter().for_each(|hold| self.wake_by(hold.until));
            let unit = self.unit(Spec::Agent(agent));
            if unit.account_hold == hold {
                continue;
            }
            let before = std::mem::replace(&mut unit.account_hold, hold.clone());
            unit.sight.idle_since = None;
            let name = &agent.name;
            let account = agent.account.as_deref().unwrap_or_default();
            match (before, hold) {
                (None, Some(hold)) => {
                    let until = hold.until_wall.format_local("%a %H:%M");
                    let text = format!(
                        "account {account} is limited (seen on {}) — nothing is typed to {name} until {until}",
                        hold.by
                    );
                    let data =
                        serde_json::json!({ "account": account, "by": hold.by, "until": hold.until_wall.rfc3339() });
                    self.tell_with(EventKind::Limited, Some(name), text, data, false);
                }
                (Some(_), None) => {
                    let text = format!("account {account} is not limited any more — {name} goes on");
                    self.tell(EventKind::LimitOver, Some(name), text);
                }
                _ => {}
            }
        }
    }

    fn account_hold(&self, agent: &Agent) -> Option<AccountHold> {
        let unit = self.state.units.get(&agent.session)?;
        let Life::Running { since } = unit.life else { return None };
        if unit.hold.is_some() || unit.sight.state == Seen::Working {
            return None;
        }
        let started = self.now.wall_at(since);
        let others = self.policy.watched().filter(|a| a.account == agent.account && a.session != agent.session);
        let holds = others.filter_map(|a| Some((a, self.state.units.get(&a.session)?.hold.as_ref()?)));
        let concerned =
            |hold: &Hold| unit.sight.state != Seen::Idle || unit.since.0 < hold.since.0.max(started.0) + WORKED_ON;
        // A reset that could not be read, or that passed without an end, holds only who saw the banner.
        let known = holds.filter(|(_, hold)| hold.probes == 0 && concerned(hold));
        let known = known.filter_map(|(by, hold)| Some((by, hold, hold.reset?)));
        let after = self.policy.watchdog.limit_reset_slack + self.turn_at_reset(agent);
        let Some((by, hold, reset)) = known.max_by_key(|(.., reset)| *reset) else {
            // Whoever saw the limit is past it. After the reset each of the others still waits for its own turn.
            let waits = |h: &&AccountHold| h.until > self.now.boot && self.now.wall.after(after) >= h.until_wall;
            return unit.account_hold.as_ref().filter(waits).cloned();
        };
        let until_wall = reset.after(after);
        // On the clock of the hold that it comes from, so that it is the same at every look.
        let ahead = (until_wall.0 - hold.until_wall.0 + hold.until.0 as i64).max(0);
        let until = Boot(ahead as u64);
        (until > self.now.boot).then(|| AccountHold { by: by.name.clone(), until, until_wall })
    }

    /// How much later than the reset it is this agent's turn: not all that share an account at once.
    pub(super) fn turn_at_reset(&self, agent: &Agent) -> Duration {
        let Some(account) = &agent.account else { return Duration::ZERO };
        let stagger = self.policy.watchdog.limit_stagger;
        let before = self.policy.watched().take_while(|a| a.session != agent.session);
        // By their order in the file: who is held first must not matter, or two have the same turn.
        let turn = before.filter(|a| a.account.as_ref() == Some(account)).count() as u32;
        restart::jittered(stagger * turn, &agent.session, turn)
    }
}
