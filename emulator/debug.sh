#!/bin/sh
# GDB on the virtual board, with the commands of a real one (target/nucleo-f429zi/probe.sh).
#   debug.sh VIRTUAL_BOARD ELF [OPTION…]    options are the virtual board's
# GDB gets $GDB_ARGS too. The board's own output goes to $LOG; without it between GDB's lines and to
# build/virtual-board.log.
set -eu
board=${1:?virtual board} elf=${2:?ELF}
shift 2
log=${LOG:-build/virtual-board.log}

if ! command -v gdb-multiarch >/dev/null; then
    echo "mote: there is no gdb-multiarch: install Debian's package of that name" >&2
    exit 2
fi

# In a session of its own: Ctrl-C is for GDB, which then halts the core.
setsid "$board" --gdb 0 --gdb-wait --no-keys "$@" "$elf" >"$log" 2>&1 </dev/null &
pid=$!
tail=""
finish() {
    kill $pid $tail 2>/dev/null || true
}
trap finish EXIT

port=""
while [ -z "$port" ]; do
    if ! kill -0 $pid 2>/dev/null; then
        cat "$log" >&2
        exit 2
    fi
    sleep 0.1
    port=$(sed -n "s/.*127\.0\.0\.1:\([0-9][0-9]*\).*/\1/p" "$log" | head -n 1)
done

if [ -z "${LOG:-}" ]; then
    setsid tail -n +1 -f "$log" &
    tail=$!
fi
# shellcheck disable=SC2086
gdb-multiarch -q "$elf" -ex "target extended-remote 127.0.0.1:$port" -ex "monitor reset halt" -ex load ${GDB_ARGS:-}
