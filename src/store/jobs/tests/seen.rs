//! What is borrowed from a row says the same as what is read from it.
use super::*;
use crate::model::job_seen::JobSeen;
use proptest::{collection::vec, prelude::*, sample::select};
use rusqlite::types::Value;
use std::{ffi::OsString, os::unix::ffi::OsStringExt};

/// What a program is shown is looked at, and nothing else: whose runner or process it was, and what is in the spec as
/// well, is not.
const SHOWN: [&str; 23] = [
    "state",
    "attempt",
    "step",
    "created",
    "started",
    "ended",
    "code",
    "signal",
    "error",
    "wake",
    "run_dir",
    "spec",
    "steps",
    "progress",
    "last_event",
    "peak_rss",
    "cpu_s",
    "session",
    "agent_session",
    "files_changed",
    "cost_usd",
    "usage",
    "bounds",
];

fn same(store: &JobStore) {
    let plain = store.list(&JobFilter::default(), None).expect("a list");
    let mut plain = plain.iter();
    let seen = |seen: &JobSeen| assert_eq!(*seen, JobSeen::of(plain.next().expect("as many")));
    store.each_seen(&JobFilter::default(), None, seen).expect("a list");
    assert!(plain.next().is_none());
}

fn value() -> impl Strategy<Value = Value> {
    let texts = [
        "",
        "done",
        "dreaming",
        "running",
        "[]",
        "[{}]",
        "null",
        "{\"model_calls\":2}",
        "{\"limits\":[\"a\"]}",
        "x\u{1b}",
        "[{\"state\":\"failed\",\"exit\":{\"signal\":9},\"started\":1,\"ended\":null,\"attempt\":2,\"session\":\"s\"}]",
        "{\"dir\":\"/\\\"\",\"steps\":[{\"command\":{\"argv\":[\"a\",[255]]}}],\"timeout\":{\"secs\":1,\"nanos\":5}}",
    ];
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::Integer),
        (-3..70_000_i64).prop_map(Value::Integer),
        any::<f64>().prop_map(Value::Real),
        select(texts.to_vec()).prop_map(|text| Value::Text(text.into())),
        vec(any::<u8>(), 0..4).prop_map(Value::Blob),
    ]
}

fn odd() -> NewJob {
    let bytes = |bytes: &[u8]| Bytes(OsString::from_vec(bytes.to_vec()));
    with(|spec| {
        spec.name = "web".into();
        spec.dir = "/a \"b\"".into();
        spec.steps = vec![
            StepSpec::of(JobCommand::Argv(vec![bytes(b"echo"), bytes(b"\xff\"")])),
            StepSpec { desc: "a\\b".into(), ..StepSpec::of(JobCommand::Shell(bytes(b"\xe2\x80\xae"))) },
        ];
    })
}

#[test]
fn a_job_is_seen_in_every_state_as_it_is_read() {
    let (_dir, mut store) = temp();
    for (number, state) in JobState::ALL.into_iter().enumerate() {
        let id = submit(&mut store, if number % 2 == 0 { new() } else { odd() });
        let set = "UPDATE job SET state = ?2, child = 7, child_start = 8, signal = 9, ended = 5 WHERE id = ?1";
        store.conn.execute(set, (id.0, state.word())).expect("written");
    }
    same(&store);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_stands_in_a_row_is_seen_as_it_is_read(
        rows in vec(vec((select(SHOWN.to_vec()), value()), 0..4), 1..8),
    ) {
        let (_dir, mut store) = temp();
        for (number, columns) in rows.into_iter().enumerate() {
            let id = submit(&mut store, if number % 2 == 0 { new() } else { odd() });
            for (column, value) in columns {
                // Some must not be empty.
                let _ = store.conn.execute(&format!("UPDATE job SET {column} = ?2 WHERE id = ?1"), (id.0, value));
            }
        }
        same(&store);
    }
}
