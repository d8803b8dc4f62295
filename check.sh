#!/bin/sh
# Sets up what is missing and runs everything that has to hold.
#
#   ./check.sh           format, lints, build, tests, smoke, flake
#   ./check.sh --real    only the real agent CLIs under our example backends (needs npm's registry)
#   ./check.sh --ci      all of it
#
# Ends with `N passed, M failed, K skipped` (steps); exits 1 if a step failed. Needs no terminal and no input.
set -u
cd "$(dirname "$0")" || exit 1
. ./.ci/setup.sh
exec </dev/null

case ${1:-} in
'') parts=main ;;
--real) parts=real ;;
--ci) parts='main real' ;;
*)
    sed -n '2,8s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac

passed=0 failed=0 skipped=0 report=
note() { report="$report
$1"; }
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
# Lines that say what is wrong, in what cargo, the tests and the harness print: they are repeated at the end.
telling='^(error|FAILED: |Diff in )|[.][.][.] FAILED|panicked at'
# step NAME COMMAND...
step() {
    name=$1
    shift
    printf '\n==> %s\n' "$name"
    began=$(date +%s)
    rm -f "$scratch/status"
    { "$@"; echo $? >"$scratch/status"; } 2>&1 | tee "$scratch/said"
    if [ "$(cat "$scratch/status" 2>/dev/null)" = 0 ]; then
        passed=$((passed + 1))
        note "  ok       $name ($(($(date +%s) - began))s)"
    else
        failed=$((failed + 1))
        note "  FAILED   $name"
        awk -v telling="$telling" '$0 ~ telling { print; more = /panicked at/; next } more { print; more = 0 }' \
            "$scratch/said" | cut -c 1-400 | head -n 8 >"$scratch/why"
        while IFS= read -r line; do note "             $line"; done <"$scratch/why"
        printf '==> FAILED: %s\n' "$name"
    fi
}
# skip NAME REASON
skip() {
    skipped=$((skipped + 1))
    note "  skipped  $1: $2"
    printf '\n==> skipped: %s: %s\n' "$1" "$2"
}

shell_scripts() {
    for script in smoke.sh check.sh .ci/run .ci/setup.sh demo/agent.sh; do
        sh -n "$script" || return 1
    done
    have shellcheck || apt_install shellcheck || return 0
    shellcheck -x -e SC1091,SC2016 smoke.sh check.sh .ci/run demo/agent.sh
}

flake() {
    if ! have nix-instantiate && ! apt_install nix-bin; then
        skip "flake.nix parses" "nix-instantiate is missing and Debian's nix-bin cannot be installed here"
        return
    fi
    step "flake.nix parses" parse_flake
}
# Debian's nix wants a store of its own to open; parsing needs nothing in it.
parse_flake() {
    nix_home=$(mktemp -d) || return 1
    NIX_STATE_DIR=$nix_home/state NIX_STORE_DIR=$nix_home/store NIX_LOG_DIR=$nix_home/log NIX_CONF_DIR=$nix_home \
        HOME=$nix_home nix-instantiate --parse flake.nix >/dev/null
    result=$?
    chmod -R u+w "$nix_home" && rm -rf "$nix_home"
    return $result
}

# Node 20 or newer: from PATH, else from Debian, else npm's own package of it. Sets `why` on failure.
node_is_good() { have node && at_least "$(node --version | tr -d v)" 20; }
need_node() {
    node_is_good && have npm && return 0
    apt_install nodejs npm
    have npm || {
        why="npm is missing and cannot be installed here"
        return 1
    }
    node_is_good && return 0
    npm install --silent --no-audit --no-fund --prefix target/node node@22 >/dev/null 2>&1
    PATH="$PWD/target/node/node_modules/.bin:$PATH"
    export PATH
    why="Node 20 or newer is missing and cannot be installed here"
    node_is_good
}
npm_answers() { timeout 60 npm view npm version --fetch-retries=1 >/dev/null 2>&1; }

real() {
    name="the real agent CLIs"
    if [ ! -e tests/real ] && [ ! -e tests/real.rs ]; then
        skip "$name" "there is no harness for them in this tree"
    elif ! need_node; then
        skip "$name" "$why"
    elif ! npm_answers; then
        skip "$name" "npm's registry cannot be reached"
    else
        step "$name" cargo test --locked --test real -- --nocapture
    fi
}

# Advisories need a fresh copy of their database from the network: `cargo deny check` asks for them, too.
crates() {
    if have cargo-deny; then
        step "licenses and sources of crates" cargo deny --locked check bans licenses sources
    else
        skip "licenses and sources of crates" "cargo-deny is not installed (cargo install cargo-deny --locked)"
    fi
}

need tmux tmux
need git git
need cc gcc
need_rust
have ps || apt_install procps

for part in $parts; do
    case $part in
    main)
        step "shell scripts" shell_scripts
        step "format" cargo fmt --check
        step "lints" cargo clippy --locked --all-targets -- -D warnings
        step "release build" cargo build --release --locked
        step "tests" cargo test --locked --lib --bins --test it
        step "smoke" env AGENTS_BIN="${CARGO_TARGET_DIR:-target}/release/agents" ./smoke.sh
        crates
        flake
        ;;
    real) real ;;
    esac
done

printf '\n%s\n\n%s passed, %s failed, %s skipped\n' "${report#?}" "$passed" "$failed" "$skipped"
[ "$failed" = 0 ]
