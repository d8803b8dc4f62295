//! Jobs as people and programs see them: [`JobView`] is what a row, a page and a screen are painted of; JSON is written
//! from the job itself.
mod json;
mod json_text;
mod left;
mod list;
mod monitor;
mod news;
mod object;
mod page;
mod sign;
pub mod stream;

pub use json::{JsonArray, json_object};
pub use left::left;
pub use list::list;
pub use monitor::{Screen, screen};
pub use news::{bar, news, told};
pub use object::{JobView, ProgressView, StepView, view, views};
pub use page::page;
pub use sign::{exit_words, sign};

use super::paint::Paint;
use crate::model::time::Now;

/// How to show it.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Columns of the terminal; `None` = nothing is cut.
    pub width: Option<u16>,
    pub paint: Paint,
    /// Its clocks; no rules of time zones.
    pub now: Now,
}

#[cfg(test)]
mod json_tests;
#[cfg(test)]
mod tests;
