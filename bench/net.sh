#!/bin/sh
# Instructions that the stack executes, against the budgets; what the device does when the stack calls it, five to ten
# instructions a call, is included.
#   bench/net.sh VIRTUAL_BOARD
set -eu
cd "$(dirname "$0")/.."
board=$1 name=net
. bench/count.sh

rows() { # three budgets
    row 0 "$1" "echo request, 56 bytes, frame to frame"
    row 1 "$2" "TCP: receive 1460 bytes, every second acknowledged"
    row 4 "$3" "TCP: send 1460 bytes, every second acknowledged"
    row 2 - "TCP: receive 64 bytes, until they can be read"
    row 3 - "TCP: receive 64 bytes, every second acknowledged"
    row 5 - "TCP: send 64 bytes, and receive the acknowledgement"
    row 6 - "UDP: receive 64 bytes"
    row 7 - "UDP: send 64 bytes"
    row 8 - "net_poll with nothing to do"
}
printf '%-56s %6s %7s\n' "net: Cortex-M4 instructions, -O2, hardware checksums" count budget
rows 400 480 680
standard=$status

name=net-full
. bench/count.sh
printf '%-56s %6s %7s\n' "the same with everything on; the peer knows no option" count budget
rows - - -
status=$((status | standard))
exit $status
