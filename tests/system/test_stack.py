#!/usr/bin/env python3
"""The stack: under load it never grows beyond the bound that `make stack` computes; an overflow is told after the reset.

The firmware that runs is the very one whose bound is computed; how deep the stack has been is read from the board's
memory, where the firmware's start has painted it.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

import harness
from harness import LIMIT, PREFIX, ROOT, BoardTest, Broker, debug, enter_namespace, main

BUILD = ROOT / "build/firmware-stack"


def bound_of(firmware):
    """Builds it; the most that its stack can hold, and what is reserved."""
    result = subprocess.run(["sh", str(ROOT / "cmake/stack.sh"), firmware], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, timeout=10 * LIMIT)
    found = re.search(r"^stack: at most (\d+) bytes of (\d+) reserved$", result.stdout, re.M)
    if result.returncode or not found:
        raise AssertionError("no bound:\n" + result.stdout)
    return int(found[1]), int(found[2])


class Painted(BoardTest):
    @classmethod
    def setUpClass(cls):
        # The virtual board that also tells, when it ends, how much of the stack's paint is gone.
        board = harness.VIRTUAL_BOARD
        harness.VIRTUAL_BOARD = str(pathlib.Path(board).with_name("kernel-measure"))
        cls.addClassCleanup(setattr, harness, "VIRTUAL_BOARD", board)

    def setUp(self):
        self.broker = self.start(Broker())

    def load(self, mote, topics, answers):
        """What goes deep: settings set, refused, listed and logged, from within a publish; the button; a lost link."""
        reply = ("-q", "1", "-D", "publish", "response-topic", "answers", "-D", "publish", "correlation-data", "c" * 16)
        self.broker.pour(topics + "/set/led", ["true\n", "false\n", "nonsense\n", "{\n"] * 50, *reply)
        self.broker.pour(topics + "/set/telemetry/period_ms", ["%d\n" % (100 + i) for i in range(100)] + ["5\n"], *reply)
        self.broker.pour(topics + "/list", ["\n"], *reply)
        self.broker.pour(topics + "/get/led", ["\n"], *reply)
        answers.next("answers")
        for _ in range(3):
            mote.key("b")
            mote.wait("setting /led")
        mote.key("c")
        mote.wait("link down")
        mote.key("c")
        mote.wait("link up")
        self.broker.kill()
        mote.wait("broker (lost|not reached)")
        self.broker.start()
        mote.wait("connected to broker")
        self.broker.pour(topics + "/set/led", ["true\n"] * 200 + ["false\n"], "-q", "0")

    def check(self, name):
        bound, reserved = bound_of(name)
        answers = self.start(self.broker.subscribe("answers", PREFIX + "+/alive", PREFIX + "+/telemetry"))
        mote = self.board(str(BUILD / (name + ".elf")))
        mote.wait("connected to broker")
        topics = answers.next("alive")["topic"].rsplit("/", 1)[0]
        self.load(mote, topics, answers)
        report = self.start(self.broker.subscribe(PREFIX + "+/telemetry")).next("/telemetry$")
        mote.key("q")
        used, size = (int(number) for number in mote.wait(r"measured stack (\d+) (\d+)").groups())
        print("%s: %d of at most %d bytes used" % (name, used, bound), end=" ... ", file=sys.stderr)
        self.assertEqual(size, reserved)
        self.assertLessEqual(used, bound)
        self.assertGreater(used, bound // 4)
        # The telemetry says the same.
        unused = json.loads(report["payload"])["stack_unused"]
        self.assertTrue(0 <= size - used <= unused <= size, (used, unused, size))

    def test_standard_firmware(self):
        self.check("mote-static")

    def test_full_firmware(self):
        self.check("mote-dhcp-full")


@unittest.skipUnless(shutil.which("gdb-multiarch"), "no gdb-multiarch here: install Debian's package of that name")
class Overflow(unittest.TestCase):
    def test_is_logged_after_the_reset(self):
        """The debugger takes the stack away from a task; the log says whose, by its dispatcher's exception: 16 + SPI2."""
        _, log = debug("mote-dhcp.elf", "break kernel_run_telemetry\ncontinue\nset $sp = (unsigned)&stack_start + 8\n"
                       "delete\nbreak log_crash\ncontinue\nfinish\n")
        self.assertRegex(log, r"E last run: stack overflow in exception 52, pc ")


if __name__ == "__main__":
    enter_namespace()
    main()
