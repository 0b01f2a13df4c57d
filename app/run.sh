#!/bin/sh
# The firmware on the virtual board or as a process, against a real broker on this machine.
#   app/run.sh VIRTUAL-BOARD ELF [options of the virtual board]
#   app/run.sh MOTE-POSIX - [options of mote-posix]
set -eu
board=$1 elf=$2
shift 2
port=${BROKER_PORT:-1883}
PATH=$PATH:/usr/sbin

listens() {
    mosquitto_pub -h 127.0.0.1 -p "$port" -t mote/probe -n -q 0 >/dev/null 2>&1
}

mosquitto_pid=""
scratch=$(mktemp -d)
finish() {
    if [ -n "$mosquitto_pid" ]; then
        kill "$mosquitto_pid" 2>/dev/null || true
        wait "$mosquitto_pid" || true
    fi
    rm -rf "$scratch"
}
trap finish EXIT
trap : INT # Ctrl-C ends the board, then this script cleans up
trap 'exit 143' TERM

if [ -z "${BROKER_IP_ADDRESS:-}${BROKER_HOST:-}" ]; then
    if listens; then
        echo "Using the MQTT broker that listens on port $port of this machine."
    else
        printf 'listener %s 127.0.0.1\nallow_anonymous true\n' "$port" >"$scratch/mosquitto.conf"
        mosquitto -c "$scratch/mosquitto.conf" >"$scratch/mosquitto.log" 2>&1 &
        mosquitto_pid=$!
        tries=0
        until listens; do
            tries=$((tries + 1))
            if [ $tries -gt 50 ] || ! kill -0 "$mosquitto_pid" 2>/dev/null; then
                echo "mote: mosquitto did not start on port $port:" >&2
                cat "$scratch/mosquitto.log" >&2
                exit 1
            fi
            sleep 0.1
        done
        echo "Started Mosquitto on port $port of this machine."
    fi
fi

# The topics carry the MAC address: let the firmware say it.
if [ "$elf" = - ]; then
    elf=""
    topics=$("$board" "$@" --net none --for 0 </dev/null 2>&1 | sed -n '/] I MAC/s/.*topics //p')
else
    topics=$("$board" --net none --cable out --no-leds --until 'topics ' --timeout 5 "$elf" | sed -n '/] I MAC/s/.*topics //p')
fi
# As this machine calls it: the first of several; 10.0.2.2 is this machine to the virtual board.
broker=${BROKER_HOST:-${BROKER_IP_ADDRESS:-10.0.2.2}}
broker=${broker%%,*}
[ "$broker" != 10.0.2.2 ] || broker=127.0.0.1
cat <<END

In another terminal:
    mosquitto_sub -h $broker -p $port -v -t '$topics/#'
    mosquitto_pub -h $broker -p $port -V 5 -t '$topics/settings/led' -m true     lights LD3
Keys here: b presses the button, c pulls or plugs the cable, r resets, q quits.

END
"$board" "$@" ${elf:+"$elf"}
