# Sourced by smoke.sh and check.sh: brings what they need onto a fresh Debian machine, or says clearly what is missing.
# Nothing is installed that is there already.

say() { printf '%s\n' "$*"; }
fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# apt_install PACKAGE...: quietly; false if this machine has no apt-get, or we may not use it.
apt_install() {
    have apt-get || return 1
    as_root=
    if [ "$(id -u)" != 0 ]; then
        have sudo && sudo -n true 2>/dev/null || return 1
        as_root='sudo -n'
    fi
    if [ -z "${apt_updated:-}" ]; then
        $as_root apt-get update -qq </dev/null >/dev/null 2>&1 || return 1
        apt_updated=1
    fi
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null >/dev/null 2>&1
}

# need COMMAND PACKAGE
need() {
    have "$1" && return 0
    say "setting up: $2"
    apt_install "$2" && have "$1" || fail "\`$1\` is missing; hint: as root, \`apt-get install $2\`"
}

# at_least VERSION WANTED: compares dotted numbers.
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

rust_wanted() { sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml; }
rust_is_good() {
    have cargo && have rustc || return 1
    at_least "$(rustc --version 2>/dev/null | cut -d ' ' -f 2 | cut -d - -f 1)" "$(rust_wanted)"
}

# A toolchain from PATH or ~/.cargo/bin; else Debian's own if it is new enough; else Debian's rustup.
need_rust() {
    rust_is_good && return 0
    PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
    export PATH
    rust_is_good && return 0
    say "setting up: a Rust toolchain, $(rust_wanted) or newer"
    candidate=$(apt-cache policy rustc 2>/dev/null | sed -n 's/^ *Candidate: *\([0-9.]*\).*/\1/p')
    if [ -n "$candidate" ] && at_least "$candidate" "$(rust_wanted)"; then
        apt_install cargo rustc rustfmt rust-clippy
    elif have rustup || apt_install rustup; then
        rustup toolchain install stable --profile minimal -c clippy -c rustfmt </dev/null >/dev/null 2>&1 &&
            rustup default stable >/dev/null 2>&1
    fi
    rust_is_good || fail "a Rust toolchain of version $(rust_wanted) or newer is needed; hint: https://rustup.rs, then open a new shell"
}
