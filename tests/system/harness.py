"""What the system tests share: the virtual board as a process, a real Mosquitto, a network namespace of their own.

Each test file is a unittest program: `test_x.py VIRTUAL_BOARD FIRMWARE_DIR`. All waiting is for events, with
limits generous enough for a slow, shared machine: a limit that is reached is a failure, never a retry.
"""

import json
import os
import pathlib
import re
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


def ip(command):
    """One of iproute2's."""
    subprocess.run(["ip", *command.split()], check=True, timeout=LIMIT)


def add_tap(cleanup, *networks, name="mote0"):
    """A TAP device that has these addresses, until `cleanup`, a test's or a class's."""
    ip("tuntap add dev %s mode tap" % name)
    cleanup(ip, "link delete " + name)
    try:  # its announcements are nothing to do with the tests
        pathlib.Path("/proc/sys/net/ipv6/conf/%s/disable_ipv6" % name).write_text("1")
    except OSError:
        pass
    for network in networks:
        ip("address add %s dev %s" % (network, name))
    ip("link set %s up" % name)


def frames(port, limit=LIMIT):
    """Those that come to a packet socket, until the time is up."""
    deadline = time.monotonic() + limit
    while (left := deadline - time.monotonic()) > 0:
        port.settimeout(left)
        try:
            yield port.recv(4096)
        except TimeoutError:
            return


def dnsmasq(interface, leases, addresses, *options):
    """The command of a DHCP server on one interface, with the file of its leases."""
    return ["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--interface=" + interface, "--bind-interfaces", "--user=root",
            "--group=root", "--no-resolv", "--no-hosts", "--no-ping", "--log-dhcp", "--dhcp-leasefile=%s" % leases,
            "--dhcp-range=" + addresses, *options]


def debug(elf, commands, *options, limit=LIMIT):
    """Runs GDB as `make debug BOARD=virtual` does; what it said and what the board said."""
    with tempfile.TemporaryDirectory() as folder:
        script, log = pathlib.Path(folder, "commands.gdb"), pathlib.Path(folder, "board.log")
        script.write_text("set pagination off\nset confirm off\nset width 0\n" + commands)
        result = subprocess.run(
            ["sh", str(ROOT / "emulator/debug.sh"), VIRTUAL_BOARD, str(FIRMWARE / elf), "--net", "none", *options],
            env={**os.environ, "GDB_ARGS": "-nx -batch -x %s" % script, "LOG": str(log)}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=limit)
        return result.stdout, log.read_text()


class Lines:
    """The lines of a process's output as they come."""

    def __init__(self, stream, name):
        self.lines = []
        self.stream, self.name = stream, name
        self.ended = False
        self.arrived = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def close(self):
        """When the process has ended: `lines` has all that it wrote."""
        self.reader.join(LIMIT)
        self.stream.close()

    def _read(self):
        try:
            for line in self.stream:
                with self.arrived:
                    self.lines.append(line.rstrip("\r\n"))
                    self.arrived.notify_all()
        except ValueError:
            pass  # closed by others
        with self.arrived:
            self.ended = True
            self.arrived.notify_all()

    def wait(self, pattern, start=0, limit=LIMIT, accepts=lambda match: True, wanted=None):
        """The first match that is accepted in line number `start` or later, and the number of the line after it. A
        failure says what was wanted."""
        expression = re.compile(pattern)
        deadline = time.monotonic() + limit
        at = start
        with self.arrived:
            while True:
                while at < len(self.lines):
                    match = expression.search(self.lines[at])
                    at += 1
                    if match and accepts(match):
                        return match, at
                if self.ended or not self.arrived.wait(deadline - time.monotonic()):
                    tail = "\n    ".join(self.lines[-30:])
                    why = "it ended" if self.ended else "%d s passed" % limit
                    raise AssertionError("%s: no line with %r, %s; last lines:\n    %s" % (self.name, wanted or pattern, why, tail))


class Process:
    """In the background. Reads forward: each wait continues after the line that the last one found."""

    def __init__(self, *command, name=None, **options):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True, errors="replace", **options)
        self.output = Lines(self.process.stdout, name or command[0])
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
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.output.close()


