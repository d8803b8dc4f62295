//! A very long queue: submitting and listing cost what they cost without it.
use crate::{
    Plan,
    list::beside_each_other,
    place::{Place, SLOTS, told},
    process,
    submit::took,
    table::{self, Limit, Times, mb, ms},
};
use agents::store::Durability;
use std::{
    fs, io,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

const CALLS: usize = 30;

pub fn run(plan: &Plan) -> io::Result<()> {
    let count = plan.queued;
    table::head(&format!("{count} queued, {SLOTS} running"));
    let place = Place::ready(&plan.program, Durability::Normal)?;
    for _ in 0..SLOTS {
        place.run(&["run", "-b", "--", "sleep", "600"])?;
    }
    place.running(&place.store()?, SLOTS as usize)?;
    let file = place.path("batch");
    fs::write(&file, "true\n".repeat(count))?;
    let mut command = place.verb(&["run", "-b", "--batch"]);
    command.arg(&file);
    let (batch, peak) = watched(command)?;
    table::row("one batch of them", "ms", ms(batch), Limit::None);
    table::row("  each", "ms", ms(batch) / count as f64, Limit::None);
    table::row("  most memory of the call", "MB", mb(peak), Limit::Most(64.0));
    let (mut control, mut ours) = (Times::default(), Times::default());
    for _ in 0..CALLS {
        control.push(took(place.command(Path::new("/bin/true")))?);
        ours.push(place.run(&["run", "-b", "--", "/bin/true"])?);
    }
    table::times("run -b of one more", &ours);
    table::row("  times the control", "", ours.median() / control.median(), Limit::Most(2.5));
    let [start, newest] = beside_each_other(&place, [&["--version"], &["jobs"]])?;
    table::times("jobs, the newest 20", &newest);
    table::row("  over an empty start", "ms", newest.median() - start.median(), Limit::Most(1.0));
    let (_, peak) = watched(place.verb(&["jobs"]))?;
    table::row("  most memory of the call", "MB", mb(peak), Limit::Most(64.0));
    let runners: u64 = process::of(place.root()).iter().filter(|p| p.is_runner()).map(|p| process::pss(p.pid)).sum();
    table::row(&format!("PSS of the {SLOTS} runners"), "MB", mb(runners), Limit::Most(64.0));
    let queued: u32 = place.store()?.groups().map_err(told)?.iter().map(|group| group.queued).sum();
    table::row("queued at the end", "", f64::from(queued), Limit::Least((count + CALLS) as f64));
    let size = fs::metadata(place.path(".agents/jobs.db")).map_or(0, |meta| meta.len());
    table::row("the store on the disk", "MB", mb(size), Limit::None);
    table::end();
    Ok(())
}

/// How long it took, and the most memory that it was seen with.
fn watched(mut command: Command) -> io::Result<(Duration, u64)> {
    let started = Instant::now();
    let mut child = command.spawn()?;
    let mut peak = 0;
    let status = loop {
        peak = peak.max(process::peak(child.id()));
        match child.try_wait()? {
            Some(status) => break status,
            None => std::thread::sleep(Duration::from_micros(500)),
        }
    };
    let took = started.elapsed();
    if status.success() { Ok((took, peak)) } else { Err(io::Error::other(format!("{command:?}: {status}"))) }
}
