#!/bin/sh
# Instructions that the stack executes, against the budgets; what the device does when the stack calls it, five to ten
# instructions a call, is included. Then the same beside lwIP.
#   bench/net.sh VIRTUAL_BOARD
set -eu
cd "$(dirname "$0")/.."
board=$1 name=net
. bench/count.sh

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
bench/lwip/versus.sh "$board"
exit $status
