#!/bin/sh
# A timeline of the firmware at work, for Perfetto or chrome://tracing: build/trace.json.
#   cmake/trace.sh BUILD_FOLDER_OF_THE_HOST [SECONDS]
set -eu
cd "$(dirname "$0")/.."
host=$1
seconds=${2:-4}
build=build/firmware-trace
BROKER_PORT=${TRACE_PORT:-18831}
export BROKER_PORT
unset MAC_ADDRESS IP_ADDRESS GATEWAY_ADDRESS DNS_ADDRESS BROKER_IP_ADDRESS BROKER_HOST
mkdir -p build
{
    cmake --preset firmware-release -B $build -DCMAKE_C_FLAGS_MINSIZEREL="-Os -g3 -flto -DKERNEL_TRACE_ITM" &&
        cmake --build $build --target mote
} >build/trace.log 2>&1 || {
    cat build/trace.log >&2
    exit 1
}

# Something to look at: the LED switched now and then, once the board is there.
load() {
    prefix=$(mosquitto_sub -p "$BROKER_PORT" -t '#' -F %t -W 6 | sed -n 's,/telemetry$,,p' | tail -n 1)
    while sleep 0.3; do
        mosquitto_pub -p "$BROKER_PORT" -V 5 -q 1 -t "$prefix/settings/led" -m true
    done
}

printf 'at 2913920us button press\n' >build/trace.script
(sleep 1; load) >build/trace.load 2>&1 &
loading=$!
trap 'kill $loading 2>/dev/null || true' EXIT
echo "recording $seconds s of the firmware ..."
status=0
app/run.sh "$host/virtual-board" $build/mote.elf --no-keys --script build/trace.script --timeline build/trace.json \
    --timeout "$seconds" >build/trace.out 2>&1 || status=$?
if [ $status -ne 4 ]; then # 4: the timeout, as asked for
    cat build/trace.out >&2
    exit 1
fi
echo "build/trace.json: open it at https://ui.perfetto.dev (it stays in the browser) or in chrome://tracing"
