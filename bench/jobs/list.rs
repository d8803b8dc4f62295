//! Listing: the newest few and everything, beside a program start that does nothing.
use crate::{
    Plan, filled,
    peers::Peer,
    place::Place,
    submit::{CALLS, cpu, took},
    table::{self, Limit, Times},
};
use agents::store::Durability;
use std::io;

const FINISHED: usize = 5000;

pub fn run(plan: &Plan) -> io::Result<()> {
    table::head(&format!("list, {FINISHED} finished"));
    let place = Place::ready(&plan.program, Durability::Normal)?;
    filled::finished(&place, FINISHED)?;
    let [start, newest, all, all_json] =
        beside_each_other(&place, [&["--version"], &["jobs"], &["jobs", "--all"], &["jobs", "--all", "--json"]])?;
    table::times("agents --version", &start);
    table::times("jobs, the newest 20", &newest);
    table::row("  over an empty start", "ms", newest.median() - start.median(), Limit::Most(1.0));
    table::times("jobs --all", &all);
    table::times("jobs --all --json", &all_json);
    table::row("  over jobs", "ms", all_json.median() - newest.median(), Limit::Most(12.0));
    for words in [&["--version"][..], &["jobs"], &["jobs", "--all", "--json"]] {
        table::row(&format!("CPU of agents {}", words.join(" ")), "ms", cpu(&place, Some(words))?, Limit::None);
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

/// One call of each in turn, so that what else the machine does falls on all of them.
pub fn beside_each_other<const N: usize>(place: &Place, calls: [&[&str]; N]) -> io::Result<[Times; N]> {
    let mut times = [(); N].map(|()| Times::default());
    for round in 0..=CALLS {
        for (words, times) in calls.iter().zip(&mut times) {
            let took = place.run(words)?;
            // The first of each warms.
            if round > 0 {
                times.push(took);
            }
        }
    }
    Ok(times)
}

fn beside(peer: &Peer) -> io::Result<()> {
    let count = peer.bearable();
    for _ in 0..count {
        took(peer.add("true"))?;
    }
    peer.idle()?;
    let mut times = Times::default();
    for _ in 0..CALLS {
        times.push(took(peer.list())?);
    }
    table::times(&format!("{}: list, {count} finished", peer.name()), &times);
    Ok(())
}
