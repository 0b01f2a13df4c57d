#!/bin/sh
# A real Nucleo-F429ZI on its ST-LINK.
#   probe.sh flash|attach|debug ELF      DRY_RUN=1: only say what would be run
set -eu
here=$(dirname "$0")
action=${1:-} elf=${2:-}
chip=STM32F429ZITx

run() {
    echo "+ $*"
    [ -n "${DRY_RUN:-}" ] || exec "$@"
}

case $action in
flash | attach | debug) ;;
*)
    echo "usage: probe.sh flash|attach|debug ELF" >&2
    exit 2
    ;;
esac
if [ ! -f "$elf" ]; then
    echo "mote: there is no $elf: run make firmware first" >&2
    exit 2
fi
rtt=$(arm-none-eabi-nm "$elf" | awk '$3 == "_SEGGER_RTT" { print "0x" $1 }')
if [ -z "$rtt" ]; then
    echo "mote: $elf has no symbol _SEGGER_RTT: this is not mote's firmware" >&2
    exit 2
fi

if command -v probe-rs >/dev/null && [ -z "${USE_OPENOCD:-}" ]; then
    case $action in
    flash) run probe-rs run --chip $chip "$elf" ;;
    attach) run probe-rs attach --chip $chip "$elf" ;;
    debug) run probe-rs gdb --chip $chip --gdb-connection-string 127.0.0.1:3333 "$elf" ;;
    esac
    exit 0
fi

case $action in
flash) run openocd -f "$here/openocd.cfg" -c "program $elf verify reset exit" ;;
attach)
    echo "The log is on TCP port 9090: nc 127.0.0.1 9090"
    run openocd -f "$here/openocd.cfg" -c init \
        -c "rtt setup $rtt 256 \"SEGGER RTT\"" -c "rtt start" -c "rtt server start 9090 0"
    ;;
debug)
    run gdb-multiarch -q "$elf" \
        -ex "target extended-remote | openocd -f $here/openocd.cfg -c 'gdb_port pipe; log_output openocd.log'" \
        -ex "monitor reset halt" -ex load
    ;;
esac
