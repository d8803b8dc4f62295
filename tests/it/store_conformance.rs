//! What every engine behind `dyn Store` must do. A new engine gets a `Bed` and a line in `beds`.
use agents::{
    model::{
        delivery::{Delivery, DeliveryKind, Stage},
        event::{Event, EventKind},
        request::{Answer, Verb},
        state::{FleetState, Life, State, UnitState, Wish},
        time::{Boot, Wall},
    },
    store::{Changes, Claim, Durability, EventFilter, Store, StoreError, memory::MemoryStore, sqlite},
};
use proptest::prelude::*;
use std::collections::BTreeMap;
use tempfile::TempDir;

/// One memory, which can be opened several times.
trait Bed {
    fn open(&self) -> Box<dyn Store>;
}

struct InMemory(MemoryStore);
impl Bed for InMemory {
    fn open(&self) -> Box<dyn Store> {
        Box::new(self.0.clone())
    }
}

struct OnSqlite(TempDir);
impl Bed for OnSqlite {
    fn open(&self) -> Box<dyn Store> {
        let opened = sqlite::open(&self.0.path().join("agents.db")).unwrap();
        assert_eq!(opened.notice, None);
        Box::new(opened.store)
    }
}

fn on_every_bed(story: impl Fn(&dyn Bed)) {
    story(&InMemory(MemoryStore::new()));
    story(&OnSqlite(TempDir::new().unwrap()));
}

pub fn unit(session: &str, incarnation: u64) -> UnitState {
    let body =
        serde_json::json!({"name": session.trim_start_matches("t-"), "session": session, "incarnation": incarnation});
    serde_json::from_value(body).unwrap()
}

/// As JSON: fields that may be missing are left out.
pub fn queued() -> Stage {
    serde_json::from_value(serde_json::json!({"stage": "queued", "look": 0})).unwrap()
}

pub fn delivery(id: i64, session: &str, stage: Stage) -> Delivery {
    Delivery {
        id,
        session: session.into(),
        kind: DeliveryKind::Send,
        text: "go on — „now“ \u{1b}[31m".into(),
        submit_key: "Enter".into(),
        created: Wall(1_700_000_000_000 + id),
        incarnation: Some(3),
        not_before: Boot(17),
        stage,
    }
}

pub fn event(agent: Option<&str>, at: i64, text: &str) -> Event {
    let data = if at % 2 == 0 { serde_json::Value::Null } else { serde_json::json!({"n": at}) };
    Event {
        seq: 0,
        at: Wall(at),
        kind: EventKind::GaveUp,
        agent: agent.map(Into::into),
        text: text.into(),
        data,
        alert: at % 3 == 0,
    }
}

fn units(list: &[UnitState]) -> Changes {
    Changes { units: list.to_vec(), ..Changes::default() }
}

fn texts(events: &[Event]) -> Vec<&str> {
    events.iter().map(|e| e.text.as_str()).collect()
}

#[test]
fn an_empty_store_gives_the_default_state() {
    on_every_bed(|bed| {
        let store = bed.open();
        assert_eq!(store.load().unwrap(), State::default());
        assert_eq!(store.last_events(&EventFilter::default(), 10).unwrap(), []);
        assert_eq!(store.get("x").unwrap(), None);
        assert_eq!(store.answer(1).unwrap(), None);
        assert_eq!(store.delivery(1).unwrap(), None);
    });
}

