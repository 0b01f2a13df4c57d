#!/usr/bin/env python3
"""A hostile broker's TCP, DHCP and DNS server, against the release firmware: all states are met, with right numbers.

The peer is a small TCP, MQTT, DHCP and DNS of our own (hostile_peer.py, Servers) on a TAP device, where Linux has no
address and is silent. Each test is a class of hostile input. After each the device answers a ping, has not been started anew, and its
session goes on or is built again: a setting changed by the peer reaches the LED, telemetry comes back.
"""

import os
import socket
import struct
import subprocess
import sys
import time
import unittest

from harness import Board, BoardTest, LIMIT, add_tap, enter_namespace, main
from hostile_peer import (ACK, BATCH, CHALLENGES, EVERYONE, FIN, MOTE, NAMED_MAC, OTHER, PEER, PSH, Peer, RST, SYN,
                          UDP, URG, VIOLATION, address, checksum, ipv4, mqtt_publish, put16)

SHUT_S = 60  # the user timeout is 20


def every_flag(c):
    """All 256 where they change no state: in the window, next in order, outside of the window, and with impossible
    acknowledgements. What would rightly be taken (a FIN, the exact RST) is left out."""
    for flags in range(256):
        taken_fin = flags & FIN and flags & ACK and not flags & (SYN | RST)
        if not taken_fin:
            yield {"flags": flags, "seq": c.seq + 1}
        if not taken_fin and not flags & RST:
            yield {"flags": flags}
        yield {"flags": flags, "seq": c.seq - 1000}
        yield {"flags": flags, "seq": c.seq + 0x10000, "data": b"beyond"}
        if not flags & RST:
            yield {"flags": flags & ~FIN | ACK, "ack": c.ack + 0x10000, "data": b"x", "urgent": flags}


class Judged(BoardTest):
    """The judgement after each case, of `self.mote` by `self.peer`."""

    def session(self):
        """The present one, or the next."""
        c = self.peer.connection
        return c if c and c.session and not c.ended else self.peer.accept()

    def expect_health(self, same=None):
        """Ping and an MQTT round trip, with the session that there was, or the next."""
        self.peer.wire.ping()
        c = self.session()
        if same:
            self.assertIs(c, same)
        self.peer.round_trip()
        self.assertEqual(len(self.mote.seen("started by")), 1)
        self.assertEqual(self.mote.seen("lines lost"), [])
        self.assert_clean(self.mote)
        self.healthy = True

    def tearDown(self):
        if not getattr(self, "healthy", False):
            self.peer.connection = None  # the next test begins with another


class TcpBoard(Judged):
    """A session over the peer's TCP; telemetry five times a second, so that there is always something to come."""
    ELF = "mote-tap.elf"

    @classmethod
    def setUpClass(cls):
        add_tap(cls.addClassCleanup)
        cls.mote = Board(cls.ELF, "--net", "tap:mote0")
        cls.addClassCleanup(cls.mote.stop)
        cls.peer = Peer("mote0", cls.mote)
        cls.addClassCleanup(cls.peer.wire.close)
        c = cls.peer.accept()
        c.give(mqtt_publish(cls.peer.topics + "/settings/telemetry/period_ms", "200"))

    def attack(self, c, segments):
        """In batches; what came back."""
        came = []
        for number, fields in enumerate(segments):
            c.send(**fields)
            if number % BATCH == BATCH - 1:
                came += self.peer.sync()
        return came + self.peer.sync()

    def assert_challenges(self, came, limit=2 * CHALLENGES):
        """RFC 5961: empty ACKs of what is right, few of them; never a reset."""
        bare = [each for each in came if not each.data and not each.flags & FIN]
        self.assertFalse([each for each in bare if each.flags & (RST | SYN)])
        self.assertLessEqual(len(bare), limit)


