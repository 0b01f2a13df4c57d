#!/bin/sh
# Instructions of the kernel's paths at -O2, counted one by one on the virtual board, against the budgets.
#   bench/kernel.sh BUILD_FOLDER_OF_THE_HOST
set -eu
cd "$(dirname "$0")/.."
build=build/firmware-bench
mkdir -p build
{
    cmake --preset firmware-release -B $build -DCMAKE_C_FLAGS_MINSIZEREL="-O2 -g3 -flto" &&
        cmake --build $build --target bench-kernel &&
        cmake --build "$1" --target kernel-figures
} >build/bench-kernel.log || {
    cat build/bench-kernel.log >&2
    exit 1
}
echo "kernel: Cortex-M4 instructions, -O2"
"$1/kernel-figures" $build/bench-kernel.elf
