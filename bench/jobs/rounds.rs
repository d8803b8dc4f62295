//! Rounds of kills at seeded moments: clients submit in all three ways, something is killed in between, and afterwards
//! nothing may be lost, have run twice, or tell anything but the truth.
use crate::{
    Plan,
    clients::{self, Clients, Kill},
    ledger::{self, Checked, FILE, Work},
    place::{Place, is_drained},
    random::Random,
    table::{self, Limit, Times},
};
use agents::store::{Durability, jobs::JobStore};
use std::{
    io::{self, Error},
    process::Child,
    thread,
    time::{Duration, Instant},
};

const JOBS: usize = 24;
const FOREGROUND: usize = 3;
const BATCH: usize = 13;
/// A round's kill falls somewhere in here: while they submit, or while the jobs run.
const MOMENTS_US: u64 = 500_000;
/// A queue that stands still for so long has been left alone.
const STILL: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Sum {
    killed: usize,
    jobs: usize,
    interrupted: usize,
    at_once: usize,
    next: Times,
    /// Queues that went on only after a second look.
    looked_again: usize,
    /// Those that went on only after a job more was submitted.
    stood_still: usize,
    faults: Vec<String>,
}

pub fn run(plan: &Plan) -> io::Result<()> {
    table::head(&format!("{} rounds of kills at random moments, seed {}", plan.rounds, plan.seed));
    let mut sum = Sum::default();
    for round in 0..plan.rounds {
        let mut random = Random::new(plan.seed.wrapping_mul(1_000_003).wrapping_add(round));
        let kill = Kill::ALL[(random.below(Kill::ALL.len() as u64)) as usize];
        let about = format!("round {round}, {}", kill.word());
        match one(plan, kill, &mut random, &mut sum) {
            Ok(checked) => {
                sum.jobs += checked.jobs;
                sum.interrupted += checked.interrupted;
                sum.at_once = sum.at_once.max(checked.at_once);
                if checked.at_once > 4 {
                    sum.faults.push(format!("{about}: {} at once", checked.at_once));
                }
                sum.faults.extend(checked.faults.iter().map(|fault| format!("{about}: {fault}")));
            }
            Err(e) => sum.faults.push(format!("{about}: {e}")),
        }
    }
    table::row("processes killed", "", sum.killed as f64, Limit::None);
    table::row("jobs that came into the store", "", sum.jobs as f64, Limit::None);
    table::row("  interrupted, as they said", "", sum.interrupted as f64, Limit::None);
    table::row("most at once", "", sum.at_once as f64, Limit::Most(4.0));
    table::row("next command", "ms", sum.next.median(), Limit::None);
    table::row("  worst", "ms", sum.next.worst(), Limit::Most(25.0));
    table::row("queues that stood still for 2 s after it", "", sum.looked_again as f64, Limit::Most(0.0));
    table::row("  and went on only after the next submit", "", sum.stood_still as f64, Limit::Most(0.0));
    table::row("lost, run twice, or not as they say", "", sum.faults.len() as f64, Limit::Most(0.0));
    sum.faults.iter().take(20).for_each(|fault| table::note(fault));
    table::end();
    Ok(())
}

fn one(plan: &Plan, kill: Kill, random: &mut Random, sum: &mut Sum) -> io::Result<Checked> {
    let place = Place::ready(&plan.program, Durability::Normal)?;
    let store = place.store()?;
    let mut work = |number| Work { number, ms: 10 + random.below(140), code: random.below(5) as u8 };
    let works: Vec<Work> = (0..JOBS).map(&mut work).collect();
    let moment = Duration::from_micros(random.below(MOMENTS_US));
    let all = Clients::new(&place)?;
    let started = Instant::now();
    let killed = thread::scope(|scope| -> io::Result<usize> {
        let mut children = Vec::new();
        for work in &works[..FOREGROUND] {
            children.push(all.foreground(*work)?);
        }
        children.push(all.batch(&works[FOREGROUND..FOREGROUND + BATCH])?);
        let submitter = scope.spawn(|| all.one_by_one(&works[FOREGROUND + BATCH..]));
        thread::sleep(moment.saturating_sub(started.elapsed()));
        if kill != Kill::Runners {
            all.end();
        }
        let killed = kill.now(&place)?;
        submitter.join().unwrap_or_else(|_| Err(Error::other("it panicked")))?;
        if kill != Kill::Runners {
            // One that was being started while the others were looked for.
            children.iter_mut().try_for_each(Child::kill)?;
        }
        sum.next.push(place.run(&["jobs"])?);
        goes_on(&place, &store, sum)?;
        children.iter_mut().try_for_each(clients::ended)?;
        Ok(killed)
    })?;
    sum.killed += killed;
    ledger::check(&place, &store, &works, &all.acked(), kill.of_runners())
}

/// Until the queue is drained. One that stands still gets a command that looks, and then a job more.
fn goes_on(place: &Place, store: &JobStore, sum: &mut Sum) -> io::Result<()> {
    let end = Instant::now() + LONGEST;
    let (mut lines, mut since, mut looked) = (0, Instant::now(), false);
    while !is_drained(store)? {
        if Instant::now() > end {
            return Err(Error::other("the queue was not drained"));
        }
        let now = ledger::read(&place.path(FILE)).lines;
        if now != lines {
            (lines, since) = (now, Instant::now());
        } else if since.elapsed() > STILL {
            if looked {
                sum.stood_still += 1;
                place.run(&["run", "-b", "--", "/bin/true"])?;
            } else {
                sum.looked_again += 1;
                place.run(&["jobs"])?;
            }
            (since, looked) = (Instant::now(), !looked);
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
