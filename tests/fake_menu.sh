#!/bin/sh
# A terminal program with a menu: draws it, moves its cursor by the arrow keys, and ends it by Enter. Every key goes into
# the file `keys` of its directory, one a line. POSIX sh and coreutils only.
#
#   fake_menu.sh QUESTION CHOICE…
#
# In the environment: MENU_CURSOR (first row: 1), MENU_STEP (rows that an arrow moves), MENU_SLOW (seconds until a key is
# drawn), MENU_DEAF=1 (Enter does nothing), MENU_RETURNS (how often it comes back after its end), MENU_VANISHES=1 (an arrow
# ends it), MENU_ACROSS=1 (the choices stand side by side in a box, the marked one on another ground, as OpenCode draws
# them; Left and Right move).
dir=${FAKE_DIR:-/tmp/fake-agent}/${AGENTS_NAME:-agent}
question=$1
shift
cursor=${MENU_CURSOR:-1} returns=${MENU_RETURNS:-0}
stty -icanon -echo min 1 time 0 2>/dev/null

draw_across() {
    printf '\033[2J\033[H  ┃\n  ┃  △ Permission required\n  ┃    # Shell command\n  ┃\n  ┃  %s\n  ┃\n' "$question"
    printf '  \033[48;5;233m┃\033[48;5;234m  '
    n=0
    for choice; do
        n=$((n + 1))
        case $n in
        "$cursor") printf '\033[48;5;215m %s \033[48;5;234m ' "$choice" ;;
        *) printf ' \033[38;5;8m%s\033[38;5;15m  ' "$choice" ;;
        esac
    done
    printf '     ⇆ select  enter confirm\033[0m\n  ┃\n'
}

draw() {
    [ "${MENU_ACROSS:-}" = 1 ] && draw_across "$@" && return
    printf '\033[2J\033[H%s\n\n' "$question"
    n=0
    for choice; do
        n=$((n + 1))
        sign=' '
        [ "$n" -eq "$cursor" ] && sign='❯'
        printf ' %s %s. %s\n' "$sign" "$n" "$choice"
    done
    printf '\n Enter to confirm\n'
}

# The answer was given; it may be asked for again.
over() {
    printf '\033[2J\033[H%s\n' "$1"
    [ "$returns" -gt 0 ] || return 0
    returns=$((returns - 1))
    sleep 0.5
    cursor=${MENU_CURSOR:-1}
    return 1
}

draw "$@"
while :; do
    key=$(dd bs=16 count=1 2>/dev/null | od -An -c | tr -d ' \n')
    by=0 name=$key
    case $key in
    *A) by=-${MENU_STEP:-1} name=Up ;;
    *B) by=${MENU_STEP:-1} name=Down ;;
    *C) by=${MENU_STEP:-1} name=Right ;;
    *D) by=-${MENU_STEP:-1} name=Left ;;
    '\n' | '\r') name=Enter ;;
    esac
    printf '%s\n' "$name" >>"$dir/keys"
    [ -z "${MENU_SLOW:-}" ] || sleep "$MENU_SLOW"
    if [ "$name" = Enter ]; then
        [ "${MENU_DEAF:-}" = 1 ] && continue
        eval "chosen=\${$cursor}"
        over "chosen: $chosen" && break
    elif [ "$by" != 0 ] && [ "${MENU_VANISHES:-}" = 1 ]; then
        over 'never mind' && break
    fi
    cursor=$((cursor + by))
    # Above the first one stands the last one.
    [ "$cursor" -ge 1 ] || cursor=$(($# + cursor))
    [ "$cursor" -le $# ] || cursor=$((cursor - $#))
    draw "$@"
done
printf '> '
exec cat >>"$dir/after"
