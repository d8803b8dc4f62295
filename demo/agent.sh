#!/bin/sh
# A stand-in for a coding agent, so that the whole fleet can be seen at work without a model, an account or a network.
#
#   agent.sh [FLAGS] KICKOFF-TEXT
#
# It behaves like the real ones do in a terminal: it takes its kickoff as an argument, shows a busy line while it works,
# then sits at a prompt and acts on lines that are typed. What it does is told by three lines of the kickoff,
# `phase: ID`, `role: builder|adversary` and `status: FILE`; everything else it knows from the git clone it stands in.
#
# builder    writes work/ID.txt, commits `claim: ...`, pushes; after an accepting review writes `## DONE`, pushes
# adversary  pulls when told of a claim, looks, commits `review: ...`, pushes
set -u

kickoff=
for word in "$@"; do kickoff=$word; done
slot() { printf '%s\n' "$kickoff" | sed -n "s/^$1: *//p" | head -n 1; }
phase=$(slot phase) role=$(slot role) status=$(slot status)

docs=machine-docs
review=$docs/REVIEW-$phase.md
wanted="phase $phase: hello, world"

export GIT_AUTHOR_NAME="$role" GIT_AUTHOR_EMAIL="$role@demo.invalid"
export GIT_COMMITTER_NAME="$role" GIT_COMMITTER_EMAIL="$role@demo.invalid"
export GIT_TERMINAL_PROMPT=0 GIT_EDITOR=true

say() { printf '  %s\n' "$*"; }
# The busy line stands on the screen exactly while something is done, and is wiped before the news is told.
busy() {
    printf '* %s… (esc to interrupt)' "$1"
    shift
    news=
    "$@"
    printf '\r\033[K'
    [ -z "$news" ] || say "$news"
}
think() { sleep "${DEMO_THINK:-1}"; }

pull() { git pull -q --rebase origin main >/dev/null 2>&1 || news='pull failed'; }
push() {
    for _ in 1 2 3 4 5; do
        git push -q origin HEAD:main 2>/dev/null && return 0
        pull
    done
    news='push failed'
    return 1
}
commit() { git add -A && git commit -q -m "$1" && push && news="pushed: $1"; }
newest() { git log --format=%s -n 50 | grep -E "^(claim|review): $phase " | head -n 1; }

build() {
    think
    mkdir -p work "$docs"
    printf '%s\n' "$1" >"work/$phase.txt"
    commit "claim: $phase work/$phase.txt says hello"
}
finish() {
    think
    mkdir -p "$docs"
    printf '# Status of phase %s\n\n- [x] work/%s.txt says hello\n\n## DONE\n' "$phase" "$phase" >"$docs/$status"
    commit "status: phase $phase done"
}
examine() {
    think
    mkdir -p "$docs"
    if [ "$(cat "work/$phase.txt" 2>/dev/null)" = "$wanted" ]; then verdict=accepted; else verdict=rejected; fi
    {
        printf '# Review of phase %s: %s\n\n' "$phase" "$verdict"
        printf 'Ran `cat work/%s.txt`; wanted `%s`, saw `%s`.\n' "$phase" "$wanted" "$(cat "work/$phase.txt" 2>/dev/null)"
        git log -1 --format='Claim: %h'
    } >"$review"
    commit "review: $phase $verdict"
}

# One step from what is pushed: safe to repeat, so a restart in the middle goes on where it was.
step() {
    busy "Pulling" pull
    if grep -q '^## DONE' "$docs/$status" 2>/dev/null; then
        say "phase $phase is done"
        return
    fi
    last=$(newest)
    case $role:$last in
    builder:)
        # The first try is wrong on purpose, where there is somebody to find it: the story needs a rejected claim.
        if [ "$phase" = one ]; then text="phase $phase: hello, wrld"; else text=$wanted; fi
        busy "Building" build "$text"
        ;;
    builder:"review: "*rejected) busy "Mending" build "$wanted" ;;
    builder:"review: "*accepted) busy "Closing the phase" finish ;;
    adversary:"claim: "*) busy "Verifying the claim" examine ;;
    *) say "nothing to do for the $role" ;;
    esac
}

printf 'demo agent, %s in phase %s\n' "$role" "$phase"
step
while printf '> ' && IFS= read -r line; do
    [ -n "$line" ] || continue
    printf '\033[2J\033[H'
    say "heard a line of ${#line} characters"
    case $line in
    *CLAIM* | *verdict* | *resume* | *RESUME* | *[Ww]ake*) step ;;
    *) say "noted" ;;
    esac
done
