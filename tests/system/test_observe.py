#!/usr/bin/env python3
"""The files that the observers write are what the tools that read them expect."""

import json
import os
import re
import tempfile
import xml.etree.ElementTree

import harness
from harness import BoardTest, main


class Observe(BoardTest):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def text(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def observe(self, *options):
        status, output = self.run_board("--net", "none", "--timeout", "5", "--stats", "--hash", *options,
                                        str(harness.FIRMWARE / "mote-dhcp.elf"))
        self.assertEqual(status, 4, output)
        return output

    def test_profile_and_flame_graph(self):
        output = self.observe("--profile", self.path("profile"))
        instructions = int(re.search(r"(\d+) instructions, \d+ cycles", output).group(1))
        stacks = [line.rsplit(" ", 1) for line in self.text("profile").splitlines()]
        self.assertEqual(sum(int(count) for _, count in stacks), instructions)
        self.assertEqual(len({stack for stack, _ in stacks}), len(stacks))
        self.assertTrue(any(stack.startswith("Reset_Handler;") for stack, _ in stacks))
        svg = xml.etree.ElementTree.fromstring(self.text("profile.svg"))
        spans = [(float(rect.get("y")), float(rect.get("x")), float(rect.get("width")))
                 for rect in svg.iterfind(".//{*}g/{*}rect")]
        self.assertEqual(spans[0][1:], (10, 1180))
        for y, x, width in spans[1:]:
            """Each frame stands on one that holds it."""
            self.assertTrue(any(below == y + 18 and left <= x + .01 and left + wide >= x + width - .01
                                for below, left, wide in spans), (y, x, width))

    def test_timeline(self):
        self.observe("--timeline", self.path("timeline.json"))
        events = json.loads(self.text("timeline.json"))["traceEvents"]
        tracks = {event["tid"]: event["args"]["name"] for event in events if event.get("name") == "thread_name"}
        open_spans = dict.fromkeys(tracks, 0)
        latest = dict.fromkeys(tracks, 0)
        for event in events:
            if event["ph"] in "BE":
                self.assertGreaterEqual(event["ts"], latest[event["tid"]])
                latest[event["tid"]] = event["ts"]
                open_spans[event["tid"]] += 1 if event["ph"] == "B" else -1
                self.assertIn(open_spans[event["tid"]], (0, 1))
        self.assertEqual(set(open_spans.values()), {0})
        self.assertIn("task link", tracks.values())
        asleep = sum(event["dur"] for event in events if event["ph"] == "X")
        self.assertGreater(asleep, 4.9e6)

    def test_coverage(self):
        self.observe("--coverage", self.path("info"))
        text = self.text("info")
        files = re.findall(r"^SF:(.*)$", text, re.M)
        self.assertEqual(len(files), len(set(files)))
        self.assertEqual(text.count("end_of_record"), len(files))
        self.assertTrue(any(name.endswith("/app/main.c") for name in files))
        for line in text.splitlines():
            self.assertRegex(line, r"^(TN:|SF:/.*|FN:\d+,\S+|FNDA:\d+,\S+|(FNF|FNH|BRF|BRH|LF|LH):\d+|"
                                   r"BRDA:\d+,\d+,[01],(\d+|-)|DA:\d+,\d+|end_of_record)$")

    def test_trace(self):
        self.observe("--trace", self.path("log"), "--trace-filter", "registers,-ETH_*")
        lines = self.text("log").splitlines()
        self.assertGreater(len(lines), 100)
        for line in lines:
            self.assertRegex(line, r"^ +\d+\.\d{9} (read |write) \S+ = 0x[0-9a-f]+$")
        self.assertFalse([line for line in lines if "ETH_" in line])


if __name__ == "__main__":
    main()
