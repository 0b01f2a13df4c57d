#!/usr/bin/env python3
"""The full firmware's Ethernet and IPv4, with Linux's own network stack as the peer on a TAP device."""

import socket
import struct
import subprocess

from harness import LIMIT, Board, BoardTest, Broker, add_tap, enter_namespace, frames, ip, main

HOST, MOTE = "192.168.77.1", "192.168.77.2"
MOTE_MAC = bytes.fromhex("020000030201")
OTHER_MAC = bytes.fromhex("0200000000c8")
EVERYONE = b"\xff" * 6
IPV4, ARP = 0x0800, 0x0806


def is_report(frame):
    """IGMPv2, that we are a member of 224.0.0.251."""
    return frame[:6] == bytes.fromhex("01005e0000fb") and frame[23] == 2 and frame[38] == 0x16


class Tap(BoardTest):
    def open_port(self):
        """All that comes from now on."""
        self.port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.addCleanup(self.port.close)
        self.port.bind(("mote0", 3))

    def expect_frame(self, matches, what):
        for frame in frames(self.port):
            if frame[6:12] == MOTE_MAC and matches(frame):
                return frame
        self.fail("no " + what)

    def expect_arp_request(self, sender):
        return self.expect_frame(
            lambda frame: frame[:6] == EVERYONE and frame[12:14] == struct.pack(">H", ARP) and
            frame[20:22] == b"\0\1" and frame[28:32] == socket.inet_aton(sender) and
            frame[38:42] == socket.inet_aton(MOTE), "ARP request with sender " + sender)


class Addresses(Tap):
    """RFC 5227."""

    def setUp(self):
        add_tap(self.addCleanup, HOST + "/24")
        self.open_port()

    def start_mote(self):
        self.mote = self.board("mote-tap-full.elf", "--net", "tap:mote0")

    def test_probes_announces_and_defends(self):
        self.start_mote()
        for _ in range(3):
            self.expect_arp_request("0.0.0.0")
        self.mote.wait("address " + MOTE)
        self.expect_frame(is_report, "report of multicast membership")
        for _ in range(2):
            self.expect_arp_request(MOTE)
        claim = struct.pack(">HHBBH", 1, IPV4, 6, 4, 2) + OTHER_MAC + socket.inet_aton(MOTE)
        claim += EVERYONE + socket.inet_aton(MOTE)
        self.port.send(EVERYONE + OTHER_MAC + struct.pack(">H", ARP) + claim)
        self.expect_arp_request(MOTE)
        for _ in range(20):
            self.port.send(EVERYONE + OTHER_MAC + struct.pack(">H", ARP) + claim)
        subprocess.run(["arping", "-I", "mote0", "-c", "1", "-w", "30", MOTE], check=True, timeout=LIMIT,
                       stdout=subprocess.DEVNULL)
        self.assert_clean(self.mote)

    def test_an_address_that_linux_has_is_left_alone(self):
        ip("address add %s/32 dev mote0" % MOTE)
        self.start_mote()
        self.mote.wait("another host has our address")
        self.assertEqual(self.mote.seen("address " + MOTE), [])
        ip("address delete %s/32 dev mote0" % MOTE)
        self.mote.key("c")
        self.mote.wait("link down")
        self.mote.key("c")
        self.mote.wait("address " + MOTE)
        self.assert_clean(self.mote)


class Packets(Tap):
    @classmethod
    def setUpClass(cls):
        add_tap(cls.addClassCleanup, HOST + "/24")
        cls.mote = Board("mote-tap-full.elf", "--net", "tap:mote0")
        cls.addClassCleanup(cls.mote.stop)
        cls.mote.wait("address " + MOTE)

    def ping(self, *arguments):
        result = subprocess.run(["ping", "-q", *arguments, MOTE], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                text=True, timeout=4 * LIMIT)
        self.assertIn(" 0% packet loss", result.stdout)

    def test_ping_larger_than_the_mtu(self):
        for size in (1473, 1480, 2000, 2952, 2953, 4000, 4088):
            self.ping("-c", "3", "-i", "0.2", "-w", str(LIMIT), "-s", str(size))  # -w: the last one may be late, too
        self.assert_clean(self.mote)

    def test_flood_of_large_pings_loses_nothing(self):
        self.ping("-f", "-c", "500", "-s", "4000")
        self.ping("-f", "-c", "2000")
        self.assert_clean(self.mote)

    def test_linux_is_told_of_closed_ports(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(LIMIT)
            client.connect((MOTE, 9))
            for data in (b"x", bytes(3000)):  # the latter in fragments
                client.send(data)
                with self.assertRaises(ConnectionRefusedError):
                    client.recv(1)
        self.assert_clean(self.mote)

    def test_multicast_membership(self):
        """RFC 2236: a report for each query. Those of its own accord are over after ten seconds."""
        message = bytes.fromhex("110aeef500000000")  # general query, within a second
        header = bytes.fromhex("46c00020000000000102") + b"\0\0" + socket.inet_aton(HOST) + bytes.fromhex("e0000001")
        header += bytes.fromhex("94040000")
        total = sum(struct.unpack(">12H", header))
        header = header[:10] + struct.pack(">H", 0xFFFF - (total % 0xFFFF)) + header[12:]
        self.open_port()
        for _ in range(3):
            self.port.send(bytes.fromhex("01005e000001") + OTHER_MAC + struct.pack(">H", IPV4) + header + message)
            self.expect_frame(is_report, "report in answer to a query")
        self.assert_clean(self.mote)

    def test_pings_the_broker(self):
        self.mote.wait("broker not reached")
        self.mote.wait(r"ping %s: \d+ ms" % HOST)
        self.start(Broker(HOST))
        self.mote.wait("connected to broker")
        self.mote.wait(r"ping %s: \d+ ms" % HOST)
        self.assert_clean(self.mote)


if __name__ == "__main__":
    enter_namespace()
    main()
