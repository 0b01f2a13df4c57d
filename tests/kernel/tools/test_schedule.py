#!/usr/bin/env python3
"""cmake/schedule.py: response times that can be worked out by hand, and measurements that do not suffice."""

import contextlib
import io
import math
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "cmake"))
import schedule  # noqa: E402


def table(*rows):
    """Tasks of (priority, run, every) and, for a software task, its capacity."""
    tasks = {}
    for number, (priority, run, every, *capacity) in enumerate(rows):
        task = schedule.Task("t%d" % number, number, priority)
        task.run, task.every, task.within, task.capacity = run, every, every, *(capacity or [0])
        tasks[number] = task
    return tasks


class Response(unittest.TestCase):
    def responses(self, tasks, block=0.0, overhead=0.0):
        return [schedule.response(task, tasks, block, overhead) for task in tasks.values()]

    def test_textbook(self):
        """Joseph and Pandya: 3 + 3*1 + 2*2 for the lowest."""
        self.assertEqual(self.responses(table((3, 1, 4), (2, 2, 6), (1, 3, 12))), [1, 3, 10])

    def test_each_start_costs_its_overhead(self):
        self.assertEqual(self.responses(table((2, 1, 10), (1, 2, 20)), overhead=0.5), [1.5, 4.0])

    def test_blocking_counts_once(self):
        self.assertEqual(self.responses(table((2, 1, 4), (1, 2, 20)), block=3), [4, 7])

    def test_more_work_than_time_is_found(self):
        tasks = table((2, 3, 4), (1, 2, 6))
        self.assertGreater(schedule.response(tasks[1], tasks, 0, 0), tasks[1].within)
        tasks = table((2, 4, 4), (1, 1, 100000))
        self.assertGreater(schedule.response(tasks[1], tasks, 0, 0), tasks[1].within)
        self.assertFalse(math.isnan(schedule.response(tasks[1], tasks, 0, 0)))

    def test_of_one_priority_a_queue_bounds_how_often(self):
        """Two software tasks: the one under way and what its queue holds. A hardware task has no queue."""
        self.assertEqual(self.responses(table((1, 2, 1, 1), (1, 3, 100, 1)))[1], 3 + 2 * 2)
        self.assertEqual(self.responses(table((1, 2, 1, 4), (1, 3, 100, 1)))[1], 3 + 5 * 2)
        self.assertEqual(self.responses(table((1, 2, 5), (1, 3, 100, 1)))[1], 5)


class Blocking(unittest.TestCase):
    TASKS = table((3, 1, 10), (2, 1, 10), (1, 1, 10))

    def blocked(self, users, ceiling, priority_at):
        names = {"RESOURCE_r_USERS": users, "RESOURCE_r_CEILING": ceiling}
        return schedule.blocking(self.TASKS[priority_at], self.TASKS, names, {"r": 7.0})

    def test_by_a_lower_task_s_lock_to_the_ceiling(self):
        self.assertEqual(self.blocked(0b101, 3, 0), 7)

    def test_by_a_lock_that_it_does_not_use_itself(self):
        self.assertEqual(self.blocked(0b101, 3, 1), 7)

    def test_not_by_a_lock_below_it(self):
        self.assertEqual(self.blocked(0b110, 2, 0), 0)

    def test_not_by_higher_tasks_locks(self):
        self.assertEqual(self.blocked(0b011, 3, 2), 0)

    def test_the_longest_counts(self):
        names = {"RESOURCE_a_USERS": 0b101, "RESOURCE_a_CEILING": 3, "RESOURCE_b_USERS": 0b101, "RESOURCE_b_CEILING": 3}
        self.assertEqual(schedule.blocking(self.TASKS[0], self.TASKS, names, {"a": 2.0, "b": 5.0}), 5)


PROGRAM = """
#define KERNEL_STATISTICS
#include "target/stm32f429/timer.h"
#define TASKS(HARDWARE, SOFTWARE) HARDWARE(fast, 2, EXTI0) SOFTWARE(slow, 1, 2, nothing)
#define RESOURCES(RESOURCE) RESOURCE(shared, unsigned, fast, slow)
#define DISPATCHERS(DISPATCHER) DISPATCHER(1, SPI1)
#include "kernel/table.h"
KERNEL_DEFINE
TASK(fast) { LOCK (shared) { ++*shared; } }
TASK(slow) { LOCK (shared) { ++*shared; } }
INIT { if (spawn(slow) < 0) for (;;) { } }
int main(void) { kernel_start(); }
"""
FLAGS = """-mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard --specs=picolibc.specs -std=gnu17 -Os -g3 -I.
    -nostartfiles -Wl,--gc-sections -T target/nucleo-f429zi/nucleo-f429zi.ld kernel/kernel.c kernel/clock.c"""
