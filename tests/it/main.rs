mod git;
mod panes;
mod rooms;
mod store_conformance;
mod store_sqlite;
