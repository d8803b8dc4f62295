//! How the program is linked on Linux: at a fixed address, and with nothing to be loaded beside it.
//!
//! A verb lives for milliseconds, and two processes of ours stand beside every agent. At a random address the loader
//! rewrites some 300 kB of pointers in each of them; and finding, mapping and joining five shared libraries takes longer
//! than most verbs need for their work. What is needed for it (`libc.a` and its like) comes with a compiler on most
//! systems; where it does not, the libraries stay shared.
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Shared libraries that the linker would ask for, and what stands in for each of them.
const STATIC: [(&str, &[&str]); 3] = [
    ("libc.so", &["libc.a", "libgcc_eh.a", "libgcc.a"]),
    ("libgcc_s.so", &["libgcc_eh.a", "libgcc.a"]),
    ("libm.so", &["libm.a"]),
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let var = |key: &str| std::env::var(key).unwrap_or_default();
    if var("CARGO_CFG_TARGET_OS") != "linux" || var("CARGO_CFG_TARGET_ENV") != "gnu" {
        return;
    }
    println!("cargo:rustc-link-arg-bins=-no-pie");
    // Another machine's libraries are not looked for.
    if var("HOST") == var("TARGET")
        && let Some(dir) = stand_ins(Path::new(&var("OUT_DIR")))
    {
        println!("cargo:rustc-link-arg-bins=-static");
        println!("cargo:rustc-link-arg-bins=-L{}", dir.display());
    }
}

/// A folder of linker scripts, each called as a shared library and made of static ones: the compiler asks for the shared
/// ones by name. `None`: not all of them are there.
fn stand_ins(out: &Path) -> Option<PathBuf> {
    let dir = out.join("static");
    fs::create_dir_all(&dir).ok()?;
    for (shared, parts) in STATIC {
        let found: Vec<String> = parts.iter().map(|part| found(part)).collect::<Option<_>>()?;
        fs::write(dir.join(shared), format!("GROUP ( {} )\n", found.join(" "))).ok()?;
    }
    Some(dir)
}

/// Where the compiler would find it.
fn found(library: &str) -> Option<String> {
    let output = Command::new("cc").arg(format!("-print-file-name={library}")).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && Path::new(&path).is_absolute() && !path.contains(char::is_whitespace)).then_some(path)
}