TARGET = ["target/stm32f429/%s.c" % name for name in ("startup", "crash", "memory", "timer", "clock", "wait")]


@unittest.skipUnless(shutil.which("arm-none-eabi-gcc"), "arm-none-eabi-gcc is not installed")
class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.path = pathlib.Path(folder.name)
        cls.elf = cls.path / "prog.elf"
        (cls.path / "prog.c").write_text(PROGRAM)
        subprocess.run(["arm-none-eabi-gcc", str(cls.path / "prog.c"), *TARGET, *FLAGS.split(), "-o", str(cls.elf)],
                       check=True, cwd=ROOT)

    def report(self, declared, fast_us=20, slow_us=100, lock_us=10, runs=5, leave_out=""):
        """uint64 cycles, uint32 longest, uint32 runs of each task, at 1 MHz so that cycles are microseconds."""
        measured = ["measured kernel_statistics_of_tasks 0 0 %d %d 0 0 %d %d" % (fast_us, runs, slow_us, runs),
                    "measured kernel_statistics_of_locks %d 0" % lock_us, "measured hz 1000000"]
        (self.path / "measured").write_text("\n".join(m for m in measured if not leave_out or leave_out not in m) + "\n")
        (self.path / "table").write_text(declared)
        said = io.StringIO()
        arguments, schedule.sys.argv = schedule.sys.argv, ["schedule.py", str(self.elf), str(self.path / "measured"),
                                                         str(self.path / "table")]
        try:
            with contextlib.redirect_stdout(said):
                status = schedule.main()
        finally:
            schedule.sys.argv = arguments
        return status, said.getvalue()

    def row(self, said, task):
        return next(line.split() for line in said.splitlines() if line.startswith(task + " "))

    def test_what_holds(self):
        """fast: its run, the overhead, slow's lock. slow: both runs and overheads, blocked by nobody."""
        status, said = self.report("fast 10000 2000\nslow 100000 5000\n")
        overhead = schedule.OVERHEAD_CYCLES
        self.assertEqual(status, 0, said)
        self.assertEqual([float(n) for n in self.row(said, "fast")[3:7]], [20, 10000, 10, 20 + overhead + 10])
        self.assertEqual([float(n) for n in self.row(said, "slow")[3:7]], [100, 100000, 0, 120 + 2 * overhead])
        self.assertIn("lock shared: held for up to 10.0 us, ceiling 2", said)

    def test_what_does_not(self):
        status, said = self.report("fast 10000 2000\nslow 100000 1000\n")
        self.assertEqual(status, 1)
        self.assertTrue(self.row(said, "slow")[-1] == "HOLD" and self.row(said, "fast")[-1] == "holds", said)

    def test_gaps_are_named(self):
        for declared, expected in (("fast 10000 2000\n", "does not say how often slow starts"),
                                   ("fast 1 1\nslow 1 1\nnone 1 1\n", "a line for none: no such task"),
                                   ("fast 1 1\nslow 1 1 like none\n", "a line for slow: no such task")):
            status, said = self.report(declared)
            self.assertEqual(status, 1)
            self.assertIn(expected, said)

    def test_a_task_that_never_ran_is_not_taken_for_a_short_one(self):
        status, said = self.report("fast 10000 2000\nslow 100000 5000\n", runs=0)
        self.assertEqual(status, 1)
        self.assertIn("fast has not run: its time is not known", said)
        status, said = self.report("fast 10000 2000 like slow\nslow 100000 5000\n", runs=0)
        self.assertIn("slow has not run", said)

    def test_a_run_that_broke_off(self):
        with self.assertRaisesRegex(SystemExit, "lacks hz: did the run come to its end"):
            self.report("fast 1 1\nslow 1 1\n", leave_out="hz")


if __name__ == "__main__":
    unittest.main(verbosity=2)