#[test]
fn what_was_saved_is_there_for_the_next_one() {
    on_every_bed(|bed| {
        let mut store = bed.open();
        let claim = store.claim("engine", "me").unwrap();
        let mut a = unit("t-a", 4);
        a.wish = Wish::Stop;
        a.life = Life::Backoff { until: Boot(u64::MAX), room: None };
        let fleet = FleetState { phase: 2, next_delivery: 9, ..FleetState::default() };
        let open = delivery(
            7,
            "t-a",
            Stage::Submitting { since: Boot(4), presses: 2, tail: u64::MAX, check: Boot(5), gone: None },
        );
        let over = delivery(8, "t-a", Stage::Delivered { at: Wall(5) });
        let changes = Changes {
            units: vec![a.clone(), unit("t-b", 1)],
            deliveries: vec![open.clone(), over.clone()],
            fleet: Some(fleet.clone()),
            ..Changes::default()
        };
        store.save(&claim, &changes, Durability::Full).unwrap();
        store
            .save(&claim, &Changes { removed_units: vec!["t-b".into()], ..Changes::default() }, Durability::Normal)
            .unwrap();
        drop(store);
        let store = bed.open();
        let state = store.load().unwrap();
        assert_eq!(state.units, BTreeMap::from([("t-a".into(), a)]));
        assert_eq!(state.deliveries, BTreeMap::from([(7, open.clone())]));
        assert_eq!(state.fleet, fleet);
        assert_eq!(store.delivery(8).unwrap(), Some(over.clone()));
        assert_eq!(store.deliveries(Some("t-a"), 10).unwrap(), [over.clone(), open]);
        assert_eq!(store.deliveries(None, 1).unwrap(), [over]);
        assert_eq!(store.deliveries(Some("t-b"), 10).unwrap(), []);
    });
}

#[test]
fn a_session_in_both_lists_is_written_anew() {
    on_every_bed(|bed| {
        let mut store = bed.open();
        let claim = store.claim("engine", "me").unwrap();
        let changes = Changes { removed_units: vec!["t-a".into()], units: vec![unit("t-a", 5)], ..Changes::default() };
        store.save(&claim, &changes, Durability::Full).unwrap();
        assert_eq!(store.load().unwrap().units["t-a"].incarnation, 5);
    });
}

#[test]
fn whoever_lost_the_claim_writes_nothing() {
    on_every_bed(|bed| {
        let (mut old, mut new) = (bed.open(), bed.open());
        let first = old.claim("engine", "old").unwrap();
        old.save(&first, &units(&[unit("t-a", 1)]), Durability::Full).unwrap();
        let second = new.claim("engine", "new").unwrap();
        assert!(second.epoch > first.epoch);
        let late = Changes { events: vec![event(None, 1, "late")], ..units(&[unit("t-a", 99)]) };
        match old.save(&first, &late, Durability::Full) {
            Err(StoreError::Fenced { resource, epoch }) => {
                assert_eq!((resource.as_str(), epoch), ("engine", first.epoch))
            }
            other => panic!("{other:?}"),
        }
        // the right epoch in the wrong hands, and a claim nobody ever made
        let forged = Claim { owner: "old".into(), ..second.clone() };
        assert!(matches!(old.save(&forged, &late, Durability::Normal), Err(StoreError::Fenced { .. })));
        let invented = Claim { resource: "job".into(), ..second.clone() };
        assert!(matches!(old.save(&invented, &late, Durability::Normal), Err(StoreError::Fenced { .. })));
        assert_eq!(new.load().unwrap().units["t-a"].incarnation, 1);
        assert_eq!(new.last_events(&EventFilter::default(), 9).unwrap(), []);
        new.save(&second, &units(&[unit("t-a", 2)]), Durability::Full).unwrap();
        // claims are one by one
        let job = old.claim("job", "old").unwrap();
        assert_eq!(job.epoch, 1);
        new.save(&second, &units(&[unit("t-a", 3)]), Durability::Full).unwrap();
    });
}

