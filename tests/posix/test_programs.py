#!/usr/bin/env python3
"""`net` as a host on Linux (net-peer), against the kernel's own stack over TAP, with and without a bad link.

`test_programs.py NET_PEER TAP_SHIM NET_PEER_FULL [TEST…]`
"""

import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
from harness import LIMIT, Lines, enter_namespace

HOST, PEER = "192.168.79.1", "192.168.79.2"
BAD = ("--impair", "loss=1,dup=2,reorder=2,corrupt=1,delay=1,jitter=1,seed=5")


def pattern(count):
    return bytes((n * 31 + n // 256) % 256 for n in range(count))


class Server:
    """The kernel's end of one connection: reads all, writes `payload`, or sends all back."""

    def __init__(self, payload=None, echo=False):
        self.listener = socket.create_server((HOST, 0))
        self.listener.settimeout(LIMIT)
        self.port = self.listener.getsockname()[1]
        self.payload, self.echo, self.received = payload, echo, b""
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        connection, _ = self.listener.accept()
        connection.settimeout(LIMIT)
        with connection:
            if self.payload is not None:
                connection.sendall(self.payload)
                connection.shutdown(socket.SHUT_WR)
            while chunk := connection.recv(65536):
                self.received += chunk
                if self.echo:
                    connection.sendall(chunk)

    def end(self):
        self.thread.join(LIMIT)
        self.listener.close()
        return self.received


class TapTest(unittest.TestCase):
    NETWORK = "tap:mote2"
    PROGRAM = 1

    def setUp(self):
        for command in ("tuntap add dev mote2 mode tap", "address add %s/24 dev mote2" % HOST, "link set mote2 up"):
            subprocess.run(["ip", *command.split()], check=True)
        self.addCleanup(subprocess.run, ["ip", "link", "delete", "mote2"], check=True)

    def command(self, *words):
        return [sys.argv[self.PROGRAM], "--net", self.NETWORK, "--ip", PEER + "/24", "--for", str(LIMIT), *map(str, words)]

    def run_peer(self, *words):
        result = subprocess.run(self.command(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, timeout=LIMIT + 10)
        self.assertEqual(result.returncode, 0, result.stdout)
        return result.stdout

    def bulk(self, count, *options):
        payload = pattern(count)
        server = Server()
        self.run_peer(*options, "source", HOST, server.port, count)
        self.assertEqual(server.end(), payload)
        server = Server(payload)
        self.assertIn("received %d bytes" % count, self.run_peer(*options, "sink", HOST, server.port))
        server.end()
        server = Server(echo=True)
        self.run_peer(*options, "echo", HOST, server.port, count)
        self.assertEqual(server.end(), payload)


class NetPeer(TapTest):
    def test_bulk_both_ways(self):
        self.bulk(3000000)

    def test_bulk_with_the_devices_checksums(self):
        self.bulk(300000, "--checksums")

    def test_bulk_through_small_buffers(self):
        self.bulk(100000, "--tx", 200, "--rx", 1500)

    def test_bulk_over_a_bad_link(self):
        self.bulk(15000, *BAD)

    def test_datagrams_of_every_kind_of_size(self):
        process = subprocess.Popen(self.command("udp-echo", 7), stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(1)
            for size in (0, 1, 85, 86, 87, 500, 1471, 1472):
                for _ in range(LIMIT):  # until it is up
                    client.sendto(pattern(size), (PEER, 7))
                    try:
                        self.assertEqual(client.recvfrom(2000), (pattern(size), (PEER, 7)))
                        break
                    except TimeoutError:
                        pass
                else:
                    self.fail("no answer")

    def test_refused_connection_is_told(self):
        result = subprocess.run(self.command("sink", HOST, 9), stdout=subprocess.PIPE, text=True, timeout=LIMIT)
        self.assertEqual(result.returncode, 1)
        self.assertIn("incomplete", result.stdout)

    def test_what_cannot_be_meant_is_refused(self):
        for words in ((), ("source",), ("source", HOST, "80"), ("sink", "host", "80"), ("sink", HOST, "0"), ("udp-echo", "x"),
                      ("--ip", "1.2.3", "wait"), ("--mac", "01-00-00-00-00-00", "wait"), ("--tx", "63", "wait"),
                      ("--impair", "loss", "wait"), ("--nothing", "wait"), ("wait", "more")):
            result = subprocess.run([sys.argv[1], *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT)
            self.assertEqual(result.returncode, 2, words)
            self.assertIn("net-peer: ", result.stdout)


class Full(TapTest):
    """The stack with everything on, which looks whether its address is free before it uses it: some seconds."""

    PROGRAM = 3

    def test_bulk_both_ways(self):
        server = Server(echo=True)
        self.run_peer("--rx", 65535, "echo", HOST, server.port, 1000000)
        self.assertEqual(server.end(), pattern(1000000))


class Shim(TapTest):
    """The same hosts with a cable between them that is a program of its own."""

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.NETWORK = "socket:" + folder.name + "/cable"
        self.shim = subprocess.Popen([sys.argv[2], "tap:mote2", self.NETWORK, "loss=2,dup=2,reorder=2,corrupt=1,delay=1,seed=9"],
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.output = Lines(self.shim.stdout, "tap-shim")
        self.addCleanup(self.shim.stdout.close)
        self.addCleanup(self.shim.wait)
        self.addCleanup(self.shim.kill)
        self.output.wait("^tap-shim: up")

    def test_bulk_both_ways(self):
        self.bulk(25000)
        self.shim.terminate()
        self.assertEqual(self.shim.wait(LIMIT), 0)
        for direction in ("tap:mote2 to socket:", "socket:.* to tap:mote2"):
            match, _ = self.output.wait(direction + r".*: (\d+) frames, (\d+) lost, 0 did not fit, (\d+) doubled, "
                                        r"(\d+) held back, (\d+) damaged")
            self.assertTrue(all(int(each) > 0 for each in match.groups()), match.group(0))


if __name__ == "__main__":
    enter_namespace()
    unittest.main(argv=[sys.argv[0]] + sys.argv[4:], verbosity=2, warnings="ignore")
