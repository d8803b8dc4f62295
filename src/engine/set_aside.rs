//! A decision in spite of a mistake: the units without which it can be made are found by trying, and set aside.
//!
//! Deciding is a pure function, so it may be tried as often as need be. Nothing of this costs anything while all is well.
use super::crash_point;
use crate::{
    decide::{Decision, decide},
    model::{
        observation::Observation,
        policy::Policy,
        state::{State, UnitState},
        time::Now,
    },
    world::mishap,
};
use std::collections::BTreeSet;

/// Decides; units that cannot be handled are left alone in it, and named in `obs`. The error: it fails even with all of
/// them set aside.
pub fn decide_around(obs: &mut Observation, state: &State, policy: &Policy, now: Now) -> Result<Decision, String> {
    let sessions = || {
        let specs = policy.agents.iter().map(|a| &a.session).chain(policy.services.iter().map(|s| &s.session));
        state.units.keys().chain(specs)
    };
    let known = || sessions().cloned().collect();
    around(obs, &known, |obs| {
        let left_alone = |s: &String| state.units.get(s).is_some_and(UnitState::is_left_alone);
        crash_point::stumble_over(sessions().filter(|s| !obs.broken.contains_key(*s) && !left_alone(s)));
        decide(obs, state, policy, now)
    })
}

fn around<T>(
    obs: &mut Observation,
    known: &dyn Fn() -> BTreeSet<String>,
    decide: impl Fn(&Observation) -> T,
) -> Result<T, String> {
    let tried = |obs: &Observation| mishap::caught(|| decide(obs));
    let words = match tried(obs) {
        Ok(made) => return Ok(made),
        Err(words) => words,
    };
    let suspects: Vec<String> = known().into_iter().filter(|s| !obs.broken.contains_key(s)).collect();
    obs.broken.extend(suspects.iter().map(|session| (session.clone(), words.clone())));
    let mut made = tried(obs)?;
    for session in suspects {
        obs.broken.remove(&session);
        match tried(obs) {
            Ok(better) => made = better,
            // With this one it fails, and now it says why.
            Err(words) => drop(obs.broken.insert(session, words)),
        }
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn only_those_that_cannot_be_handled_are_set_aside() {
        let known = || (0..9).map(|n| format!("p-{n}")).collect();
        let around = |decide: &dyn Fn(&Observation) -> BTreeMap<String, String>| {
            around(&mut Observation::default(), &known, decide)
        };
        let decide = |bad: &'static [&str]| {
            move |obs: &Observation| {
                if let Some(session) = bad.iter().find(|s| !obs.broken.contains_key(**s)) {
                    panic!("{session} is odd");
                }
                obs.broken.clone()
            }
        };
        assert!(around(&decide(&[])).unwrap().is_empty());
        let aside = around(&decide(&["p-7", "p-2"])).unwrap();
        assert_eq!(aside.keys().collect::<Vec<_>>(), ["p-2", "p-7"]);
        assert!(aside["p-2"].starts_with("p-2 is odd (") && aside["p-7"].starts_with("p-7 is odd ("), "{aside:?}");
        let error = around(&decide(&["nobody's"])).unwrap_err();
        assert!(error.starts_with("nobody's is odd"), "{error}");
    }

    #[test]
    fn one_that_was_set_aside_before_stays_so() {
        let known = || ["p-a".to_owned(), "p-b".to_owned()].into();
        let mut obs = Observation { broken: [("p-a".into(), "its screen".into())].into(), ..Observation::default() };
        let aside = around(&mut obs, &known, |obs| {
            assert!(obs.broken.contains_key("p-b"), "odd");
            obs.broken.clone()
        });
        assert_eq!(aside.unwrap()["p-a"], "its screen");
    }
}
