//! Whoever submits one job, where no runner waits for one, makes its runner out of itself: no other program is started
//! for it, which would take longer than all the rest. There are two of us from before the store is opened, because a
//! database that is open in one process must not be used by its copy: the second one submits the job and runs it, the
//! first one tells what became of it.
use super::{
    super::{failure::Failure, jobs::Ground},
    queue::NewJobs,
};
use crate::{
    jobs::{
        idle, kick,
        runner::{self, Ready},
        within::is_held,
    },
    model::job::JobId,
    world::process::{Half, Twin, lift_file_limit, split, with_room},
};
use std::{
    ffi::OsStr,
    io::{PipeReader, Read},
};

/// Of our own variables, those that say nothing of where we belong.
const HARMLESS: [&str; 3] = ["AGENTS_BOOT_ID", "AGENTS_CONFIG", "AGENTS_DEBUG"];

/// Submits, and sees to it that what may run runs. `None`: we were the runner, and everything is done.
pub fn queue(new: &mut NewJobs, ground: &Ground) -> Result<Option<Vec<JobId>>, Failure> {
    // Who makes a tmux session must have nothing of ours about it.
    let alone = matches!(&new.jobs[..], [job] if !job.spec.tmux) && !is_held();
    let waits = if alone { idle::somebody(ground.dir()) } else { None };
    if alone
        && waits.is_none()
        && is_ours_to_run()
        && let Ok(half) = split()
    {
        return match half {
            Half::First(answer) => answered(answer).map(|id| Some(vec![id])),
            Half::Second(twin) => {
                take(new, twin, ground);
                Ok(None)
            }
            Half::Lost => Ok(None),
        };
    }
    with_room(|| {
        let mut store = ground.open()?;
        let ids = new.queue(&mut store)?;
        // Whoever waits for the next job sees to the rest, too, once that one has begun.
        if store.within().is_some() || !waits.is_some_and(|waits| waits.call()) {
            kick(&mut store)?;
        }
        store.leave();
        Ok(Some(ids))
    })
}

/// The second one.
fn take(new: &mut NewJobs, twin: Twin, ground: &Ground) {
    // It is a runner from its first file on.
    lift_file_limit();
    let done = ground.open().and_then(|mut store| {
        if store.within().is_some() {
            // We are held in, and our environment does not say so.
            let ids = new.queue(&mut store)?;
            kick(&mut store)?;
            return Ok((ids[0], None));
        }
        let me = Ready::be().ok_or_else(|| {
            Failure::new(
                1,
                "no job can run here: `/proc` cannot be read, or too many files are open; nothing was queued",
            )
        })?;
        let (id, first) = new.queue_to_run(&mut store, &me)?;
        Ok((id, Some((first, me, store))))
    });
    match done {
        Err(failure) => twin.say(&words::of(&Err(failure))),
        Ok((id, None)) => twin.say(&words::of(&Ok(id))),
        Ok((id, Some((first, me, store)))) => {
            let free = twin.free();
            // What is left to the first one it can do beside us.
            twin.say(&words::of(&Ok(id)));
            // Else we end with that one, and the next command sees to the job.
            if free.is_ok() {
                runner::stay(store, me, first);
            }
        }
    }
}

/// The first one.
fn answered(mut answer: PipeReader) -> Result<JobId, Failure> {
    let mut said = Vec::new();
    // What cannot be read was not said.
    let _ = answer.read_to_end(&mut said);
    words::read(&said).unwrap_or_else(|| {
        Err(Failure::new(1, "the process that queued the job was killed while it did")
            .hint("`agents jobs` tells whether it is there"))
    })
}

/// The runner would have our environment. Within an agent or a job that says whose we are, and the runner would be ended
/// with them: there it is started as a program of its own.
fn is_ours_to_run() -> bool {
    let ours = |name: &OsStr| name.as_encoded_bytes().starts_with(b"AGENTS_");
    !std::env::vars_os().any(|(name, _)| ours(&name) && HARMLESS.iter().all(|other| name != *other))
}

/// What the second one says: the job's id, or why there is none.
mod words {
    use super::{Failure, JobId};

    pub fn of(done: &Result<JobId, Failure>) -> Vec<u8> {
        match done {
            Ok(id) => id.to_string().into_bytes(),
            Err(Failure::Closed) => serde_json::json!([]).to_string().into_bytes(),
            Err(Failure::Said { code, text, hint }) => serde_json::json!([code, text, hint]).to_string().into_bytes(),
        }
    }

    pub fn read(said: &[u8]) -> Option<Result<JobId, Failure>> {
        let said = std::str::from_utf8(said).ok()?;
        if let Some(id) = JobId::parse(said) {
            return Some(Ok(id));
        }
        if said == "[]" {
            return Some(Err(Failure::Closed));
        }
        let (code, text, hint) = serde_json::from_str(said).ok()?;
        Some(Err(Failure::Said { code, text, hint }))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn what_is_said_is_what_is_read() {
            assert_eq!(read(&of(&Ok(JobId(12)))).unwrap().unwrap(), JobId(12));
            assert!(matches!(read(&of(&Err(Failure::Closed))), Some(Err(Failure::Closed))));
            for hint in [None, Some("`df -h /`".to_owned())] {
                let failure = Failure::Said { code: 3, text: "two\n\"lines\"".into(), hint };
                let again = read(&of(&Err(failure))).unwrap().unwrap_err();
                assert!(matches!(again, Failure::Said { code: 3, text, .. } if text == "two\n\"lines\""));
            }
        }

        #[test]
        fn one_that_was_killed_has_said_nothing() {
            assert!(read(b"").is_none() && read(b"[3, \"te").is_none());
        }
    }
}
