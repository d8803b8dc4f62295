//! The words every room shares: plain data, no behaviour beyond small pure helpers.
pub mod action;
pub mod delivery;
pub mod dialog;
pub mod event;
pub mod name;
pub mod nearest;
pub mod observation;
pub mod policy;
pub mod reading;
pub mod request;
pub mod seen;
pub mod state;
pub mod tally;
pub mod time;
pub mod trouble;
pub mod zones;
