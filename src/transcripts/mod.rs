//! The session files that agent CLIs keep themselves: which is whose ([`owner`] has the rules), and what they say, row by
//! row, as they grow.
//!
//! ```text
//! processes, files -> survey -> whose is which                        (pure: owner, places)
//! file -> tail: whole lines -> claude | codex -> rows -> said, usage  (pure: all but tail)
//! hook's input -> hook_line -> file -> hooks: rows                    (pure: hook_line)
//! ```
mod argument;
mod cause;
mod claude;
mod claude_line;
mod codex;
pub mod corroborate;
mod find;
mod hook_line;
pub mod hooks;
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

pub use hook_line::{HookEvent, HookRow, Notice, line as hook_line};
pub use hooks::Hooks;
pub use standing::Standing;
pub use survey::{Subject, Survey, survey};
pub use tail::{Look, Skipped};
pub use transcript::Transcript;
