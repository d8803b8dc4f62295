//! What a fleet costs: start, stop, status, ticks, restarts and memory, for several sizes, beside the figures of the
//! Python driver that this program replaces.
//!
//! ```text
//! cargo bench --bench fleet                      1, 10, 50 and 200 agents
//! cargo bench --bench fleet -- --quick 50        one size, shorter
//! cargo bench --bench fleet -- --program PATH    another binary than the one just built
//! ```
//! Everything happens in a private folder with a tmux server of its own. Nothing is asserted: a busy machine is no
//! fault. The wall times of a busy machine mean little; its CPU times mean more.
mod agent;
mod measure;
mod process;
mod sandbox;
mod table;

use std::{path::PathBuf, process::ExitCode, time::Duration};

/// What one run is to do.
pub struct Plan {
    pub program: PathBuf,
    pub sizes: Vec<usize>,
    /// How long ticks are watched.
    pub watch: Duration,
    pub kills: usize,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|w| w == agent::WORD) {
        return agent::main(&words[1..]);
    }
    let plan = match plan(&words) {
        Ok(plan) => plan,
        Err(e) => {
            eprintln!("error: {e}");
            return ExitCode::from(2);
        }
    };
    println!("fleet: {}, {}\n", plan.program.display(), table::machine());
    for &n in &plan.sizes {
        match measure::fleet(&plan, n) {
            Ok(figures) => table::print(n, &figures),
            Err(e) => println!("{n} agents: not measured: {e}\n"),
        }
    }
    ExitCode::SUCCESS
}

fn plan(words: &[String]) -> Result<Plan, String> {
    let mut plan = Plan {
        program: PathBuf::from(env!("CARGO_BIN_EXE_agents")),
        sizes: Vec::new(),
        watch: Duration::from_secs(20),
        kills: 20,
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            // Cargo's own.
            "--bench" => {}
            "--quick" => {
                plan.watch = Duration::from_secs(6);
                plan.kills = 8;
            }
            "--program" => plan.program = words.next().ok_or("`--program` needs a path")?.into(),
            number => match number.parse() {
                Ok(n @ 1..=1000) => plan.sizes.push(n),
                _ => return Err(format!("`{number}` is not a number of agents from 1 to 1000")),
            },
        }
    }
    if plan.sizes.is_empty() {
        plan.sizes = vec![1, 10, 50, 200];
    }
    Ok(plan)
}
