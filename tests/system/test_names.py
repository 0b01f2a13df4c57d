#!/usr/bin/env python3
"""How the full firmware comes by its address, names and the time: dnsmasq, avahi and a time server on a TAP device."""

import calendar
import json
import pathlib
import random
import re
import shlex
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

from harness import LIMIT, PREFIX, BoardTest, Broker, Process, add_tap, dnsmasq, enter_namespace, ip, main

HOST, SECOND = "10.0.2.2", "10.0.2.3"  # the firmware's broker is 10.0.2.2
ELF = "mote-dhcp-full.elf"
LONG = 150  # seconds: a DISCOVER may be 64 s away, and an address is probed for


class TimeServer:
    """SNTP on `address`, at a time of day of its own."""

    def __init__(self, address, ahead=0):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 123))
        self.ahead = ahead
        threading.Thread(target=self.serve, daemon=True).start()

    def now(self):
        return time.time() + self.ahead

    def serve(self):
        while True:
            try:
                request, client = self.socket.recvfrom(100)
            except OSError:
                return
            stamp = struct.pack(">II", int(self.now() + 2208988800) & 0xFFFFFFFF, int(self.now() % 1 * 2**32))
            reply = bytes([0x24, 2, 6, 0xEC]) + bytes(8) + b"GPS\0" + stamp + request[40:48] + stamp + stamp
            self.socket.sendto(reply, client)

    def stop(self):
        self.socket.close()


class Names(BoardTest):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        add_tap(self.addCleanup, HOST + "/24")

    def mote(self, elf=ELF, *options):
        return self.board(elf, "--net", "tap:mote0", *options)

    def dnsmasq(self, *options):
        self.servers = getattr(self, "servers", 0) + 1
        leases = pathlib.Path(self.folder.name) / ("leases%d" % self.servers)
        server = self.start(Process(*dnsmasq("mote0", leases, "10.0.2.50,10.0.2.60,1h", "--dhcp-authoritative", *options)))
        server.wait("started, version")
        return server

    def assert_answers_ping(self, address):
        result = subprocess.run(["ping", "-c", "3", "-i", "0.2", "-w", str(LIMIT), address], stdout=subprocess.PIPE,
                                text=True, timeout=2 * LIMIT)
        self.assertEqual(result.returncode, 0, result.stdout)


