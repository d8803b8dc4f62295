//! `agents status`: the table, or the same as JSON.
use super::{Context, failure::Report, snapshot};
use crate::view::table::{self, Look};
use clap::Args;
use std::time::Duration;

#[derive(Debug, Default, Args)]
pub struct StatusArgs {
    /// One JSON object
    #[arg(long)]
    json: bool,
    /// Repaint every second until interrupted (with --json: a line whenever something changed)
    #[arg(long, short)]
    watch: bool,
    /// Evidence, last exit and next step of each agent below the table
    #[arg(long, short)]
    detailed: bool,
}

const REPAINT: Duration = Duration::from_secs(1);

pub fn run(args: &StatusArgs, context: &mut Context) -> Report {
    let mut shown = String::new();
    loop {
        // Every time anew: the config may change while somebody looks on.
        let fleet = context.fleet()?;
        let (view, now) = snapshot::take(&fleet)?;
        let out = &mut context.out;
        let text = if args.json {
            let json = if args.watch { serde_json::to_string(&view) } else { serde_json::to_string_pretty(&view) };
            json.map_err(|e| super::failure::Failure::new(1, e.to_string()))? + "\n"
        } else {
            table::status(&view, now, Look { width: out.width(), paint: out.paint, detailed: args.detailed })
        };
        if args.watch && !args.json && out.terminal {
            // Home, each line to its end, the rest of the screen: no flicker.
            let painted = text.replace('\n', "\x1b[K\n");
            out.raw(format!("\x1b[H{painted}\x1b[J").as_bytes())?;
        } else if text != shown {
            out.raw(text.as_bytes())?;
        }
        out.flush()?;
        if !args.watch {
            return Ok(0);
        }
        shown = text;
        out.pause(REPAINT)?;
    }
}