class TcpOpening(TcpBoard):
    def test_options_of_the_handshake(self):
        """MSS of length 0 and 5, scale above 14, unknown kinds, SACK and timestamps of wrong lengths in the SYN+ACK."""
        self.session().drop()
        for options in (b"\x02\x00\x05\xb4", b"\x02\x05\x05\xb4\0", b"\x02\x03\0", b"\xfd\x00", b"\xfd\x01", b"\xfd\xff",
                        b"\x02", b"\x01\x01\x01\x02", b"\x03", b"\x08\x0b", b"\x05\xff"):
            c = self.peer.connection
            if c.session or c.ended:
                c = self.peer.await_syn()
            c.send(SYN | ACK, seq=c.iss, options=options)
            self.assertEqual([each for each in self.peer.sync() if each.flags == ACK], [], options)
        for options in (b"\x02\x04\0\0\x03\x03\xff", b"\xfd\x02\x05\x02\x02\x04\0\1"):
            c = self.peer.accept(None if self.peer.connection.session else self.peer.connection, options=options)
            self.peer.round_trip()
            c.drop()
        self.expect_health()

    def test_simultaneous_open(self):
        """By way of SYN-RECEIVED, where all flags are met."""
        self.session().drop()
        c = self.peer.await_syn()
        c.send(SYN, seq=c.iss, ack=0, options=b"\x02\x04\x05\xb4")
        answer = self.peer.wait(lambda each: each.flags & (SYN | ACK) == SYN | ACK, "SYN+ACK")
        self.assertEqual((answer.seq, answer.ack), (c.mote_iss, c.iss + 1))
        c.seq = c.iss + 1
        for ack in (c.ack + 1, c.ack - 1, c.ack + 0x10000):
            self.attack(c, ({"flags": flags, "seq": c.seq + (flags & RST != 0), "ack": ack} for flags in range(256)))
        c.send(SYN | ACK, seq=c.iss)  # as such a peer does: an acknowledgement from before the window
        c.send()
        self.peer.expect_session()
        self.expect_health(c)

    def test_flags_in_syn_sent(self):
        self.session().drop()
        c = self.peer.await_syn()
        for ack in (c.ack - 1, c.ack + 1, c.ack + 0x80000000, 0):
            answers = self.attack(c, ({"flags": flags, "seq": 1, "ack": ack, "data": b"x"} for flags in range(256)
                                      if flags & ACK or flags & RST or not flags & SYN))
            self.assertTrue(any(each.flags & RST for each in answers))
        self.attack(c, ({"flags": flags, "seq": 1, "data": b"x"} for flags in range(256) if not flags & (SYN | RST)))
        self.peer.accept(c)
        self.expect_health(self.peer.connection)

    def test_refused(self):
        """SYN+RST and RST of right numbers in SYN-SENT."""
        self.session().drop()
        self.peer.await_syn().send(RST | ACK | SYN, seq=0)
        self.peer.await_syn().send(RST | ACK, seq=0)
        self.expect_health()

    def test_numbers_cannot_be_guessed(self):
        """ISN predictability (RFC 6528, NUMBER:JACK), port randomness: those of all connections so far."""
        while len(self.peer.connections) < 5:
            self.session().drop()
            self.peer.accept()
        ports, numbers = zip(*self.peer.connections)
        for values, bits in ((ports, 16), (numbers, 32)):
            steps = [(b - a) % (1 << bits) for a, b in zip(values, values[1:])]
            self.assertGreater(len(set(steps)), 1)
            self.assertGreaterEqual(len(set(values)), len(values) - 2)
        steps = [(b - a) & 0xFFFFFFFF for a, b in zip(numbers, numbers[1:])]
        self.assertEqual([step for step in steps if min(step, -step & 0xFFFFFFFF) < 4096], [])
        self.expect_health()


