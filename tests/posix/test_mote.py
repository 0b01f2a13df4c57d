#!/usr/bin/env python3
"""The whole firmware as a process: against a real Mosquitto, on a TAP device, and in virtual time.

`test_mote.py MOTE_POSIX [TEST…]`
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
from harness import LIMIT, Board, BoardTest, Broker, Lines, enter_namespace
from test_names import TimeServer

MAC = "02-00-00-03-02-07"
TOPICS = "dt/mote/" + MAC


class Mote(Board):
    """The process; keys and waiting are the virtual board's."""

    def __init__(self, *options, environment=None):
        self.process = subprocess.Popen(
            [MOTE, "--mac", MAC, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", env={**os.environ, **(environment or {})})
        self.output = Lines(self.process.stdout, "mote-posix")
        self.position = 0


def run(*options):
    result = subprocess.run([MOTE, *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, timeout=LIMIT)
    return result.returncode, result.stdout


class MoteTest(BoardTest):
    def mote(self, *options, **more):
        mote = Mote(*options, **more)
        self.addCleanup(self.end, mote)
        return mote

    def end(self, mote):
        """A sanitizer's finding is an exit status of its own."""
        self.assertEqual(mote.stop(), 0, "\n".join(mote.output.lines[-40:]))

    def subscribe(self, broker):
        self.broker = broker
        self.subscriber = self.start(broker.subscribe(TOPICS + "/#"))

    def next_alive(self, other_than=()):
        """The epoch of the next session whose start is complete: what is set from then on arrives."""
        while True:
            message = self.subscriber.next("/alive$")
            if message.get("payload"):
                epoch = json.loads(message["payload"])["epoch"]
                if epoch not in other_than:
                    return epoch

    def set_led(self, mote, value):
        self.broker.publish(TOPICS + "/set/led", "true" if value else "false")
        mote.wait("LD3 .*on" if value else "LD3 .*off")


class UserMode(MoteTest):
    """Through libslirp, without privileges."""

    def setUp(self):
        self.subscribe(self.start(Broker()))

    def connect(self, *options):
        mote = self.mote(*options)
        mote.wait(r"connected to broker 10\.0\.2\.2$")
        return mote, self.next_alive()

    def test_main_job(self):
        mote = self.mote()
        mote.wait(r"connected to broker 10\.0\.2\.2$")
        text = "\n".join(mote.output.lines)
        order = [r"mote \d+\.\d+", r"MAC 02-00-00-03-02-07, topics", r"broker 10\.0\.2\.2:1883",
                 r"LD1 .*on", r"link up, 100 Mbit/s", r"address 10\.0\.2\.15", r"connected to broker"]
        places = [re.search(each, text).start() for each in order]
        self.assertEqual(sorted(places), sorted(set(places)))
        self.assertEqual(self.subscriber.next("/schema/0$")["payload"].splitlines()[0], "{}")
        self.assertEqual(self.subscriber.next("/settings/led$")["payload"], "false")
        self.assertEqual(self.subscriber.next("/settings/telemetry/period_ms$")["payload"], "1000")
        self.next_alive()
        self.set_led(mote, True)
        self.assertEqual(self.subscriber.next("/settings/led$")["payload"], "true")
        mote.key("b")
        mote.wait("LD3 .*off")
        mote.wait("button up")
        while self.subscriber.next("/settings/led$")["payload"] != "false":
            pass
        self.broker.publish(TOPICS + "/set/telemetry/period_ms", "100")
        mote.wait("period_ms = 100$")
        first = json.loads(self.subscriber.next("/telemetry$")["payload"])["uptime_s"]
        for _ in range(20):
            last = json.loads(self.subscriber.next("/telemetry$")["payload"])["uptime_s"]
            if abs(last - first - 0.1) < 0.05:
                break
            first = last
        self.assertAlmostEqual(last - first, 0.1, delta=0.05)
        answer = self.broker.request(TOPICS + "/set/telemetry/period_ms", "99")
        self.assertEqual(answer["properties"]["user-properties"]["error"], "Range")

    def test_broker_killed_and_restarted(self):
        mote, epoch = self.connect()
        self.broker.kill()
        mote.wait("broker lost")
        self.broker.start()
        mote.wait("connected to broker")
        self.subscriber.stop()
        self.subscribe(self.broker)
        self.assertNotEqual(self.next_alive(), epoch)
        self.set_led(mote, True)

    def test_cable_out_and_in(self):
        mote, _ = self.connect()
        mote.key("c")
        mote.wait("LD1 .*off")
        mote.key("c")
        mote.wait("link up")
        self.set_led(mote, True)

    def test_resets(self):
        mote, epoch = self.connect()
        epochs = [epoch]
        for cause in ("reset pin", "watchdog"):
            if cause == "watchdog":
                mote.process.send_signal(signal.SIGPROF)  # what its timer sends when a task does not end
            else:
                mote.key("r")
            mote.wait("started by " + cause)
            mote.wait("connected to broker")
            epochs.append(self.next_alive(other_than=epochs))

    def test_bad_link(self):
        """Loss, reordering, duplicates and damage cost time, no message."""
        mote, _ = self.connect("--impair", "loss=4,dup=5,reorder=5,corrupt=2,delay=5,jitter=5,seed=3")
        for value in (True, False, True):
            self.set_led(mote, value)


class Tap(MoteTest):
    """Linux's own network stack is the peer."""

    def setUp(self):
        for command in ("tuntap add dev mote1 mode tap", "address add 192.168.78.1/24 dev mote1", "link set mote1 up"):
            subprocess.run(["ip", *command.split()], check=True)
        self.addCleanup(subprocess.run, ["ip", "link", "delete", "mote1"], check=True)

    def test_ping_and_session(self):
        self.subscribe(self.start(Broker("192.168.78.1")))
        mote = self.mote("--net", "tap:mote1", "--ip", "192.168.78.2/24", "--broker", "192.168.78.1")
        mote.wait("connected to broker 192.168.78.1$")
        for options in (("-f", "-c", "2000"), ("-c", "2", "-i", "0.2", "-w", str(LIMIT), "-s", "1472")):
            output = subprocess.run(["ping", "-q", *options, "192.168.78.2"], stdout=subprocess.PIPE, text=True,
                                    timeout=LIMIT).stdout
            self.assertIn(" 0% packet loss", output)
        self.next_alive()
        self.set_led(mote, True)


    def test_time_server(self):
        """--ntp, of the full firmware alone, without DHCP to name one."""
        options = ("--net", "tap:mote1", "--ip", "192.168.78.2/24", "--broker", "192.168.78.1", "--ntp", "192.168.78.1")
        if not MOTE.endswith("-full"):
            status, log = run(*options)
            self.assertEqual(status, 2)
            self.assertIn("--ntp 192.168.78.1: the standard firmware asks no time server, mote-posix-full does", log)
            return
        self.start(TimeServer("192.168.78.1"))
        self.mote(*options).wait(r"time 20\d\d-.*Z, by 192\.168\.78\.1$")


class VirtualTime(MoteTest):
    OPTIONS = ("--clock", "virtual", "--net", "peer", "--ip", "10.0.2.15", "--at", "3:b", "--at", "5.5:c", "--at", "8:c",
               "--at", "9:r", "--at", "12:b", "--for", "20")
    BAD = ("--impair", "loss=20,dup=10,reorder=10,corrupt=10,delay=3,jitter=2")

    def test_a_run_repeats(self):
        status, log = run(*self.OPTIONS, *self.BAD)
        self.assertEqual(status, 0, log)
        self.assertEqual(log, run(*self.OPTIONS, *self.BAD)[1])
        self.assertNotEqual(log, run(*self.OPTIONS, *self.BAD, "--seed", "2")[1])
        for expected in (r"\[board   3\.000000\] LD3 \(red\) on", r"\[board   3\.200000\] button up",
                         r"\[board   5\.500000\] cable out", r"started by reset pin",
                         r"\[board  12\.000000\] LD3 \(red\) on", r"\[board  20\.000000\] stopped"):
            self.assertRegex(log, expected)

    def test_frames_repeat_too(self):
        with tempfile.TemporaryDirectory() as folder:
            records = [pathlib.Path(folder) / name for name in "ab"]
            for record in records:
                run(*self.OPTIONS, *self.BAD, "--pcap", str(record))
            self.assertGreater(records[0].stat().st_size, 1000)
            self.assertEqual(records[0].read_bytes(), records[1].read_bytes())

    def test_a_day_passes(self):
        status, log = run("--clock", "virtual", "--net", "peer", "--ip", "10.0.2.15", "--for", "86400", "--at", "86399:b")
        self.assertEqual(status, 0, log)
        self.assertIn("[board 86399.000000] LD3 (red) on", log)
        self.assertEqual(log.count("started by"), 1)


class Alone(MoteTest):
    def test_crash_record_is_told(self):
        mote = self.mote("--net", "none", environment={"MOTE_RESET_CAUSE": "software", "MOTE_CRASH": "7 network"})
        mote.wait("started by software")
        mote.wait("last run: assertion network 7$")

    def test_what_cannot_be_meant_is_refused(self):
        for options in (("--net", "tapp:x"), ("--clock", "slow"), ("--clock", "virtual"), ("--impair", "loss=101"),
                        ("--at", "1"), ("--at", "1:x"), ("--for", "-1"), ("--mac", "03-00-00-00-00-00"), ("--mac", "02-00"),
                        ("--ip", "10.0.2.256"), ("--ip", "10.0.2.1/31"), ("--ip", "10.0.2.1/0"), ("--broker", ""),
                        ("--broker", "a:65536"), ("--broker", "a:0"), ("--cable", "maybe"), ("--seed", "x"), ("--none",),
                        ("--ntp", ""), ("--ntp", "a" * 128), ("--pcap",), ("-x",), ("--pcap", "/nonexistent/x"), ("word",)):
            status, log = run(*options)
            self.assertEqual(status, 2, options)
            self.assertRegex(log, r"^mote-posix: .{10,}\n$", options)


if __name__ == "__main__":
    enter_namespace()
    MOTE = sys.argv[1]
    unittest.main(argv=[sys.argv[0]] + sys.argv[2:], verbosity=2, warnings="ignore")
