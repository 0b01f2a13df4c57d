#!/bin/sh
# Builds the programs of tests/kernel for QEMU's netduinoplus2 and runs them.
# usage: tests/kernel/qemu/run.sh BUILD_FOLDER [PROGRAM…]      (from the root)
set -u
build=$1
shift
[ $# -gt 0 ] || set -- tests/kernel/prog_*.c
mkdir -p "$build"
flags="-mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard --specs=picolibc.specs
  -std=gnu17 -ffreestanding -ffunction-sections -fdata-sections -I. -g3
  -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef -Werror"
failed=0
total=0
for program; do
  name=$(basename "$program" .c)
  for level in -Os -O2 -Og; do
    total=$((total + 1))
    elf=$build/$name$level.elf
    # shellcheck disable=SC2086
    if arm-none-eabi-gcc $flags $level "$program" kernel/*.c tests/kernel/qemu/support.c -o "$elf" \
        -nostartfiles -Wl,--gc-sections -T tests/kernel/qemu/qemu.ld &&
      timeout 60 qemu-system-arm -M netduinoplus2 -nographic -monitor none -serial none -icount shift=2,sleep=off \
        -semihosting-config enable=on,target=native -kernel "$elf" >"$elf.out" 2>&1; then
      echo "ok $name $level ($(grep -c '^ok ' "$elf.out") checks)"
    else
      failed=$((failed + 1))
      echo "FAILED $name $level"
      [ ! -f "$elf.out" ] || sed 's/^/    /' "$elf.out"
    fi
  done
done
echo "$((total - failed)) of $total passed"
[ "$failed" -eq 0 ]
