//! Everything that goes wrong at night, one thing after the other in one running fleet per CLI: how soon each is back at
//! work, whether each numbered prompt came once, and whether anybody answered a dialog unasked.
mod dialog;
mod fleet;
mod incident;
mod table;

use crate::clis::{self, CLIS, Cli, Trouble};
use fleet::Fleet;
use incident::INCIDENTS;
use std::process::ExitCode;
use table::{Line, Report};

/// `names`: of CLIs; none = all. One fleet after the other, so that they do not take the machine from each other.
pub fn play(names: &[&str]) -> ExitCode {
    if let Some(unknown) = names.iter().find(|n| CLIS.iter().all(|c| c.name != **n)) {
        eprintln!("error: unknown CLI `{unknown}`");
        return ExitCode::from(2);
    }
    let installed = match clis::install() {
        Ok(installed) => installed,
        Err(Trouble::Lacking(why) | Trouble::Wrong(why)) => {
            println!("FAILED: {why}");
            return ExitCode::FAILURE;
        }
    };
    let chosen = CLIS.iter().filter(|c| names.is_empty() || names.contains(&c.name));
    let reports: Vec<Report> = chosen.map(|cli| play_cli(cli, &installed)).collect();
    println!();
    reports.iter().for_each(|r| println!("{r}"));
    if reports.iter().all(Report::is_good) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn play_cli(cli: &'static Cli, installed: &clis::Installed) -> Report {
    let fleet = match Fleet::start(cli, installed) {
        Ok(fleet) => fleet,
        Err(e) => return Report::of_none(cli, e),
    };
    let mut lines = Vec::new();
    for incident in &INCIDENTS {
        let line = match fleet.play(incident) {
            Ok(Some(line)) => line,
            Ok(None) => continue,
            Err(e) => {
                println!("{} {}: FAILED: {e}", cli.name, incident.name);
                fleet.calm();
                Line::failed(incident.name, e.lines().next().unwrap_or_default().to_owned())
            }
        };
        println!("{:9} {line}", cli.name);
        lines.push(line);
    }
    fleet.report(lines)
}
