#!/usr/bin/env python3
"""The kernel's flash in a program of three tasks: what it adds to a program without one, its timer's driver included."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
DOCUMENT = (ROOT / "docs/kernel.md").read_text()
BUDGET = 1536
FLAGS = """-mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard --specs=picolibc.specs -std=gnu17 -Os -I.
    -ffunction-sections -fdata-sections -nostartfiles -Wl,--gc-sections -T target/nucleo-f429zi/nucleo-f429zi.ld"""
TARGET = ["target/stm32f429/%s.c" % name for name in ("startup", "crash", "memory", "clock", "wait")]
KERNEL = ["kernel/kernel.c", "kernel/clock.c", "target/stm32f429/timer.c"]

WITHOUT = """
#include "target/stm32f429/clock.h"
int main(void) { return clock_init() < 0 || clock_hclk_hz() == 0; }
"""
WITH = """
#include "target/stm32f429/clock.h"
#include "target/stm32f429/timer.h"
struct sample { unsigned value, number; };
#define TASKS(HARDWARE, SOFTWARE) \\
    HARDWARE(button, 3, EXTI0) SOFTWARE(store, 2, 4, struct sample) SOFTWARE(report, 1, 1, nothing)
#define RESOURCES(RESOURCE) RESOURCE(samples, struct sample, store, report)
#define DISPATCHERS(DISPATCHER) DISPATCHER(2, SPI1) DISPATCHER(1, SPI2)
#include "kernel/table.h"
KERNEL_DEFINE
static volatile int error;
TASK(button) { error = spawn(store, (struct sample){1, 2}); }
TASK(store) { LOCK (samples) { *samples = message; } }
TASK(report)
{
    LOCK (samples) { samples->number++; }
    error = spawn_after(report, seconds(1));
    error = %s;
}
INIT { error = spawn(report); }
int main(void) { error = clock_init(); kernel_start(); }
"""


@unittest.skipUnless(shutil.which("arm-none-eabi-gcc"), "arm-none-eabi-gcc is not installed")
class Size(unittest.TestCase):
    def flash(self, program, sources, *options):
        with tempfile.TemporaryDirectory() as folder:
            source, elf = pathlib.Path(folder, "prog.c"), pathlib.Path(folder, "prog.elf")
            source.write_text(program)
            subprocess.run(["arm-none-eabi-gcc", *FLAGS.split(), *options, str(source), *sources, "-o", str(elf)],
                           check=True, cwd=ROOT)
            said = subprocess.run(["arm-none-eabi-size", str(elf)], check=True, text=True, capture_output=True).stdout
        text, data = re.search(r"^\s*(\d+)\s+(\d+)", said.splitlines()[1]).groups()
        return int(text) + int(data)

    def added(self, more, *options):
        size = self.flash(WITH % more, TARGET + KERNEL, *options) - self.flash(WITHOUT, TARGET, *options)
        print(size, "bytes", end=" ... ", file=sys.stderr)
        self.assertLessEqual(size, BUDGET)
        return size

    def told(self, words, size):
        """docs/kernel.md says so, with the compiler that it names."""
        version = subprocess.run(["arm-none-eabi-gcc", "-dumpfullversion"], check=True, text=True, capture_output=True).stdout
        if version.startswith(re.search(r"GCC ([\d.]+)", DOCUMENT)[1]):
            self.assertIn(words % size, " ".join(DOCUMENT.split()))

    def test_three_tasks(self):
        self.added("0")
        self.told("the kernel is %d bytes (`-Os -flto`) of a program of three tasks", self.added("0", "-flto"))

    def test_with_every_call(self):
        more = "cancel(1) | reschedule(2, clock_now() + kernel_idle_us()); arm(report, 9)"
        self.told("and %d with `cancel`, `reschedule` and `arm`", self.added(more, "-flto"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
