//! Decisions on paper: each is written down with everything it was made of, so that another program, later and elsewhere,
//! can make it again. The mind is pure: the same input gives the same decision, or the program has changed.
//!
//! A journal is a file of JSON lines, one a decision:
//!
//! | key | what |
//! |---|---|
//! | `v` | format, [`record::FORMAT`] |
//! | `n` | 0 in a line that needs no other one (the first of a file and of a process), else one more than before |
//! | `at`, `program` | for people: the moment, and who decided (only where `n` is 0) |
//! | `now` | both clocks and the UTC offset |
//! | `policy` | the checked config, where it is not that of the line before |
//! | `obs` | what was seen, as a [`delta::Change`] of that of the line before; where `n` is 0, of `{}` |
//! | `state` | what was remembered, as a change of `then` of the line before, or of `{}` |
//! | `actions`, `events`, `wake_at` | what was decided |
//! | `then` | what was remembered from then on, as a change of `state` |
//!
//! Nothing of it is a secret that the fleet was told ([`masking`]), and of a screen it holds what its readings hold: the
//! rows that a rule matched, a dialog, the input line.
pub mod again;
pub mod delta;
pub mod difference;
pub mod masking;
pub mod read;
pub mod record;
pub mod told;

#[cfg(test)]
pub(crate) mod tests;
