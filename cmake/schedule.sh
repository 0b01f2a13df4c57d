#!/bin/sh
# Measures the firmware's tasks on the virtual board under load and says which deadlines hold (cmake/schedule.py).
#   cmake/schedule.sh BUILD_FOLDER_OF_THE_HOST [SECONDS]
set -eu
cd "$(dirname "$0")/.."
host=$1
seconds=${2:-20}
build=build/firmware-schedule
BROKER_PORT=${SCHEDULE_PORT:-18830}
export BROKER_PORT
unset MAC_ADDRESS IP_ADDRESS GATEWAY_ADDRESS DNS_ADDRESS BROKER_IP_ADDRESS BROKER_HOST
mkdir -p build
{
    cmake --preset firmware-release -B $build -DCMAKE_C_FLAGS_MINSIZEREL="-Os -g3 -flto -DKERNEL_STATISTICS" &&
        cmake --build $build --target mote && cmake --build "$host" --target kernel-measure
} >build/schedule.log 2>&1 || {
    cat build/schedule.log >&2
    exit 1
}

# Settings written and listed, as often as the broker takes them, while the board runs.
load() {
    prefix=$(mosquitto_sub -p "$BROKER_PORT" -t '#' -F %t -W 6 | sed -n 's,/telemetry$,,p' | tail -n 1)
    while sleep 0.2; do
        mosquitto_pub -p "$BROKER_PORT" -V 5 -q 1 -t "$prefix/settings/led" -m true
        mosquitto_pub -p "$BROKER_PORT" -V 5 -q 1 -t "$prefix/settings" -n \
            -D publish response-topic "$prefix/response" -D publish correlation-data list
    done
}

printf 'at 5s button press\nat 6s button press\n' >build/schedule.script
(sleep 3; load) >build/schedule.load 2>&1 &
loading=$!
trap 'kill $loading 2>/dev/null || true' EXIT
echo "measuring for $seconds s ..."
app/run.sh "$host/kernel-measure" $build/mote.elf --no-leds --script build/schedule.script \
    --timeout "$seconds" >build/schedule.out 2>&1 || true
python3 cmake/schedule.py $build/mote.elf build/schedule.out cmake/schedule.txt
