//! The session files that agent CLIs keep themselves: which is whose ([`owner`] has the rules), and what they say, row by
//! row, as they grow.
//!
//! ```text
//! processes, files -> survey -> whose is which                        (pure: owner, places)
//! file -> tail: whole lines -> claude | codex -> rows -> said, usage  (pure: all but tail)
//! ```
mod argument;
mod cause;
mod claude;
mod claude_line;
mod codex;
pub mod corroborate;
mod find;
mod living;
pub mod owner;
mod parse;
mod places;
pub mod said;
mod standing;
mod survey;
mod tail;
mod transcript;
pub mod usage;

pub use places::program;
pub use standing::Standing;
pub use survey::{Subject, Survey, survey};
pub use tail::{Look, Skipped};
pub use transcript::Transcript;
