//! `[jobs]` and `[store]`: how jobs run where they say nothing of their own.
use super::{
    fields::Fields,
    findings::{Findings, Reach},
    job_keys::{JOBS, STORE},
    keys::Section,
};
use crate::model::job_rules::{Durable, JobRules, StoreRules};
use toml::de::DeTable;

/// A fault here stops no agent.
fn aside<'a, 'i>(
    root: &Fields<'a, 'i>,
    nothing: &'a DeTable<'i>,
    name: &str,
    section: &'static Section,
    out: &mut Findings,
) -> Fields<'a, 'i> {
    let (table, span) = root.table(out, name).unwrap_or((nothing, 0..0));
    let fields = Fields::new(section, table, span, Reach::None);
    fields.check_keys(out);
    fields
}

pub(super) fn jobs<'a, 'i>(root: &Fields<'a, 'i>, nothing: &'a DeTable<'i>, out: &mut Findings) -> JobRules {
    let f = aside(root, nothing, "jobs", &JOBS, out);
    let limit = f.duration(out, "step_timeout");
    JobRules {
        slots: slots(&f, out),
        step_timeout: (!limit.is_zero()).then_some(limit),
        keep_dirs: f.count(out, "keep_dirs"),
        keep_finished: f.count(out, "keep_finished"),
        keep_unfinished: f.count(out, "keep_unfinished"),
        stop_grace: f.duration(out, "stop_grace"),
        log_cap: f.size(out, "log_cap"),
    }
}

/// A wrong one counts as none.
fn slots(f: &Fields, out: &mut Findings) -> Option<u32> {
    f.find("slots")?;
    let mark = out.mark();
    let slots = f.count(out, "slots");
    (out.mark() == mark).then_some(slots)
}

pub(super) fn store<'a, 'i>(root: &Fields<'a, 'i>, nothing: &'a DeTable<'i>, out: &mut Findings) -> StoreRules {
    let f = aside(root, nothing, "store", &STORE, out);
    let durability = match f.word(out, "durability", "full").as_deref() {
        Some("normal") => Durable::Normal,
        _ => Durable::Full,
    };
    StoreRules { durability }
}

#[cfg(test)]
mod tests {
    use super::super::{ListedDisk, Source, Strictness, load};
    use super::*;
    use std::{path::Path, time::Duration};

    fn read(text: &str) -> (JobRules, StoreRules) {
        let text = format!("[defaults]\nsession_prefix = 'p-'\nlog_dir = 'l'\n{text}");
        let source = Source { path: Path::new("/p/agents.toml"), text: &text, home: None };
        let policy = load(&source, &ListedDisk::full(), Strictness::Check).expect("a config").policy;
        (policy.jobs, policy.store)
    }

    #[test]
    fn what_holds_in_a_project_that_says_nothing_holds_outside_of_any() {
        assert_eq!(read(""), (JobRules::default(), StoreRules::default()));
    }

    #[test]
    fn every_key_is_read() {
        let (jobs, store) = read(
            "[jobs]\nslots = 2\nstep_timeout = 0\nkeep_dirs = 0\nkeep_finished = 3\nkeep_unfinished = 4\n\
             stop_grace = '1m'\nlog_cap = '1MB'\n[store]\ndurability = 'normal'\n",
        );
        let expected = JobRules {
            slots: Some(2),
            step_timeout: None,
            keep_dirs: 0,
            keep_finished: 3,
            keep_unfinished: 4,
            stop_grace: Duration::from_secs(60),
            log_cap: 1_000_000,
        };
        assert_eq!((jobs, store), (expected, StoreRules { durability: Durable::Normal }));
    }
}
