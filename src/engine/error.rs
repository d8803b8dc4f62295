//! Why a verb could not do what it was asked, by exit code.
use super::heart::Halt;
use crate::store::{LIFT_FILE_LIMIT, StoreError};

#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// Exit code 3. Rendered, with line and caret.
    #[error("{0}")]
    Config(String),
    /// Exit code 1.
    #[error("{0}")]
    Failed(String),
    /// Exit code 4.
    #[error("{0}")]
    NoSupervisor(String),
    /// Exit code 5.
    #[error("{0}")]
    Denied(String),
}

impl From<Halt> for FleetError {
    fn from(e: Halt) -> FleetError {
        FleetError::Failed(e.to_string())
    }
}

impl From<StoreError> for FleetError {
    fn from(e: StoreError) -> FleetError {
        match e {
            StoreError::Full { .. } => FleetError::Failed(format!("{e}\nhint: make room, then run it again")),
            StoreError::FileLimit { .. } => FleetError::Failed(format!("{e}\nhint: {LIFT_FILE_LIMIT}")),
            e => FleetError::Failed(e.to_string()),
        }
    }
}
