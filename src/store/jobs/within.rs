//! Jobs that were submitted by a job with a sandbox or limits. They run within its bounds or not at all: the row names
//! the bounds, and only who is held by the same ones claims it.
//!
//! Bounds are a number: the id of the job that has them, which may be long over; of a job of another store one below 0.
use super::{
    Durability, JobStore, StoreError, family, row,
    schema::{LIVE, READY, WAITING},
};
use crate::model::{
    job::{JobId, JobState, ProcMark},
    time::Wall,
};
use rusqlite::{OptionalExtension, params};
use std::{ffi::OsString, os::fd::OwnedFd};

/// What this process is held in by.
#[derive(Debug)]
pub struct Within {
    pub bounds: i64,
    /// The same, for the environment of those that we start.
    pub word: OsString,
    /// Open, and locked together with others: as long as somebody within has it, what waits can begin. `None`: it cannot
    /// be had.
    pub here: Option<OwnedFd>,
}

/// A job that runs, with the bounds in which its processes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alive {
    pub runner: Option<ProcMark>,
    pub child: Option<ProcMark>,
    pub bounds: Option<i64>,
}

/// Of the bounds that the index `job_within` is asked for: what has not begun, or will begin again.
const MAY_BEGIN: &str = "(state = 'queued' OR state = 'blocked' OR state = 'held' OR state = 'backoff')";

/// The jobs that are for who is held in by `bounds`, or by none. For an index word for word as it has it.
pub fn ours(bounds: Option<i64>) -> String {
    bounds.map_or_else(|| "within IS NULL".into(), |bounds| format!("within = {bounds}"))
}

/// Those of [`ours`] that may run as soon as there is a slot.
pub fn ready(bounds: Option<i64>) -> String {
    bounds.map_or_else(|| READY.into(), |bounds| format!("state = 'queued' AND wake IS NULL AND within = {bounds}"))
}

/// The same of all bounds there are: those that [`READY`] leaves out.
pub const READY_WITHIN: &str = "state = 'queued' AND wake IS NULL AND within IS NOT NULL";

impl JobStore {
    /// What is submitted from now on is held in as we are, and nothing else can be claimed.
    pub fn set_within(&mut self, within: Within) {
        self.within = Some(within);
    }

    /// We are about to end.
    pub fn take_within(&mut self) -> Option<Within> {
        self.within.take()
    }

    pub fn within(&self) -> Option<&Within> {
        self.within.as_ref()
    }

    pub(super) fn bounds(&self) -> Option<i64> {
        self.within.as_ref().map(|within| within.bounds)
    }

    /// Every job that runs; none at all if none of them is held in.
    pub fn alive_if_any_is_held(&self) -> Result<Vec<Alive>, StoreError> {
        let query = || {
            // What holds a job in stands in its row before its first process begins.
            let sql = format!(
                "SELECT runner, runner_start, child, child_start, CASE WHEN bounds IS NULL THEN within ELSE id END
                 FROM job WHERE {LIVE}"
            );
            let mut query = self.conn.prepare_cached(&sql)?;
            let alive = query.query_map([], |r| {
                Ok(Alive { runner: row::mark(r, 0)?, child: row::mark(r, 2)?, bounds: r.get(4)? })
            })?;
            alive.collect::<rusqlite::Result<Vec<Alive>>>()
        };
        let alive = self.told(query())?;
        Ok(if alive.iter().any(|job| job.bounds.is_some()) { alive } else { Vec::new() })
    }

    /// The bounds in which this job was submitted. `None`: in none, or it is gone.
    pub fn bounds_of(&self, id: JobId) -> Result<Option<i64>, StoreError> {
        let sql = "SELECT within FROM job WHERE id = ?1";
        let query = || self.conn.prepare_cached(sql)?.query_row([id.0], |r| r.get(0)).optional();
        Ok(self.told(query())?.flatten())
    }

    /// Bounds in which jobs wait to begin.
    pub fn bounds_with_jobs(&self) -> Result<Vec<i64>, StoreError> {
        let query = || {
            let sql = format!("SELECT DISTINCT within FROM job WHERE within IS NOT NULL AND {MAY_BEGIN}");
            let mut query = self.conn.prepare_cached(&sql)?;
            query.query_map([], |r| r.get(0))?.collect()
        };
        self.told(query())
    }

    /// Whether jobs wait to begin in these bounds.
    pub fn waits_within(&self, bounds: i64) -> Result<bool, StoreError> {
        let sql = format!("SELECT 1 FROM job WHERE within = ?1 AND within IS NOT NULL AND {MAY_BEGIN}");
        let query = || self.conn.prepare_cached(&sql)?.exists([bounds]);
        self.told(query())
    }

    /// Whether jobs that no bounds are for wait, and others that are within some may be what they wait for.
    pub fn waits_beside(&self) -> Result<bool, StoreError> {
        let sql = format!(
            "SELECT EXISTS (SELECT 1 FROM job WHERE within IS NOT NULL AND ({MAY_BEGIN} OR {LIVE})) AND
               (EXISTS (SELECT 1 FROM job WHERE {READY}) OR
                EXISTS (SELECT 1 FROM job WHERE {WAITING} AND state = 'blocked' AND within IS NULL))"
        );
        let query = || self.conn.prepare_cached(&sql)?.query_row([], |r| r.get(0));
        self.told(query())
    }

    /// Whoever sleeps has something new to wait for.
    pub fn wake_sleeper(&self) {
        self.pulse.tell_alarm();
    }

    /// What waits in these bounds will never begin: it ends `interrupted`, with what follows for others.
    pub fn end_within(&mut self, bounds: i64, why: &str, at: Wall) -> Result<(), StoreError> {
        self.change(Durability::Full, |tx| {
            let sql = format!(
                "UPDATE job SET state = 'interrupted', ended = ?2, error = ?3, wake = NULL, goes_on = 0
                 WHERE within = ?1 AND within IS NOT NULL AND {MAY_BEGIN} RETURNING id"
            );
            let mut query = tx.prepare_cached(&sql)?;
            let ended: Vec<i64> =
                query.query_map(params![bounds, at.0, why], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?;
            for id in ended {
                family::free_children(tx, JobId(id), JobState::Interrupted, at)?;
            }
            Ok(())
        })
    }
}
