mod cli;
mod cli_fleet;
mod configs;
mod faults_handoff;
mod faults_panes;
mod faults_watchdog;
mod fleet;
mod fleet_fake;
mod git;
mod panes;
mod process;
mod rooms;
#[allow(dead_code)]
mod sandbox;
mod shim;
mod store_conformance;
mod store_sqlite;
mod tmux_client;
