//! Everything that only looks.
use super::{FleetRow, row};
use crate::{
    model::{
        delivery::Delivery,
        event::{Event, EventKind},
        request::{Answer, Request},
        state::{FleetState, UnitState},
        time::Wall,
    },
    store::EventFilter,
};
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use std::collections::BTreeMap;

/// `usize` as SQL's LIMIT.
fn limit(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Every unit that can be read, and a line for each thing that cannot.
pub fn units(conn: &Connection) -> rusqlite::Result<(BTreeMap<String, UnitState>, Vec<String>)> {
    let (mut units, mut notices) = (BTreeMap::new(), Vec::new());
    let mut query = conn.prepare_cached("SELECT session, body, sum FROM unit")?;
    let mut rows = query.query([])?;
    while let Some(found) = rows.next()? {
        let session: String = text(found, 0)?;
        match row::read::<UnitState>(&text(found, 1)?, found.get(2)?, &["name", "session"]) {
            Ok((unit, lost)) => {
                notices.extend(lost.iter().map(|field| {
                    format!("what is remembered of `{session}`: its `{field}` cannot be read and was left out")
                }));
                units.insert(session, unit);
            }
            Err(why) => notices.push(format!("what is remembered of `{session}` cannot be read: {why}")),
        }
    }
    Ok((units, notices))
}

pub fn fleet(conn: &Connection) -> rusqlite::Result<FleetRow> {
    let mut query = conn.prepare_cached("SELECT body, sum FROM fleet WHERE id = 1")?;
    let found = query.query_row([], |r| Ok((text(r, 0)?, r.get::<_, i64>(1)?))).optional()?;
    Ok(match found {
        Some((body, sum)) => row::read(&body, sum, &[]),
        None => Ok((FleetState::default(), Vec::new())),
    })
}

pub fn open_deliveries(conn: &Connection) -> rusqlite::Result<(BTreeMap<i64, Delivery>, Vec<String>)> {
    let (mut open, mut notices) = (BTreeMap::new(), Vec::new());
    let mut query = conn.prepare_cached("SELECT id, body, sum FROM delivery WHERE over = 0")?;
    let mut rows = query.query([])?;
    while let Some(found) = rows.next()? {
        let id: i64 = found.get(0)?;
        match row::read(&text(found, 1)?, found.get(2)?, &[]) {
            Ok((delivery, _)) => drop(open.insert(id, delivery)),
            Err(why) => notices.push(format!("message {id} cannot be read and will not be sent: {why}")),
        }
    }
    Ok((open, notices))
}

pub fn delivery(conn: &Connection, id: i64) -> rusqlite::Result<Option<Delivery>> {
    let mut query = conn.prepare_cached("SELECT body, sum FROM delivery WHERE id = ?1")?;
    let found = query.query_row([id], |r| Ok((text(r, 0)?, r.get(1)?))).optional()?;
    Ok(found.and_then(|(body, sum)| row::read(&body, sum, &[]).ok()).map(|(delivery, _)| delivery))
}

pub fn deliveries(conn: &Connection, session: Option<&str>, n: usize) -> rusqlite::Result<Vec<Delivery>> {
    let read = |r: &Row| Ok(row::read(&text(r, 0)?, r.get(1)?, &[]).ok().map(|(delivery, _)| delivery));
    let found: rusqlite::Result<Vec<Option<Delivery>>> = match session {
        Some(session) => conn
            .prepare_cached("SELECT body, sum FROM delivery WHERE session = ?1 ORDER BY id DESC LIMIT ?2")?
            .query_map(params![session, limit(n)], read)?
            .collect(),
        None => conn
            .prepare_cached("SELECT body, sum FROM delivery ORDER BY id DESC LIMIT ?1")?
            .query_map([limit(n)], read)?
            .collect(),
    };
    Ok(found?.into_iter().flatten().collect())
}

const EVENT: &str = "SELECT seq, at, kind, agent, alert, text, data FROM event";

pub fn last_events(conn: &Connection, filter: &EventFilter, n: usize) -> rusqlite::Result<Vec<Event>> {
    let mut found = events(conn, i64::MIN, filter, n, "DESC")?;
    found.reverse();
    Ok(found)
}

pub fn events_after(conn: &Connection, seq: i64, filter: &EventFilter, n: usize) -> rusqlite::Result<Vec<Event>> {
    events(conn, seq, filter, n, "ASC")
}

fn events(conn: &Connection, after: i64, filter: &EventFilter, n: usize, order: &str) -> rusqlite::Result<Vec<Event>> {
    // a text of its own per case, so that each finds its index
    let agent = if filter.agent.is_some() { "agent = :agent" } else { ":agent IS NULL" };
    let sql = format!("{EVENT} WHERE seq > :after AND {agent} AND at >= :since ORDER BY seq {order} LIMIT :n");
    let since = filter.since.unwrap_or(Wall(i64::MIN)).0;
    let mut query = conn.prepare_cached(&sql)?;
    query
        .query_map(named_params! {":after": after, ":agent": filter.agent, ":since": since, ":n": limit(n)}, event)?
        .collect()
}

fn event(found: &Row) -> rusqlite::Result<Event> {
    let kind: String = text(found, 2)?;
    let data: Option<String> = found.get(6)?;
    Ok(Event {
        seq: found.get(0)?,
        at: Wall(found.get(1)?),
        // a word this program does not know is still worth showing
        kind: serde_json::from_value(kind.into()).unwrap_or(EventKind::Warning),
        agent: found.get(3)?,
        alert: found.get(4)?,
        text: text(found, 5)?,
        data: data.and_then(|d| serde_json::from_str(&d).ok()).unwrap_or_default(),
    })
}

/// Requests without an answer, and a line for each that cannot be read.
pub fn requests(conn: &Connection) -> rusqlite::Result<(Vec<Request>, Vec<String>)> {
    let (mut requests, mut notices) = (Vec::new(), Vec::new());
    let mut query = conn.prepare_cached("SELECT id, at, body FROM request WHERE answer IS NULL ORDER BY id")?;
    let mut rows = query.query([])?;
    while let Some(found) = rows.next()? {
        let (id, at) = (found.get(0)?, Wall(found.get(1)?));
        match serde_json::from_str(&text(found, 2)?) {
            Ok(verb) => requests.push(Request { id, at, verb }),
            Err(why) => notices.push(format!("request {id} cannot be read: {why}")),
        }
    }
    Ok((requests, notices))
}

pub fn answer(conn: &Connection, id: i64) -> rusqlite::Result<Option<Answer>> {
    let mut query = conn.prepare_cached("SELECT answer FROM request WHERE id = ?1")?;
    let found: Option<Option<String>> = query.query_row([id], |r| r.get(0)).optional()?;
    Ok(found.flatten().and_then(|body| serde_json::from_str(&body).ok()))
}

pub fn get(conn: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    conn.prepare_cached("SELECT value FROM meta WHERE key = ?1")?.query_row([key], |r| text(r, 0)).optional()
}

/// A text column. Damage may leave bytes that are no UTF-8: they are replaced, and the row's checksum then tells.
fn text(found: &Row, column: usize) -> rusqlite::Result<String> {
    Ok(String::from_utf8_lossy(found.get_ref(column)?.as_bytes()?).into_owned())
}
