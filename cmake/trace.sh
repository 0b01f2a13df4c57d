#!/bin/sh
# A timeline of the firmware at work, for Perfetto or chrome://tracing: build/trace.json.
#   cmake/trace.sh BUILD_FOLDER_OF_THE_HOST [SECONDS]
set -eu
cd "$(dirname "$0")/.."
host=$1
seconds=${2:-4}
build=build/firmware-trace
BROKER_PORT=${TRACE_PORT:-18831}
. cmake/load.sh
build_observed $build KERNEL_TRACE_ITM true

printf 'at 2913920us button press\n' >build/trace.script
load_from 1 0.3
echo "recording $seconds s of the firmware ..."
status=0
app/run.sh "$host/virtual-board" $build/mote.elf --no-keys --script build/trace.script --timeline build/trace.json \
    --timeout "$seconds" >build/trace.out 2>&1 || status=$?
if [ $status -ne 4 ]; then # 4: the timeout, as asked for
    cat build/trace.out >&2
    exit 1
fi
echo "build/trace.json: open it at https://ui.perfetto.dev (it stays in the browser) or in chrome://tracing"