#[test]
fn events_are_numbered_filtered_and_in_order() {
    on_every_bed(|bed| {
        let mut store = bed.open();
        let claim = store.claim("engine", "me").unwrap();
        for at in 1..=6 {
            let agent = [Some("a"), Some("b"), None][at as usize % 3];
            let changes = Changes { events: vec![event(agent, at, &format!("e{at}"))], ..Changes::default() };
            store.save(&claim, &changes, Durability::Normal).unwrap();
        }
        let all = store.last_events(&EventFilter::default(), 100).unwrap();
        assert_eq!(texts(&all), ["e1", "e2", "e3", "e4", "e5", "e6"]);
        assert!(all.windows(2).all(|w| w[0].seq < w[1].seq) && all[0].seq > 0);
        assert_eq!(Event { seq: 0, ..all[2].clone() }, event(Some("a"), 3, "e3"));
        assert_eq!(texts(&store.last_events(&EventFilter::default(), 2).unwrap()), ["e5", "e6"]);
        let a = EventFilter { agent: Some("a".into()), since: None };
        assert_eq!(texts(&store.last_events(&a, 9).unwrap()), ["e3", "e6"]);
        let late = EventFilter { agent: None, since: Some(Wall(5)) };
        assert_eq!(texts(&store.last_events(&late, 9).unwrap()), ["e5", "e6"]);
        assert_eq!(texts(&store.events_after(all[1].seq, &EventFilter::default(), 2).unwrap()), ["e3", "e4"]);
        assert_eq!(texts(&store.events_after(all[3].seq, &a, 9).unwrap()), ["e6"]);
        assert_eq!(store.events_after(all[5].seq, &a, 9).unwrap(), []);
    });
}

#[test]
fn a_request_is_asked_by_one_and_answered_by_another() {
    on_every_bed(|bed| {
        let (mut asker, mut engine) = (bed.open(), bed.open());
        let claim = engine.claim("engine", "me").unwrap();
        let verb = Verb::Send { name: "a".into(), text: "x\ny".into() };
        let id = asker.ask(&verb, Wall(5)).unwrap();
        let later = asker.ask(&Verb::PhaseSet { index: 1 }, Wall(6)).unwrap();
        assert!(later > id);
        let open = engine.requests().unwrap();
        assert_eq!((open.len(), open[0].id, open[0].at, &open[0].verb), (2, id, Wall(5), &verb));
        assert_eq!(asker.answer(id).unwrap(), None);
        let yes = Answer::Accepted { text: "yes".into(), delivery: Some(3) };
        let save = |engine: &mut Box<dyn Store>, id, answer: &Answer| {
            let changes = Changes { answers: vec![(id, answer.clone())], ..Changes::default() };
            engine.save(&claim, &changes, Durability::Full).unwrap();
        };
        save(&mut engine, id, &yes);
        save(&mut engine, id, &Answer::Ignored { text: "the first answer counts".into() });
        save(&mut engine, 12_345, &yes);
        assert_eq!(asker.answer(id).unwrap(), Some(yes));
        assert_eq!(asker.answer(12_345).unwrap(), None);
        assert_eq!(engine.requests().unwrap().iter().map(|r| r.id).collect::<Vec<_>>(), [later]);
    });
}

#[test]
fn small_values_are_replaced_one_by_one() {
    on_every_bed(|bed| {
        let mut store = bed.open();
        let map = |list: &[(&str, &str)]| list.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        store.put(&map(&[("a", "1"), ("b", "")])).unwrap();
        store.put(&map(&[("a", "it's 2\n")])).unwrap();
        let other = bed.open();
        assert_eq!(other.get("a").unwrap().as_deref(), Some("it's 2\n"));
        assert_eq!(other.get("b").unwrap().as_deref(), Some(""));
    });
}

#[derive(Clone, Debug)]
enum Step {
    Save {
        units: Vec<(u8, u64)>,
        removed: Vec<u8>,
        deliveries: Vec<(i64, u8, bool)>,
        phase: Option<usize>,
        events: Vec<(u8, i64)>,
        answers: Vec<i64>,
        full: bool,
    },
    Ask(usize),
    Put(u8, u64),
    Reopen,
    Claim,
    /// A save on the claim before the present one.
    Late,
}

