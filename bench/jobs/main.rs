//! What jobs cost, and what kills cost them: the figures of jobs beside their limits, `/bin/true` as control, and
//! task-spooler and pueue in the same run where they are installed.
//!
//! ```text
//! cargo bench --bench jobs                           everything, about two minutes
//! cargo bench --bench jobs -- submit list            some of: submit drain list news kills many
//! cargo bench --bench jobs -- kills 200 SEED         200 rounds of kills at the moments that follow from SEED
//! cargo bench --bench jobs -- many 10000             another number of queued jobs
//! cargo bench --bench jobs -- --program PATH         another binary than the one just built
//! ```
//! Every store is in a private folder that is gone afterwards, with all processes that belong to it. Nothing is
//! asserted: a busy machine is no fault, so compare with the control beside a figure.
mod clients;
mod drain;
mod filled;
mod kills;
mod ledger;
mod list;
mod many;
mod news;
mod peers;
mod place;
mod process;
mod random;
mod rounds;
mod submit;
mod table;

use std::{io, path::PathBuf, process::ExitCode};

/// What one run is to do.
pub struct Plan {
    pub program: PathBuf,
    phases: Vec<Phase>,
    pub rounds: u64,
    pub seed: u64,
    /// Jobs in the long queue.
    pub queued: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Submit,
    Drain,
    List,
    News,
    Kills,
    Many,
}

const PHASES: [(&str, Phase); 6] = [
    ("submit", Phase::Submit),
    ("drain", Phase::Drain),
    ("list", Phase::List),
    ("news", Phase::News),
    ("kills", Phase::Kills),
    ("many", Phase::Many),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|w| w == ledger::WORD) {
        return ledger::main(&words[1..]);
    }
    let plan = match plan(&words) {
        Ok(plan) => plan,
        Err(e) => {
            eprintln!("error: {e}");
            return ExitCode::from(2);
        }
    };
    println!("jobs: {}, {}\n", plan.program.display(), table::machine());
    for (word, phase) in PHASES.into_iter().filter(|(_, phase)| plan.phases.contains(phase)) {
        if let Err(e) = measure(phase, &plan) {
            println!("  {word}: not measured: {e}\n");
        }
    }
    place::clear();
    ExitCode::SUCCESS
}

fn measure(phase: Phase, plan: &Plan) -> io::Result<()> {
    match phase {
        Phase::Submit => submit::run(plan),
        Phase::Drain => drain::run(plan),
        Phase::List => list::run(plan),
        Phase::News => news::run(plan),
        Phase::Kills => kills::run(plan),
        Phase::Many => many::run(plan),
    }
}

fn plan(words: &[String]) -> Result<Plan, String> {
    let mut plan = Plan {
        program: PathBuf::from(env!("CARGO_BIN_EXE_agents")),
        phases: Vec::new(),
        rounds: 5,
        seed: 1,
        queued: 100_000,
    };
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        match word.as_str() {
            // Cargo's own.
            "--bench" => continue,
            "--program" => {
                plan.program = words.next().ok_or("`--program` needs a path")?.into();
                continue;
            }
            _ => {}
        }
        let (_, phase) = PHASES.into_iter().find(|(name, _)| name == word).ok_or_else(|| {
            let known = PHASES.map(|(name, _)| name).join(" ");
            format!("`{word}` is not a phase\nhint: the phases are {known}")
        })?;
        plan.phases.push(phase);
        let mut number = || words.next_if(|w| w.parse::<u64>().is_ok()).and_then(|w| w.parse().ok());
        match phase {
            Phase::Kills => {
                plan.rounds = number().unwrap_or(plan.rounds);
                plan.seed = number().unwrap_or(plan.seed);
            }
            Phase::Many => {
                let given = number().and_then(|n| usize::try_from(n).ok());
                plan.queued = given.unwrap_or(plan.queued);
            }
            _ => {}
        }
    }
    if plan.phases.is_empty() {
        plan.phases = PHASES.map(|(_, phase)| phase).to_vec();
    }
    Ok(plan)
}
