//! Figures beside their limits.
use std::{fs, time::Duration};

/// What a figure has to keep.
#[derive(Clone, Copy)]
pub enum Limit {
    None,
    Most(f64),
    Least(f64),
}

impl Limit {
    fn verdict(self, value: f64) -> &'static str {
        match self {
            Limit::None => "",
            Limit::Most(most) if value <= most => "ok",
            Limit::Least(least) if value >= least => "ok",
            _ => "OVER",
        }
    }

    fn shown(self) -> String {
        match self {
            Limit::None => String::new(),
            Limit::Most(most) => format!("<= {}", number(most)),
            Limit::Least(least) => format!(">= {}", number(least)),
        }
    }
}

/// Milliseconds, each of one call.
#[derive(Default)]
pub struct Times(Vec<f64>);

impl Times {
    pub fn push(&mut self, took: Duration) {
        self.0.push(ms(took));
    }

    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    pub fn p95(&self) -> f64 {
        self.quantile(0.95)
    }

    pub fn worst(&self) -> f64 {
        self.quantile(1.0)
    }

    fn quantile(&self, which: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1);
        sorted.get((last as f64 * which).round() as usize).copied().unwrap_or(f64::NAN)
    }
}

pub fn head(what: &str) {
    println!("{what}");
}

pub fn row(what: &str, unit: &str, value: f64, limit: Limit) {
    let (shown, verdict) = (limit.shown(), limit.verdict(value));
    let line = format!("  {what:<56} {unit:>4} {:>9} {shown:>10}  {verdict}", number(value));
    println!("{}", line.trim_end());
}

/// A median, and its 95th percentile beside it.
pub fn times(what: &str, times: &Times) {
    row(what, "ms", times.median(), Limit::None);
    row("  p95", "ms", times.p95(), Limit::None);
}

pub fn note(text: &str) {
    println!("  {text}");
}

pub fn end() {
    println!();
}

pub fn ms(took: Duration) -> f64 {
    took.as_secs_f64() * 1000.0
}

pub fn mb(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

fn number(value: f64) -> String {
    match value {
        v if v == v.trunc() && v.abs() < 1e9 => format!("{v:.0}"),
        v if v.abs() >= 100.0 => format!("{v:.0}"),
        v => format!("{v:.2}"),
    }
}

/// What the figures were taken on.
pub fn machine() -> String {
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?");
    format!("{cpus} CPUs, load {load} at the start")
}
