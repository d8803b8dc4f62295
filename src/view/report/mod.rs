//! `agents report`: what happened while nobody looked. From events and memory ([`compile`]) to one object ([`data`]),
//! which is the JSON, and from that to the page for people ([`page`]).
pub mod agent;
pub mod alike;
pub mod compile;
pub mod data;
pub mod fleet;
pub mod page;
pub mod rows;
pub mod spans;

pub use compile::{Inputs, compile};
pub use data::{Report, Usage};

#[cfg(test)]
mod tests;
