#!/usr/bin/env python3
"""cmake/stack.py on small programs whose bound is known, and on programs that have none."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
CORE = "-mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard --specs=picolibc.specs"
FLAGS = CORE + " -std=gnu17 -g3 -flto -ffunction-sections -fdata-sections -fstack-usage -fcallgraph-info=su -I."
LINK = "-nostartfiles -Wl,--gc-sections -T target/nucleo-f429zi/nucleo-f429zi.ld"
SOURCES = ["kernel/kernel.c", "kernel/clock.c"] + ["target/stm32f429/%s.c" % name for name in
                                                   ("startup", "crash", "memory", "timer", "clock", "wait")]
BASIC, FP = 40, 112  # an exception's frame with its padding (ARMv7-M B1.5.7)

PROGRAM = """
#include "target/stm32f429/timer.h"
#define TASKS(HARDWARE, SOFTWARE) \\
    SOFTWARE(low, 1, 1, nothing) SOFTWARE(also_low, 1, 1, nothing) HARDWARE(middle, 2, EXTI0) HARDWARE(high, 3, EXTI1)
#define RESOURCES(RESOURCE) RESOURCE(shared, unsigned, low, middle) RESOURCE(all, unsigned, low, high)
#define DISPATCHERS(DISPATCHER) DISPATCHER(1, SPI1)
#include "kernel/table.h"
KERNEL_DEFINE
static volatile unsigned sink;
#define FILL(name, size) \\
    __attribute__((noinline, noclone)) static void name(void) \\
    { volatile char bytes[size]; bytes[0] = 1; sink = bytes[0]; }
