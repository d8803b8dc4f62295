//! Words that mean jobs: ids and names. All are known, or nothing is done.
use super::super::failure::Failure;
use crate::{
    model::{
        job::{JobId, JobState},
        name::printable,
    },
    store::jobs::JobStore,
};

/// In the order given, each once. `code`: the exit code where a word means no job, or several.
pub fn all(store: Option<&JobStore>, words: &[String], code: u8) -> Result<Vec<JobId>, Failure> {
    let mut ids = Vec::new();
    let (mut unknown, mut ambiguous) = (Vec::new(), Vec::new());
    for word in words {
        match meant(store, word)? {
            Meant::One(id) if ids.contains(&id) => {}
            Meant::One(id) => ids.push(id),
            Meant::None => unknown.push(format!("`{}`", printable(word))),
            Meant::Several(several) => {
                let list: Vec<String> = several.iter().map(ToString::to_string).collect();
                ambiguous.push(format!("`{}` means {}", printable(word), list.join(", ")));
            }
        }
    }
    if let Some(told) = ambiguous.first() {
        let more = if ambiguous.len() > 1 { format!("; {}", ambiguous[1..].join("; ")) } else { String::new() };
        return Err(
            Failure::new(code, format!("several jobs have that name: {told}{more}")).hint("say which by its id")
        );
    }
    if unknown.is_empty() {
        return Ok(ids);
    }
    let what = if unknown.len() == 1 { "no job has the id or name" } else { "no jobs have the ids or names" };
    Err(Failure::new(code, format!("{what} {}", unknown.join(", "))).hint("`agents jobs --all` lists them"))
}

pub fn one(store: Option<&JobStore>, word: &str) -> Result<JobId, Failure> {
    let ids = all(store, &[word.to_owned()], 1)?;
    ids.first().copied().ok_or_else(|| Failure::new(1, format!("no job has the id or name `{}`", printable(word))))
}

pub enum Meant {
    None,
    One(JobId),
    /// Newest first.
    Several(Vec<JobId>),
}

pub fn meant(store: Option<&JobStore>, word: &str) -> Result<Meant, Failure> {
    let Some(store) = store else { return Ok(Meant::None) };
    if let Some(id) = JobId::parse(word) {
        return Ok(if store.exists(id)? { Meant::One(id) } else { Meant::None });
    }
    let mut named = store.named(word)?;
    Ok(match named.len() {
        0 => Meant::None,
        1 => Meant::One(named.remove(0)),
        _ => Meant::Several(named),
    })
}

pub fn state(word: &str) -> Result<JobState, String> {
    JobState::parse(word).ok_or_else(|| {
        let known: Vec<&str> = JobState::ALL.iter().map(|s| s.word()).collect();
        match crate::model::nearest::nearest(word, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the states are {}", known.join(" ")),
        }
    })
}
