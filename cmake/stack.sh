#!/bin/sh
# The bound of a firmware's stack (cmake/stack.py). Exit status 1: above what is reserved.
#   cmake/stack.sh [TARGET…]     mote unless named; mote-full …
set -eu
[ $# -gt 0 ] || set -- mote
cd "$(dirname "$0")/.."
build=build/firmware-stack
small=$(cmake/release_flags.sh)
mkdir -p build
{
    cmake --preset firmware-release -B $build \
        -DCMAKE_C_FLAGS_MINSIZEREL="$small -fstack-usage -fcallgraph-info=su" &&
        cmake --build $build --target "$@"
} >build/stack.log 2>&1 || {
    cat build/stack.log >&2
    exit 1
}
for firmware; do
    [ $# = 1 ] || echo "$firmware:"
    python3 cmake/stack.py "$build/$firmware.elf" $build cmake/stack_calls.txt
done
