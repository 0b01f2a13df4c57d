"""What the system tests share: the virtual board as a process, a real Mosquitto, a network namespace of their own.

Each test file is a unittest program: `test_x.py VIRTUAL_BOARD FIRMWARE_DIR`. All waiting is for events, with
limits generous enough for a slow, shared machine: a limit that is reached is a failure, never a retry.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

LIMIT = 90  # seconds of real time that any one event may take
PREFIX = "dt/mote/"
ROOT = pathlib.Path(__file__).resolve().parents[2]
os.environ["PATH"] += ":/usr/sbin:/sbin"


def enter_namespace():
    """Re-executes this program in a network namespace of its own, so that ports and interfaces are its alone.

    Needs root or unprivileged user namespaces; without either the tests are skipped and say so.
    """
    if os.environ.get("MOTE_NAMESPACE") == "entered":
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    for command in (["unshare", "--net"], ["unshare", "--net", "--map-root-user"]):
        if subprocess.run(command + ["true"], stderr=subprocess.DEVNULL).returncode == 0:
            os.environ["MOTE_NAMESPACE"] = "entered"
            os.execvp(command[0], command + [sys.executable] + sys.argv)
    print("SKIPPED: no network namespace can be made here (needs root, or unprivileged user namespaces)")
    sys.exit(77)


def main():
    global VIRTUAL_BOARD, FIRMWARE
    if len(sys.argv) < 3:
        sys.exit("usage: %s VIRTUAL_BOARD FIRMWARE_DIR [TEST…]" % sys.argv[0])
    VIRTUAL_BOARD, FIRMWARE = sys.argv[1], pathlib.Path(sys.argv[2])
    unittest.main(argv=[sys.argv[0]] + sys.argv[3:], verbosity=2, module="__main__")


class Lines:
    """The lines of a process's output as they come."""

    def __init__(self, stream, name):
        self.lines = []
        self.name = name
        self.ended = False
        self.arrived = threading.Condition()
        threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def _read(self, stream):
        try:
            for line in stream:
                with self.arrived:
                    self.lines.append(line.rstrip("\r\n"))
                    self.arrived.notify_all()
        except ValueError:
            pass  # closed by stop()
        with self.arrived:
            self.ended = True
            self.arrived.notify_all()

    def wait(self, pattern, start=0, limit=LIMIT):
        """The first match in line number `start` or later, and the number of the line after it."""
        expression = re.compile(pattern)
        deadline = time.monotonic() + limit
        at = start
        with self.arrived:
            while True:
                while at < len(self.lines):
                    match = expression.search(self.lines[at])
                    at += 1
                    if match:
                        return match, at
                if self.ended or not self.arrived.wait(deadline - time.monotonic()):
                    tail = "\n    ".join(self.lines[-30:])
                    why = "it ended" if self.ended else "%d s passed" % limit
                    raise AssertionError("%s: no line with %r, %s; last lines:\n    %s" % (self.name, pattern, why, tail))


class Board:
    """A virtual board that runs an ELF. Reads forward: each wait continues after the line that the last one found."""

    def __init__(self, elf, *options):
        self.process = subprocess.Popen(
            [VIRTUAL_BOARD, "--keys", *options, str(FIRMWARE / elf)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        self.output = Lines(self.process.stdout, elf)
        self.position = 0

    def wait(self, pattern, limit=LIMIT):
        match, self.position = self.output.wait(pattern, self.position, limit)
        return match

    def skip(self):
        """Forget what has been said so far."""
        self.position = len(self.output.lines)

    def key(self, letter):
        self.process.stdin.write(letter)
        self.process.stdin.flush()

    def seen(self, pattern):
        return [line for line in self.output.lines if re.search(pattern, line)]

    def stop(self):
        if self.process.poll() is None:
            try:
                self.key("q")
                self.process.wait(LIMIT)
            except (BrokenPipeError, subprocess.TimeoutExpired):
                self.process.kill()
                self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.returncode


class Broker:
    """Mosquitto on the loopback of this namespace, or on `address`."""

    def __init__(self, address="127.0.0.1", port=1883):
        self.folder = tempfile.TemporaryDirectory()
        self.address, self.port = address, port
        config = pathlib.Path(self.folder.name) / "mosquitto.conf"
        config.write_text("listener %d %s\nallow_anonymous true\nuser root\nlog_type all\n" % (port, address))
        self.command = ["mosquitto", "-v", "-c", str(config)]
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.output = Lines(self.process.stdout, "mosquitto")
        self.output.wait("running")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.kill()
        self.process.stdout.close()
        self.folder.cleanup()

    def client(self, *command):
        return [command[0], "-V", "5", "-h", self.address, "-p", str(self.port), *command[1:]]

    def publish(self, topic, payload, *options):
        subprocess.run(self.client("mosquitto_pub", "-t", topic, "-m", payload, "-q", "1", *options),
                       check=True, timeout=LIMIT)

    def request(self, topic, payload):
        """MM2 request: the answer's user properties and payload."""
        answer = subprocess.run(
            self.client("mosquitto_rr", "-t", topic, "-m", payload, "-q", "1", "-e", "answers/%d" % os.getpid(),
                        "-D", "publish", "correlation-data", "sixteen", "-W", str(LIMIT), "-F", "%j"),
            check=True, timeout=LIMIT + 10, capture_output=True, text=True).stdout
        return json.loads(answer)

    def subscribe(self, *filters):
        return Subscriber(self, filters)


class Subscriber:
    """mosquitto_sub in the background: messages as dicts of topic, payload, qos, retain, properties…"""

    def __init__(self, broker, filters):
        arguments = [part for each in filters for part in ("-t", each)]
        self.process = subprocess.Popen(["stdbuf", "-oL"] + broker.client("mosquitto_sub", "-d", "-q", "1", "-F", "JSON %j", *arguments),
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.output = Lines(self.process.stdout, "mosquitto_sub")
        self.position = 0
        self.output.wait("received SUBACK|Subscribed")

    def next(self, topic, limit=LIMIT):
        """The next message whose topic matches the expression, in order of arrival."""
        while True:
            match, self.position = self.output.wait("^JSON (.*)$", self.position, limit)
            message = json.loads(match.group(1))
            if re.search(topic, message["topic"]):
                return message

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class BoardTest(unittest.TestCase):
    """Stops whatever a test has started, last first; a failure shows the board's last lines."""

    def start(self, started):
        self.addCleanup(started.stop)
        return started

    def board(self, elf, *options):
        return self.start(Board(elf, *options))

    def run_board(self, *arguments):
        """Runs to the end: exit status and output."""
        result = subprocess.run([VIRTUAL_BOARD, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, timeout=4 * LIMIT, errors="replace")
        return result.returncode, result.stdout

    def assert_clean(self, board):
        """The firmware never made the board remark on it."""
        self.assertEqual(board.seen(r"\[board.*(warning|error)"), [])
