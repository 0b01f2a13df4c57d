#!/bin/sh
# The bound of the firmware's stack (cmake/stack.py). Exit status 1: above what is reserved.
set -eu
cd "$(dirname "$0")/.."
build=build/firmware-stack
mkdir -p build
{
    cmake --preset firmware-release -B $build \
        -DCMAKE_C_FLAGS_MINSIZEREL="-Os -g3 -flto -fstack-usage -fcallgraph-info=su" &&
        cmake --build $build --target mote
} >build/stack.log 2>&1 || {
    cat build/stack.log >&2
    exit 1
}
python3 cmake/stack.py $build/mote.elf $build cmake/stack_calls.txt
