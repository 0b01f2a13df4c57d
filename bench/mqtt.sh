#!/bin/sh
# Instructions of the MQTT engine alone, against the budgets, in the standard build and with everything on; then
# flash and RAM of both. Copying the topic and payload drops out; what the transport does when the engine calls it,
# a few instructions, stays.
#   bench/mqtt.sh VIRTUAL_BOARD
set -eu
cd "$(dirname "$0")/.."
board=$1 name=mqtt
. bench/count.sh

printf '%-56s %6s %7s\n' "mqtt: Cortex-M4 instructions, -O2, 29 + 64 bytes" count budget
row 0 350 "receive QoS 0, until the next poll finds nothing"
row 1 - "receive QoS 1 and acknowledge it"
row 2 350 "publish QoS 0, without memcpy"
row 3 700 "publish QoS 1 until PUBLISHED, without memcpy"
row 4 - "mqtt_poll with nothing to do"
standard=$status

name=mqtt-full
. bench/count.sh
printf '%-56s %6s %7s\n' "the same with everything on" count budget
row 0 - "receive QoS 0"
row 1 - "receive QoS 1"
row 5 - "receive QoS 2 until PUBCOMP"
row 2 - "publish QoS 0"
row 3 - "publish QoS 1"
row 6 - "publish QoS 2 until PUBLISHED"
row 4 - "mqtt_poll with nothing to do"

# All public functions of these headers, linked as the firmware is, and struct mqtt. What grows beyond its limit fails.
small=$(cmake/release_flags.sh)
machine="-mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard"
size() { # budget, limit, headers, name, switches
    budget=$1 limit=$2 what=$4
    # shellcheck disable=SC2086
    functions=$(cat $3 | sed -n 's/^[a-z].*[ *]\(mqtt_[a-z0-9_]*\)(.*/-Wl,-u,\1/p')
    shift 4
    for file in mqtt/*.c; do
        # shellcheck disable=SC2086
        arm-none-eabi-gcc -std=gnu17 $small $machine --specs=picolibc.specs -I. "$@" -c "$file" \
            -o "$work/$(basename "$file" .c).o"
    done
    # shellcheck disable=SC2086
    arm-none-eabi-gcc $small -nostdlib $machine -Wl,--gc-sections,-e,mqtt_init,--unresolved-symbols=ignore-all \
        $functions "$work"/*.o -o "$work/engine.elf" 2>"$work/log" || cat "$work/log" >&2
    # shellcheck disable=SC2086
    ram=$(printf '#include "mqtt/mqtt.h"\nchar engine[sizeof(struct mqtt)];' |
        arm-none-eabi-gcc $machine --specs=picolibc.specs -I. "$@" -xc -c - -o "$work/ram.o" &&
        arm-none-eabi-size "$work/ram.o" | awk 'END { print $3 }')
    flash=$(arm-none-eabi-size "$work/engine.elf" | awk 'END { print $1 + $2 }')
    verdict=""
    [ "$flash" -gt "$limit" ] && standard=1 verdict="above $limit"
    printf '%-56s %6d %7s  %s\n' "$what: flash" "$flash" "$budget" "$verdict"
    printf '%-56s %6d\n' "$what: struct mqtt" "$ram"
}
printf '%-56s %6s %7s\n' "mqtt: bytes, -Os" size budget
size 6144 6144 mqtt/mqtt.h "QoS 0 and 1, the standard build"
size 10240 10240 mqtt/mqtt.h "all of the protocol" -DMQTT_FULL=1 -DMQTT_WITH_CHECKS=0
size 10240 10240 mqtt/mqtt.h "everything" -DMQTT_FULL=1
size - 11200 "mqtt/mqtt.h mqtt/router.h mqtt/store.h" "everything, router and store in RAM" -DMQTT_FULL=1
exit $((status | standard))
