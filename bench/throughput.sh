#!/bin/sh
# Messages a second that the whole firmware sustains against a real Mosquitto, and the share of its core at 180 MHz.
#   bench/throughput.sh VIRTUAL_BOARD MOTE
set -eu
cd "$(dirname "$0")/.."
board=$1 mote=$2
PATH=$PATH:/usr/sbin
build=build/firmware-bench
work=$(mktemp -d)
broker="" feeder=""
finish() {
    for pid in $feeder $broker; do
        kill "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap finish EXIT

cmake --preset firmware-release -B $build -DCMAKE_C_FLAGS_MINSIZEREL="-O2 -g3 -flto" >"$work/log" &&
    cmake --build $build --target bench-throughput >"$work/log" || {
    cat "$work/log" >&2
    exit 1
}

# The firmware looks for its broker at port 1883 of the host.
if "$mote" pub -h 127.0.0.1 -t mote/probe -n 2>/dev/null; then
    echo "messages per second: not measured, port 1883 is another broker's"
    exit 0
fi
printf 'listener 1883 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n' >"$work/mosquitto.conf"
mosquitto -c "$work/mosquitto.conf" >"$work/mosquitto.log" 2>&1 &
broker=$!
until "$mote" pub -h 127.0.0.1 -t mote/probe -n 2>/dev/null; do
    kill -0 $broker || { cat "$work/mosquitto.log" >&2 && exit 1; }
    sleep 0.1
done

# As many messages as the broker takes, until `feeder` is ended.
feed() {
    mkfifo "$work/lines$1"
    yes 0123456789012345678901234567890123456789012345678901234567890123 >"$work/lines$1" &
    "$mote" pub -h 127.0.0.1 -t bench/throughput/receive -l -q "$1" --quiet <"$work/lines$1" &
    feeder=$!
}

measure() { # scenario, QoS to receive or -, name
    # shellcheck disable=SC2059
    printf "\\$1\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000" >"$work/bench"
    arm-none-eabi-objcopy --update-section .bench="$work/bench" $build/bench-throughput.elf "$work/program.elf"
    if [ "$2" != - ]; then
        feed "$2"
    fi
    "$board" --no-leds --until "throughput done" --timeout 60 --timeout-real 120 "$work/program.elf" >"$work/out" 2>&1 </dev/null || {
        cat "$work/out" >&2
        exit 1
    }
    if [ -n "$feeder" ]; then
        kill "$feeder" 2>/dev/null || true
        wait "$feeder" 2>/dev/null || true
        feeder=""
    fi
    awk -v name="$3" '/throughput [0-9]+ messages/ {
            for (i = 1; i < NF; i++) if ($i == "throughput") { n++; messages += $(i + 1); load += $(i + 3) }
        }
        END { printf "%-56s %6d %6.1f%%\n", name, messages / n, load / n / 10 }' "$work/out"
}

printf '%-56s %6s %7s\n' "firmware at 180 MHz and Mosquitto, 64 bytes a message" "per s" CPU
measure 000 - "publish QoS 0"
measure 001 - "publish QoS 1, 8 in flight"
measure 002 0 "receive QoS 0"
measure 002 1 "receive QoS 1"
