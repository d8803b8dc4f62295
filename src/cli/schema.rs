//! `agents schema`: for editors and generators.
use super::{Context, failure::Report};

pub fn run(context: &mut Context) -> Report {
    context.out.line(&format!("{:#}", crate::config::schema()))?;
    Ok(0)
}
