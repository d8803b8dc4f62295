//! Jobs that are submitted by a job with a sandbox or limits. A runner that is started there is held in as that job is, and
//! so is all that it runs: it takes the jobs for which it was started, and nobody else's.
use crate::model::job::{JobId, JobSpec};
use std::ops::RangeInclusive;

/// Stands in the environment of every process that such a job starts, runners among them.
pub const HELD: &str = "AGENTS_JOB_HELD";
/// Behind the word of a runner: the jobs that are a runner's to take, `j5-j9`.
pub const ONLY: &str = "--only";

/// Whether this process belongs to such a job.
pub fn is_held() -> bool {
    std::env::var_os(HELD).is_some()
}

/// Whether its processes are such.
pub fn holds(spec: &JobSpec) -> bool {
    is_held() || spec.sandbox || spec.mem.is_some() || spec.procs.is_some()
}

/// What stands behind [`ONLY`].
pub fn parse(word: &str) -> Option<RangeInclusive<i64>> {
    let (first, last) = word.split_once('-')?;
    Some(JobId::parse(first)?.0..=JobId::parse(last)?.0)
}

/// Of a runner that was started for no job: it takes none.
pub fn nothing() -> RangeInclusive<i64> {
    RangeInclusive::new(1, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_jobs_of_a_runner_are_named_by_the_first_and_the_last() {
        assert_eq!(parse("j5-j9"), Some(5..=9));
        for bad in ["j5", "5-9", "j5-", "-j9", "j5-9"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
        assert!(nothing().is_empty());
    }
}
