#!/usr/bin/env python3
"""Sessions of the real gdb-multiarch with the virtual board: what a user types at his desk."""

import re
import shutil
import unittest

from harness import ROOT, debug, main

GDB = "gdb-multiarch"


@unittest.skipUnless(shutil.which(GDB), "no %s here: install Debian's package of that name" % GDB)
class Debugger(unittest.TestCase):
    def session(self, elf, commands):
        return debug(elf, "\n".join(commands) + "\n")

    def in_order(self, text, *patterns):
        at = 0
        for pattern in patterns:
            match = re.compile(pattern, re.MULTILINE).search(text, at)
            self.assertIsNotNone(match, "no %r in its place in:\n%s" % (pattern, text))
            at = match.end()

    def test_breakpoint_backtrace_registers_step_finish(self):
        said, board = self.session("kernel-basic.elf", [
            "break kernel_start", "continue", "backtrace", "info registers pc msp psp primask basepri control xpsr",
            "print $d0", "print $s31", "stepi", "step", "next", "break kernel_spawn_at", "continue", "finish", "delete",
            "info breakpoints", "detach"])
        self.in_order(said, r"reset: pc 0x0800", r"Loading section \.text", r"Transfer rate",
                      r"^Breakpoint 1, .*kernel_start", r"^#0 .*kernel_start", r"^#[1-9] .*Reset_Handler", r"^pc +0x800",
                      r"^msp +0x2000", r"^psp +0x", r"^primask +0x", r"^basepri +0x", r"^control +0x", r"^xpsr +0x",
                      r"^\$1 = ", r"^\$2 = ",
                      r"^Breakpoint 2, kernel_spawn_at", r"^0x.* in init_body", r"^Value returned is", r"No breakpoints",
                      r"detached")
        self.assertNotIn("Error", said)

    def test_watchpoint_on_a_variable(self):
        said, _ = self.session("kernel-basic.elf", [
            "tbreak kernel_start", "continue", "watch *(unsigned *)&kernel_resource_presses", "continue", "backtrace",
            "continue", "delete", "rwatch *(unsigned *)&kernel_resource_presses", "continue", "delete", "continue"])
        self.in_order(said, r"^Hardware watchpoint 2: ", r"^Hardware watchpoint 2: ", r"^Old value = 0$", r"^New value = 1$",
                      r"<signal handler called>", r"^Old value = 1$", r"^New value = 2$",
                      r"^Hardware read watchpoint 3: ", r"^Hardware read watchpoint 3: ", r"^Value = 2$", r"exited normally")

    def test_program_runs_to_its_end(self):
        said, board = self.session("kernel-basic.elf", ["break kernel_start", "continue", "continue"])
        self.in_order(said, r"^Breakpoint 1", r"\[Inferior 1 \(.*\) exited normally\]")
        self.assertIn("PASSED", board)  # semihosting's output

    def test_stop_at_a_fault(self):
        said, board = self.session("target-crash.elf", [
            "monitor cortex_m vector_catch hard_err", "continue", "backtrace", "print/x *(unsigned *)0xe000ed28",
            "monitor info", "monitor cortex_m vector_catch none", "continue"])
        self.in_order(said, r"received signal SIGILL", r"^#0 .*", r"<signal handler called>", r"undefined_instruction",
                      r"^\$1 = 0x10000$", r"CFSR 0x00010000", r"exited normally")
        self.assertIn("UNDEFINSTR", board)

    def test_mote_stops_in_its_network(self):
        said, _ = self.session("mote-dhcp.elf", ["break net_poll", "continue", "backtrace", "continue", "kill"])
        self.in_order(said, r"^Breakpoint 1, .*net_poll", r"^#0 .*net_poll", r"^#1 ", r"^Breakpoint 1, .*net_poll")

    def test_commands_of_the_manual(self):
        manual = (ROOT / "docs/debugging.md").read_text()
        said, board = self.session("mote-dhcp.elf", re.findall(r"^\(gdb\) (.*)$", manual, re.MULTILINE))
        self.in_order(said, r"^Breakpoint 1, .*task_telemetry", r"^#0 .*task_telemetry", r"<signal handler called>",
                      r"^Hardware watchpoint 2: ", r"^New value = true$", r"^task_button ", r"^reset: pc 0x0800")
        self.in_order(board, "button down", r"LD3 \(red\) on")
        self.assertNotRegex(said, "Error|not defined|No symbol")

    def test_flash_is_what_was_loaded(self):
        said, _ = self.session("kernel-basic.elf", [
            "compare-sections", "monitor mdw 0xe000ed00", "monitor power-cycle", "info mem", "continue"])
        self.in_order(said, r"\.text.*matched", r"0xe000ed00: 410fc241", r"power off and on", r"0x20000000 0x20030000 rw",
                      r"exited normally")
        self.assertNotIn("MIS-MATCHED", said)


if __name__ == "__main__":
    main()
