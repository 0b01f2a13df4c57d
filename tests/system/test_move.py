#!/usr/bin/env python3
"""A device that is carried, with its lease, to another network: both firmwares, dnsmasq and avahi on a TAP device."""

import pathlib
import re
import shutil
import unittest

from harness import Broker, Process, dnsmasq, enter_namespace, ip, main
from test_names import HOST, LONG, Avahi, Names

ELSEWHERE = "10.9.9.1"
LAPTOP = "169.254.5.5"


def seconds(line):
    return float(re.match(r"\[ *(\d+\.\d+)\]", line).group(1))


class Move(Names):
    def office(self):
        """The network where the lease is from: a router, a server that is not authoritative."""
        self.server = self.serve("office", "10.0.2.50,10.0.2.60,12h")

    def serve(self, name, addresses):
        server = self.start(Process(*dnsmasq("mote0", pathlib.Path(self.folder.name) / name, addresses)))
        server.wait("started, version")
        return server

    def carry(self, mote, *addresses):
        """The cable is pulled here, and comes up again in a network of these addresses."""
        mote.key("c")
        mote.wait("link down")
        self.server.stop()
        ip("address flush dev mote0")
        for address in addresses:
            ip("address add %s dev mote0" % address)

    def plug_in(self, mote):
        mote.key("c")
        return seconds(mote.wait(".*link up.*").group(0))

    def settled(self, mote, address):
        return seconds(mote.wait(r".*address %s\b.*" % address, LONG).group(0))


class Lease(Move):
    def elsewhere(self, elf, limit):
        """Its server is silent to who asks for an address of before (RFC 2131 4.3.2), and has another for a new client."""
        broker = self.start(Broker(HOST))
        self.office()
        mote = self.mote(elf)
        mote.wait(r"address 10\.0\.2\.5\d", LONG)
        mote.wait("connected to broker", LONG)
        self.carry(mote, ELSEWHERE + "/24")
        ip("address add %s/32 dev lo" % HOST)  # the broker is behind the other network's router
        self.addCleanup(ip, "address delete %s/32 dev lo" % HOST)
        server = self.serve("elsewhere", "10.9.9.50,10.9.9.60,12h")
        start = self.plug_in(mote)
        self.assertLess(self.settled(mote, r"10\.9\.9\.5\d, gateway 10\.9\.9\.1") - start, limit)
        mote.wait("connected to broker", LONG)
        self.assertEqual(server.seen("DHCPNAK"), [])
        server.wait("DHCPDISCOVER")
        self.assert_clean(mote)

    def test_elsewhere(self):
        self.elsewhere("mote-dhcp.elf", 8)

    def test_elsewhere_full(self):
        self.elsewhere("mote-dhcp-full.elf", 16)

    def test_server_gone_gateway_there(self):
        """The same network, whose server is down: the lease is used on, and the session does not notice."""
        broker = self.start(Broker(HOST))
        self.office()
        mote = self.mote("mote-dhcp.elf")
        mote.wait("connected to broker", LONG)
        self.carry(mote, HOST + "/24")
        self.plug_in(mote)
        self.settled(mote, r"10\.0\.2\.5\d, gateway 10\.0\.2\.2")
        broker.publish(mote.seen("topics")[0].split("topics ")[1].strip() + "/settings/led", "true")
        mote.wait("LD3 .*on", LONG)
        self.assertEqual(mote.seen("broker lost"), [])
        self.assert_clean(mote)


@unittest.skipUnless(shutil.which("avahi-daemon") and shutil.which("dbus-daemon"), "avahi-daemon is not installed")
class Laptop(Move):
    def avahi(self):
        avahi = self.start(Avahi(self.folder.name, "desk"))
        avahi.wait("Server startup complete")
        return avahi

    def test_no_server_there(self):
        """On a cable to a laptop: link-local in half a minute, and found by name."""
        self.office()
        mote = self.mote()
        mote.wait(r"address 10\.0\.2\.5\d", LONG)
        name = mote.wait(r"found as (\S+)", LONG).group(1)
        self.carry(mote, LAPTOP + "/16")
        start = self.plug_in(mote)
        address = mote.wait(r".*address (169\.254\.\d+\.\d+)", LONG)
        self.assertLess(seconds(address.group(0)) - start, 45)
        mote.wait("found as " + re.escape(name), LONG)
        self.assertEqual(self.avahi().resolve(name).split(), [name, address.group(1)])
        self.assert_clean(mote)

    def test_found_from_another_subnet(self):
        """The device has its lease still, the laptop on the same wire an address of its own choice (RFC 6762 11)."""
        self.office()
        mote = self.mote()
        address = mote.wait(r"address (10\.0\.2\.5\d)", LONG).group(1)
        name = mote.wait(r"found as (\S+)", LONG).group(1)
        ip("address flush dev mote0")
        ip("address add %s/16 dev mote0" % LAPTOP)
        self.assertEqual(self.avahi().resolve(name).split(), [name, address])
        self.assert_clean(mote)


if __name__ == "__main__":
    enter_namespace()
    main()
