mod git;
mod rooms;
mod store_conformance;
mod store_sqlite;
