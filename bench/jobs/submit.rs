//! Submitting: the call itself, warm and cold, with and without a history; and from the call to the start of the process.
use crate::{
    Plan, filled,
    peers::Peer,
    place::{Place, wait, word},
    process,
    table::{self, Limit, Times},
};
use agents::store::Durability;
use std::{
    fs,
    io::{self, Error},
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

pub const CALLS: usize = 50;
/// Before anything is counted.
const WARMING: usize = 3;
const COLD: usize = 12;
const FINISHED: usize = 5000;
const TRUE: &str = "/bin/true";
const NO_OP: [&str; 4] = ["run", "-b", "--", TRUE];

pub fn run(plan: &Plan) -> io::Result<()> {
    for durability in [Durability::Normal, Durability::Full] {
        table::head(&format!("submit, durability {}", word(durability)));
        let over = |limit: f64| match durability {
            Durability::Normal => Limit::Most(limit),
            Durability::Full => Limit::None,
        };
        let mut medians = Vec::new();
        for finished in [0, FINISHED] {
            let place = Place::ready(&plan.program, durability)?;
            filled::finished(&place, finished)?;
            let (control, ours) = calls(&place, &NO_OP, || place.settled())?;
            medians.push(ours.median() / control.median());
            table::times(&format!("spawn {TRUE}, {finished} finished"), &control);
            table::times(&format!("run -b, {finished} finished"), &ours);
            table::row("  times the control", "", ours.median() / control.median(), over(2.5));
            // Nothing may start: what is left is the call itself.
            place.limit(0)?;
            let (control, ours_waits) = calls(&place, &NO_OP, || Ok(()))?;
            table::times("run -b of a job that has to wait", &ours_waits);
            table::row("  times the control", "", ours_waits.median() / control.median(), over(2.5));
            let (spawned, called) = (cpu(&place, None)?, cpu(&place, Some(&NO_OP))?);
            table::row("  CPU of a spawn of the control", "ms", spawned, Limit::None);
            table::row("  CPU of the call", "ms", called, Limit::None);
        }
        table::row(
            &format!("times the control, {FINISHED} finished to none"),
            "",
            medians[1] / medians[0],
            Limit::Most(1.15),
        );
        let (control, first) = cold(plan, durability)?;
        table::row("first run -b ever, in a fresh folder", "ms", first.median(), Limit::None);
        table::row("  times the control", "", first.median() / control.median(), over(3.5));
        let place = Place::ready(&plan.program, durability)?;
        starts(&place)?;
        table::end();
    }
    outside(plan)?;
    for peer in Peer::all()? {
        match peer {
            Ok(peer) => beside(&peer)?,
            Err(name) => table::note(&format!("{name}: not installed")),
        }
    }
    table::end();
    Ok(())
}

/// The control and ours, one after the other in one loop.
fn calls(place: &Place, words: &[&str], after: impl Fn() -> io::Result<()>) -> io::Result<(Times, Times)> {
    let (mut control, mut ours) = (Times::default(), Times::default());
    for n in 0..CALLS + WARMING {
        let spawned = took(place.command(Path::new(TRUE)))?;
        let called = place.run(words)?;
        after()?;
        if n >= WARMING {
            control.push(spawned);
            ours.push(called);
        }
    }
    Ok((control, ours))
}

/// Where no config has to be read: by the defaults, so on the disk before the answer.
fn outside(plan: &Plan) -> io::Result<()> {
    table::head("submit, outside of any project, durability full");
    let place = Place::new(&plan.program, Durability::Full)?;
    let verb = |words: &[&str]| {
        let mut command = place.verb(words);
        command.current_dir(std::env::temp_dir());
        took(command)
    };
    verb(&["jobs", "limit", "0"])?;
    let (mut control, mut ours) = (Times::default(), Times::default());
    for _ in 0..CALLS {
        control.push(took(place.command(Path::new(TRUE)))?);
        ours.push(verb(&NO_OP)?);
    }
    table::times("run -b of a job that has to wait", &ours);
    table::row("  times the control", "", ours.median() / control.median(), Limit::None);
    let before = process::children_cpu();
    (0..CALLS).try_for_each(|_| verb(&NO_OP).map(drop))?;
    let used = process::children_cpu().saturating_sub(before);
    table::row("  CPU of the call", "ms", table::ms(used) / CALLS as f64, Limit::None);
    table::end();
    Ok(())
}

/// CPU time of one call of a verb, or of the control: what a busy machine changes little. In ms.
pub fn cpu(place: &Place, words: Option<&[&str]>) -> io::Result<f64> {
    let before = process::children_cpu();
    for _ in 0..CALLS {
        match words {
            Some(words) => place.run(words)?,
            None => took(place.command(Path::new(TRUE)))?,
        };
    }
    Ok(table::ms(process::children_cpu().saturating_sub(before)) / CALLS as f64)
}

pub fn took(mut command: Command) -> io::Result<Duration> {
    let started = Instant::now();
    let status = command.status()?;
    let took = started.elapsed();
    if status.success() { Ok(took) } else { Err(Error::other(format!("{command:?}: {status}"))) }
}

fn cold(plan: &Plan, durability: Durability) -> io::Result<(Times, Times)> {
    let (mut control, mut ours) = (Times::default(), Times::default());
    for _ in 0..COLD {
        let place = Place::new(&plan.program, durability)?;
        control.push(took(place.command(Path::new(TRUE)))?);
        ours.push(place.run(&NO_OP)?);
        place.settled()?;
    }
    Ok((control, ours))
}

/// From the call to what the job's process says first.
fn starts(place: &Place) -> io::Result<()> {
    const LINE: [&str; 3] = ["/bin/sh", "-c", "date +%s%N >>\"$0\""];
    let (theirs, own) = (place.path("control"), place.path("stamps"));
    let (theirs_word, own_word) = (theirs.to_string_lossy(), own.to_string_lossy());
    let mut words = vec!["run", "-b", "--"];
    words.extend(LINE);
    words.push(&own_word);
    let mut n = 0;
    // With the runner of the job before, which waits a moment for this one, and when that has gone.
    for (word, rest) in [("", false), (", after a rest", true)] {
        let (mut control, mut ours) = (Times::default(), Times::default());
        for _ in 0..CALLS {
            n += 1;
            let called = process::realtime();
            let mut command = place.command(Path::new(LINE[0]));
            took_quietly(command.args(&LINE[1..]).arg(&*theirs_word))?;
            control.push(stamped(&theirs, n)?.saturating_sub(called));
            let called = process::realtime();
            place.run(&words)?;
            ours.push(stamped(&own, n)?.saturating_sub(called));
            if rest { place.left()? } else { place.settled()? }
        }
        table::times(&format!("spawn sh -c date to its date{word}"), &control);
        table::row(&format!("run -b to its date{word}"), "ms", ours.median(), Limit::None);
        table::row("  p95", "ms", ours.p95(), Limit::Most(20.0));
        table::row("  times the control", "", ours.median() / control.median(), Limit::Most(2.0));
    }
    Ok(())
}

fn took_quietly(command: &mut Command) -> io::Result<()> {
    command.status().map(drop)
}

/// The `n`th line, as soon as it is there.
fn stamped(file: &Path, n: usize) -> io::Result<Duration> {
    wait(Duration::from_secs(20), Duration::from_micros(500), || {
        let text = fs::read_to_string(file).unwrap_or_default();
        // Not a line that is being written.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        Ok(whole.lines().nth(n - 1).and_then(process::stamp))
    })
}

fn beside(peer: &Peer) -> io::Result<()> {
    let (mut control, mut theirs) = (Times::default(), Times::default());
    for _ in 0..CALLS {
        control.push(took(peer.command(TRUE))?);
        theirs.push(took(peer.add(TRUE))?);
        peer.idle()?;
    }
    let name = peer.name();
    table::times(&format!("{name}: submit"), &theirs);
    table::row("  times the control", "", theirs.median() / control.median(), Limit::None);
    let file = peer.path("stamps");
    let line = format!("date +%s%N >>{}", file.display());
    let mut starts = Times::default();
    for n in 1..=CALLS {
        let called = process::realtime();
        took(peer.add_line(&line))?;
        starts.push(stamped(&file, n)?.saturating_sub(called));
        peer.idle()?;
    }
    table::times(&format!("{name}: submit to its date"), &starts);
    Ok(())
}
