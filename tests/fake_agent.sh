#!/bin/sh
# A scriptable terminal program: plays an agent in tests. POSIX sh and coreutils only.
#
#   fake_agent.sh [INSTRUCTION…] [-- PROMPT]
#
# Instructions come from $FAKE_DIR/$AGENTS_NAME/script (one a line), else from $FAKE_SCRIPT, else from the arguments; none
# at all: `idle`. After the last one it ends with 0. While it waits, a file `do` in its directory replaces what is left.
#
#   say TEXT       prints a line (\n, \033 … as in printf %b)        put TEXT      the same without a line end
#   clear          an empty screen                                   title TEXT    the terminal's title
#   idle [TEXT]    a prompt (`> `) that reads lines, for ever        read          one line, then on
#   busy [S]       shows a row with `working` (for S seconds)        sleep S       waits silently
#   dialog TEXT    asks `TEXT [y/n]`, reads one line, then on        rate N S      N lines a second for S seconds
#   reply TEXT     said after each line that is read                 work S        busy for S after each line
#   echo on|off    shows what is typed                               swallow N     the next N Enters do nothing
#   ignore SIG…    these signals are not heard (HUP TERM)            child S       leaves a process of its own session
#   exit N         ends with that code                               die SIG       ends by that signal
#   exec WORDS     becomes another program (through a shell)
#
# Ledgers in its directory, all appended to: `starts` (number, pid, seconds), `lines` (number of the start, number of the line,
# text), `bytes` (just as they came), `prompt.N` (the last argument of start N), `children` (pids).
dir=${FAKE_DIR:-/tmp/fake-agent}/${AGENTS_NAME:-agent}
mkdir -p "$dir" || exit 70
nl='
'
start=1
[ -f "$dir/starts" ] && start=$(($(wc -l <"$dir/starts") + 1))
printf '%s %s %s\n' "$start" "$$" "$(date +%s.%N)" >>"$dir/starts"

program=
while [ $# -gt 0 ]; do
    if [ "$1" = -- ]; then
        shift
        [ $# -gt 0 ] && printf %s "$*" >"$dir/prompt.$start"
        break
    fi
    program="$program$1$nl"
    shift
done
if [ -f "$dir/script" ]; then
    program="$(cat "$dir/script")$nl"
elif [ -n "${FAKE_SCRIPT:-}" ]; then
    program="$FAKE_SCRIPT$nl"
fi
[ -n "$program" ] || program=idle$nl

# Bytes as they come, at most 0.2 s late; what is typed is drawn here and not by the terminal.
stty -icanon -echo min 0 time 2 2>/dev/null

prompt='> ' reply='' work='' echo=on swallow=0 typed='' waiting='' lines=0

# A `do` file is there: it replaces the program.
told() {
    [ -f "$dir/do" ] || return 1
    mv "$dir/do" "$dir/doing.$$" 2>/dev/null || return 1
    program="$(cat "$dir/doing.$$")$nl"
    rm -f "$dir/doing.$$"
}

# Backspaces take back what stands before them; the row is drawn again.
del=$(printf '\177')
rub() {
    case $typed in *"$del"*) ;; *) return ;; esac
    typed=$(printf %s "$typed" | sed -e ':a' -e "s/[^$del]$del//" -e ta -e "s/$del//g")
    [ "$echo" = off ] || printf '\r\033[K%s%s' "$prompt" "$typed"
}

# Draws and keeps what was typed up to the next Enter; 0: a line stands in $line.
next_line() {
    if [ -z "$waiting" ]; then
        waiting=$(dd bs=65536 count=1 2>/dev/null; printf x)
        waiting=${waiting%x}
        [ -n "$waiting" ] || return 1
        printf %s "$waiting" >>"$dir/bytes"
    fi
    case $waiting in
    *"$nl"*)
        part=${waiting%%"$nl"*}
        waiting=${waiting#*"$nl"}
        [ "$echo" = off ] || printf %s "$part"
        typed=$typed$part
        rub
        if [ "$swallow" -gt 0 ]; then
            swallow=$((swallow - 1))
            return 1
        fi
        line=$typed typed='' lines=$((lines + 1))
        printf '%s %s %s\n' "$start" "$lines" "$line" >>"$dir/lines"
        printf '\n'
        return 0
        ;;
    *)
        [ "$echo" = off ] || printf %s "$waiting"
        typed=$typed$waiting waiting=''
        rub
        return 1
        ;;
    esac
}

# Waits for so many seconds (none: for ever), or until it is told something else.
pass() {
    tenths=$(printf '%s' "${1:-}" | awk '{ print int($1 * 10 + 0.5) }')
    while [ -z "${1:-}" ] || [ "${tenths:-0}" -gt 0 ]; do
        told && return
        sleep 0.1
        tenths=$((${tenths:-0} - 1))
    done
}

busy() {
    printf 'working (esc to interrupt)\n'
    pass "$1"
    # The row goes away again.
    printf '\033[1A\033[2K'
}

idle() {
    printf %s "$prompt"
    while :; do
        if told; then
            # The prompt and what stands in it go away.
            printf '\r\033[K'
            return
        fi
        next_line || continue
        [ -z "$work" ] || busy "$work"
        [ -z "$reply" ] || printf '%b\n' "$reply"
        [ "$1" = once ] && return
        printf %s "$prompt"
    done
}

while [ -n "$program" ]; do
    instruction=${program%%"$nl"*}
    program=${program#*"$nl"}
    word=${instruction%% *}
    rest=${instruction#"$word"}
    rest=${rest# }
    case $word in
    '') ;;
    say) printf '%b\n' "$rest" ;;
    put) printf '%b' "$rest" ;;
    clear) printf '\033[2J\033[H' ;;
    title) printf '\033]2;%s\033\\' "$rest" ;;
    idle)
        [ -z "$rest" ] || prompt="$rest "
        idle for-ever
        ;;
    read) idle once ;;
    busy) busy "$rest" ;;
    sleep) pass "$rest" ;;
    dialog)
        printf '%s [y/n] ' "$rest"
        until next_line; do told && break; done
        ;;
    rate)
        count=${rest%% *}
        left=$(awk "BEGIN { print int($count * ${rest#* } + 0.5) }")
        pause=$(awk "BEGIN { print 1 / $count }")
        while [ "$left" -gt 0 ]; do
            told && break
            printf 'line %s of the flow\n' "$left"
            left=$((left - 1))
            sleep "$pause"
        done
        ;;
    reply) reply=$rest ;;
    work) work=$rest ;;
    echo) echo=$rest ;;
    swallow) swallow=$rest ;;
    # shellcheck disable=SC2086
    ignore) trap '' $rest ;;
    child)
        setsid sleep "$rest" </dev/null >/dev/null 2>&1 &
        printf '%s\n' "$!" >>"$dir/children"
        ;;
    exit) exit "$rest" ;;
    die) kill -s "$rest" $$ ;;
    exec)
        stty sane 2>/dev/null
        exec sh -c "$rest"
        ;;
    *)
        printf 'fake agent: unknown instruction: %s\n' "$instruction" >&2
        exit 64
        ;;
    esac
done
