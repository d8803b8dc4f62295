//! A text that stands in an agent's session file has arrived, whatever its screen shows; also one that was given up a
//! moment ago. What does not stand there proves nothing: not every text is written down, and not at once.
use super::Mind;
use crate::model::{
    delivery::{Delivery, Stage},
    time::Wall,
};

/// So long a text that was given up may still prove to have arrived, in ms.
const DOUBT: i64 = 60_000;

impl Mind<'_> {
    pub(super) fn arrivals(&mut self) {
        let obs = self.obs;
        if obs.own.is_empty() {
            return;
        }
        let stands = |d: &&Delivery| obs.own.get(&d.session).is_some_and(|own| own.arrived.contains(&d.id));
        let open = |d: &&Delivery| !matches!(d.stage, Stage::Queued { .. } | Stage::Delivered { .. });
        let proved = self.state.deliveries.values().filter(open).filter(stands).cloned();
        for mut d in proved.collect::<Vec<_>>() {
            let doubted = if d.stage.is_over() { " after all" } else { "" };
            d.stage = Stage::Delivered { at: self.now.wall };
            if let Some(unit) = self.state.units.get_mut(&d.session) {
                unit.leftover = unit.leftover.take().filter(|left| left.delivery.id != d.id);
            }
            let proof = format!("{doubted} (it stands in its session file)");
            self.finished(&d, &proof);
            self.state.deliveries.insert(d.id, d);
        }
    }

    /// What is over is not remembered, but while it may still prove to have arrived.
    pub(super) fn forget_over(&mut self) {
        let wall = self.now.wall;
        let has_file = |session: &str| self.obs.own.contains_key(session);
        self.state.deliveries.retain(|_, d| match &d.stage {
            Stage::Delivered { at } => *at == wall,
            Stage::Undelivered { at, .. } | Stage::Unknown { at, .. } => {
                *at == wall || (has_file(&d.session) && is_fresh(*at, wall))
            }
            _ => true,
        });
    }
}

/// Whether a text that was given up at `at` may still prove to have arrived.
pub fn is_fresh(at: Wall, now: Wall) -> bool {
    (0..DOUBT).contains(&(now.0 - at.0))
}
