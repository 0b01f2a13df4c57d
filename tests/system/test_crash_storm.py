#!/usr/bin/env python3
"""The full firmware after crashes in a row: each start waits longer; a run that lasts ends the row."""

import re
import shutil
import unittest

from harness import LIMIT, debug, main

# To a telemetry, one each second, after so many others: by then the log is out.
RUN = "ignore 1 %d\ncontinue\n"
# The debugger takes the stack away, and is shown the fault.
OVERFLOW = "set $sp = (unsigned)&stack_start + 8\ncontinue\n"


def crashes(number, after=1):
    """Each at the telemetry after so many."""
    return number * (RUN % after + OVERFLOW)


@unittest.skipUnless(shutil.which("gdb-multiarch"), "no gdb-multiarch here: install Debian's package of that name")
class CrashStorm(unittest.TestCase):
    def log_of(self, commands, elf="mote-dhcp-full.elf"):
        return debug(elf, "break kernel_run_telemetry\n" + commands, limit=4 * LIMIT)[1]

    def starts(self, log):
        """For each: crashes in a row and the pause as the log says it, and when the network was started."""
        found = []
        for start in re.split("I mote ", log)[1:]:
            pause = re.search(r"W (\d+) crashes in a row: waiting (\d+) s", start)
            begun = re.search(r"^\[ *(\d+)\.\d+\] I MAC", start, re.M)
            found.append((pause and (int(pause[1]), int(pause[2])), begun and int(begun[1])))
        return found

    def test_pauses_grow(self):
        log = self.log_of(crashes(5) + RUN % 1)
        self.assertEqual(log.count("E last run: stack overflow"), 5)
        self.assertEqual(self.starts(log), [(None, 0), (None, 0), (None, 0), (None, 0), ((4, 2), 2), ((5, 4), 4)])

    def test_a_run_that_lasts_ends_the_row(self):
        """More than a minute of telemetry, then crashes again; and so does a reset by hand."""
        log = self.log_of(crashes(3) + crashes(1, 70) + crashes(2) + RUN % 1 + "monitor reset halt\n" + crashes(1) + RUN % 1)
        self.assertEqual(log.count("E last run: stack overflow"), 7)
        self.assertEqual({pause for pause, _ in self.starts(log)}, {None})

    def test_the_standard_firmware_starts_at_once(self):
        log = self.log_of(crashes(5) + RUN % 1, "mote-dhcp.elf")
        self.assertEqual(self.starts(log), 6 * [(None, 0)])


if __name__ == "__main__":
    main()
