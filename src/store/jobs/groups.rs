//! Groups: how many of their jobs run at once.
use super::{
    DEFAULT_GROUP, Durability, JobStore, StoreError,
    schema::{BY_MACHINE, LIVE, MACHINE_SLOTS, READY},
};
use rusqlite::{OptionalExtension, params};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub name: String,
    /// `None`: no limit.
    pub limit: Option<u32>,
    pub running: u32,
    /// May run as soon as a slot is free.
    pub queued: u32,
}

impl JobStore {
    /// The rules of the config, for this process and for every runner: slots of the default group where nobody has set a
    /// limit (`[jobs] slots`; `None`: as many as there are cores, at least 4), and our own durability. Written only where
    /// they changed.
    pub fn set_rules(&mut self, slots: Option<u32>) -> Result<(), StoreError> {
        let durability = (self.durability == Durability::Normal).then(|| "normal".to_owned());
        for (key, wanted) in [("slots", slots.map(|n| n.to_string())), ("durability", durability)] {
            if self.setting(key)? == wanted {
                continue;
            }
            self.change(Durability::Normal, |tx| match wanted {
                Some(value) => tx
                    .prepare_cached("INSERT OR REPLACE INTO setting(key, value) VALUES(?1, ?2)")?
                    .execute([key, &value])
                    .map(drop),
                None => tx.prepare_cached("DELETE FROM setting WHERE key = ?1")?.execute([key]).map(drop),
            })?;
        }
        Ok(())
    }

    /// Those of whoever has set them last.
    pub fn take_rules(&mut self) -> Result<(), StoreError> {
        let normal = self.setting("durability")?.as_deref() == Some("normal");
        self.durability = if normal { Durability::Normal } else { Durability::Full };
        Ok(())
    }

    fn setting(&self, key: &str) -> Result<Option<String>, StoreError> {
        let sql = "SELECT value FROM setting WHERE key = ?1";
        let query = || self.conn.prepare_cached(sql)?.query_row([key], |r| r.get(0)).optional();
        self.told(query())
    }

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
                "SELECT name, CASE slots WHEN {BY_MACHINE} THEN {MACHINE_SLOTS} ELSE slots END, (SELECT count(*) FROM job WHERE grp = g.name AND {LIVE}),
                   (SELECT count(*) FROM job WHERE grp = g.name AND {READY})
                 FROM grp g ORDER BY name <> '{DEFAULT_GROUP}', name"
            );
            let mut query = self.conn.prepare_cached(&sql)?;
            let rows = query.query_map([self.machine_slots], |r| {
                let slots: Option<i64> = r.get(1)?;
                let limit = slots.map(|slots| u32::try_from(slots).unwrap_or(u32::MAX));
                Ok(Group { name: r.get(0)?, limit, running: r.get(2)?, queued: r.get(3)? })
            })?;
            rows.collect()
        };
        self.told(query())
    }
}
