//! What the runner of an agent's job writes while the agent works.
use super::{Durability, Fenced, JobStore, StoreError, row, schema::LIVE};
use crate::model::job::{JobId, Progress};
use rusqlite::{OptionalExtension, params};
use serde_json::Value;

/// All of it as it stands now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AgentNews {
    pub progress: Progress,
    pub last_event: Option<String>,
    pub cost_usd: Option<f64>,
    pub usage: Option<Value>,
    /// The conversation, and the step whose prompt came into it.
    pub session: Option<(usize, String)>,
}

impl JobStore {
    /// What its stream said so far.
    pub fn agent_said(&mut self, id: JobId, epoch: i64, news: &AgentNews) -> Result<Fenced<()>, StoreError> {
        let held = self.change(Durability::Normal, |tx| {
            let sql = format!("SELECT steps FROM job WHERE id = ?1 AND epoch = ?2 AND {LIVE}");
            let at_least = news.session.as_ref().map_or(0, |(step, _)| step + 1);
            let found = tx.prepare_cached(&sql)?.query_row([id.0, epoch], |r| row::steps(r, 0, at_least)).optional()?;
            let Some(mut steps) = found else { return Ok(false) };
            if let Some((run, session)) = news.session.as_ref().and_then(|(step, s)| Some((steps.get_mut(*step)?, s))) {
                run.session = Some(session.clone());
            }
            let usage = news.usage.as_ref().map(row::to_json).transpose()?;
            tx.prepare_cached(
                "UPDATE job SET steps = ?2, progress = ?3, last_event = ?4, cost_usd = ?5, usage = ?6,
                   agent_session = COALESCE(?7, agent_session) WHERE id = ?1",
            )?
            .execute(params![
                id.0,
                row::to_json(&steps)?,
                row::to_json(&news.progress)?,
                news.last_event,
                news.cost_usd,
                usage,
                news.session.as_ref().map(|(_, session)| session),
            ])?;
            Ok(true)
        })?;
        Ok(if held { Fenced::Held(()) } else { Fenced::Over })
    }

    /// How many files are not what they were when it began.
    pub fn files_changed(&mut self, id: JobId, epoch: i64, files: u64) -> Result<Fenced<()>, StoreError> {
        let rows = self.change(Durability::Normal, |tx| {
            let sql = format!("UPDATE job SET files_changed = ?3 WHERE id = ?1 AND epoch = ?2 AND {LIVE}");
            tx.prepare_cached(&sql)?.execute(params![id.0, epoch, i64::try_from(files).unwrap_or(i64::MAX)])
        })?;
        Ok(if rows == 1 { Fenced::Held(()) } else { Fenced::Over })
    }
}
