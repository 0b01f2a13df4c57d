#!/usr/bin/env python3
"""README's time from a PUBLISH on the wire to the LED: both are in the board's time, in a capture and in what it says."""

import pathlib
import statistics
import struct
import tempfile

from harness import PREFIX, BoardTest, Broker, enter_namespace, main

# Seconds from the first bit, when nothing else is going on; a microsecond more than usual, by which runs differ.
AT_MOST = {"mote-dhcp.elf": 21e-6, "mote-dhcp-full.elf": 23.5e-6}
OURS = bytes([10, 0, 2, 15])


def frames_of(capture):
    """The board's time and the bytes of each."""
    data = capture.read_bytes()
    at = 24
    while at < len(data):
        seconds, nanoseconds, length = struct.unpack_from("<III", data, at)
        yield seconds + nanoseconds / 1e9, data[at + 16:at + 16 + length]
        at += 16 + length


class Latency(BoardTest):
    def check(self, firmware):
        broker = self.start(Broker())
        changes = []
        with tempfile.TemporaryDirectory() as folder:
            capture = pathlib.Path(folder) / "frames.pcap"
            mote = self.board(firmware, "--pcap", str(capture))
            topic = mote.wait(r"topics (\S+)").group(1) + "/settings/led"
            subscriber = self.start(broker.subscribe(PREFIX + "#"))
            subscriber.next("/alive$", bool)
            for value in ("true", "false") * 6:
                broker.publish(topic, value)
                changes.append(float(mote.wait(r"board +([\d.]+)\] LD3").group(1)))
                subscriber.next("/settings/led$", lambda payload: payload == value)
            mote.stop()
            frames = list(frames_of(capture))
        times = []
        for change in changes:
            sent, _ = [each for each in frames
                           if each[0] < change and topic.encode() in each[1] and each[1][26:30] != OURS][-1]
            times.append(change - sent)
        # Some meet telemetry, or acknowledge it, or the mirror of the one before.
        self.assertLess(statistics.median(times), AT_MOST[firmware], times)

    def test_publish_to_led(self):
        self.check("mote-dhcp.elf")

    def test_publish_to_led_full(self):
        self.check("mote-dhcp-full.elf")


if __name__ == "__main__":
    enter_namespace()
    main()
