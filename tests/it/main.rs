mod cli;
// mod cli_fleet; // once `Fleet::load` is there
mod configs;
mod git;
mod panes;
mod process;
mod readme;
mod rooms;
#[allow(dead_code)]
mod sandbox;
mod shim;
mod store_conformance;
mod store_sqlite;
mod tmux_client;