class Leases(Names):
    def test_time_of_day(self):
        """The server of option 42 tells it; it is in the log once and in the telemetry from then on."""
        broker = self.start(Broker(HOST))
        telemetry = self.start(broker.subscribe("dt/mote/+/telemetry"))
        server = self.start(TimeServer(HOST, 10 * 365 * 86400))  # beyond 2036, when NTP's seconds begin again
        self.dnsmasq("--dhcp-option=option:ntp-server," + HOST)
        mote = self.mote()
        clock = mote.wait(r"time (\S+), by 10\.0\.2\.2$", LONG).group(1)
        self.assertRegex(clock, r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ$")
        report = json.loads(telemetry.next("/telemetry$", lambda text: "time" in json.loads(text))["payload"])
        told = calendar.timegm(time.strptime(report["time"][:19], "%Y-%m-%dT%H:%M:%S"))
        self.assertLess(abs(told - server.now()), 5)
        self.assertEqual(len(mote.seen("time .*, by")), 1)
        self.assert_clean(mote)

    def test_renewal(self):
        """With T1 of 10 s; the session does not notice."""
        broker = self.start(Broker(HOST))
        server = self.dnsmasq("--dhcp-option=option:T1,10s", "--dhcp-option=option:T2,30s")
        mote = self.mote()
        mote.wait(r"address 10\.0\.2\.5\d, gateway 10\.0\.2\.2", LONG)
        mote.wait("connected to broker", LONG)
        for _ in range(3):  # the first and two renewals
            server.wait("DHCPREQUEST", LONG)
            server.wait("DHCPACK.*mote-", LONG)
        self.assertEqual(mote.seen("broker lost"), [])
        broker.publish(PREFIX + mote.seen("topics")[0].split("dt/mote/")[1].strip() + "/settings/led", "true")
        mote.wait("LD3 .*on")
        self.assert_clean(mote)

    def test_server_gone_and_back(self):
        """Link-local meanwhile (RFC 3927), and found there by its name."""
        ip("address add 169.254.255.1/16 dev mote0")
        mote = self.mote()
        address = mote.wait(r"address (169\.254\.\d+\.\d+), gateway 0\.0\.0\.0", LONG).group(1)
        self.assert_answers_ping(address)
        server = self.dnsmasq()
        mote.wait(r"address 10\.0\.2\.5\d", LONG)
        mote.key("c")
        mote.wait("link down")
        server.stop()
        self.servers = 0
        mote.key("c")
        mote.wait(r"address 10\.0\.2\.5\d", LONG)  # the lease still runs (RFC 2131 3.2)
        mote.key("r")
        self.assertEqual(mote.wait(r"address (169\.254\.\d+\.\d+)", LONG).group(1), address)
        self.dnsmasq()
        mote.wait(r"address 10\.0\.2\.5\d", LONG)
        self.assert_clean(mote)

    def test_two_servers(self):
        """Two on one wire, with ranges of their own: one is chosen, the other told so, all works."""
        ip("link add bridge0 type bridge")
        self.addCleanup(ip, "link delete bridge0")
        ip("link add near type veth peer name far")
        for port in ("mote0", "near"):
            ip("link set %s master bridge0 up" % port)
        ip("address delete %s/24 dev mote0" % HOST)
        ip("address add %s/24 dev bridge0" % HOST)
        ip("link set bridge0 up")
        leases = pathlib.Path(self.folder.name)
        far = dnsmasq("far", leases / "far", "10.0.2.150,10.0.2.160,1h", "--dhcp-option=option:router," + HOST)
        second = self.start(Process(
            "unshare", "--net", "sh", "-c",
            "echo in its own namespace; read go; ip address add %s/24 dev far; ip link set far up; exec %s" %
            (SECOND, shlex.join(far)), name="second dnsmasq"))
        second.wait("in its own namespace")
        ip("link set far netns %d" % second.process.pid)
        second.key("go\n")
        second.wait("started, version")
        first = self.start(Process(*dnsmasq("bridge0", leases / "near", "10.0.2.50,10.0.2.60,1h")))
        first.wait("started, version")
        self.start(Broker(HOST))
        mote = self.mote()
        address = mote.wait(r"address (10\.0\.2\.\d+), gateway 10\.0\.2\.2", LONG).group(1)
        chosen, other = (second, first) if re.search(r"\.1[56]\d$", address) else (first, second)
        chosen.wait(r"DHCPACK\(\w+\) %s" % re.escape(address))
        other.wait("DHCPOFFER")
        self.assertEqual(other.seen("DHCPACK"), [])
        mote.wait("connected to broker", LONG)
        self.assert_answers_ping(address)
        self.assert_clean(mote)


class Avahi:
    """avahi-daemon with a bus of its own, in a mount namespace where /run is empty."""

    def __init__(self, folder, host_name):
        config = pathlib.Path(folder) / "avahi.conf"
        config.write_text("[server]\nhost-name=%s\nuse-ipv6=no\nallow-interfaces=mote0\n[publish]\n"
                          "publish-hinfo=no\npublish-workstation=no\n[rlimits]\n" % host_name)
        bus = pathlib.Path(folder) / "bus.conf"
        bus.write_text("<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen>"
                       "<auth>EXTERNAL</auth><policy context='default'><allow send_destination='*'/>"
                       "<allow receive_sender='*'/><allow own='*'/><allow user='*'/></policy></busconfig>")
        self.daemon = Process(
            "unshare", "--mount", "sh", "-c",
            "mount -t tmpfs run /run && mkdir /run/dbus /run/avahi-daemon && dbus-daemon --config-file=%s --fork --print-pid >/run/bus.pid"
            " && exec avahi-daemon --no-drop-root --no-chroot --no-rlimits -f %s" % (bus, config))

    def wait(self, pattern, limit=LIMIT):
        return self.daemon.wait(pattern, limit)

    def command(self, *command):
        return ["nsenter", "--mount", "--root", "--wd", "--target", str(self.daemon.process.pid), *command]

    def resolve(self, name):
        return subprocess.run(self.command("avahi-resolve", "-4", "-n", name), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=LIMIT).stdout

    def stop(self):
        subprocess.run(self.command("sh", "-c", "kill $(cat /run/bus.pid)"), timeout=LIMIT)
        self.daemon.stop()


@unittest.skipUnless(shutil.which("avahi-daemon") and shutil.which("dbus-daemon"), "avahi-daemon is not installed")
class Mdns(Names):
    def avahi(self, host_name="desk"):
        avahi = self.start(Avahi(self.folder.name, host_name))
        avahi.wait("Server startup complete")
        return avahi

    def test_found_by_avahi(self):
        avahi = self.avahi()
        self.dnsmasq()
        mote = self.mote()
        address = mote.wait(r"address (10\.0\.2\.5\d)", LONG).group(1)
        name = mote.wait(r"found as (mote-[0-9a-f]{6}\.local)", LONG).group(1)
        self.assertEqual(avahi.resolve(name).split(), [name, address])
        self.assert_clean(mote)

    def test_name_taken(self):
        """Another host has the name: -2 is taken, and both are found."""
        avahi = self.avahi()
        self.dnsmasq()
        mote = self.mote()
        name = mote.wait(r"found as (mote-[0-9a-f]{6})\.local", LONG).group(1)
        mote.key("c")
        mote.wait("link down")
        publisher = self.start(Process(*avahi.command("avahi-publish", "-a", "-R", name + ".local", HOST)))
        publisher.wait("Established under name")
        mote.key("c")
        address = mote.wait(r"address (10\.0\.2\.5\d)", LONG).group(1)
        mote.wait(r"found as %s-2\.local" % name, LONG)
        self.assertEqual(avahi.resolve(name + "-2.local").split(), [name + "-2.local", address])
        self.assertEqual(avahi.resolve(name + ".local").split(), [name + ".local", HOST])
        self.assert_clean(mote)

    def test_broker_by_local_name(self):
        self.avahi("broker")
        self.dnsmasq()
        self.start(Broker(HOST))
        mote = self.mote("mote-local-full.elf")
        mote.wait(r"connected to broker 10\.0\.2\.2$", LONG)
        self.assert_clean(mote)


def dhcp_reply(options, mac, kind=2):
    head = struct.pack(">BBBBIHH4s4s4s4s", kind, 1, 6, 0, 0x12345678, 0, 0x8000, bytes(4), bytes([10, 0, 2, 99]), bytes(4), bytes(4))
    return head + mac + bytes(10 + 64 + 128) + bytes.fromhex("63825363") + options


def dns_message(flags, counts, body):
    return struct.pack(">HHHHHH", 0, flags, *counts) + body


def hostile(mac, name):
    """Class, source port, destination port, payloads: hostile input of class DHCP, DNS, mDNS and SNTP."""
    good = bytes([53, 1, 5, 54, 4, 10, 0, 2, 2, 51, 4, 0, 0, 14, 16])
    label = bytes([len(name)]) + name.encode() + b"\5local\0"
    query = lambda question: dns_message(0, (1, 0, 0, 0), question)
    answer = lambda record: dns_message(0x8400, (0, 1, 0, 0), record)
    pointers = [b"\xc0\x0c", b"\xc0\x40", b"\xff\xff", b"\xc0\0", b"\1a\xc0\x0c", b"\x40", b"\x80", b"\x3f" + b"a" * 62]
    yield "DHCP option length beyond the end", 67, 68, [dhcp_reply(good + bytes([code, 255]), mac) for code in range(256)]
    yield "DHCP overload", 67, 68, [dhcp_reply(good + bytes([52, 1, n, 255]), mac) for n in range(256)]
    yield "DHCP missing 51, 53, 54", 67, 68, [dhcp_reply(good[a:b], mac) for a in range(0, 15, 3) for b in range(a, 16)]
    yield "DHCP lease 0 and infinite", 67, 68, [dhcp_reply(good[:9] + bytes([51, 4]) + n, mac) for n in (bytes(4), b"\xff" * 4)]
    yield "DHCP NAK unasked", 67, 68, [dhcp_reply(bytes([53, 1, 6, 54, 4, 10, 0, 2, 2, 255]), mac)] * 20
    yield "DHCP short", 67, 68, [dhcp_reply(good, mac)[:n] for n in range(0, 256, 5)]
    yield "DNS answer unasked", 53, 50000, [dns_message(0x8180, (1, 1, 0, 0), b"\1a\0\0\1\0\1\xc0\x0c")] * 20
    yield "mDNS compression", 5353, 5353, [build(p + b"\0\1\0\1" + bytes(10)) for p in pointers for build in (query, answer)]
    yield "mDNS counts of 65535", 5353, 5353, [dns_message(f, (65535,) * 4, label + b"\0\1\0\1") for f in (0, 0x8400)]
    yield "mDNS cut off", 5353, 5353, [query(label + b"\0\1\0\1")[:n] for n in range(12 + len(label) + 4)]
    yield "mDNS goodbye of ours", 5353, 5353, [answer(label + b"\0\1\x80\1\0\0\0\0\0\4\12\0\2\x63")] * 20
    yield "mDNS RDLENGTH beyond the end", 5353, 5353, [answer(label + b"\0\1\x80\1\0\0\0\1\xff\xff\12")] * 5
    yield "SNTP answer unasked", 123, 50001, [bytes([0x24, 2]) + bytes(46)] * 20


class Hostile(Names):
    def send(self, mac, address, source_port, port, payload):
        multicast = port == 5353
        to = "224.0.0.251" if multicast else "255.255.255.255" if port == 68 else address
        link = bytes.fromhex("01005e0000fb") if multicast else b"\xff" * 6 if port == 68 else mac
        udp = struct.pack(">HHHH", source_port, port, 8 + len(payload), 0) + payload
        ip_header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 255, 17, 0, socket.inet_aton(HOST), socket.inet_aton(to))
        total = sum(struct.unpack(">10H", ip_header))
        total = (total & 0xFFFF) + (total >> 16)
        ip_header = ip_header[:10] + struct.pack(">H", ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF) + ip_header[12:]
        self.wire.send(link + b"\x02\0\0\0\0\x77" + b"\x08\0" + ip_header + udp)

    def test_nothing_is_lost(self):
        """After each class the device answers; at the end it has the address, the name and the session that it had."""
        broker = self.start(Broker(HOST))
        self.dnsmasq()
        mote = self.mote()
        topics = mote.wait(r"topics (\S+)").group(1)
        mac = bytes.fromhex(topics.split("/")[-1].replace("-", ""))
        address = mote.wait(r"address (10\.0\.2\.5\d)", LONG).group(1)
        name = mote.wait(r"found as (mote-[0-9a-f]{6})\.local", LONG).group(1)
        self.wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.addCleanup(self.wire.close)
        self.wire.bind(("mote0", 0))
        for kind, source_port, port, payloads in hostile(mac, name):
            with self.subTest(kind):
                for payload in payloads:
                    self.send(mac, address, source_port, port, payload)
                self.assert_answers_ping(address)
        chance = random.Random(2131)
        for _ in range(1000):
            port = chance.choice((68, 5353))
            self.send(mac, address, 67 if port == 68 else port, port, chance.randbytes(chance.randrange(300)))
        self.assert_answers_ping(address)
        broker.publish(topics + "/settings/led", "true")
        mote.wait("LD3 .*on")
        self.assertEqual(mote.seen("broker lost"), [])
        self.assertEqual(len(mote.seen("address 10")), 1)
        self.assertEqual(len(mote.seen("found as")), 1)
        self.assertEqual(mote.seen("started by")[1:], [])
        self.assert_clean(mote)


if __name__ == "__main__":
    enter_namespace()
    main()
