#!/bin/sh
# Instructions that the stack executes, counted exactly by the virtual board, against the budgets.
#   bench/run.sh VIRTUAL_BOARD
# The program reads three words from its section .bench: what to do, how often, and whether to leave
# the stack's part out. A row is (with - without) of (1100 times - 100 times), over 1000: start, loop,
# peer and device drop out, but for what the device does when the stack calls it, five to ten instructions a call.
set -eu
cd "$(dirname "$0")/.."
board=$1
build=build/firmware-bench
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --preset firmware-release -B $build -DCMAKE_C_FLAGS_MINSIZEREL="-O2 -g3 -flto" >"$work/log" &&
    cmake --build $build --target bench-net >"$work/log" || {
    cat "$work/log" >&2
    exit 1
}

octal_word() {
    printf '\\%03o\\%03o\\000\\000' $(($1 % 256)) $(($1 / 256))
}

# scenario, repetitions, dry: instructions of the whole run
instructions() {
    # shellcheck disable=SC2059
    printf "$(octal_word "$1")$(octal_word "$2")$(octal_word "$3")" >"$work/bench"
    arm-none-eabi-objcopy --update-section .bench="$work/bench" $build/bench-net.elf "$work/program.elf"
    "$board" --net none --stats --timeout 60 "$work/program.elf" >"$work/out" 2>&1 || {
        cat "$work/out" >&2
        exit 1
    }
    sed -n 's/^.* \([0-9]*\) instructions,.*/\1/p' "$work/out"
}

difference() { # scenario, dry
    more=$(instructions "$1" 1100 "$2")
    fewer=$(instructions "$1" 100 "$2")
    echo $((more - fewer))
}

status=0
row() { # scenario, budget or -, name
    wet=$(difference "$1" 0)
    dry=$(difference "$1" 1)
    count=$(((wet - dry + 500) / 1000))
    verdict=""
    if [ "$2" != - ] && [ "$count" -gt "$2" ]; then
        verdict="above the budget"
        status=1
    fi
    printf '%-56s %6d %7s  %s\n' "$3" "$count" "$2" "$verdict"
}

printf '%-56s %6s %7s\n' "net: Cortex-M4 instructions, -O2, hardware checksums" count budget
row 0 400 "echo request, 56 bytes, frame to frame"
row 1 480 "TCP: receive 1460 bytes, every second acknowledged"
row 4 680 "TCP: send 1460 bytes, every second acknowledged"
row 2 - "TCP: receive 64 bytes, until they can be read"
row 3 - "TCP: receive 64 bytes, every second acknowledged"
row 5 - "TCP: send 64 bytes, and receive the acknowledgement"
row 6 - "UDP: receive 64 bytes"
row 7 - "UDP: send 64 bytes"
row 8 - "net_poll with nothing to do"
exit $status
