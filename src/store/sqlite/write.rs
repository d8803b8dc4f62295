//! Everything that changes the file: one immediate transaction each.
use super::{Settings, row};
use crate::{
    model::{request::Verb, time::Wall},
    store::{Changes, Claim},
};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::collections::BTreeMap;

/// Old rows are dropped in every n-th save, a few at a time, so that no single save is slow.
pub const PRUNE_EVERY: u32 = 64;
const PRUNE_STEP: u32 = 2_000;

fn begin(conn: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    // immediate: a transaction that reads first and then finds the file changed under it cannot wait, only fail
    conn.transaction_with_behavior(TransactionBehavior::Immediate)
}

fn json<T: serde::Serialize>(value: &T) -> rusqlite::Result<(String, i64)> {
    row::write(value).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))
}

/// The new epoch.
pub fn claim(conn: &mut Connection, resource: &str, owner: &str) -> rusqlite::Result<i64> {
    let tx = begin(conn)?;
    let epoch = tx.query_row(
        "INSERT INTO claim(resource, owner, epoch) VALUES(?1, ?2, 1)
         ON CONFLICT(resource) DO UPDATE SET owner = excluded.owner, epoch = epoch + 1 RETURNING epoch",
        [resource, owner],
        |r| r.get(0),
    )?;
    tx.commit()?;
    Ok(epoch)
}

/// `false`: the claim is over, nothing was written.
pub fn save(
    conn: &mut Connection,
    claim: &Claim,
    changes: &Changes,
    prune: Option<Settings>,
) -> rusqlite::Result<bool> {
    let tx = begin(conn)?;
    let held = tx
        .prepare_cached("SELECT 1 FROM claim WHERE resource = ?1 AND owner = ?2 AND epoch = ?3")?
        .query_row(params![claim.resource, claim.owner, claim.epoch], |_| Ok(()))
        .optional()?;
    if held.is_none() {
        return Ok(false);
    }
    write(&tx, changes)?;
    if let Some(settings) = prune {
        drop_old(&tx, &settings)?;
    }
    tx.commit()?;
    Ok(true)
}

fn write(tx: &Transaction, changes: &Changes) -> rusqlite::Result<()> {
    for session in &changes.removed_units {
        tx.prepare_cached("DELETE FROM unit WHERE session = ?1")?.execute([session])?;
    }
    for unit in &changes.units {
        let (body, sum) = json(unit)?;
        tx.prepare_cached(
            "INSERT INTO unit(session, body, sum) VALUES(?1, ?2, ?3)
             ON CONFLICT(session) DO UPDATE SET body = excluded.body, sum = excluded.sum",
        )?
        .execute(params![unit.session, body, sum])?;
    }
    for delivery in &changes.deliveries {
        let (body, sum) = json(delivery)?;
        tx.prepare_cached(
            "INSERT OR REPLACE INTO delivery(id, session, over, created, body, sum) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            delivery.id,
            delivery.session,
            delivery.stage.is_over(),
            delivery.created.0,
            body,
            sum
        ])?;
    }
    if let Some(fleet) = &changes.fleet {
        let (body, sum) = json(fleet)?;
        tx.prepare_cached("INSERT OR REPLACE INTO fleet(id, body, sum) VALUES(1, ?1, ?2)")?
            .execute(params![body, sum])?;
    }
    for event in &changes.events {
        let data = if event.data.is_null() { None } else { Some(event.data.to_string()) };
        tx.prepare_cached("INSERT INTO event(at, kind, agent, alert, text, data) VALUES(?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![event.at.0, event.kind.as_str(), event.agent, event.alert, event.text, data])?;
    }
    for (id, answer) in &changes.answers {
        tx.prepare_cached(
            "UPDATE request SET answer = ?2, answered = CAST(1000 * unixepoch('subsec') AS INTEGER)
             WHERE id = ?1 AND answer IS NULL",
        )?
        .execute(params![id, json(answer)?.0])?;
    }
    Ok(())
}

/// One step towards the caps; the oldest go first.
fn drop_old(tx: &Transaction, keep: &Settings) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "DELETE FROM event WHERE seq IN (SELECT seq FROM event
         WHERE seq <= (SELECT max(seq) FROM event) - ?1 ORDER BY seq LIMIT ?2)",
    )?
    .execute([keep.events, PRUNE_STEP])?;
    tx.prepare_cached(
        "DELETE FROM delivery WHERE id IN (SELECT id FROM delivery WHERE over = 1 ORDER BY id DESC LIMIT ?2 OFFSET ?1)",
    )?
    .execute([keep.deliveries, PRUNE_STEP])?;
    tx.prepare_cached(
        "DELETE FROM request WHERE id IN (SELECT id FROM request WHERE answer IS NOT NULL ORDER BY id DESC LIMIT ?2 OFFSET ?1)",
    )?
    .execute([keep.requests, PRUNE_STEP])?;
    Ok(())
}

pub fn ask(conn: &mut Connection, verb: &Verb, at: Wall) -> rusqlite::Result<i64> {
    let tx = begin(conn)?;
    tx.prepare_cached("INSERT INTO request(at, body) VALUES(?1, ?2)")?.execute(params![at.0, json(verb)?.0])?;
    let id = tx.last_insert_rowid();
    tx.commit()?;
    Ok(id)
}

pub fn put(conn: &mut Connection, values: &BTreeMap<String, String>) -> rusqlite::Result<()> {
    let tx = begin(conn)?;
    for (key, value) in values {
        tx.prepare_cached("INSERT OR REPLACE INTO meta(key, value) VALUES(?1, ?2)")?.execute([key, value])?;
    }
    tx.commit()
}
