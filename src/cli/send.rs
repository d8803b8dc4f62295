//! `agents send`: a text for an agent, and what became of it.
use super::{
    Context,
    failure::{Failure, Report},
    names, since,
};
use crate::{
    engine::fleet::Fleet,
    model::{
        delivery::Stage,
        name::printable,
        request::{Answer, Verb},
        state::{Life, Seen},
    },
    store::Store,
    world::clock,
};
use clap::Args;
use serde_json::json;
use std::{ffi::OsString, io::Read, path::Path, time::Duration};

/// A longer text is refused.
const MAX_TEXT: usize = 1 << 20;

#[derive(Debug, Args)]
#[command(after_help = "\
The text is typed once, when the agent is ready for it, and looked for on its screen.
Outcomes: delivered, queued (both 0); undelivered, unknown (both 1).

Examples:
  agents send builder run the tests again
  agents send builder --file notes.md
  git diff | agents send adversary -")]
pub struct SendArgs {
    /// The agent
    name: String,
    /// The text; a single `-` reads it from standard input
    #[arg(value_name = "TEXT", required_unless_present = "file", conflicts_with = "file")]
    text: Vec<OsString>,
    /// Read the text from a file; `-` is standard input
    #[arg(long, value_name = "F", value_hint = clap::ValueHint::FilePath)]
    file: Option<OsString>,
    /// How long to wait for the outcome [default: 30s, less if the agent is busy]
    #[arg(long, value_name = "T", value_parser = since::duration)]
    timeout: Option<Duration>,
    /// One JSON object: v, id, name, outcome, reason
    #[arg(long)]
    json: bool,
}

const DEADLINE: Duration = Duration::from_secs(30);
/// A busy agent may stay busy for hours: its queue is proof enough after this long.
const BUSY_DEADLINE: Duration = Duration::from_secs(2);

pub fn run(args: &SendArgs, context: &mut Context) -> Report {
    let fleet = context.fleet()?;
    names::check(&fleet.policy, std::slice::from_ref(&args.name), false)?;
    let text = text(args)?;
    let verb = Verb::Send { name: args.name.clone(), text };
    let mut answer = None;
    // Its events would mix with the outcome: they stand in `agents events`.
    let said = fleet.perform(verb, &mut |_| {})?;
    match said {
        Answer::Accepted { delivery: Some(id), .. } => answer = Some(id),
        Answer::Accepted { text, .. } | Answer::Ignored { text } => {
            context.out.say(clock::now().wall, &text);
        }
        Answer::Denied { text } => return Err(Failure::new(5, text)),
    }
    let Some(id) = answer else { return Ok(1) };
    let store = fleet.store()?;
    let (outcome, reason) = outcome(&fleet, &*store, id, args, context)?;
    if args.json {
        let object = json!({"v": 1, "id": id, "name": args.name, "outcome": outcome, "reason": reason});
        context.out.line(&object.to_string())?;
    } else {
        let why = reason.as_deref().map(|r| format!(": {}", printable(r))).unwrap_or_default();
        context.out.line(&format!("delivery {id} to {}: {outcome}{why}", args.name))?;
    }
    Ok(u8::from(!matches!(outcome, "delivered" | "queued")))
}

fn text(args: &SendArgs) -> Result<String, Failure> {
    let from_stdin = args.text.len() == 1 && args.text[0] == "-";
    let bytes = match &args.file {
        Some(file) if file != "-" => read(Path::new(file))?,
        Some(_) => stdin()?,
        None if from_stdin => stdin()?,
        None => args.text.iter().map(|w| w.as_encoded_bytes()).collect::<Vec<_>>().join(&b' '),
    };
    if bytes.len() > MAX_TEXT {
        let text = format!("the text is longer than {MAX_TEXT} bytes");
        return Err(Failure::new(1, text).hint("put it into a file and send the file's name"));
    }
    let text = String::from_utf8(bytes).map_err(|_| Failure::new(1, "the text is not UTF-8"))?;
    let text = text.trim_end_matches(['\n', '\r']).to_owned();
    if text.trim().is_empty() {
        return Err(Failure::new(2, "the text is empty"));
    }
    Ok(text)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let fail = |e: std::io::Error| Failure::new(1, format!("`{}` cannot be read: {e}", path.display()));
    limited(&mut std::fs::File::open(path).map_err(fail)?).map_err(fail)
}

fn stdin() -> Result<Vec<u8>, Failure> {
    limited(&mut std::io::stdin()).map_err(|e| Failure::new(1, format!("standard input cannot be read: {e}")))
}

/// At most one byte more than is allowed.
fn limited(from: &mut dyn Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MAX_TEXT as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Waits until the delivery is over, or the deadline has passed.
fn outcome(
    fleet: &Fleet,
    store: &dyn Store,
    id: i64,
    args: &SendArgs,
    context: &Context,
) -> Result<(&'static str, Option<String>), Failure> {
    let start = clock::boot();
    let session = names::session(&fleet.policy, &args.name);
    let mut supervised = true;
    for round in 0_u32.. {
        let Some(delivery) = store.delivery(id)? else {
            return Ok(("unknown", Some("it is not in the store any more".into())));
        };
        let waited = clock::boot().since(start);
        if round % 10 == 0 {
            supervised = fleet.is_attended();
        }
        match delivery.stage {
            Stage::Undelivered { reason, .. } => return Ok(("undelivered", Some(reason))),
            Stage::Unknown { reason, .. } => return Ok(("unknown", Some(reason))),
            Stage::Delivered { .. } => return Ok(("delivered", None)),
            Stage::Queued { .. } => {
                let busy = busy(store, &session)?;
                let deadline = args.timeout.unwrap_or(if busy.is_some() { BUSY_DEADLINE } else { DEADLINE });
                if !supervised {
                    return Ok(("queued", Some("no watchdog is running; `agents up watchdog` goes on with it".into())));
                }
                if waited >= deadline {
                    return Ok(("queued", busy.map(|b| format!("the agent is {b}"))));
                }
            }
            Stage::Typing { .. } | Stage::Submitting { .. } => {
                if !supervised || waited >= args.timeout.unwrap_or(DEADLINE) {
                    return Ok(("unknown", Some("it was typed, and is not proved yet".into())));
                }
            }
        }
        context.out.pause(Duration::from_millis(50))?;
    }
    Ok(("unknown", None))
}

/// The word for what keeps the agent from taking a text.
fn busy(store: &dyn Store, session: &str) -> Result<Option<&'static str>, Failure> {
    let state = store.load()?;
    let Some(unit) = state.units.get(session) else { return Ok(None) };
    if matches!(unit.life, Life::Starting { .. } | Life::Backoff { .. } | Life::Ending { .. }) {
        return Ok(Some("being restarted"));
    }
    Ok(match unit.sight.state {
        _ if unit.hold.is_some() => Some("limited"),
        Seen::Working => Some("working"),
        Seen::Waiting => Some("waiting for an answer"),
        Seen::Limited => Some("limited"),
        _ if unit.sight.draft_since.is_some() => Some("holding an unsent text in its input line"),
        _ => None,
    })
}
