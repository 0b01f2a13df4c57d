#!/usr/bin/env python3
"""The firmware on a TAP device, where Linux's own network stack is the peer."""

import subprocess
import tempfile

from harness import LIMIT, PREFIX, BoardTest, Broker, Process, add_tap, dnsmasq, enter_namespace, main

HOST, MOTE = "192.168.77.1", "192.168.77.2"


class Tap(BoardTest):
    def setUp(self):
        add_tap(self.addCleanup, HOST + "/24")

    def start_mote(self, elf="mote-tap.elf"):
        return self.board(elf, "--net", "tap:mote0")

    def output_of(self, *command):
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=4 * LIMIT)
        self.assertEqual(result.returncode, 0, result.stdout)
        return result.stdout


class Static(Tap):
    def setUp(self):
        super().setUp()
        self.mote = self.start_mote()
        self.mote.wait("address 192.168.77.2")
        self.mote.wait("link up")

    def test_arping(self):
        output = self.output_of("arping", "-I", "mote0", "-c", "3", MOTE)
        self.assertIn("Received 3 response(s)", output)
        self.assertIn("02:00:00:03:02:01", output.lower())

    def test_ping_flood_loses_nothing(self):
        output = self.output_of("ping", "-f", "-q", "-c", "3000", MOTE)
        self.assertIn("3000 received, 0% packet loss", output)
        self.assert_clean(self.mote)

    def test_ping_of_every_kind_of_size(self):
        for size in (0, 1, 8, 55, 56, 57, 500, 1471, 1472):
            output = self.output_of("ping", "-c", "2", "-i", "0.2", "-w", str(LIMIT), "-s", str(size), MOTE)
            self.assertIn("2 received, 0% packet loss", output)

    def test_session_over_the_kernels_tcp(self):
        broker = self.start(Broker(HOST))
        self.mote.wait("connected to broker 192.168.77.1$")
        broker.publish(PREFIX + "02-00-00-03-02-01/settings/led", "true")
        self.mote.wait("LD3 .*on")
        self.assert_clean(self.mote)


class Named(Tap):
    """BROKER_HOST and DHCP, served by dnsmasq."""

    def test_no_server_then_one(self):
        mote = self.start_mote("mote-name.elf")
        mote.wait("link up")
        broker = self.start(Broker(HOST))
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        server = self.start(Process(*dnsmasq("mote0", folder.name + "/leases", "192.168.77.50,192.168.77.60,2m",
                                             "--address=/broker.mote.test/" + HOST)))
        mote.wait(r"address 192\.168\.77\.5\d")
        server.wait("DHCPACK.*mote-02-00-00-03-02-02")
        mote.wait("connected to broker 192.168.77.1$")
        broker.publish(PREFIX + "02-00-00-03-02-02/settings/led", "true")
        mote.wait("LD3 .*on")
        self.assert_clean(mote)


if __name__ == "__main__":
    enter_namespace()
    main()
