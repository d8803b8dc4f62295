#!/bin/sh
# The main job in a sandbox: a fleet from a cold start to a clean stop.
#
#   ./smoke.sh
#
# A builder and an adversary (demo/agent.sh, no model and no network) hand commits to and fro through two phases. Sets up
# what it needs (tmux, git, a C compiler, Rust), builds, and leaves nothing behind.
#
# AGENTS_BIN=PATH         use this program instead of building one
# SMOKE_DEADLINE=SECONDS  give up after this long (default 300)
# SMOKE_KEEP=1            keep the sandbox's folder
set -u
cd "$(dirname "$0")" || exit 1
project=$PWD
. ./.ci/setup.sh

step() { printf '\n== %s\n' "$*"; }
# Shown as a person would type it, then done; it has to succeed.
show() {
    printf '$ agents %s\n' "$*"
    agents "$@" >"$sandbox/said" 2>&1
    code=$?
    sed 's/^/  /' "$sandbox/said"
    [ "$code" = 0 ] || broken "\`agents $1\` ended with code $code"
}
agents() { (cd "$sandbox" && env DEMO_MARK="$sandbox" "$bin" "$@" </dev/null); }

# Processes that carry our mark in their environment: everything that the fleet started, however it hides.
marked() {
    for environ in /proc/[0-9]*/environ; do
        if tr '\0' '\n' <"$environ" 2>/dev/null | grep -qxF "DEMO_MARK=$sandbox"; then
            pid=${environ#/proc/}
            pid=${pid%/environ}
            # A zombie is dead; our own subshells never carry the mark.
            grep -q '^State:.[ZX]' "/proc/$pid/status" 2>/dev/null || printf '%s\n' "$pid"
        fi
    done 2>/dev/null
}

clean() {
    [ -n "${sandbox:-}" ] && [ -d "$sandbox" ] || return 0
    for pid in $(marked); do kill -KILL "$pid" 2>/dev/null; done
    if [ -n "${SMOKE_KEEP:-}" ]; then say "sandbox kept: $sandbox"; else rm -rf "$sandbox"; fi
}

broken() {
    printf '\nsmoke: FAILED: %s\n' "$*"
    for log in "$sandbox"/.agents/*.log; do
        [ -f "$log" ] || continue
        printf '\n--- the end of %s\n' "${log#"$sandbox"/}"
        tail -c 3000 "$log" | tr -d '\033\007' | tail -n 40
    done
    printf '\n--- status\n'
    agents status 2>&1 | tail -n 20
    printf '\n--- events\n'
    agents events -n 60 2>&1 | tail -n 60
    printf '\n--- what was pushed\n'
    git -C "$sandbox/origin.git" log --format='%h %an: %s' main 2>&1 | head -n 20
    [ -z "${left:-}" ] || ps -o pid,ppid,stat,args -p "$(printf '%s' "$left" | tr '\n' ',')" 2>&1
    agents down >/dev/null 2>&1
    exit 1
}

# until_true SECONDS COMMAND...: polls; false when the time is over.
until_true() {
    end=$(($(date +%s) + $1))
    shift
    until "$@"; do
        [ "$(date +%s)" -lt "$end" ] || return 1
        sleep 0.2
    done
}

need tmux tmux
need git git
if [ -n "${AGENTS_BIN:-}" ]; then
    bin=$AGENTS_BIN
    case $bin in /*) ;; *) bin=$project/$bin ;; esac
else
    need cc gcc
    need_rust
    step "Build"
    cargo build --release --locked || fail "the build failed"
    bin=${CARGO_TARGET_DIR:-$project/target}/release/agents
fi
[ -x "$bin" ] || fail "no program at \`$bin\`"

# Nothing of the caller's own tmux, git or fleet gets in.
unset TMUX TMUX_PANE AGENTS_CONFIG GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
sandbox=$(mktemp -d "${TMPDIR:-/tmp}/agents-smoke.XXXXXX") || fail "no temporary folder"
sandbox=$(cd "$sandbox" && pwd -P)
trap clean EXIT
trap 'exit 1' INT TERM HUP

step "A sandbox: one bare repository, three clones, one agents.toml"
git init -q --bare -b main "$sandbox/origin.git"
git clone -q "$sandbox/origin.git" "$sandbox/watched" 2>/dev/null
(
    cd "$sandbox/watched" || exit 1
    mkdir -p machine-docs
    printf '# Status of phase one\n\n- [ ] work/one.txt says hello\n' >machine-docs/STATUS-one.md
    printf '# Status of phase two\n\n- [ ] work/two.txt says hello\n' >machine-docs/STATUS-two.md
    git checkout -q -B main
    git add -A
    git -c user.name=demo -c user.email=demo@demo.invalid commit -q -m 'plan: two phases'
    git push -q -u origin main
) || broken "the sandbox could not be made"
for role in builder adversary; do git clone -q "$sandbox/origin.git" "$sandbox/$role"; done
cp -R demo/agent.sh demo/kickoff.md prompts "$sandbox/"
cat >"$sandbox/agents.toml" <<'TOML'
[defaults]
session_prefix = "demo-"
log_dir = ".agents"
backend = "demo"
watch = "heal+stall"

[watchdog]
signal_interval = 1
heavy_interval = 1

[backend.demo]
bin = "../agent.sh"            # agents run in their own folder
prompt_delivery = "arg"
active_re = "esc to interrupt"
stall_idle = 30

[[agent]]
name = "builder"
kind = "loop"
role = "builder"
dir = "builder"

[[agent]]
name = "adversary"
kind = "loop"
role = "adversary"
dir = "adversary"

[loop]
kickoff_template = "kickoff.md"
phases = [
  { id = "one", plan = "say hello", status = "STATUS-one.md" },
  { id = "two", plan = "say it again", status = "STATUS-two.md" },
]

[loop.handoff]
repo = "watched"
TOML
sed 's/^/  /' "$sandbox/agents.toml"

step "Is the configuration right?"
show check

step "Up"
show up
until_true 30 sh -c "cd '$sandbox' && '$bin' status | grep -q 'builder.*RUNNING'" || broken "the builder does not run"
show status

step "The builder claims, the adversary reviews, the watchdog tells each when it is its turn"
over() { [ -f "$sandbox/.agents/SEQUENCE-COMPLETE" ]; }
told=0
tell_news() {
    now=$(git -C "$sandbox/origin.git" rev-list --count main)
    if [ "$now" -gt "$told" ]; then
        git -C "$sandbox/origin.git" log --reverse --format='  %an pushed: %s' main | tail -n +"$((told + 1))"
        told=$now
    fi
    over
}
until_true "${SMOKE_DEADLINE:-300}" tell_news || broken "the two phases were not done in time"
tell_news
[ "$(git -C "$sandbox/origin.git" log --format=%s main | grep -c '^review: .* accepted')" = 2 ] ||
    broken "two accepting reviews were expected"
[ "$(git -C "$sandbox/origin.git" log --format=%s main | grep -c '^claim: ')" = 3 ] ||
    broken "three claims were expected: one is rejected"
git -C "$sandbox/origin.git" log --format=%s main | grep -q '^review: one rejected' ||
    broken "the first claim should have been rejected"

step "Both phases are done"
show status
show events -n 40
agents events 2>/dev/null | grep -q 'PHASE one DONE' || broken "no event tells of the end of phase one"
agents events 2>/dev/null | grep -q 'handoff: claim commit' || broken "no event tells of a claim"
agents events 2>/dev/null | grep -q 'handoff: review commit' || broken "no event tells of a review"

step "Down, and nothing is left behind"
socket=$(agents status --json 2>/dev/null | tr ',' '\n' | sed -n 's/.*"tmux_socket": *"\([^"]*\)".*/\1/p' | head -n 1)
show down
nothing_left() { left=$(marked) && [ -z "$left" ]; }
until_true 40 nothing_left || broken "these processes are still there: $(printf '%s' "$left" | tr '\n' ' ')"
say "  no process of this fleet is left"
if [ -n "$socket" ] && tmux -S "$socket" list-sessions >/dev/null 2>&1; then
    broken "a tmux server still answers on $socket"
fi
say "  no tmux server of this fleet is left"

printf '\nsmoke: ok\n'
