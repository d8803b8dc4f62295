//! The heartbeat: look, read, decide, save, act, publish. Faces talk to it through [`fleet::Fleet`].
pub mod disk;
pub mod fleet;
