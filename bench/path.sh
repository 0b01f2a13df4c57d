#!/bin/sh
# Instructions of a message's whole way, against the budgets: net, the firmware's transport and mqtt, memcpy
# included; from the frame that the device lends, or to the one that it is given.
#   bench/path.sh VIRTUAL_BOARD
set -eu
cd "$(dirname "$0")/.."
board=$1 name=path
. bench/count.sh

printf '%-56s %6s %7s\n' "whole path: Cortex-M4 instructions, -O2, 29 + 64 bytes" count budget
row 0 450 "PUBLISH received, QoS 0: frame to MESSAGE"
row 1 - "the same until nothing is left to do"
row 2 700 "publish QoS 0: call to frame out"
row 3 1700 "publish QoS 1: call to PUBLISHED and nothing left"
row 4 - "receive QoS 1 and acknowledge it"
standard=$status

name=path-full
. bench/count.sh
printf '%-56s %6s %7s\n' "the same with everything on" count budget
row 0 - "receive QoS 0: frame to MESSAGE"
row 4 - "receive QoS 1 and acknowledge it"
row 5 - "receive QoS 2 until PUBCOMP"
row 2 - "publish QoS 0"
row 3 - "publish QoS 1"
row 6 - "publish QoS 2 until PUBLISHED"
exit $((status | standard))