class Board(Process):
    """A virtual board that runs an ELF."""

    def __init__(self, elf, *options):
        super().__init__(VIRTUAL_BOARD, "--keys", *options, str(FIRMWARE / elf), name=elf)

    def stop(self):
        if self.process.poll() is None:
            try:
                self.key("q")
                self.process.wait(LIMIT)
            except (BrokenPipeError, subprocess.TimeoutExpired):
                self.process.kill()
                self.process.wait()
        self.process.stdin.close()
        self.output.close()
        return self.process.returncode


class Server:
    """A broker as a process: `command`, which says "running" when it listens."""

    name = command = folder = None

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.output = Lines(self.process.stdout, self.name)
        self.output.wait("running")

    def kill(self):
        self.end(signal.SIGKILL)

    def end(self, how=signal.SIGTERM):
        """In order, unless told otherwise: if it keeps its sessions, it writes them down now."""
        self.process.send_signal(how)
        self.process.wait(LIMIT)
        self.output.close()

    def restart(self):
        self.end()
        self.start()

    def stop(self):
        self.kill()
        if self.folder:
            self.folder.cleanup()


class Broker(Server):
    """Mosquitto on the loopback of this namespace, or on `address`; with `keeps` its sessions outlive it."""

    name = "mosquitto"

    def __init__(self, address="127.0.0.1", port=1883, keeps=False, anonymous="true", settings=()):
        self.folder = tempfile.TemporaryDirectory()
        self.address, self.port = address, port
        config = pathlib.Path(self.folder.name) / "mosquitto.conf"
        lines = ["listener %d %s" % (port, address), "user root", "log_type all", "allow_anonymous " + anonymous,
                 "max_queued_messages 0", *settings]  # a flood gets there, to the last message
        if keeps:
            lines += ["persistence true", "persistence_location %s/" % self.folder.name]
        config.write_text("\n".join(lines) + "\n")
        self.command = ["mosquitto", "-c", str(config)]
        self.start()

    def client(self, *command):
        return [command[0], "-V", "5", "-h", self.address, "-p", str(self.port), *command[1:]]

    def publish(self, topic, payload, *options):
        subprocess.run(self.client("mosquitto_pub", "-t", topic, "-m", payload, "-q", "1", *options),
                       check=True, timeout=LIMIT)

    def pour(self, topic, lines, *options):
        """A message a line over one connection, as fast as the broker takes them."""
        subprocess.run(self.client("mosquitto_pub", "-l", "-t", topic, *options), input="".join(lines), text=True, check=True,
                       timeout=LIMIT)

    def request(self, topic, payload):
        """MM2 request: the answer's user properties and payload."""
        answer = subprocess.run(
            self.client("mosquitto_rr", "-t", topic, "-m", payload, "-q", "1", "-e", "answers/%d" % os.getpid(),
                        "-D", "publish", "correlation-data", "sixteen", "-W", str(LIMIT), "-F", "%j"),
            check=True, timeout=LIMIT + 10, capture_output=True, text=True).stdout
        return json.loads(answer)

    def subscribe(self, *filters):
        return Subscriber(self, filters)


class Subscriber(Process):
    """mosquitto_sub in the background: messages as dicts of topic, payload, qos, retain, properties…"""

    def __init__(self, broker, filters):
        arguments = [part for each in filters for part in ("-t", each)]
        super().__init__("stdbuf", "-oL", *broker.client("mosquitto_sub", "-d", "-q", "1", "-F", "JSON %j", *arguments),
                         name="mosquitto_sub")
        self.output.wait("received SUBACK|Subscribed")

    def next(self, topic, accepts=lambda payload: True, limit=LIMIT):
        """The next message whose topic matches the expression and whose payload is as wanted, in order of arrival. The
        limit is for all that come before it together."""
        def wanted(match):
            message = json.loads(match.group(1))
            return re.search(topic, message["topic"]) and accepts(message.get("payload"))

        match, self.position = self.output.wait("^JSON (.*)$", self.position, limit, wanted, "message under " + topic)
        return json.loads(match.group(1))


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
