mod git;
mod process;
mod rooms;
mod shim;
#[allow(dead_code)]
mod sandbox;
mod store_conformance;
mod store_sqlite;
mod tmux_client;
