mod cli;
mod configs;
mod rooms;
mod store_conformance;
mod store_sqlite;
