//! Restarts that are one thing to a person: the same reason again and again, or for many at the same time.
use super::data::Restart;
use crate::model::time::Wall;

/// What many went through within so many milliseconds is one thing.
const TOGETHER: i64 = 120_000;

#[derive(Debug, PartialEq)]
pub struct Alike<'a> {
    pub who: Vec<&'a str>,
    pub reason: &'a str,
    pub times: usize,
    pub last: Wall,
}

/// Those of many first, then each agent's, in order.
pub fn restarts<'a>(all: &[(&'a str, &'a Vec<Restart>)]) -> Vec<Alike<'a>> {
    let mut together: Vec<Alike> = Vec::new();
    let mut every: Vec<(&str, &Restart)> = all.iter().flat_map(|(who, list)| list.iter().map(|r| (*who, r))).collect();
    every.sort_by_key(|(_, restart)| restart.at);
    for (who, restart) in &every {
        let near = |a: &&mut Alike| a.reason == restart.reason && restart.at.0 - a.last.0 <= TOGETHER;
        match together.iter_mut().rev().find(near) {
            Some(alike) => {
                (alike.times, alike.last) = (alike.times + 1, restart.at);
                if !alike.who.contains(who) {
                    alike.who.push(*who);
                }
            }
            None => together.push(Alike { who: vec![*who], reason: &restart.reason, times: 1, last: restart.at }),
        }
    }
    together.retain(|a| a.who.len() >= 3);
    let mut rows: Vec<Alike> = Vec::new();
    for (who, list) in all {
        let begin = rows.len();
        for restart in *list {
            let told = |a: &Alike| {
                let near = restart.at <= a.last && a.last.0 - restart.at.0 <= TOGETHER * a.times as i64;
                a.reason == restart.reason && near && a.who.contains(who)
            };
            if together.iter().any(told) {
                continue;
            }
            match rows[begin..].iter_mut().find(|a| a.reason == restart.reason) {
                Some(alike) => (alike.times, alike.last) = (alike.times + 1, restart.at),
                None => rows.push(Alike { who: vec![*who], reason: &restart.reason, times: 1, last: restart.at }),
            }
        }
    }
    together.extend(rows);
    together
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(reasons: &[(i64, &str)]) -> Vec<Restart> {
        reasons.iter().map(|(s, reason)| Restart { at: Wall(s * 1000), reason: (*reason).into() }).collect()
    }

    #[test]
    fn many_at_once_are_one_row_and_one_again_and_again_is_another() {
        let (a, b) = (list(&[(10, "x"), (1000, "lost"), (9000, "x")]), list(&[(1001, "lost"), (5000, "lost")]));
        let c = list(&[(1002, "lost")]);
        let rows = restarts(&[("a", &a), ("b", &b), ("c", &c)]);
        let told: Vec<_> = rows.iter().map(|r| (r.who.len(), r.reason, r.times, r.last.0 / 1000)).collect();
        assert_eq!(told, [(3, "lost", 3, 1002), (1, "x", 2, 9000), (1, "lost", 1, 5000)]);
        let two = restarts(&[("a", &a), ("b", &b)]);
        assert!(two.len() == 3 && two.iter().all(|r| r.who.len() == 1), "two are no crowd: {two:?}");
        assert_eq!(restarts(&[]), []);
    }
}
