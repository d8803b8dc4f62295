//! Clients and runners killed with 4 jobs running and 20 queued; then the same at moments that follow from a seed.
use crate::{
    Plan,
    clients::{self, Clients, Kill},
    ledger::{self, Checked, FILE, Work},
    place::{Place, SLOTS, told, wait},
    rounds,
    table::{self, Limit, Times},
};
use agents::{store::Durability, store::jobs::JobStore, world::clock, world::process::ProcId};
use std::{
    io,
    time::{Duration, Instant},
};

const RUNNING: usize = SLOTS as usize;
const QUEUED: usize = 20;
const TIMES: usize = 3;

pub fn run(plan: &Plan) -> io::Result<()> {
    for kill in Kill::ALL {
        table::head(&format!("{} killed with {RUNNING} running and {QUEUED} queued, {TIMES} times", kill.word()));
        let (mut next, mut adopted) = (Times::default(), Times::default());
        let mut all = Checked::default();
        let mut killed = 0;
        for _ in 0..TIMES {
            let (dead, command, looked_after, checked) = fixed(plan, kill)?;
            killed += dead;
            next.push(command);
            adopted.push(looked_after);
            all.jobs += checked.jobs;
            all.true_codes += checked.true_codes;
            all.interrupted += checked.interrupted;
            all.at_once = all.at_once.max(checked.at_once);
            all.faults.extend(checked.faults);
        }
        let jobs = (TIMES * (RUNNING + QUEUED)) as f64;
        let interrupted = if kill.of_runners() { (TIMES * RUNNING) as f64 } else { 0.0 };
        table::row("killed", "", killed as f64, Limit::None);
        table::row("next command, worst", "ms", next.worst(), Limit::Most(25.0));
        table::row("  until all that run are looked after, worst", "ms", adopted.worst(), Limit::Most(25.0));
        table::row("jobs with their true exit code", "", all.true_codes as f64, Limit::Least(jobs - interrupted));
        table::row("  interrupted, without one", "", all.interrupted as f64, Limit::Most(interrupted));
        table::row("most at once", "", all.at_once as f64, Limit::Most(f64::from(SLOTS)));
        table::row("lost, run twice, or not as they say", "", all.faults.len() as f64, Limit::Most(0.0));
        all.faults.iter().take(5).for_each(|fault| table::note(fault));
        table::end();
    }
    rounds::run(plan)
}

fn fixed(plan: &Plan, kill: Kill) -> io::Result<(usize, Duration, Duration, Checked)> {
    let place = Place::ready(&plan.program, Durability::Normal)?;
    let store = place.store()?;
    let code = |number: usize| (number % 5) as u8;
    let works: Vec<Work> = (0..RUNNING + QUEUED)
        .map(|number| Work { number, ms: if number < RUNNING { 1500 } else { 20 }, code: code(number) })
        .collect();
    let clients = Clients::new(&place)?;
    let mut foreground = Vec::new();
    for work in &works[..RUNNING] {
        foreground.push(clients.foreground(*work)?);
    }
    wait(Duration::from_secs(20), Duration::from_millis(2), || {
        Ok((ledger::read(&place.path(FILE)).lines == RUNNING).then_some(()))
    })?;
    clients.batch(&works[RUNNING..])?.wait()?;
    let dead = kill.now(&place)?;
    let started = Instant::now();
    let command = place.run(&["jobs"])?;
    looked_after(&store)?;
    let adopted = started.elapsed();
    place.drained(&store, Duration::from_millis(5))?;
    // Where only runners are killed, the clients see their jobs end.
    foreground.iter_mut().try_for_each(clients::ended)?;
    let checked = ledger::check(&place, &store, &works, &clients.acked(), kill.of_runners())?;
    Ok((dead, command, adopted, checked))
}

/// Every job that runs has a runner that lives.
fn looked_after(store: &JobStore) -> io::Result<()> {
    let boot = clock::boot_id();
    wait(Duration::from_secs(20), Duration::from_micros(500), || {
        let lost = store.lost(&boot).map_err(told)?;
        let lives = |job: &agents::store::jobs::Lost| {
            job.runner.is_some_and(|runner| ProcId { pid: runner.pid, start: runner.start }.is_alive())
        };
        Ok(lost.iter().all(lives).then_some(()))
    })
}
