//! Links the program at a fixed address on Linux.
//!
//! Two processes of ours stand beside every agent. At a random address the loader rewrites some 300 kB of pointers in
//! each of them, and pages that are written to are shared with nobody; at a fixed one these stay the file's.
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |key: &str, value: &str| std::env::var(key).is_ok_and(|v| v == value);
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
