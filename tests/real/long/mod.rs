//! Everything that goes wrong at night, one thing after the other in one running fleet per CLI: how soon each is back at
//! work, whether each numbered prompt came once, and whether anybody answered a dialog unasked.
mod dialog;
mod fleet;
mod incident;
mod table;

use crate::clis::{self, CLIS, Cli, Trouble};
use fleet::Fleet;
use incident::{INCIDENTS, Incident};
use std::process::ExitCode;
use table::{Line, Report};

/// `names`: of CLIs, and words of incidents; none = all. One fleet after the other, so that they do not take the machine from each other.
pub fn play(names: &[&str]) -> ExitCode {
    let (clis, words): (Vec<&str>, Vec<&str>) = names.iter().partition(|n| CLIS.iter().any(|c| c.name == **n));
    if let Some(unknown) = words.iter().find(|w| INCIDENTS.iter().all(|i| i.word != **w)) {
        let known: Vec<&str> = CLIS.iter().map(|c| c.name).chain(INCIDENTS.iter().map(|i| i.word)).collect();
        eprintln!("error: no CLI and no incident is called `{unknown}`\nhint: {}", known.join(" "));
        return ExitCode::from(2);
    }
    let incidents: Vec<&Incident> = INCIDENTS.iter().filter(|i| words.is_empty() || words.contains(&i.word)).collect();
    let installed = match clis::install() {
        Ok(installed) => installed,
        Err(Trouble::Lacking(why) | Trouble::Wrong(why)) => {
            println!("FAILED: {why}");
            return ExitCode::FAILURE;
        }
    };
    let chosen = CLIS.iter().filter(|c| clis.is_empty() || clis.contains(&c.name));
    let reports: Vec<Report> = chosen.map(|cli| play_cli(cli, &installed, &incidents)).collect();
    println!();
    reports.iter().for_each(|r| println!("{r}"));
    if reports.iter().all(Report::is_good) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn play_cli(cli: &'static Cli, installed: &clis::Installed, incidents: &[&'static Incident]) -> Report {
    let fleet = match Fleet::start(cli, installed) {
        Ok(fleet) => fleet,
        Err(e) => return Report::of_none(cli, e),
    };
    let mut lines = Vec::new();
    for incident in incidents {
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
        if !line.is_good() {
            println!("{}", fleet.s.agents(&["events", "-n", "25"]).unwrap_or_else(|e| e));
        }
        lines.push(line);
    }
    fleet.report(lines, incidents)
}
