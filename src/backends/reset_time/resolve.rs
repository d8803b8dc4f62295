//! What a banner says about a moment becomes an instant.
//!
//! A time of day means the earliest such instant that is less than an hour ago or still to come: one that just passed
//! says that the limit is over, and must not become tomorrow's. A date means the one that is nearest.
use crate::model::time::{Now, Wall};
use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime, Time, Weekday},
    tz::{AmbiguousOffset, TimeZone},
};

/// A time of day that passed less than this ago stays in the past.
const JUST_PASSED_MS: i64 = 3_600_000;
/// A time of day that stands beside a length of time is not later than that, but for rounding.
const ROUNDING_MS: i64 = 90 * 60_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Day {
    #[default]
    Unsaid,
    Today,
    Tomorrow,
    Weekday(Weekday),
    Date {
        year: Option<i16>,
        month: i8,
        day: i8,
        weekday: Option<Weekday>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    At(Time),
    /// An hour from 1 to 12 without am or pm: that time, or twelve hours later.
    Either(Time),
}

#[derive(Clone, Debug, Default)]
pub struct Moment {
    pub day: Day,
    pub clock: Option<Clock>,
    /// `None`: the machine's own.
    pub zone: Option<TimeZone>,
}

/// `near`: the instant that a length of time beside it says.
pub fn instant(moment: &Moment, near: Option<Wall>, now: Now) -> Option<Wall> {
    let zone = match &moment.zone {
        Some(zone) => zone.clone(),
        None => now.zones.local(now.utc_offset_s)?,
    };
    let here = zone.to_datetime(Timestamp::from_millisecond(now.wall.0).ok()?).date();
    let Some(clock) = moment.clock else { return start_of(moment.day, here, &zone, now) };
    let days = |from: i64, to: i64| (from..=to).filter_map(move |n| here.checked_add(n.days()).ok());
    let all = |date: Date| times(clock).filter_map(|time| one(date.to_datetime(time), &zone, now)).collect::<Vec<_>>();
    let coming = |at: &i64| *at > now.wall.0 - JUST_PASSED_MS;
    // Of the times that one day offers: the first that counts, else the last.
    let on = |date: Date| {
        let all = all(date);
        all.iter().copied().filter(coming).min().or_else(|| all.into_iter().max())
    };
    let at = match moment.day {
        Day::Unsaid => match near {
            Some(near) => {
                let away = (near.0 - now.wall.0) / 86_400_000;
                let at = days(-1, away + 1).flat_map(all).min_by_key(|at| at.abs_diff(near.0))?;
                // A screen that stands for long makes the length wrong, never too short.
                if at > near.0 + ROUNDING_MS { near.0 } else { at }
            }
            None => days(-1, 2).flat_map(all).filter(coming).min()?,
        },
        Day::Today => on(here)?,
        Day::Tomorrow => on(here.tomorrow().ok()?)?,
        Day::Weekday(wanted) => {
            days(-1, 8).filter(|date| date.weekday() == wanted).flat_map(all).filter(coming).min()?
        }
        Day::Date { .. } => {
            dates(moment.day, here).into_iter().filter_map(on).min_by_key(|at| at.abs_diff(now.wall.0))?
        }
    };
    Some(Wall(at))
}

/// A day without a time: its beginning, if that is still to come. Rather early than late: a probe costs little.
fn start_of(day: Day, here: Date, zone: &TimeZone, now: Now) -> Option<Wall> {
    let start = |date: Date| one(date.to_datetime(Time::midnight()), zone, now).filter(|at| *at > now.wall.0);
    let at = match day {
        Day::Unsaid | Day::Today => None,
        Day::Tomorrow => start(here.tomorrow().ok()?),
        Day::Weekday(wanted) if here.weekday() == wanted => None,
        Day::Weekday(wanted) => start(here.nth_weekday(1, wanted).ok()?),
        Day::Date { .. } => dates(day, here)
            .into_iter()
            .filter_map(|date| one(date.to_datetime(Time::midnight()), zone, now))
            .min_by_key(|at| at.abs_diff(now.wall.0))
            .filter(|at| *at > now.wall.0),
    };
    at.map(Wall)
}

/// The days that a date can mean: without a year, last year's, this year's and next year's, and of those the ones on
/// the weekday that stands beside it, if one is.
fn dates(day: Day, here: Date) -> Vec<Date> {
    let Day::Date { year, month, day, weekday } = day else { return Vec::new() };
    let years = match year {
        Some(year) => year..=year,
        None => here.year() - 1..=here.year() + 1,
    };
    let all: Vec<Date> = years.filter_map(|year| Date::new(year, month, day).ok()).collect();
    let fitting: Vec<Date> = all.iter().copied().filter(|date| weekday.is_none_or(|w| date.weekday() == w)).collect();
    if fitting.is_empty() { all } else { fitting }
}

fn times(clock: Clock) -> impl Iterator<Item = Time> {
    let (first, second) = match clock {
        Clock::At(time) => (time, None),
        Clock::Either(time) => {
            (time, time.checked_add(12.hours()).ok().or_else(|| Time::new(0, time.minute(), 0, 0).ok()))
        }
    };
    [Some(first), second].into_iter().flatten()
}

/// The instant of a local time, in milliseconds. A time that the clocks leave out: when they go on. One that they show
/// twice: the first that is still to come, else the second.
fn one(local: DateTime, zone: &TimeZone, now: Now) -> Option<i64> {
    let ms = |at: Timestamp| at.as_millisecond();
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok().map(ms),
        AmbiguousOffset::Gap { before, .. } => {
            let inside = before.to_timestamp(local).ok()?.checked_add(1.second()).ok()?;
            zone.preceding(inside).next().map(|turn| ms(turn.timestamp()))
        }
        AmbiguousOffset::Fold { before, after } => {
            let (first, second) = (ms(before.to_timestamp(local).ok()?), ms(after.to_timestamp(local).ok()?));
            Some(if first > now.wall.0 { first } else { second })
        }
    }
}
