#!/bin/sh
# Instructions of the MQTT engine alone, counted exactly by the virtual board, against the budgets.
#   bench/mqtt.sh VIRTUAL_BOARD
# As in bench/run.sh, a row is (with - without the engine) of (1100 times - 100 times), over 1000. Copying the
# topic and payload drops out as well; what the transport does when the engine calls it, a few instructions, stays.
set -eu
cd "$(dirname "$0")/.."
board=$1
build=build/firmware-bench
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --preset firmware-release -B $build -DCMAKE_C_FLAGS_MINSIZEREL="-O2 -g3 -flto" >"$work/log" &&
    cmake --build $build --target bench-mqtt >"$work/log" || {
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
    arm-none-eabi-objcopy --update-section .bench="$work/bench" $build/bench-mqtt.elf "$work/program.elf"
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

printf '%-56s %6s %7s\n' "mqtt: Cortex-M4 instructions, -O2, 29 + 64 bytes" count budget
row 0 350 "receive QoS 0, until the next poll finds nothing"
row 1 - "receive QoS 1 and acknowledge it"
row 2 350 "publish QoS 0, without memcpy"
row 3 700 "publish QoS 1 until PUBLISHED, without memcpy"
row 4 - "mqtt_poll with nothing to do"
exit $status
