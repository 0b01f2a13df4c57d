#!/bin/sh
# `net` and lwIP side by side: the same frames, the same calls, the same compiler and flags.
#   bench/lwip/versus.sh VIRTUAL_BOARD [ours]      ours: without lwIP, and without asking for it
set -eu
cd "$(dirname "$0")/../.."
board=$1
sources=""
[ "${2:-}" = ours ] || sources=$(bench/lwip/fetch.sh) || echo "so net's figures are without lwIP's beside them"
configure() { # folder, -O
    cmake --preset firmware-release -B "$1" -DCMAKE_C_FLAGS_MINSIZEREL="$2 -g3 -flto" -DMOTE_VERSUS=ON \
        -DMOTE_LWIP="$sources"
}
quietly() {
    "$@" >build/versus.log 2>&1 || {
        cat build/versus.log >&2
        exit 1
    }
}
small=build/firmware-bench-size
mkdir -p build
quietly configure build/firmware-bench -O2
quietly configure $small -Os
name=none-0
. bench/count.sh
quietly cmake --build $build --target versus
quietly cmake --build $small --target versus

# The figures of lwIP, where its sources are there.
absent() {
    case $1 in lwip-*) [ -z "$sources" ] && echo - ;; *) false ;; esac
}

count() { # program, scenario
    absent "$1" && return
    name=$1
    wet=$(difference "$2" 0)
    dry=$(difference "$2" 1)
    echo $(((wet - dry + 500) / 1000))
}

line() { # name, four values: lwIP and net by hardware, lwIP and net by software
    printf '%-48s %8s %8s   %8s %8s\n' "$@"
}

compare() { # scenario, name
    line "$2" "$(count lwip-0 "$1")" "$(count mote-0 "$1")" "$(count lwip-1 "$1")" "$(count mote-1 "$1")"
}

# What a stack adds to the program without one; sections of flash, or of RAM.
bytes() { # program, pattern of sections
    absent "$1" && return
    of() {
        arm-none-eabi-size -A "$small/bench-$1.elf" | awk -v sections="$2" '$1 ~ sections { sum += $2 } END { print sum }'
    }
    echo $(($(of "$1" "$2") - $(of "none-${1##*-}" "$2")))
}

weigh() { # name, pattern
    line "$1" "$(bytes lwip-0 "$2")" "$(bytes mote-0 "$2")" "$(bytes lwip-1 "$2")" "$(bytes mote-1 "$2")"
}

echo
printf '%-48s %17s   %17s\n' "" "by hardware" "by software"
printf '%-48s %8s %8s   %8s %8s\n' "${sources:+${sources##*/} and }net; checksums:" lwIP net lwIP net
compare 0 "echo request, 56 bytes, frame to frame"
compare 1 "TCP: receive 1460 bytes, every second ack'd"
compare 2 "TCP: send 1460 bytes, every second ack'd"
compare 3 "TCP: receive 64 bytes, every second ack'd"
compare 4 "TCP: send 64 bytes, and receive the ack"
compare 5 "UDP: receive 64 bytes"
compare 6 "UDP: send 64 bytes"
compare 7 "nothing to do"
weigh "flash at -Os, bytes" '^[.](vectors|text|rodata|data)'
weigh "static RAM without the data's buffers, bytes" '^[.](data|bss)'
