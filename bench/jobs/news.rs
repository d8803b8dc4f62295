//! Who waits is told, who follows sees, and nothing wakes up meanwhile.
use crate::{
    Plan,
    place::{Place, told, wait},
    process,
    table::{self, Limit, Times, mb},
};
use agents::store::{Durability, jobs::JobStore};
use std::{
    io::{self, BufRead, BufReader, Error},
    process::{Child, ChildStdout, Stdio},
    thread,
    time::Duration,
};

const ENDS: usize = 12;
const LINES: usize = 30;
const WATCH: Duration = Duration::from_secs(10);

pub fn run(plan: &Plan) -> io::Result<()> {
    table::head("news");
    // The slower of the two: a job is not over before that is on the disk.
    let place = Place::ready(&plan.program, Durability::Full)?;
    let store = place.store()?;
    let waited = waiters(&place)?;
    table::row("job's last word to its waiter's, durability full", "ms", waited.median(), Limit::Most(5.0));
    table::row("  worst", "ms", waited.worst(), Limit::None);
    let followed = follower(&place)?;
    table::row("job's line to its follower's", "ms", followed.median(), Limit::Most(2.0));
    table::row("  worst", "ms", followed.worst(), Limit::None);
    idle(&place, &store)?;
    table::end();
    Ok(())
}

struct Reader {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Reader {
    fn of(place: &Place, words: &[&str]) -> io::Result<Reader> {
        let mut child = place.verb(words).stdout(Stdio::piped()).spawn()?;
        let lines = child.stdout.take().ok_or_else(|| Error::other("it has no output"))?;
        Ok(Reader { child, lines: BufReader::new(lines) })
    }

    /// The next line, and when it came.
    fn line(&mut self) -> io::Result<(String, Duration)> {
        let mut line = String::new();
        if self.lines.read_line(&mut line)? == 0 {
            return Err(Error::other("it ended before it said anything"));
        }
        Ok((line, process::realtime()))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The job says when it ends; so the time holds the end of its process and of its shell, and what is written of it.
fn waiters(place: &Place) -> io::Result<Times> {
    let mut times = Times::default();
    for _ in 0..ENDS {
        let id = place.output(&["run", "-b", "sleep 0.3; date +%s%N"])?;
        let mut waiter = Reader::of(place, &["jobs", "wait", &id])?;
        let (_, heard) = waiter.line()?;
        let log = place.output(&["logs", &id])?;
        let said = process::stamp(&log).ok_or_else(|| Error::other(format!("{id} said `{log}`")))?;
        times.push(heard.saturating_sub(said));
        place.settled()?;
    }
    Ok(times)
}

fn follower(place: &Place) -> io::Result<Times> {
    let line = format!("sleep 0.3; for i in $(seq {LINES}); do date +%s%N; sleep 0.03; done");
    let id = place.output(&["run", "-b", &line])?;
    let mut follower = Reader::of(place, &["logs", &id, "-f"])?;
    let mut times = Times::default();
    for _ in 0..LINES {
        let (line, seen) = follower.line()?;
        let said = process::stamp(&line).ok_or_else(|| Error::other(format!("{id} said `{}`", line.trim())))?;
        times.push(seen.saturating_sub(said));
    }
    place.settled()?;
    Ok(times)
}

/// One job that sleeps, and one that waits for its time.
fn idle(place: &Place, store: &JobStore) -> io::Result<()> {
    thread::sleep(Duration::from_millis(500));
    let left = process::of(place.root()).iter().filter(|p| p.is_runner()).count();
    table::row("processes without a job", "", left as f64, Limit::Most(0.0));
    place.run(&["run", "-b", "--at", "+1h", "true"])?;
    let sleeper = runners(place, 1)?[0];
    place.run(&["run", "-b", "--", "sleep", "600"])?;
    place.running(store, 1)?;
    let job = store.running().map_err(told)?.pop().ok_or_else(|| Error::other("the job is gone"))?;
    let (Some(runner), Some(child)) = (job.runner, job.child) else { return Err(Error::other("it has no runner")) };
    // What a start leaves to do.
    thread::sleep(Duration::from_secs(1));
    let woken = |pid: u32| process::wakeups(pid).ok_or_else(|| Error::other("a runner ended"));
    let (before, asleep) = (woken(runner.pid)?, woken(sleeper)?);
    thread::sleep(WATCH);
    let (after, still_asleep) = (woken(runner.pid)?, woken(sleeper)?);
    let wakeups = |before, after| (after - before) as f64;
    table::row("wake-ups of its runner, 10 s of a sleeping job", "", wakeups(before, after), Limit::Most(0.0));
    let pss = process::pss(runner.pid);
    table::row("  PSS of the runner", "MB", mb(pss), Limit::Most(8.0));
    table::row("  PSS of the runner and the job", "MB", mb(pss + process::pss(child.pid)), Limit::Most(12.0));
    let wakes = wakeups(asleep, still_asleep);
    table::row("wake-ups of the runner that waits for a time, 10 s", "", wakes, Limit::Most(0.0));
    table::row("  its PSS", "MB", mb(process::pss(sleeper)), Limit::Most(8.0));
    Ok(())
}

fn runners(place: &Place, count: usize) -> io::Result<Vec<u32>> {
    wait(Duration::from_secs(10), Duration::from_millis(5), || {
        let found: Vec<u32> = process::of(place.root()).iter().filter(|p| p.is_runner()).map(|p| p.pid).collect();
        Ok((found.len() == count).then_some(found))
    })
}