class TcpEstablished(TcpBoard):
    def test_flags_in_established(self):
        c = self.session()
        self.attack(c, every_flag(c))
        self.expect_health(c)

    def test_syn_in_the_window(self):
        self.challenged(SYN)

    def test_syn_and_ack_in_the_window(self):
        self.challenged(SYN | ACK)

    def test_rst_in_the_window(self):
        self.challenged(RST)

    def challenged(self, flags):
        """Answered, rarely, with where the device is, and nothing else happens."""
        c = self.session()
        came, first = [], c.seq  # answers to the device's own messages can move it meanwhile
        deadline = time.monotonic() + LIMIT
        while not came and time.monotonic() < deadline:  # other tests may have used up what is allowed at present
            came = self.attack(c, ({"flags": flags, "seq": c.seq + at} for at in (1, 2, 100, 500) * 25))
            came = [each for each in came if not each.data]
        self.assert_challenges(came)
        self.assertTrue(came and all((each.ack - first) & 0xFFFFFFFF <= (c.seq - first) & 0xFFFFFFFF for each in came), came)
        self.expect_health(c)

    def test_rst_next_in_order(self):
        self.session().drop()
        self.peer.accept()
        self.assertTrue(any("connection failed" in line for line in self.mote.seen("broker lost")))
        self.expect_health()

    def test_rst_outside_of_the_window(self):
        c = self.session()
        self.attack(c, ({"flags": flags, "seq": c.seq + at} for flags in (RST, RST | ACK, RST | FIN | SYN)
                        for at in (-1, -2, -1000, 0x8000, 0x10000, 0x7FFFFFFF, 0x80000000)))
        self.expect_health(c)

    def test_blind_data(self):
        """In the window, with acknowledgements that cannot be."""
        c = self.session()
        leds, message = self.peer.leds(), mqtt_publish(self.peer.topics + "/settings/led", "false" if self.peer.led else "true")
        self.attack(c, ({"data": message, "ack": c.ack - far} for far in range(0x20000, 1 << 31, 1 << 24)))
        self.assertEqual(self.peer.leds(), leds)
        self.expect_health(c)

    def test_ack_of_data_not_sent(self):
        c = self.session()
        leds, message = self.peer.leds(), mqtt_publish(self.peer.topics + "/settings/led", "false" if self.peer.led else "true")
        came = self.attack(c, ({"data": message, "ack": c.ack + far} for far in range(0x20000, 1 << 31, 1 << 24)))
        self.assert_challenges(came)
        self.assertEqual(self.peer.leds(), leds)
        self.expect_health(c)

    def test_options_in_the_session(self):
        """SACK of odd and huge length and outside of the window, timestamps unasked, lengths beyond the header."""
        c = self.session()
        self.attack(c, ({"options": options} for options in (
            b"\x05\x02", b"\x05\x03\0", b"\x05\x0b" + bytes(9), b"\x05\x26" + bytes(36), b"\x05\xff" + bytes(30),
            b"\x05\x0a" + struct.pack(">II", c.ack + 0x10000 & 0xFFFFFFFF, c.ack - 5 & 0xFFFFFFFF),
            b"\x05\x22" + b"\xff" * 32, b"\x08\x0a" + b"\xff" * 8, b"\x08\x09" + bytes(7), b"\x02\x04\0\0",
            b"\x03\x03\xff", b"\x04\x02", b"\xfd\x00", b"\xfd\x01", b"\xff\xff" + bytes(38), b"\x01" * 40)))
        self.expect_health(c)

    def test_urgent_pointers(self):
        """0, within, huge: the data are taken in order as ever."""
        c = self.session()
        for urgent in (0, 1, 20, 0x7FFF, 0xFFFF):
            c.give(self.peer.led_message(), ACK | URG | PSH, urgent=urgent)
            self.peer.expect_led()
            c.send(ACK | URG, urgent=urgent)
        self.expect_health(c)

    def test_overlap_with_different_bytes(self):
        """What came first counts."""
        c = self.session()
        c.acknowledges = False  # nor are there any answers amid the message
        message = self.peer.led_message()
        for at in range(0, len(message), 7):
            c.give(message[at:at + 7])
            wrong = bytes(byte ^ 0xFF for byte in message[:at + 7])
            c.send(ACK | PSH, wrong + message[at + 7:at + 9], seq=c.seq - len(wrong))
        self.peer.expect_led()
        c.acknowledges = True
        self.expect_health(c)

    def test_silly_segments(self):
        """A message byte by byte, each twice."""
        c = self.session()
        c.acknowledges = False  # nor are there any answers amid the message
        for number, byte in enumerate(self.peer.led_message()):
            c.send(ACK | PSH, bytes([byte]))
            c.give(bytes([byte]))
            if number % (BATCH // 2) == 0:
                self.peer.sync()
        self.peer.expect_led()
        c.acknowledges = True
        self.expect_health(c)

    def test_silly_window(self):
        """Of a byte or a few: no more than that comes at once, but it does come."""
        c = self.session()
        for window in (100, 7, 1):
            c.window = window
            c.send()
            self.peer.sync()
            for _ in range(3):
                segment = self.peer.wait(lambda each: each.data, "data")
                self.assertLessEqual(len(segment.data), window)
        c.window = 8192
        c.send()
        self.expect_health(c)

    def test_shrunk_window(self):
        """What lies beyond it has been sent already; it comes again."""
        c = self.session()
        c.acknowledges = False
        self.peer.wait(lambda each: each.data and each.seq == c.ack, "data")
        for window in (1, 0, 1):
            c.send(window=window)
        again = self.peer.wait(lambda each: each.data and each.seq == c.ack, "retransmission")
        c.acknowledges = True
        c.take(again)
        self.expect_health(c)

    def test_sequence_wrap(self):
        """Within the CONNACK, and with a window that ends behind it."""
        self.session().drop()
        c = self.peer.accept(iss=0xFFFFFFFC)
        self.assertLess(c.seq, 0x1000)
        self.expect_health(c)

    def test_half_open(self):
        """The peer has rebooted and knows of nothing: its reset ends the session, and another begins."""
        self.session()
        self.peer.accept()
        self.expect_health()


class TcpClosing(TcpBoard):
    def device_closes(self):
        """In FIN-WAIT-1: the peer's MQTT is broken, and it acknowledges nothing."""
        c = self.session()
        c.acknowledges = False
        c.send(ACK | PSH, VIOLATION)
        fin = self.peer.wait(lambda each: each.flags & FIN, "FIN")
        c.seq += len(VIOLATION)
        return c, fin

    def expect_fin_again(self, c):
        """The first is lost."""
        self.peer.wait(lambda each: each.source == c.port and each.flags & (FIN | RST), "FIN again")

    def test_fin_with_data(self):
        c = self.session()
        c.give(self.peer.led_message(), FIN | ACK | PSH)
        self.peer.expect_led()
        self.expect_closed(c)
        self.expect_health()

    def expect_closed(self, c):
        if not c.ended:
            self.peer.wait(lambda each: c.ended, "FIN")

    def test_lost_fin_in_last_ack(self):
        """The device's is lost; all flags are met in LAST-ACK meanwhile."""
        c = self.session()
        c.acknowledges = False
        c.give(b"", FIN | ACK)
        fin = self.peer.wait(lambda each: each.flags & FIN, "FIN")
        self.attack(c, every_flag(c))
        self.expect_fin_again(c)
        c.send(ack=fin.end)
        c.ended = True
        self.expect_health()

    def test_fin_wait_1(self):
        """All flags; the device's FIN is lost, then reset."""
        c, fin = self.device_closes()
        self.attack(c, every_flag(c))
        self.expect_fin_again(c)
        c.drop()
        self.expect_health()

    def test_fin_wait_2_and_time_wait(self):
        """All flags in both, data for nobody, the port's reuse in TIME-WAIT."""
        c, fin = self.device_closes()
        c.ack = fin.end
        c.send()
        self.attack(c, every_flag(c))
        c.give(b"for nobody" * 20)
        c.give(b"", FIN | ACK)
        self.attack(c, every_flag(c))
        self.reuse(c)
        c.ended = True
        self.expect_health()

    def test_simultaneous_close(self):
        """By way of CLOSING, where all flags are met, to TIME-WAIT."""
        c, fin = self.device_closes()
        c.give(b"", FIN | ACK)
        self.attack(c, every_flag(c))
        c.ack = fin.end
        c.send()
        self.attack(c, every_flag(c))
        self.reuse(c)
        c.ended = True
        self.expect_health()

    def reuse(self, c):
        """The device serves nobody: whatever the number, a SYN opens nothing."""
        came = self.attack(c, ({"flags": flags, "seq": c.seq + far} for flags in (SYN, SYN | ACK)
                               for far in (1, 2, 0x10000, 0x1000000, -1)))
        self.assertEqual([each for each in came if each.flags & SYN], [])


class TcpZeroWindow(TcpBoard):
    def test_zero_window(self):
        """For longer than the user timeout; the update is lost, so that a probe has to find the window open again."""
        c = self.session()
        c.acknowledges, c.window = False, 0
        c.send()
        ends, probes = time.monotonic() + SHUT_S, 0
        while True:
            self.peer.wait(lambda each: each.data, "probe")
            if time.monotonic() > ends:
                break
            probes += 1
            c.send()
        self.assertLess(probes, 12)
        self.assertFalse(self.peer.lost())
        c.acknowledges, c.window = True, 8192
        c.send()  # the answer to that probe
        self.expect_health(c)


# ---- DHCP and DNS ----

def good_answer(query, ttl=60, owner=b"\xc0\x0c"):
    return dns_message(query, owner + struct.pack(">HHIH", 1, 1, ttl, 4) + address(PEER))


def dns_message(query, records, answers=1, flags=0x8180, number=None, question=None, questions=1):
    return struct.pack(">HHHHHH", query.number if number is None else number, flags, questions, answers, 0, 0) + (
        QUESTION if question is None else question) + records


DISCOVER, OFFER, REQUEST, ACKNOWLEDGE, REFUSE = 1, 2, 3, 5, 6  # the last two are DHCPACK and DHCPNAK
GOOD = {1: address("255.255.255.0"), 3: address(PEER), 6: address(PEER), 51: struct.pack(">I", 3600), 54: address(PEER)}
ANYONE = "255.255.255.255"
NAME = b"\6broker\4mote\4test\0"
QUESTION = NAME + b"\0\1\0\1"


def udp(source, destination, ports, payload):
    segment = struct.pack(">HHHH", *ports, 8 + len(payload), 0) + payload
    pseudo = address(source) + address(destination) + struct.pack(">HH", UDP, len(segment))
    return put16(segment, 6, checksum(pseudo + segment) or 0xFFFF)


def options_of(fields):
    return b"".join(bytes([code, len(data)]) + data for code, data in fields.items())


class Datagram:
    """One of the device's: a DHCP message or a DNS query."""

    def __init__(self, packet):
        self.destination = socket.inet_ntoa(packet[16:20])
        self.source_port, self.port = struct.unpack(">HH", packet[20:24])
        self.payload = packet[28:]
        self.options = {}
        at = 240
        while self.port == 67 and at < len(self.payload) and self.payload[at] != 255:
            if self.payload[at] == 0:
                at += 1
                continue
            end = at + 2 + self.payload[at + 1]
            self.options[self.payload[at]] = self.payload[at + 2:end]
            at = end
        self.kind = self.options.get(53, b"\0")[0]
        self.number = struct.unpack(">H", self.payload[:2])[0]


class Servers(Peer):
    """The broker's host is DHCP and DNS server as well, a good one unless told otherwise."""

    def __init__(self, interface, mote):
        super().__init__(interface, mote, NAMED_MAC)
        self.wire.addresses = (PEER, OTHER)
        self.gives_addresses = self.tells_names = True
        self.lease = GOOD
        self.queries = []

    def serve(self, packet):
        if packet[9] != UDP:
            return
        datagram = Datagram(packet)
        if datagram.port == 67 and self.gives_addresses:
            if datagram.kind in (DISCOVER, REQUEST):
                self.grant(datagram)
        elif datagram.port == 53 and self.tells_names:
            self.answer(datagram, good_answer(datagram))

    def requests(self, port, accepts, limit=LIMIT):
        for packet in self.wire.packets(limit):
            if packet[9] == UDP and (datagram := Datagram(packet)).port == port and accepts(datagram):
                return datagram
            self.serve(packet)
        raise AssertionError("no request to port %d; the log's last lines: %s" % (port, self.mote.output.lines[-10:]))

    # -- DHCP --

    def message(self, *kinds):
        """The device's next; those of TCP are lost meanwhile."""
        return self.requests(67, lambda each: each.kind in kinds)

    def dhcp(self, message, source=PEER):
        self.wire.send(ipv4(udp(source, ANYONE, (67, 68), message), UDP, source, ANYONE), destination=EVERYONE)

    def reply(self, request, kind, without=(), **fields):
        """As a server means it, but for what is given otherwise."""
        options = {53: bytes([kind]), **self.lease, **fields.pop("options", {})}
        options = {code: data for code, data in options.items() if code not in without}
        self.dhcp(dhcp_message(request, options_of(options) + b"\xff", **fields))

    def grant(self, request):
        self.granted = request
        self.reply(request, OFFER if request.kind == DISCOVER else ACKNOWLEDGE)

    # -- DNS --

    def query(self):
        query = self.requests(53, lambda each: True)
        self.queries.append(query)
        return query

    def answer(self, query, message, source=PEER, port=53, to=None):
        datagram = udp(source, MOTE, (port, to or query.source_port), message)
        self.wire.send(ipv4(datagram, UDP, source, MOTE))


def dhcp_message(request, options, your=MOTE, op=2, xid=None, mac=None, server_name=b"", file=b"", cookie=0x63825363):
    head = struct.pack(">BBBB", op, 1, 6, 0) + (xid or request.payload[4:8]) + bytes(8) + address(your) + bytes(8)
    head += (mac or request.payload[28:34]) + bytes(10) + server_name.ljust(64, b"\0") + file.ljust(128, b"\0")
    return head + struct.pack(">I", cookie) + options


def hostile_dhcp(request, kind, any_server):
    """Replies to this very request that must not be heeded, by class. Where any server may answer, that it does not
    name itself is no reason."""
    good = options_of({53: bytes([kind]), **GOOD})
    def other(fields=(), without=()):
        options = {53: bytes([kind]), **GOOD, **dict(fields)}
        return options_of({code: data for code, data in options.items() if code not in without})
    def message(options, **fields):
        return dhcp_message(request, options, **fields)
    for code in (1, 3, 6, 12, 51, 54, 58, 119):  # option length beyond the end
        yield message(good + bytes([code, 255]))
    for overload in (1, 2, 3):
        yield message(good + bytes([52, 1, overload, 255]), server_name=b"\x36\xff", file=b"\x33\xff")
    yield message(good + b"\x34\2\1\1\xff")
    for code in (51, 53) if any_server else (51, 53, 54):  # missing
        yield message(other(without=(code,)) + b"\xff")
    for fields in ({51: bytes(4)}, {51: bytes(3)}, {53: bytes([kind, kind])}, {53: b"\0"}, {53: b"\x63"}, {53: b"\1"},
                   {53: b"\3"}, {54: bytes(3)}):
        yield message(other(fields=fields) + b"\xff")
    for server in ("224.0.0.1", ANYONE) if any_server else ("0.0.0.0", "224.0.0.1", ANYONE):
        yield message(other({54: address(server)}) + b"\xff")
    for your in ("224.0.0.1", ANYONE, "0.0.0.0", "127.0.0.1", "240.0.0.1"):
        yield message(good + b"\xff", your=your)
    yield message(good + b"\xff", xid=bytes(byte ^ 1 for byte in request.payload[4:8]))
    yield message(good + b"\xff", mac=bytes.fromhex("020000030203"))
    yield message(good + b"\xff", op=1)
    yield message(good + b"\xff", cookie=0)
    for length in (0, 28, 100, 239):
        yield message(good + b"\xff")[:length]


class NamesBoard(Judged):
    """A board that asks for all: address, name, broker."""

    def setUp(self):
        add_tap(self.addCleanup)
        self.mote = self.board("mote-name.elf", "--net", "tap:mote0")
        self.peer = Servers("mote0", self.mote)
        self.addCleanup(self.peer.wire.close)


class Dhcp(NamesBoard):
    def bind(self, options=None):
        """To the session, with a lease of these options."""
        self.peer.lease = {**GOOD, **(options or {})}
        self.peer.accept()
        self.peer.gives_addresses = False
        self.leased = self.peer.granted
        self.peer.connection.give(mqtt_publish(self.peer.topics + "/settings/telemetry/period_ms", "200"))
        self.peer.wire.ping()
        return self.peer.connection

    def attack(self, request, kind, any_server=False):
        for message in hostile_dhcp(request, kind, any_server):
            self.peer.dhcp(message)

    def expect_lease(self):
        """From a good server, and all that follows."""
        self.peer.lease, self.peer.gives_addresses = GOOD, True
        self.peer.connection = None
        self.peer.accept()
        self.expect_health()

    def test_selecting_and_requesting(self):
        """Hostile offers, ACK and NAK unasked, two servers; then all of that in the place of the ACK."""
        peer = self.peer
        discover = peer.message(DISCOVER)
        self.attack(discover, OFFER)
        for kind in (ACKNOWLEDGE, REFUSE):
            peer.reply(discover, kind)
        peer.reply(discover, OFFER)
        peer.reply(discover, OFFER, your="192.168.77.9", options={54: address(OTHER)})
        request = peer.message(REQUEST)
        self.assertEqual((request.options[50], request.options[54]), (address(MOTE), address(PEER)))
        self.attack(request, ACKNOWLEDGE)
        for your in ("192.168.77.0", "192.168.77.255"):
            peer.reply(request, ACKNOWLEDGE, your=your)
        for kind in (ACKNOWLEDGE, REFUSE):
            peer.reply(request, kind, your="192.168.77.9", options={54: address(OTHER)})
        peer.reply(request, ACKNOWLEDGE)
        self.expect_lease()
        self.assertEqual(len(self.mote.seen("address 192.168.77.2,")), 1)
        self.assertEqual(self.mote.seen("no address"), [])

    def test_nak_in_requesting(self):
        discover = self.peer.message(DISCOVER)
        self.peer.reply(discover, OFFER)
        self.peer.reply(self.peer.message(REQUEST), REFUSE)
        self.assertNotEqual(self.peer.message(DISCOVER, REQUEST).payload[4:8], discover.payload[4:8])
        self.expect_lease()

    def test_nak_in_bound_and_rebooting(self):
        """Unasked, it is not heeded; in answer to the question after the cable was out, the address is gone."""
        c = self.bind()
        bound = self.leased
        for kind in (REFUSE, OFFER, ACKNOWLEDGE):
            self.peer.reply(bound, kind)
        self.attack(bound, ACKNOWLEDGE)
        self.expect_health(c)
        self.pull_cable()
        request = self.peer.message(REQUEST)
        self.assertEqual(request.options[50], address(MOTE))
        self.attack(request, ACKNOWLEDGE, any_server=True)
        self.peer.reply(request, REFUSE)
        self.peer.message(DISCOVER)
        self.expect_lease()

    def pull_cable(self):
        self.mote.skip()
        self.mote.key("c")
        self.mote.wait("link down")
        self.mote.key("c")

    def renewal(self, to):
        """The next question, to one server or all, after the hostile answers to it."""
        request = self.peer.message(REQUEST, DISCOVER)
        self.assertEqual((request.kind, request.destination), (REQUEST, to))
        self.attack(request, ACKNOWLEDGE, to == ANYONE)
        return request

    SHORT = {51: struct.pack(">I", 4), 58: struct.pack(">I", 1), 59: struct.pack(">I", 2)}  # lease, T1, T2

    SLOWER = {51: struct.pack(">I", 12), 58: struct.pack(">I", 1), 59: struct.pack(">I", 10)}  # time to find a new server

    def test_nak_in_renewing(self):
        self.bind(self.SHORT)
        request = self.renewal(PEER)
        self.peer.reply(request, REFUSE, options={54: address(OTHER)})  # not whose lease it is
        self.peer.reply(request, REFUSE, without=(54,))
        self.peer.wire.ping()
        self.assertEqual(self.mote.seen("no address"), [])
        self.peer.reply(request, REFUSE)
        self.mote.wait("no address")
        self.expect_lease()

    def test_nak_in_rebinding(self):
        self.bind(self.SHORT)
        self.renewal(PEER)
        self.peer.reply(self.renewal(ANYONE), REFUSE, options={54: address(OTHER)})
        self.mote.wait("no address")
        self.expect_lease()

    def test_times_and_servers(self):
        """T1 > T2 > lease; a renewal without router and mask; another server answers when the first is silent."""
        c = self.bind({**self.SHORT, 58: struct.pack(">I", 100), 59: struct.pack(">I", 50)})
        self.peer.reply(self.renewal(PEER), ACKNOWLEDGE, without=(1, 3, 6), options=self.SHORT)
        self.peer.wire.ping()
        self.renewal(PEER)
        self.peer.reply(self.renewal(ANYONE), ACKNOWLEDGE, options={**self.SLOWER, 54: address(OTHER)})
        self.peer.reply(self.renewal(OTHER), ACKNOWLEDGE, options={54: address(OTHER), 51: struct.pack(">I", 3600)})
        self.expect_health(c)
        self.assertEqual(self.mote.seen("no address"), [])

    def test_lease_expires(self):
        """With the server gone; the last attempts are hostilely answered."""
        self.bind(self.SHORT)
        self.renewal(PEER)
        self.renewal(ANYONE)
        self.mote.wait("no address")
        self.expect_lease()

    def test_masks_and_endless_lease(self):
        """Masks 0, with holes and /32, lease 0xFFFFFFFF, lists of wrong servers: used as far as they can be."""
        c = self.bind()
        for options in ({1: bytes(4)}, {1: address("255.0.255.0")}, {1: b"\xff" * 4}, {51: b"\xff" * 4},
                        {6: address("224.0.0.1")}, {3: address(ANYONE)}):
            self.pull_cable()
            self.peer.reply(self.peer.message(REQUEST), ACKNOWLEDGE, options=options)
            self.mote.wait("address 192.168.77.2,|link up")
            self.peer.wire.ping()
        self.expect_health(c)


def ignored_answers(query):
    """Of class DNS: what is no answer to this query, or none that can be read."""
    record = lambda owner, length=4: owner + struct.pack(">HHIH", 1, 1, 60, length) + address(OTHER)
    for number in (query.number ^ 1, query.number + 1 & 0xFFFF, 0 if query.number else 1):  # wrong id
        yield dns_message(query, record(b"\xc0\x0c"), number=number)
    for question in (b"\5other\4mote\4test\0\0\1\0\1", NAME + b"\0\x1c\0\1", NAME + b"\0\1\0\3", b"", NAME, b"\0\0\1\0\1",
                     b"\xc0\x0c\0\1\0\1", b"\x3f" + QUESTION):
        yield dns_message(query, record(b"\xc0\x0c"), question=question)
    for questions in (0, 2, 65535):
        yield dns_message(query, record(b"\xc0\x0c"), questions=questions)
    for flags in (0x0100, 0, 0x0580, 0x9180, 0xF980):  # a query as the answer, other opcodes
        yield dns_message(query, record(b"\xc0\x0c"), flags=flags)
    for owner in (b"\x40", b"\x80", b"\x3f", b"\x3f" + b"a" * 63 + b"\x40", (b"\x3f" + b"a" * 63) * 4 + b"\0",
                  b"\1a" * 200 + b"\0"):  # label above 63, name above 255
        yield dns_message(query, record(owner))
    for cut in (b"\3mot", b"\1a" * 20, b"\xc0", b"\xc0\x0c", b"\xc0\x0c\0\1\0\1"):  # no terminator, cut off
        yield dns_message(query, cut)
    for length in (0, 1, 3, 5, 16, 255, 65535):  # RDLENGTH
        yield dns_message(query, record(b"\xc0\x0c", length))
    yield dns_message(query, b"", answers=65535)
    whole = good_answer(query)
    for length in (0, 1, 11, 12, 13, 20, len(whole) - 17, len(whole) - 1):
        yield whole[:length]


def outcomes():
    """Of class DNS: what an answer makes of the query, True if it is the address that comes after something else."""
    alias = lambda owner, target: owner + struct.pack(">HHIH", 5, 1, 60, len(target)) + target
    bad = lambda owner: owner + struct.pack(">HHIH", 1, 1, 60, 4) + address(OTHER)
    own = struct.pack(">H", 0xC000 + 12 + len(QUESTION))  # where the first record is
    for owner in (own, b"\xc0\xff", b"\xff\xff", b"\xc0\0", b"\1a" + own, b"\xc0\x0d"):  # to itself, forward, beyond
        yield True, lambda query, owner=owner: dns_message(query, bad(owner) + good_answer(query)[12 + len(QUESTION):], 2)
    for ttl in (0, 0x80000000, 0xFFFFFFFF):
        yield True, lambda query, ttl=ttl: good_answer(query, ttl)
    yield True, lambda query: dns_message(query, good_answer(query)[12 + len(QUESTION):], 65535)
    yield False, lambda query: dns_message(query, alias(b"\xc0\x0c", b"\xc0\x0c"))
    yield False, lambda query: dns_message(query, alias(b"\xc0\x0c", NAME) + alias(NAME, b"\xc0\x0c"), 2)
    yield False, lambda query: dns_message(query, b"", 0, 0x8183)  # NXDOMAIN
    yield False, lambda query: dns_message(query, b"", 0, 0x8380)  # TC
    yield False, lambda query: good_answer(query)[:-4] + address("224.0.0.1")


class Dns(NamesBoard):
    def setUp(self):
        super().setUp()
        self.peer.tells_names = False

    def expect_name(self, query):
        self.peer.answer(query, good_answer(query))
        self.peer.tells_names = True
        self.peer.accept()
        self.expect_health()

    def test_what_is_no_answer(self):
        """Wrong id, port, server, question, a query as the answer, names and lengths that cannot be: the right one still
        counts."""
        query = self.peer.query()
        for number, message in enumerate(ignored_answers(query)):
            self.peer.answer(query, message)
            if number % BATCH == 0:
                self.peer.wire.ping()
        for fields in ({"port": 54}, {"port": 5353}, {"source": OTHER}, {"to": query.source_port ^ 1}):
            wrong = good_answer(query)[:-4] + address(OTHER)
            self.peer.answer(query, wrong, **fields)
        self.peer.wire.ping()
        self.expect_name(query)
        self.assertEqual(self.mote.seen("no address for"), [])
        self.assertEqual(len(self.mote.seen("connected to broker 192.168.77.1$")), 1)

    def test_answers_and_refusals(self):
        """Compression pointers (NAME:WRECK, RFC 9267), CNAME loops, TTL, ANCOUNT, NXDOMAIN, TC, one after the other."""
        for number, (found, message) in enumerate(outcomes()):
            with self.subTest(number=number):
                query = self.peer.query()
                told = self.peer.told = len(self.mote.output.lines)
                self.peer.answer(query, message(query))
                self.assertEqual(self.connects(told), found)
            self.mote.output.wait("broker not reached", told)
            self.peer.hurry()
        self.expect_name(self.peer.query())
        numbers = {query.number for query in self.peer.queries}
        ports = {query.source_port for query in self.peer.queries}
        self.assertGreaterEqual(min(len(numbers), len(ports)), len(self.peer.queries) - 2)

    def connects(self, told):
        """True: to the right broker, where it is refused. False: it says that it has no address."""
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            for segment in self.peer.segments(0.05):
                if segment.flags & SYN:
                    self.peer.begin(segment).send(RST | ACK, seq=0)
                    self.peer.connection = None
                    self.peer.told = told
                    return True
            if any("no address for" in line for line in self.mote.output.lines[told:]):
                return False
        self.fail("neither a connection nor a word")


def side_by_side():
    """Each class in a process and a network namespace of its own: mostly they wait."""
    classes = [name for name, each in globals().items() if isinstance(each, type) and issubclass(each, BoardTest)
               and unittest.defaultTestLoader.getTestCaseNames(each)]
    environment = {name: value for name, value in os.environ.items() if name != "MOTE_NAMESPACE"}
    started = [subprocess.Popen([sys.executable, *sys.argv, name], env=environment, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True) for name in classes]
    for each in started:
        print(each.communicate()[0], flush=True)
    sys.exit(max(abs(each.returncode) for each in started))


if __name__ == "__main__":
    enter_namespace()
    if len(sys.argv) == 3:
        side_by_side()
    main()
