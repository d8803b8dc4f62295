//! No-ops from the first call to the last end: from one batch, and submitted one by one.
use crate::{
    Plan,
    peers::Peer,
    place::{Place, SLOTS, told, word},
    submit::took,
    table::{self, Limit},
};
use agents::{model::job::JobState, store::Durability};
use std::{
    fs,
    io::{self, Error},
    path::Path,
    thread,
    time::{Duration, Instant},
};

const FEW: usize = 500;
const MANY: usize = 2000;
/// A drain takes seconds: this is how far its end may be missed.
const LOOK: Duration = Duration::from_millis(5);
const ROUNDS: usize = 3;

pub fn run(plan: &Plan) -> io::Result<()> {
    table::head(&format!("no-ops on {SLOTS} slots, end to end"));
    table::row("control: sh -c true, 4 at a time, no store", "/s", control(plan)?, Limit::None);
    for durability in [Durability::Normal, Durability::Full] {
        let name = word(durability);
        let least = |jobs: f64| match durability {
            Durability::Normal => Limit::Least(jobs),
            Durability::Full => Limit::None,
        };
        let (few, many) = (best(plan, durability, FEW)?, best(plan, durability, MANY)?);
        table::row(&format!("{FEW} from one batch, {name}"), "/s", few, Limit::None);
        table::row(&format!("{MANY} from one batch, {name}"), "/s", many, least(1000.0));
        table::row(&format!("  of the rate of {FEW}"), "", many / few, Limit::Least(0.9));
        let (few, many) = (one_by_one(plan, durability, FEW)?, one_by_one(plan, durability, MANY)?);
        table::row(&format!("{FEW} one by one, {name}"), "/s", few, Limit::None);
        table::row(&format!("{MANY} one by one, {name}"), "/s", many, least(400.0));
        table::row(&format!("  of the rate of {FEW}"), "", many / few, Limit::Least(0.9));
    }
    for peer in Peer::all()? {
        match peer {
            Ok(peer) => beside(&peer)?,
            Err(name) => table::note(&format!("{name}: not installed")),
        }
    }
    table::end();
    Ok(())
}

/// The median of some drains, each of a store of its own.
fn best(plan: &Plan, durability: Durability, count: usize) -> io::Result<f64> {
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        rates.push(batch(plan, durability, count)?);
    }
    rates.sort_by(f64::total_cmp);
    Ok(rates[ROUNDS / 2])
}

fn batch(plan: &Plan, durability: Durability, count: usize) -> io::Result<f64> {
    let place = Place::ready(&plan.program, durability)?;
    let file = place.path("batch");
    fs::write(&file, "true\n".repeat(count))?;
    let started = Instant::now();
    place.run(&["run", "-b", "--batch", &file.to_string_lossy()])?;
    rate(&place, count, started)
}

fn one_by_one(plan: &Plan, durability: Durability, count: usize) -> io::Result<f64> {
    let place = Place::ready(&plan.program, durability)?;
    let started = Instant::now();
    for _ in 0..count {
        place.run(&["run", "-b", "true"])?;
    }
    rate(&place, count, started)
}

fn rate(place: &Place, count: usize, started: Instant) -> io::Result<f64> {
    let store = place.store()?;
    place.drained(&store, LOOK)?;
    let took = started.elapsed().as_secs_f64();
    let done = store.counts().map_err(told)?.get(&JobState::Done).copied().unwrap_or(0);
    if done != count as u64 {
        return Err(Error::other(format!("{done} of {count} no-ops are done")));
    }
    Ok(count as f64 / took)
}

/// The machine's own: as many shells, as many at a time.
fn control(plan: &Plan) -> io::Result<f64> {
    let place = Place::new(&plan.program, Durability::Normal)?;
    let started = Instant::now();
    thread::scope(|scope| {
        let shells = || -> io::Result<()> {
            for _ in 0..FEW {
                let mut command = place.command(Path::new("/bin/sh"));
                command.args(["-c", "true"]);
                took(command)?;
            }
            Ok(())
        };
        let threads: Vec<_> = (0..SLOTS).map(|_| scope.spawn(shells)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| Err(Error::other("it panicked"))))
    })?;
    Ok((FEW * SLOTS as usize) as f64 / started.elapsed().as_secs_f64())
}

fn beside(peer: &Peer) -> io::Result<()> {
    let count = peer.bearable();
    let started = Instant::now();
    for _ in 0..count {
        took(peer.add("true"))?;
    }
    peer.idle()?;
    let rate = count as f64 / started.elapsed().as_secs_f64();
    table::row(&format!("{}: {count} one by one", peer.name()), "/s", rate, Limit::None);
    Ok(())
}
