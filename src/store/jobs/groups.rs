//! Groups: how many of their jobs run at once.
use super::{
    Durability, JobStore, StoreError,
    schema::{BY_MACHINE, LIVE, READY},
    slots_of_machine,
    within::READY_WITHIN,
};
use crate::model::job::DEFAULT_GROUP;
use rusqlite::params;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub name: String,
    /// `None`: no limit.
    pub limit: Option<u32>,
    pub running: u32,
    /// May run as soon as a slot is free.
    pub queued: u32,
}

impl Group {
    /// The default group where there is no store yet. `own`: `[jobs] slots`.
    pub fn untouched(own: Option<u32>) -> Group {
        let limit = Some(own.unwrap_or_else(slots_of_machine));
        Group { name: DEFAULT_GROUP.into(), limit, running: 0, queued: 0 }
    }
}

impl JobStore {
    /// How many jobs of the group may run at once from now on; makes the group. `Some(0)`: none. `None`: no limit.
    pub fn set_limit(&mut self, group: &str, limit: Option<u32>) -> Result<(), StoreError> {
        self.change(Durability::Full, |tx| {
            tx.prepare_cached(
                "INSERT INTO grp(name, slots) VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET slots = excluded.slots",
            )?
            .execute(params![group, limit])
            .map(drop)
        })
    }

    /// By name, the default one first.
    pub fn groups(&self) -> Result<Vec<Group>, StoreError> {
        let query = || {
            let sql = format!(
                "SELECT name, slots, (SELECT count(*) FROM job WHERE grp = g.name AND {LIVE}),
                   (SELECT count(*) FROM job WHERE grp = g.name AND {READY})
                     + (SELECT count(*) FROM job WHERE grp = g.name AND {READY_WITHIN})
                 FROM grp g ORDER BY name <> '{DEFAULT_GROUP}', name"
            );
            let mut query = self.conn.prepare_cached(&sql)?;
            let rows = query.query_map([], |r| {
                let slots: Option<i64> = r.get(1)?;
                let limit = slots.map(|slots| match slots {
                    BY_MACHINE => self.machine_slots(),
                    n => u32::try_from(n).unwrap_or(u32::MAX),
                });
                Ok(Group { name: r.get(0)?, limit, running: r.get(2)?, queued: r.get(3)? })
            })?;
            rows.collect()
        };
        self.told(query())
    }
}