fn step() -> impl Strategy<Value = Step> {
    let save = (
        prop::collection::vec((0..4u8, any::<u64>()), 0..3),
        prop::collection::vec(0..4u8, 0..2),
        prop::collection::vec((0..6i64, 0..3u8, any::<bool>()), 0..3),
        prop::option::of(0..9usize),
        prop::collection::vec((0..3u8, 0..50i64), 0..4),
        prop::collection::vec(0..5i64, 0..2),
        any::<bool>(),
    )
        .prop_map(|(units, removed, deliveries, phase, events, answers, full)| Step::Save {
            units,
            removed,
            deliveries,
            phase,
            events,
            answers,
            full,
        });
    prop_oneof![
        6 => save,
        2 => (0..9usize).prop_map(Step::Ask),
        1 => (0..3u8, any::<u64>()).prop_map(|(k, v)| Step::Put(k, v)),
        1 => Just(Step::Reopen),
        1 => Just(Step::Claim),
        1 => Just(Step::Late),
    ]
}

fn changes(step: &Step) -> (Changes, Durability) {
    let Step::Save { units, removed, deliveries, phase, events, answers, full } = step else {
        return (Changes::default(), Durability::Full);
    };
    let stage = |over: bool| {
        if over { Stage::Unknown { at: Wall(3), reason: "r".into() } } else { queued() }
    };
    let changes = Changes {
        units: units.iter().map(|(n, i)| unit(&format!("t-{n}"), *i)).collect(),
        removed_units: removed.iter().map(|n| format!("t-{n}")).collect(),
        deliveries: deliveries.iter().map(|(id, n, over)| delivery(*id, &format!("t-{n}"), stage(*over))).collect(),
        fleet: phase.map(|phase| FleetState { phase, ..FleetState::default() }),
        events: events.iter().map(|(n, at)| event((*n > 0).then_some(["", "a", "b"][*n as usize]), *at, "t")).collect(),
        answers: answers.iter().map(|id| (*id, Answer::Ignored { text: "no".into() })).collect(),
    };
    (changes, if *full { Durability::Full } else { Durability::Normal })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn sqlite_equals_the_plain_model(steps in prop::collection::vec(step(), 1..25)) {
        let bed = OnSqlite(TempDir::new().unwrap());
        let (mut model, mut real): (Box<dyn Store>, _) = (Box::new(MemoryStore::new()), bed.open());
        let mut claim = model.claim("engine", "me").unwrap();
        let mut before = Claim { epoch: 0, ..claim.clone() };
        prop_assert_eq!(&real.claim("engine", "me").unwrap(), &claim);
        for step in &steps {
            match step {
                Step::Ask(index) => {
                    let verb = Verb::PhaseSet { index: *index };
                    prop_assert_eq!(real.ask(&verb, Wall(1)).unwrap(), model.ask(&verb, Wall(1)).unwrap());
                }
                Step::Put(key, value) => {
                    let values = BTreeMap::from([(key.to_string(), value.to_string())]);
                    real.put(&values).unwrap();
                    model.put(&values).unwrap();
                    prop_assert_eq!(real.get(&key.to_string()).unwrap(), model.get(&key.to_string()).unwrap());
                }
                Step::Reopen => { drop(real); real = bed.open(); }
                Step::Claim => {
                    before = std::mem::replace(&mut claim, model.claim("engine", "me").unwrap());
                    prop_assert_eq!(&real.claim("engine", "me").unwrap(), &claim);
                }
                Step::Late => prop_assert!(real.save(&before, &units(&[unit("t-0", 7)]), Durability::Full).is_err()),
                save => {
                    let (changes, durability) = changes(save);
                    real.save(&claim, &changes, durability).unwrap();
                    model.save(&claim, &changes, durability).unwrap();
                }
            }
            prop_assert_eq!(real.load().unwrap(), model.load().unwrap());
            prop_assert_eq!(real.requests().unwrap(), model.requests().unwrap());
        }
        for filter in [EventFilter::default(), EventFilter { agent: Some("a".into()), since: Some(Wall(20)) }] {
            prop_assert_eq!(real.last_events(&filter, 5).unwrap(), model.last_events(&filter, 5).unwrap());
            prop_assert_eq!(real.events_after(2, &filter, 5).unwrap(), model.events_after(2, &filter, 5).unwrap());
        }
        for session in [None, Some("t-1")] {
            prop_assert_eq!(real.deliveries(session, 4).unwrap(), model.deliveries(session, 4).unwrap());
        }
    }
}
