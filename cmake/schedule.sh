#!/bin/sh
# Measures the firmware's tasks on the virtual board under load and says which deadlines hold (cmake/schedule.py).
#   cmake/schedule.sh BUILD_FOLDER_OF_THE_HOST [SECONDS]
set -eu
cd "$(dirname "$0")/.."
host=$1
seconds=${2:-20}
build=build/firmware-schedule
BROKER_PORT=${SCHEDULE_PORT:-18830}
. cmake/load.sh
build_observed $build KERNEL_STATISTICS cmake --build "$host" --target kernel-measure

printf 'at 5s button press\nat 6s button press\n' >build/schedule.script
load_from 3 0.2
echo "measuring for $seconds s ..."
app/run.sh "$host/kernel-measure" $build/mote.elf --no-leds --script build/schedule.script \
    --timeout "$seconds" >build/schedule.out 2>&1 || true
python3 cmake/schedule.py $build/mote.elf build/schedule.out cmake/schedule.txt
