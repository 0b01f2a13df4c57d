#!/usr/bin/env python3
"""What a user of the device relies on besides the protocols: its name, its button, its telemetry's pace."""

import json
import pathlib
import re
import tempfile

import harness
from harness import PREFIX, BoardTest, Broker, enter_namespace, main

BOUNCING = """
on "link up" within 5s after 100ms button down
at +1ms button up
at +1ms button down
at +300ms button up
at +1ms button down
at +1ms button up
at +300ms stop 0
"""
PERIOD_MS = 100
MESSAGES = 6000


class Alone(BoardTest):
    def run_script(self, text):
        with tempfile.TemporaryDirectory() as folder:
            script = pathlib.Path(folder) / "script"
            script.write_text(text)
            return self.run_board("--net", "slirp", "--pace", "fast", "--script", str(script),
                                  str(harness.FIRMWARE / "mote-dhcp.elf"))

    def test_a_button_that_bounces_is_pressed_once(self):
        """Its contacts bounce when it goes down and when it comes up."""
        status, output = self.run_script(BOUNCING)
        self.assertEqual(status, 0, output)
        self.assertEqual(re.findall(r"setting /led = (\w+)", output), ["true"], output)

    def test_the_address_that_the_readme_names(self):
        """It comes of the chip's id: locally administered, of one station. The topics are named after it."""
        _, output = self.run_script("at 100ms stop 0\n")
        mac, topics = re.search(r"MAC (\S+), topics (\S+)", output).groups()
        self.assertEqual(mac, "2a-df-3a-5e-31-1d")
        self.assertEqual(topics, PREFIX + mac)

    def test_an_address_as_soon_as_there_is_a_link(self):
        _, output = self.run_script('expect "address 10.0.2.15" within 9s\nstop 0\n')
        link, address = (float(re.search(r"\[ *([\d.]+)\] I " + each, output)[1]) for each in ("link up", "address"))
        self.assertLess(address - link, 0.05)


class Connected(BoardTest):
    def setUp(self):
        self.broker = self.start(Broker())
        self.subscriber = self.start(self.broker.subscribe(PREFIX + "#"))
        self.mote = self.board("mote-dhcp.elf")
        self.topics = self.mote.wait(r"topics (\S+)").group(1)
        self.subscriber.next("/alive$", bool)

    def telemetry(self):
        return json.loads(self.subscriber.next("/telemetry$")["payload"])

    def test_telemetry_keeps_its_pace_under_load(self):
        self.broker.publish(self.topics + "/settings/telemetry/period_ms", str(PERIOD_MS))
        self.mote.wait("period_ms = %d" % PERIOD_MS)
        self.telemetry()
        self.broker.pour(self.topics + "/settings/led", ["true\n", "false\n"] * (MESSAGES // 2))
        reports = [self.telemetry() for _ in range(10)]
        times = [each["uptime_s"] for each in reports]
        gaps = [after - before for before, after in zip(times, times[1:])]
        self.assertLess(max(gaps), 1.5 * PERIOD_MS / 1000, times)
        loads = [each["cpu_permille"] for each in reports]
        self.assertGreater(max(loads), 50)
        self.assertLess(max(loads), 1000)

    def test_a_shorter_period_begins_at_once(self):
        """Not when the longer one, of an hour here, is over."""
        self.broker.publish(self.topics + "/settings/telemetry/period_ms", "3600000")
        now = since = float(self.mote.wait(r"\[ *([\d.]+)\] I setting .*period_ms = 3600000").group(1))
        while now < since + 1.5:
            self.broker.publish(self.topics + "/settings/led", "true")
            now = float(self.mote.wait(r"\[ *([\d.]+)\] I setting /led").group(1))
        self.broker.publish(self.topics + "/settings/telemetry/period_ms", str(PERIOD_MS))
        begun = self.telemetry()
        while begun["uptime_s"] < since + 1:
            begun = self.telemetry()
        self.assertLess(begun["uptime_s"], now + 3)

    def test_publishes_what_is_documented_and_nothing_else(self):
        """docs/settings.md; the standard firmware has one topic of telemetry."""
        for _ in range(3):
            self.telemetry()
        topics = {json.loads(line[5:])["topic"] for line in self.subscriber.output.lines if line.startswith("JSON ")}
        self.assertEqual(topics, {self.topics + each for each in (
            "/alive", "/schema/0", "/settings/led", "/settings/telemetry/period_ms", "/telemetry")})


if __name__ == "__main__":
    enter_namespace()
    main()
