"""The timeline that `make trace` records: JSON in the trace event format, whole and properly nested."""

import collections
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import harness

SVG = harness.ROOT / "cmake" / "timeline.py"


def record(program, status=0, *options):
    """The events of a run, and the names of its tracks."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "trace.json")
        done = subprocess.run([harness.VIRTUAL_BOARD, "--net", "none", "--timeout", "3", "--timeline", path,
                               *options, harness.FIRMWARE / program], stdout=subprocess.DEVNULL)
        assert done.returncode == status, done.returncode
        text = path.read_text(encoding="utf-8")
    events = json.loads(text)["traceEvents"]
    names = {e["tid"]: e["args"]["name"] for e in events if e["ph"] == "M" and e["name"] == "thread_name"}
    return events, names


class Timeline(unittest.TestCase):
    def check_nesting(self, events, names):
        stacks, last = collections.defaultdict(list), 0
        for event in events:
            if event["ph"] == "M":
                continue
            self.assertIn(event["tid"], names)
            if event["ph"] == "X":
                continue
            self.assertGreaterEqual(event["ts"], last)
            last = event["ts"]
            if event["ph"] == "B":
                stacks[event["tid"]].append(event["name"])
            elif event["ph"] == "E":
                self.assertEqual(stacks[event["tid"]].pop(), event["name"])
        self.assertEqual([s for s in stacks.values() if s], [])

    def test_a_program_that_tells_of_its_tasks(self):
        events, names = record("kernel-trace.elf")
        self.check_nesting(events, names)
        tracks = set(names.values())
        for track in ("task first, priority 1", "task second, priority 1", "task middle, priority 2",
                      "task high, priority 4", "idle", "timer", "core", "interrupt 6: EXTI0_IRQHandler"):
            self.assertIn(track, tracks)
        told = [(e["ph"], e.get("name")) for e in events
                if e["ph"] in "BEi" and names[e["tid"]] == "task first, priority 1"]
        self.assertEqual(told, [
            ("B", "first"), ("B", "lock outer"), ("i", "spawn middle"), ("B", "lock inner"),
            ("B", "preempted by high"), ("E", "preempted by high"), ("E", "lock inner"), ("E", "lock outer"),
            ("B", "preempted by middle"), ("E", "preempted by middle"), ("i", "spawn second"),
            ("i", "spawn second"), ("E", "first")])
        timer = [e["name"] for e in events if e["ph"] == "i" and names[e["tid"]] == "timer"]
        self.assertEqual(timer, ["time of second"])

    def test_an_arrow_leads_from_a_spawn_to_the_task(self):
        events, names = record("kernel-trace.elf")
        begins = {e["id"]: e for e in events if e["ph"] == "s"}
        ends = {e["id"]: e for e in events if e["ph"] == "f"}
        self.assertEqual(names[begins[1]["tid"]], "task first, priority 1")
        self.assertEqual(names[ends[1]["tid"]], "task middle, priority 2")
        self.assertLess(begins[1]["ts"], ends[1]["ts"])

    def test_a_reset_in_the_middle(self):
        with tempfile.NamedTemporaryFile("w", suffix=".script") as script:
            script.write("at 460us reset\nat 465us reset\n")  # within tasks and locks
            script.flush()
            events, names = record("kernel-trace.elf", 0, "--script", script.name)
        self.check_nesting(events, names)
        self.assertGreater(sum(e.get("name") == "first" for e in events), 2)

    def test_the_firmware_as_it_is(self):
        events, names = record("mote-dhcp.elf", 4)
        self.check_nesting(events, names)
        self.assertIn("task telemetry", names.values())
        events, names = record("kernel-race.elf")
        self.check_nesting(events, names)
        self.assertTrue(any(name.startswith("interrupt ") and ", task " in name for name in names.values()), names)

    def test_a_picture(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "trace.json")
            subprocess.run([harness.VIRTUAL_BOARD, "--net", "none", "--timeline", path,
                            harness.FIRMWARE / "kernel-trace.elf"], check=True, stdout=subprocess.DEVNULL)
            svg = subprocess.run([sys.executable, SVG, path, "400", "900"], check=True, capture_output=True, text=True)
            bad = subprocess.run([sys.executable, SVG, path, "400"], capture_output=True, text=True)
        self.assertTrue(svg.stdout.startswith("<svg") and "preempted by high" in svg.stdout)
        self.assertEqual(bad.returncode, 2)


if __name__ == "__main__":
    harness.main()
