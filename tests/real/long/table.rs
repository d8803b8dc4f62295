//! What a person reads of it.
use super::incident::BACK;
use crate::clis::Cli;
use std::{fmt, time::Duration};

pub struct Line {
    pub what: &'static str,
    pub lasted: Duration,
    pub back: Option<Duration>,
    pub at_most: Duration,
    pub how: String,
    pub prompts: usize,
    /// Of the machine in the last minute: 1 = one core.
    pub load: f64,
    pub fault: Option<String>,
}

#[derive(Default)]
pub struct Counts {
    pub prompts: usize,
    once: usize,
    twice: Vec<String>,
    /// With what was told about it.
    never: Vec<String>,
    untold: usize,
    unsure: usize,
    /// Permissions.
    pub asked: usize,
    pub granted: usize,
    /// Dialogs, by rules.
    pub answered: usize,
}

pub struct Report {
    pub cli: &'static Cli,
    pub lines: Vec<Line>,
    /// What this CLI has not.
    pub missing: Vec<&'static str>,
    pub counts: Counts,
    pub fault: Option<String>,
}

impl Counts {
    pub fn add(&mut self, mark: &str, arrivals: usize, told: Option<&'static str>) {
        self.prompts += 1;
        self.unsure += usize::from(told.is_some());
        match arrivals {
            0 => {
                self.untold += usize::from(told.is_none());
                self.never.push(format!("{mark} ({})", told.unwrap_or("NOT TOLD")));
            }
            1 => self.once += 1,
            n => self.twice.push(format!("{mark} x{n}")),
        }
    }
}

impl Line {
    pub fn failed(what: &'static str, fault: String) -> Line {
        let (lasted, back, at_most) = (Duration::ZERO, None, BACK);
        Line { what, lasted, back, at_most, how: String::new(), prompts: 0, load: load(), fault: Some(fault) }
    }

    pub fn is_good(&self) -> bool {
        self.fault.is_none() && self.back.is_some_and(|b| b <= self.at_most)
    }
}

impl Report {
    pub fn of_none(cli: &'static Cli, fault: String) -> Report {
        println!("{}: FAILED: {fault}", cli.name);
        let fault = fault.lines().next().map(str::to_owned);
        Report { cli, lines: Vec::new(), missing: Vec::new(), counts: Counts::default(), fault }
    }

    pub fn is_good(&self) -> bool {
        let counts = &self.counts;
        self.fault.is_none()
            && self.lines.iter().all(Line::is_good)
            && counts.twice.is_empty()
            && counts.untold == 0
            && counts.granted <= counts.asked
    }
}

pub fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or_default()
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let sign = if self.is_good() { ' ' } else { '!' };
        write!(f, "{sign} {:31}", self.what)?;
        if let Some(fault) = &self.fault {
            return write!(f, "FAILED: {fault}");
        }
        let back = self.back.map_or("never".into(), |b| format!("{:.1} s", b.as_secs_f64()));
        let (lasted, at_most) = (self.lasted.as_secs(), self.at_most.as_secs());
        let (prompts, load, how) = (self.prompts, self.load, &self.how);
        write!(f, "{lasted:>4} s {back:>8} of {at_most} s {prompts:>4} {load:>6.1}  {how}")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        writeln!(f, "== {} {}\n", self.cli.name, self.cli.version)?;
        if let Some(fault) = &self.fault {
            return writeln!(f, "FAILED: {fault}");
        }
        writeln!(f, "  {:31} lasted  back after     prompts  load  how", "")?;
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        let Counts { prompts, once, twice, never, unsure, asked, granted, answered, .. } = &self.counts;
        let late = self.lines.iter().filter(|l| !l.is_good()).count();
        writeln!(f, "\n  {} incidents, {late} failed or not back in time", self.lines.len())?;
        self.missing.iter().try_for_each(|what| writeln!(f, "  not for this CLI: {what}"))?;
        writeln!(f, "  {prompts} prompts: {once} came once, {} twice, {} never", twice.len(), never.len())?;
        writeln!(f, "  told as undelivered or unknown: {unsure}")?;
        twice.iter().try_for_each(|t| writeln!(f, "! came twice: {t}"))?;
        never.iter().try_for_each(|t| writeln!(f, "  never came: {t}"))?;
        writeln!(f, "  permissions: {asked} asked for, {granted} granted; dialogs answered by rules: {answered}")
    }
}
