#!/bin/sh
# Instructions of the MQTT engine alone, against the budgets. Copying the topic and payload drops out; what the
# transport does when the engine calls it, a few instructions, stays.
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
exit $status
