//! Jobs as people and programs see them: one object ([`JobView`]), painted as a row, a page, or JSON.
mod left;
mod list;
mod monitor;
mod news;
mod object;
mod page;
mod sign;
pub mod stream;

pub use left::left;
pub use list::list;
pub use monitor::{Screen, screen};
pub use news::{bar, news, told};
pub use object::{JobView, ProgressView, StepView, json_array, json_object, view, views};
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
    pub now: Now,
}

#[cfg(test)]
mod tests;
