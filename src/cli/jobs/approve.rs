//! `agents jobs approve`: answers a job that waits between two steps.
use super::{
    super::{
        Context,
        failure::{Failure, Report},
    },
    Ground, cancel,
    news::News,
    words,
};
use crate::{
    jobs,
    model::job::{Answer, JobId, JobState},
    store::jobs::Answered,
};
use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
#[command(after_help = "\
Where the job has a tmux session of its own, who sits in it (`agents attach ID`) can answer there, too.
The first answer counts.")]
pub struct ApproveArgs {
    /// Id or name
    #[arg(value_name = "ID")]
    id: String,
    /// How it goes on
    #[arg(value_name = "ANSWER")]
    answer: Word,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Word {
    /// The next step
    Continue,
    /// The step before once more
    Retry,
    /// Not at all
    Cancel,
}

pub fn run(args: &ApproveArgs, context: &mut Context) -> Report {
    let answer = match args.answer {
        Word::Continue => Answer::Continue,
        Word::Retry => Answer::Retry,
        Word::Cancel => Answer::Cancel,
    };
    let ground = Ground::find(context)?;
    let mut store = ground.existing()?;
    let id = words::one(store.as_ref(), &args.id)?;
    let Some(store) = &mut store else { return Ok(1) };
    let mut news = News::of(store.dir());
    if let Some(refused) = refused(id, &jobs::answer(store, id, answer)?) {
        return Err(refused);
    }
    match answer {
        Answer::Continue => context.out.line(&format!("{id} goes on"))?,
        Answer::Retry => context.out.line(&format!("{id} tries its last step once more"))?,
        Answer::Cancel => return Ok(u8::from(!cancel::ended(id, store, &mut news, context)?)),
    }
    Ok(0)
}

/// Why an answer was not taken. `None`: it was.
pub fn refused(id: JobId, answered: &Answered) -> Option<Failure> {
    let (text, hint) = match answered {
        Answered::Given(_) => return None,
        Answered::Already(before) => {
            (format!("{id} was answered before: {}", before.word()), format!("agents jobs cancel {id}"))
        }
        Answered::NothingToRetry => (
            format!("{id} has not run any step yet: there is nothing to retry"),
            format!("agents jobs approve {id} continue"),
        ),
        Answered::Not(state) => {
            let hint = match state {
                JobState::Held => format!("agents jobs release {id}"),
                over if over.is_unfinished() => format!("agents jobs resume {id}"),
                _ => format!("`agents jobs show {id}` tells how it stands"),
            };
            (format!("{id} is {}: it waits for no approval", state.word()), hint)
        }
        Answered::Unknown => (format!("{id} was removed meanwhile"), "`agents jobs --all` lists jobs".into()),
    };
    Some(Failure::new(1, text).hint(hint))
}

/// What somebody is told who cannot be asked here.
pub fn how(id: JobId) -> String {
    format!("agents: {id} waits for an approval; `agents jobs approve {id} continue|retry|cancel` answers it")
}
