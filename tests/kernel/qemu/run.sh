#!/bin/sh
# Builds the programs of tests/kernel for two of QEMU's machines and runs them,
# so that our own CPU model is not the only judge.
# usage: tests/kernel/qemu/run.sh BUILD_FOLDER [PROGRAM…]
#
# Where QEMU (7.2) departs from the architecture, and what follows for a test:
# - WFI ends when an interrupt is pending that BASEPRI masks (ARMv7-M B1.5.19
#   says it does not). No test sleeps with a ceiling raised.
# - There are 8 priority bits, not 4. The kernel writes the upper four; the rest
#   stay zero, so order and ceilings are the same.
# - netduinoplus2's TIM5 has no compare channel: SysTick stands in for it.
# - Neither machine has DWT's cycle counter; it reads as zero.
# Exit status 77: there is no QEMU or no compiler here.
set -u
[ $# -gt 0 ] || { echo "usage: $0 BUILD_FOLDER [PROGRAM…]" >&2; exit 2; }
mkdir -p "$1"
build=$(cd "$1" && pwd)
shift
cd "$(dirname "$0")/../../.." || exit 2
command -v qemu-system-arm >/dev/null && command -v arm-none-eabi-gcc >/dev/null || {
  echo "SKIPPED: qemu-system-arm or arm-none-eabi-gcc is not installed"
  exit 77
}
[ $# -gt 0 ] || set -- tests/kernel/prog_*.c
flags="-mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard --specs=picolibc.specs
  -std=gnu17 -ffreestanding -ffunction-sections -fdata-sections -I. -g3
  -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef -Werror"
for machine in netduinoplus2 mps2-an386; do
  here=tests/kernel/qemu
  case $machine in
  netduinoplus2)
    sources="$here/netduinoplus2.c -T $here/netduinoplus2.ld"
    options="-serial none -icount shift=2,sleep=off" ;;
  mps2-an386)
    sources="-DBOARD_MPS2_AN386 $here/mps2.c target/mps2-an386/*.c -T target/mps2-an386/mps2-an386.ld"
    options="-serial stdio -icount shift=5,sleep=off" ;;
  esac
  # shellcheck disable=SC2086
  for level in -Os -O2 -Og; do
    arm-none-eabi-gcc $flags $level -c kernel/kernel.c -o "$build/kernel$level.o" &&
      arm-none-eabi-gcc $flags $level -c kernel/clock.c -o "$build/clock$level.o" || exit 1
    for program; do
      name=$(basename "$program" .c)
      elf=$build/$name-$machine$level.elf
      rm -f "$elf.out"
      if arm-none-eabi-gcc $flags $level "$program" "$build/kernel$level.o" "$build/clock$level.o" $sources \
          -o "$elf" -nostartfiles -Wl,--gc-sections &&
        timeout 60 qemu-system-arm -M $machine -display none -monitor none $options \
          -semihosting-config enable=on,target=native -kernel "$elf" >"$elf.out" 2>&1 </dev/null; then
        echo "ok $name $machine $level ($(grep -c '^ok ' "$elf.out") checks)"
      else
        echo "FAILED $name $machine $level"
        [ ! -f "$elf.out" ] || sed 's/^/    /' "$elf.out"
      fi
    done
  done
done >"$build/results"
cat "$build/results"
failed=$(grep -c '^FAILED' "$build/results")
echo "$(grep -c '^ok' "$build/results") passed, $failed failed"
[ "$failed" -eq 0 ]