%s
TASK(low) { %s }
TASK(also_low) { %s }
TASK(middle) { %s }
TASK(high) { %s }
INIT { %s }
int main(void) { kernel_start(); }
"""


class Bound(unittest.TestCase):
    objects = {}  # of the kernel and the target, by level

    @classmethod
    def compiled(cls, level):
        if level not in cls.objects:
            folder = tempfile.TemporaryDirectory()
            cls.addClassCleanup(folder.cleanup)
            cls.objects[level] = [str(pathlib.Path(folder.name, "%d.o" % i)) for i in range(len(SOURCES))]
            for source, built in zip(SOURCES, cls.objects[level]):
                subprocess.run(["arm-none-eabi-gcc", *FLAGS.split(), level, "-c", source, "-o", built], check=True, cwd=ROOT)
        return cls.objects[level]

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)

    def run_stack(self, functions="", low="", also_low="", middle="", high="", init="", calls="", level="-Os", stack=3072,
                  program=PROGRAM):
        """Builds the program; the exit status and what stack.py says."""
        source, elf = self.path / "prog.c", self.path / "prog.elf"
        source.write_text(program % (functions, low, also_low, middle, high, init))
        subprocess.run(["arm-none-eabi-gcc", *FLAGS.split(), level, str(source), *self.compiled(level), *LINK.split(),
                        "-Wl,--defsym=STACK_SIZE=%d" % stack, "-o", str(elf)], check=True, cwd=ROOT)
        declared = self.path / "calls.txt"
        declared.write_text("idle kernel/kernel.c kernel/clock.c kernel/port_cortex_m.h target/stm32f429/timer.c\n" + calls)
        result = subprocess.run([sys.executable, str(ROOT / "cmake/stack.py"), str(elf), str(self.path), str(declared)],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return result.returncode, result.stdout

    def bound(self, *arguments, **named):
        status, said = self.run_stack(*arguments, **named)
        match = re.search(r"^stack: at most (\d+) bytes of 3072 reserved$", said, re.M)
        self.assertTrue(match and status == 0, said)
        levels = {int(level): (int(frame), int(size), way) for level, frame, size, way in
                  re.findall(r"^priority +(\d+): frame +(\d+), then +(\d+)(.*)$", said, re.M)}
        idle = int(re.search(r"^idle: +(\d+)$", said, re.M)[1])
        # The sum is of what is shown.
        self.assertEqual(int(match[1]), idle + sum(frame + size for frame, size, _ in levels.values()))
        return int(match[1]), levels

    def refused(self, *patterns, **named):
        status, said = self.run_stack(**named)
        self.assertEqual(status, 1, said)
        for pattern in patterns:
            self.assertRegex(said, pattern)

    def test_levels_add_up_with_a_frame_each(self):
        _, levels = self.bound("FILL(a, 400) FILL(b, 200) FILL(c, 100)", low="a();", middle="b();", high="c();")
        self.assertEqual(sorted(levels), [1, 2, 3])
        for level, least in ((1, 400), (2, 200), (3, 100)):
            frame, size, _ = levels[level]
            self.assertEqual(frame, BASIC)
            self.assertTrue(least <= size <= least + 48, levels)

    def test_tasks_of_one_priority_do_not(self):
        _, levels = self.bound("FILL(a, 400) FILL(b, 304)", low="a();", also_low="b();")
        self.assertTrue(400 <= levels[1][1] <= 448 and "> a" in levels[1][2], levels)

    def test_the_only_software_task(self):
        """The compiler takes a table of one apart."""
        program = PROGRAM.replace("SOFTWARE(also_low, 1, 1, nothing)", "").replace("TASK(also_low) { %s }", "/* %s */")
        for level in ("-Os", "-O2"):
            _, levels = self.bound("FILL(a, 400)", low="a();", program=program, level=level)
            self.assertTrue(400 <= levels[1][1] <= 460, (level, levels))

    def test_tables_at_odd_places(self):
        """Nothing aligns the table of interrupts: bytes of other constants shift it."""
        for odd in (0, 2):
            shift = "const char shift[%d] __attribute__((used, section(\".rodata.kernel_interrupts\"))) = {1};" % (odd + 1)
            _, levels = self.bound(shift + "FILL(a, 400) FILL(b, 200)", low="a();", middle="b();")
            self.assertEqual(sorted(levels), [1, 2, 3])

    def test_frames_grow_with_the_fpu(self):
        _, levels = self.bound("static volatile float f;", high="f = f * 2;")
        self.assertEqual({frame for frame, _, _ in levels.values()}, {FP})

    def test_a_ceiling_keeps_off_who_may_not_come(self):
        functions = "FILL(a, 400) FILL(b, 200) FILL(c, 100)"
        without, _ = self.bound(functions, low="a();", middle="b();", high="c();")
        shared, levels = self.bound(functions, low="LOCK (shared) {\n a();\n }", middle="b();", high="c();")
        self.assertEqual(sorted(levels), [1, 3])
        self.assertIn("ceiling 2 held", levels[1][2])
        self.assertLess(shared, without - 200)
        alone, levels = self.bound(functions, low="LOCK (all) {\n a();\n }", middle="b();", high="c();")
        self.assertTrue(sorted(levels) == [1] or alone < shared, levels)

    def test_calls_outside_the_lock_count_without_it(self):
        _, levels = self.bound("FILL(a, 400) FILL(b, 200)", low="LOCK (all) {\n sink = 1;\n }\n a();", high="b();")
        self.assertEqual(sorted(levels)[-1], 3)

    def test_init_counts_where_it_is_the_deepest(self):
        bound, levels = self.run_stack("FILL(a, 2000)", init="a();")
        self.assertEqual(bound, 0)
        self.assertTrue(2000 <= int(re.search(r"at most (\d+)", levels)[1]) <= 2100, levels)

    def test_recursion(self):
        self.refused(r"stack: recursion: down -> down", functions="""
            __attribute__((noinline)) static unsigned down(unsigned n) { unsigned m = n ? down(n - 1) : 0; sink = m; return m + 1; }
            """, low="sink = down(sink);")

    def test_recursion_over_several(self):
        self.refused(r"stack: recursion: (ping -> pong -> ping|pong -> ping -> pong)", functions="""
            unsigned pong(unsigned n);
            __attribute__((noinline)) unsigned ping(unsigned n) { unsigned m = n ? pong(n - 1) : 0; sink = m; return m + 1; }
            __attribute__((noinline)) unsigned pong(unsigned n) { unsigned m = n ? ping(n - 1) : 0; sink = m; return m + 2; }
            """, low="sink = ping(sink);")

    def test_stack_that_grows_at_run_time(self):
        self.refused(r"stack: grow\S*: its stack grows at run time", functions="""
            __attribute__((noinline)) static void grow(unsigned n) { volatile char *p = __builtin_alloca(n); p[0] = 1; sink = p[0]; }
            """, low="grow(sink);")

    HANDLERS = """
        FILL(large, 600) FILL(small, 8)
        static void (*volatile handler)(void);
        static void large_one(void) { large(); }
        static void small_one(void) { small(); }
        """

    def test_indirect_call_that_is_not_declared(self):
        self.refused(r"prog\.c:\d+: a call through a pointer that stack_calls\.txt does not declare: .*handler\(\);",
                     functions=self.HANDLERS, low="handler = large_one;\nhandler();")

    def test_function_whose_address_is_taken_but_that_nothing_names(self):
        self.refused(r"stack: large_one: its address is taken, but stack_calls.txt does not name it",
                     functions=self.HANDLERS, low="handler = sink ? small_one : large_one;\nhandler();",
                     calls="handler() %s:small_one\n" % (self.path / "prog.c"))

    def test_indirect_call_reaches_the_deepest_that_is_declared(self):
        source = self.path / "prog.c"
        _, levels = self.bound(self.HANDLERS, low="handler = sink ? small_one : large_one;\nhandler();",
                               calls="handler() %s:small_one %s:large_one\n" % (source, source))
        self.assertTrue(600 <= levels[1][1] <= 660, levels)

    def test_pointer_that_is_never_set(self):
        _, levels = self.bound("static void (*volatile handler)(void);", low="if (handler) { handler(); }",
                               calls="handler() none\n")
        self.assertLess(levels[1][1], 60)

    def test_pointer_that_is_set_after_all(self):
        self.refused(r"stack: large_one: its address is taken, but stack_calls.txt does not name it",
                     functions=self.HANDLERS, low="handler = large_one;\nhandler();", calls="handler() none\n")

    def test_more_than_is_reserved(self):
        self.refused(r"^(?s:.*)stack: up to \d+ bytes, but only 1024 are reserved: .*STACK_SIZE",
                     functions="FILL(a, 1200)", low="a();", stack=1024)

    def test_both_ways_of_calling_a_priority_s_tasks(self):
        """At -O2 a dispatcher runs its tasks by itself."""
        for level in ("-O2", "-Og", "-Os"):
            _, levels = self.bound("FILL(a, 400)", also_low="a();", level=level)
            self.assertTrue(400 <= levels[1][1] <= 460, (level, levels))


if __name__ == "__main__":
    if not shutil.which("arm-none-eabi-gcc"):
        print("SKIPPED: arm-none-eabi-gcc is not installed")
        sys.exit(77)
    unittest.main(verbosity=2)
