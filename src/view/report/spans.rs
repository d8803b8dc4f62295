//! Stretches of time: cut to a window, and added up without counting anything twice. A clock that was set back makes a
//! stretch whose end comes before its beginning: it has no length.
use crate::model::time::Wall;

/// From, until; the end is not part of it.
pub type Span = (Wall, Wall);

/// What the report tells of.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    pub since: Wall,
    pub until: Wall,
}

impl Window {
    pub fn holds(&self, at: Wall) -> bool {
        self.since <= at && at <= self.until
    }

    /// The part of a stretch that lies within. `None`: nothing of it does.
    pub fn cut(&self, (from, until): Span) -> Option<Span> {
        let (from, until) = (from.max(self.since), until.min(self.until));
        (from <= until).then_some((from, until))
    }

    /// How much of a stretch lies within, 0 to 1. One without length counts whole or not at all.
    pub fn part(&self, (from, until): Span) -> f64 {
        let length = until.0 - from.0;
        if length <= 0 {
            return if self.holds(from) || self.holds(until) { 1.0 } else { 0.0 };
        }
        self.cut((from, until)).map_or(0.0, |(from, until)| (until.0 - from.0) as f64 / length as f64)
    }
}

/// In order, with overlapping and touching ones joined.
pub fn joined(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort();
    let mut all: Vec<Span> = Vec::new();
    for (from, until) in spans {
        match all.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(until),
            _ => all.push((from, until.max(from))),
        }
    }
    all
}

/// Seconds covered, overlaps once.
pub fn seconds(spans: Vec<Span>) -> u64 {
    let millis: i64 = joined(spans).iter().map(|(from, until)| until.0 - from.0).sum();
    (millis.max(0) as u64 + 500) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: i64, until: i64) -> Span {
        (Wall(from * 1000), Wall(until * 1000))
    }

    #[test]
    fn nothing_is_counted_twice_and_nothing_backwards() {
        let cases = [
            (vec![], 0),
            (vec![span(0, 10)], 10),
            (vec![span(0, 10), span(5, 15)], 15),
            (vec![span(5, 15), span(0, 20)], 20),
            (vec![span(0, 10), span(10, 11), span(20, 21)], 12),
            (vec![span(30, 10)], 0),
            (vec![span(30, 10), span(0, 10)], 10),
        ];
        for (spans, expected) in cases {
            assert_eq!(seconds(spans.clone()), expected, "{spans:?}");
        }
    }

    #[test]
    fn a_window_cuts() {
        let window = Window { since: Wall(10_000), until: Wall(20_000) };
        for (from, until, part) in
            [(0, 5, 0.0), (0, 20, 0.5), (12, 14, 1.0), (15, 25, 0.5), (15, 15, 1.0), (5, 5, 0.0), (25, 15, 1.0)]
        {
            assert!((window.part(span(from, until)) - part).abs() < 1e-9, "{from} {until}");
        }
        assert_eq!(window.cut(span(0, 30)), Some(span(10, 20)));
        assert_eq!(window.cut(span(0, 9)), None);
    }
}
