#!/usr/bin/env python3
"""Hostile frames against the release firmware with a live MQTT session: dropped and counted, and nothing else happens.

The classes are those of Ethernet, ARP, IPv4, fragments, ICMP, UDP and the TCP header. Frames are sent in batches;
after each the tester's own ping must come back, so a failure names the few frames that did it. What is
random has a fixed seed. Frames with a wrong Ethernet FCS or shorter than 60 bytes cannot pass a TAP: the sender pads.
"""

import itertools
import random
import socket
import struct
import subprocess
import time

from harness import LIMIT, PREFIX, BoardTest, Board, Broker, add_tap, enter_namespace, frames, ip, main
from hostile_peer import address, checksum, put16, send_frame

HOST, MOTE, TESTER = "192.168.77.1", "192.168.77.2", "192.168.77.200"
NETWORK, BROADCAST = "192.168.77.0", "192.168.77.255"
MOTE_MAC = bytes.fromhex("020000030201")
TESTER_MAC = bytes.fromhex("0200000000c8")
EVERYONE = b"\xff" * 6
TOPICS = PREFIX + "02-00-00-03-02-01"
BATCH = 24  # the virtual switch buffers 48
IPV4, ARP, VLAN = 0x0800, 0x0806, 0x8100
ICMP, TCP, UDP = 1, 6, 17
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
CLOSED_PORT = 9
OWN_PING = 0x7E57


# ---- Frames ----

def ethernet(payload, kind=IPV4, destination=MOTE_MAC, source=TESTER_MAC):
    return destination + source + struct.pack(">H", kind) + payload


def arp(operation=1, sender_mac=TESTER_MAC, sender=TESTER, target=MOTE, hardware=1, protocol=IPV4, lengths=0x0604):
    return (struct.pack(">HHHH", hardware, protocol, lengths, operation) + sender_mac + address(sender) + bytes(6) +
            address(target))


def ipv4(payload, protocol=UDP, source=TESTER, destination=MOTE, version=4, ihl=None, total=None, fragment=0, ttl=64,
         options=b"", header_checksum=None, number=1):
    words = 5 + len(options) // 4
    header = struct.pack(">BBHHHBBH", version << 4 | (words if ihl is None else ihl), 0,
                         words * 4 + len(payload) if total is None else total, number, fragment, ttl, protocol, 0)
    header += address(source) + address(destination) + options
    return put16(header, 10, checksum(header) if header_checksum is None else header_checksum) + payload


def pseudo(protocol, length, source, destination):
    return address(source) + address(destination) + struct.pack(">HH", protocol, length)


def icmp(kind, code=0, rest=bytes(4), data=b""):
    message = bytes([kind, code, 0, 0]) + rest + data
    return put16(message, 2, checksum(message))


def echo(identifier=1, sequence=1, data=bytes(18)):
    return icmp(8, 0, struct.pack(">HH", identifier, sequence), data)


def udp(data=b"data", port=CLOSED_PORT, source_port=40000, length=None, sum_=None, source=TESTER, destination=MOTE):
    segment = struct.pack(">HHHH", source_port, port, 8 + len(data) if length is None else length, 0) + data
    if sum_ is None:
        sum_ = checksum(pseudo(UDP, len(segment), source, destination) + segment) or 0xFFFF
    return put16(segment, 6, sum_)


def tcp(flags=SYN, port=CLOSED_PORT, source_port=40000, seq=1, ack=0, offset=None, window=8192, urgent=0, options=b"",
        data=b"", sum_=None, source=TESTER, destination=MOTE):
    words = 5 + len(options) // 4
    segment = struct.pack(">HHIIBBHHH", source_port, port, seq, ack, (words if offset is None else offset) << 4,
                          flags, window, 0, urgent) + options + data
    if sum_ is None:
        sum_ = checksum(pseudo(TCP, len(segment), source, destination) + segment)
    return put16(segment, 16, sum_)


def ip_frame(payload, protocol, **fields):
    return ethernet(ipv4(payload, protocol, **fields))


# ---- Classes: frames that must all be dropped without a word ----

def ethernet_frames():
    """Runts, lengths beyond the frame, cut tags, giants, senders and receivers that cannot be."""
    good = ipv4(echo(data=b"not zero, as padding"), ICMP)
    for length in range(0, 46):
        yield ethernet(good[:length])  # padded with zeros
        yield ethernet(bytes(length), length)
        yield ethernet(b"\xaa\xaa\x03" + bytes(length), 1500)  # 802.3 length field beyond the frame
    for kind in (0, 1, 46, 1500, 1501, 1535, 1536, 0x0801, 0x0805, 0x0807, 0x86DD, 0x88CC, 0x8808, 0xFFFF):
        yield ethernet(good, kind)
    for length in range(0, 5):
        yield ethernet(bytes(length), VLAN)
    yield ethernet(b"\0\1" + struct.pack(">H", IPV4) + good, VLAN)
    yield ethernet(b"\0\1" + struct.pack(">H", VLAN), 0x88A8)
    for source in (EVERYONE, bytes.fromhex("010000000001"), bytes.fromhex("01005e000001"), MOTE_MAC):
        yield ethernet(good, source=source)
        yield ethernet(arp(), ARP, source=source)
    for destination in (bytes(6), bytes.fromhex("020000030202"), bytes.fromhex("01005e000001"),
                        bytes.fromhex("333300000001")):
        yield ethernet(good, destination=destination)
    for length in (1515, 1518, 1519, 1522, 1523, 1535, 1536, 1537, 1600, 2000, 2040):
        yield ethernet(ipv4(echo(data=bytes(length - 42)), ICMP))
        yield ethernet(bytes(length - 14))


def arp_frames():
    good = arp()
    for length in range(0, 28):
        yield ethernet(good[:length], ARP)
    for fields in ({"hardware": 0}, {"hardware": 6}, {"hardware": 0x0100}, {"protocol": 0}, {"protocol": 0x86DD},
                   {"lengths": 0x0600}, {"lengths": 0x0004}, {"lengths": 0x0804}, {"lengths": 0x0610},
                   {"lengths": 0xFFFF}, {"operation": 0}, {"operation": 3}, {"operation": 8}, {"operation": 0xFFFF},
                   {"sender_mac": EVERYONE}, {"sender_mac": bytes.fromhex("01005e000001")}, {"sender_mac": MOTE_MAC},
                   {"sender_mac": bytes(6)}, {"sender": MOTE}, {"sender": BROADCAST}, {"sender": "255.255.255.255"},
                   {"sender": "224.0.0.1"}, {"sender": "127.0.0.1"}, {"sender": "240.0.0.1"}):
        for destination in (MOTE_MAC, EVERYONE):
            yield ethernet(arp(**fields), ARP, destination)
    for last in range(3, 253):  # gratuitous, requests and answers: would push out the broker's entry
        spoof = {"sender": "192.168.77.%d" % last, "sender_mac": bytes([2, 1, 1, 1, 1, last])}
        yield ethernet(arp(1, target=spoof["sender"], **spoof), ARP, EVERYONE)
        yield ethernet(arp(2, **spoof), ARP)


def ipv4_frames():
    ping = echo()
    for version in (0, 1, 3, 5, 6, 15):
        yield ip_frame(ping, ICMP, version=version)
    for ihl in (*range(0, 5), *range(6, 16)):  # above 5: the header checksum does not cover what is not there
        yield ip_frame(ping, ICMP, ihl=ihl)
    yield ethernet(ipv4(b"", ICMP, ihl=11))  # 0x4B with 20 bytes
    for total in (0, 1, 19, 20, 27, 20 + len(ping) + 1, 47, 576, 1500, 1501, 0x7FFF, 0xFFFF):
        yield ip_frame(ping, ICMP, total=total)
    for wrong in (0, 1, 0x1234, 0xFFFF):
        yield ip_frame(ping, ICMP, header_checksum=wrong)
    yield ip_frame(ping, ICMP, ttl=0)
    for source in (BROADCAST, "255.255.255.255", "224.0.0.1", "239.255.255.255", "240.0.0.1", "0.0.0.0", "0.1.2.3",
                   "127.0.0.1", "127.255.255.255", MOTE):
        yield ip_frame(ping, ICMP, source=source)
        yield ip_frame(udp(source=source), UDP, source=source)
        yield ip_frame(tcp(source=source), TCP, source=source)
        yield ip_frame(tcp(SYN, 1883, 1883, source=source), TCP, source=source)  # LAND
    for destination in (HOST, TESTER, NETWORK, BROADCAST, "255.255.255.255", "224.0.0.1", "127.0.0.1", "10.0.0.1"):
        for frame in (ping, tcp(destination=destination)):
            yield ip_frame(frame, ICMP if frame is ping else TCP, destination=destination)
    for payload, protocol in ((ping, ICMP), (tcp(), TCP), (udp(), UDP)):  # RFC 1122 3.3.6
        yield ethernet(ipv4(payload, protocol), destination=EVERYONE)
    for options in (b"\x07\x00", b"\x07\x01", b"\x07\x05", b"\x07\xff", b"\x44\x00\x05", b"\x94", b"\x01\x01\x01\x07",
                    b"\x83\x07\x04" + address(HOST), b"\x89\x07\x04" + address(HOST), b"\x83\x07\x00" + bytes(4),
                    b"\x83\x07\xff" + bytes(4), b"\x89\x03\x04", b"\x83", b"\x83\x02", b"\xff\x00"):
        no_operation = b"\x01" * (-len(options) % 4)
        yield ip_frame(ping, ICMP, options=no_operation + options)


def fragment_frames():
    more = 0x2000
    ping = echo(data=bytes(100))
    for offset in (0, 1, 2, 7, 185, 0x1FFE, 0x1FFF):
        for flags in (0, more):
            if flags or offset:
                for payload in (b"", ping[:8], ping, bytes(1400)):
                    for protocol in (ICMP, UDP, TCP):
                        yield ip_frame(payload, protocol, fragment=flags | offset)
    for size in (1, 4, 8, 16):  # tiny first fragment; then one that would overlap it (RFC 1858)
        yield ip_frame(tcp(SYN, 1883)[:size], TCP, fragment=more)
        yield ip_frame(tcp(SYN, 1883)[8:], TCP, fragment=1)
    for number in range(200):  # never completed
        yield ip_frame(bytes(8), UDP, fragment=more, number=number)
    for second in (ping[:24], ping[8:48], ping[32:]):  # overlapping: teardrop and its kin
        for at in (1, 2, 3):
            yield ip_frame(ping[:32], ICMP, fragment=more, number=999)
            yield ip_frame(second, ICMP, fragment=at, number=999)


def icmp_frames():
    ping = echo()
    for length in range(0, 8):
        yield ip_frame(ping[:length], ICMP)
    for wrong in (0, 0x1234):
        yield ip_frame(put16(ping, 2, wrong), ICMP)
    yield ethernet(ipv4(ping, ICMP, destination=BROADCAST), destination=EVERYONE)
    yield ethernet(ipv4(ping, ICMP, destination="255.255.255.255"), destination=EVERYONE)
    for kind in itertools.chain(range(0, 8), range(9, 20), (30, 42, 128, 253, 255)):
        for code in (0, 1, 4, 255):
            for data in (b"", bytes(19), ipv4(tcp()[:8], TCP, source=MOTE, destination=HOST), bytes(500)):
                yield ip_frame(icmp(kind, code, data=data), ICMP)


def icmp_about_the_session(session):
    """Errors that quote the real connection, with sequence numbers that it has not sent."""
    for seq in (0, 1, 0x80000000, 0xFFFFFFFF):
        quote = ipv4(tcp(ACK, 1883, session.port, seq)[:8], TCP, source=MOTE, destination=HOST)
        for code in range(0, 16):
            yield ip_frame(icmp(3, code, data=quote), ICMP, source=HOST)
        for mtu in (0, 1, 67, 68, 576, 1499, 1500, 9000, 65535):
            yield ip_frame(icmp(3, 4, struct.pack(">HH", 0, mtu), quote), ICMP, source=HOST)
        for kind, code in ((4, 0), (5, 0), (5, 1), (11, 0), (12, 0)):
            yield ip_frame(icmp(kind, code, address(TESTER), quote), ICMP, source=HOST)


def udp_frames():
    for length in (*range(0, 8), 13, 20, 100, 1480, 0xFFFF):
        yield ip_frame(udp(length=length), UDP)
    for size in range(0, 8):
        yield ip_frame(udp()[:size], UDP)
    yield ip_frame(udp(port=0), UDP)
    for wrong in (1, 0x1234, 0xFFFE):
        yield ip_frame(udp(sum_=wrong), UDP)
    for port in (CLOSED_PORT, 67, 68, 53, 137, 1900, 5353):  # never answered with an error
        yield ethernet(ipv4(udp(port=port, destination=BROADCAST), UDP, destination=BROADCAST), destination=EVERYONE)


def tcp_header_frames():
    for flags in (SYN, ACK, FIN | ACK, 0):
        for offset in (*range(0, 5), *range(6, 16)):
            yield ip_frame(tcp(flags, offset=offset), TCP)
        for length in range(0, 20):
            yield ip_frame(tcp(flags)[:length], TCP)
    for options in (b"\x02\x04\0\0\x02\x00\0\0", b"\x02\x05\0\0", b"\x02\x00\0\0", b"\x02\x01\0\0", b"\x02\x03\0\0",
                    b"\x01\x01\x01\x02", b"\x05\x00\0\0", b"\x05\x01\0\0", b"\x05\xff\0\0", b"\x08\x0b" + bytes(6),
                    b"\x08\xff\0\0", b"\xfd\x00\0\0", b"\xfd\x01\0\0", b"\xfd\x28\0\0", b"\x01\x01\x01\xff"):
        yield ip_frame(tcp(options=options), TCP)
    for wrong in (0, 0x1234, 0xFFFF):
        yield ip_frame(tcp(sum_=wrong), TCP)


def segments_into_the_session(session):
    """Blind: addresses and ports are right, sequence numbers are not."""
    def segment(flags, seq, ack, data=b"", **fields):
        return ip_frame(tcp(flags, session.port, 1883, seq, ack, data=data, source=HOST, **fields), TCP, source=HOST)

    chance = random.Random(77)
    for flags in range(0, 256):
        far = session.host_seq + chance.randrange(1 << 20, 1 << 31)
        yield segment(flags, far & 0xFFFFFFFF, chance.getrandbits(32), chance.randbytes(chance.randrange(40)))
    for seq in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF):
        for flags in (RST, RST | ACK, SYN, SYN | ACK, FIN | ACK, SYN | FIN, SYN | RST, URG | ACK, ACK | PSH):
            if 0x10000 < (seq - session.host_seq) & 0xFFFFFFFF < 0xFFFF0000:
                yield segment(flags, seq, 0, b"\xe0\x00")
                yield segment(flags, seq, 0, urgent=0xFFFF, window=0)


# ---- What need not be silent ----

def mutations(seed, count):
    """Valid frames with a few bytes changed, cut or added; half of them with right checksums again."""
    chance = random.Random(seed)
    originals = [
        ethernet(arp(), ARP, EVERYONE), ethernet(arp(2), ARP),
        ip_frame(echo(), ICMP), ip_frame(echo(data=bytes(900)), ICMP),
        ip_frame(echo(), ICMP, options=b"\x07\x07\x04\0\0\0\0\0"),
        ip_frame(icmp(3, 3, data=ipv4(udp()[:8], UDP, source=MOTE, destination=HOST)), ICMP),
        ip_frame(udp(), UDP), ip_frame(udp(bytes(300), 68, 67), UDP), ip_frame(tcp(), TCP),
        ip_frame(tcp(SYN, 1883, options=b"\x02\x04\x05\xb4\x01\x03\x03\x07\x04\x02\x08\x0a" + bytes(8)), TCP),
        ip_frame(tcp(ACK | PSH, 49200, 1883, data=b"\x30\x03\0\1a"), TCP),
    ]
    while count > 0:
        frame = bytearray(chance.choice(originals))
        for _ in range(chance.choice((1, 1, 2, 3, 8))):
            at = chance.randrange(12, min(len(frame), 80))
            frame[at] = chance.choice((frame[at] ^ 1 << chance.randrange(8), chance.getrandbits(8), 0, 0xFF))
        if chance.random() < 0.3:
            frame = frame[:chance.randrange(14, len(frame))]
        elif chance.random() < 0.1:
            frame += chance.randbytes(chance.randrange(1, 200))
        if chance.random() < 0.5:
            frame = repaired(bytes(frame))
        if address(HOST) not in bytes(frame[26:34]):  # who speaks as the broker's host can well break the session
            count -= 1
            yield bytes(frame)


def repaired(frame):
    """With the checksums that a sender would have put in."""
    if len(frame) < 34 or frame[12:14] != b"\x08\x00":
        return frame
    header = min(4 * (frame[14] & 15), len(frame) - 14)
    at = {ICMP: 2, UDP: 6, TCP: 16}.get(frame[23])
    packet = frame[14:]
    if header >= 20:
        packet = put16(packet, 10, 0)
        packet = put16(packet, 10, checksum(packet[:header]))
    if at is not None and len(packet) >= header + at + 2 and header >= 20:
        segment = put16(packet[header:], at, 0)
        start = b"" if packet[9] == ICMP else packet[12:20] + struct.pack(">HH", packet[9], len(segment))
        packet = packet[:header] + put16(segment, at, checksum(start + segment))
    return frame[:14] + packet


def floods(count):
    """SYN, ARP, ping and UDP floods, mixed, from many addresses."""
    chance = random.Random(7)
    while count > 0:
        count -= 1
        last = chance.randrange(3, 254)
        source, mac = "192.168.77.%d" % last, bytes([2, 0, 0, 0, 1, last])
        kind = count % 4
        if kind == 0:
            segment = tcp(SYN, chance.choice((1883, 80, 22)), chance.randrange(1, 65536), chance.getrandbits(32),
                          source=source, options=b"\x02\x04\x05\xb4")
            yield ethernet(ipv4(segment, TCP, source), source=mac)
        elif kind == 1:
            yield ethernet(arp(sender_mac=mac, sender=source), ARP, EVERYONE, mac)
        elif kind == 2:
            yield ethernet(ipv4(echo(count & 0xFFFF, data=bytes(chance.randrange(0, 1400))), ICMP, source), source=mac)
        else:
            port = chance.randrange(1, 65536)
            yield ethernet(ipv4(udp(b"x", port, source=source), UDP, source), source=mac)


# ---- The tests ----

class Session:
    """The live connection as an observer of the wire sees it."""

    def __init__(self, segment):
        self.port = struct.unpack(">H", segment[0:2])[0]
        self.mote_seq, self.host_seq = struct.unpack(">II", segment[4:12])


class Hostile(BoardTest):
    ELF = "mote-tap.elf"

    @classmethod
    def setUpClass(cls):
        add_tap(cls.addClassCleanup, HOST + "/24")
        ip("link set mote0 mtu 2030")  # so that giants can be sent
        cls.broker = Broker(HOST)
        cls.addClassCleanup(cls.broker.stop)
        cls.mote = Board(cls.ELF, "--net", "tap:mote0")
        cls.addClassCleanup(cls.mote.stop)
        cls.mote.wait("connected to broker")
        cls.ip_port = cls.open_port(IPV4)
        cls.arp_port = cls.open_port(ARP)
        cls.sequence = 0
        cls.led = False

    @classmethod
    def open_port(cls, kind):
        port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(kind))
        cls.addClassCleanup(port.close)
        port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
        port.bind(("mote0", kind))
        return port

    def send(self, frame):
        send_frame(self.ip_port, frame)

    def ping(self):
        """The tester's own: comes back when all that was sent before has been dealt with. What else came back?

        In a crowd it can get lost like any other frame, so there is one each second.
        """
        others = []
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            type(self).sequence += 1
            self.send(ip_frame(echo(OWN_PING, self.sequence & 0xFFFF, b"tester's own"), ICMP))
            if self.own_ping_returns(1, others):
                return others
        raise AssertionError("the board does not answer any more")

    def own_ping_returns(self, limit, others):
        for frame in frames(self.ip_port, limit):
            if frame[6:12] != MOTE_MAC or frame[30:34] == address(HOST) or frame[0] & 1:
                continue  # of the session, or told to all by itself
            if frame[23] != ICMP or frame[34] != 0 or frame[38:40] != struct.pack(">H", OWN_PING):
                others.append(frame)
            elif frame[40:42] == struct.pack(">H", self.sequence & 0xFFFF):
                return True
        return False

    def attack(self, frames):
        """Sends all; returns how many there were and what came back, ARP apart."""
        frames = iter(frames)
        count, answers = 0, []
        for number in itertools.count():
            batch = list(itertools.islice(frames, BATCH))
            count += len(batch)
            if not batch:
                return count, answers
            for frame in batch:
                self.send(frame)
            try:
                answers += self.ping()
            except AssertionError as error:
                raise AssertionError("%s; batch %d was:\n%s" % (error, number, "\n".join(map(bytes.hex, batch))))

    def arp_answers(self):
        """ARP replies to the tester since the last look; what the board asks for itself does not count."""
        self.arp_port.settimeout(0)
        answers = []
        try:
            while True:
                frame = self.arp_port.recv(4096)
                if frame[6:12] == MOTE_MAC and frame[20:22] == b"\0\2" and frame[38:42] != address(HOST):
                    answers.append(frame)
        except BlockingIOError:
            return answers

    def attack_in_silence(self, frames):
        self.arp_answers()
        _, answers = self.attack(frames)
        self.assertEqual([each.hex() for each in answers + self.arp_answers()], [])
        self.expect_health()

    def expect_health(self):
        """Ping and an MQTT round trip still work, with the session that there was."""
        self.assertEqual(self.mote.seen("broker lost|lines lost|reset"), [])
        for command in (["arping", "-I", "mote0", "-c", "1", "-w", "10", MOTE], ["ping", "-c", "1", "-W", "10", MOTE]):
            result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT)
            self.assertEqual(result.returncode, 0, result.stdout)
        type(self).led = not self.led
        self.broker.publish(TOPICS + "/set/led", "true" if self.led else "false")
        self.mote.wait("LD3 .*" + ("on" if self.led else "off"))
        self.assertEqual(len(self.mote.seen("connected to broker")), 1)
        self.assertEqual(len(self.mote.seen("started by")), 1)
        self.assert_clean(self.mote)

    def session(self):
        """Reads the connection's numbers off a segment of its next telemetry."""
        for frame in frames(self.ip_port):
            if frame[6:12] == MOTE_MAC and frame[23] == TCP and frame[30:34] == address(HOST):
                return Session(frame[34:])
        self.fail("no segment of the session")

    def test_ethernet(self):
        self.attack_in_silence(ethernet_frames())

    def test_arp(self):
        self.attack_in_silence(arp_frames())

    def test_ipv4_header(self):
        self.attack_in_silence(ipv4_frames())

    def test_ipv4_fragments(self):
        self.attack_in_silence(fragment_frames())

    def expect_few_unreachables(self, code, make_frames):
        """Some are answered, so they arrive; by far not all are (RFC 1812 4.3.2.8)."""
        sent, answers = 0, []
        deadline = time.monotonic() + LIMIT  # other tests may have used up what is allowed at present
        while not answers and time.monotonic() < deadline:
            count, answers = self.attack(make_frames())
            sent += count
        self.assertTrue(answers, "none was answered")
        self.assertLess(len(answers), sent / 2)
        self.assertTrue(all(each[34:36] == bytes([3, code]) for each in answers), answers)
        self.expect_health()

    def test_ipv4_unknown_protocols_are_answered_within_a_limit(self):
        inner = ipv4(echo(), ICMP)  # IP in IP
        self.expect_few_unreachables(2, lambda: (ip_frame(inner if protocol == 4 else bytes(8), protocol)
                                                 for protocol in range(256) if protocol not in (ICMP, TCP, UDP)))

    def test_icmp(self):
        self.attack_in_silence(icmp_frames())

    def test_echo_requests_of_any_code_are_answered(self):
        count, answers = self.attack(ip_frame(icmp(8, code), ICMP) for code in range(1, 16))
        self.assertEqual([answer[34:36] for answer in answers], [bytes([0, code]) for code in range(1, count + 1)])
        self.expect_health()

    def test_icmp_about_the_session(self):
        self.attack_in_silence(icmp_about_the_session(self.session()))

    def test_udp(self):
        self.attack_in_silence(udp_frames())

    def test_udp_closed_ports_are_answered_within_a_limit(self):
        self.expect_few_unreachables(3, lambda: (ip_frame(udp(port=port, sum_=None if port % 2 else 0), UDP)
                                                 for port in range(1, 1000)))

    def test_tcp_header(self):
        self.attack_in_silence(tcp_header_frames())

    def test_tcp_flags_to_a_closed_port_are_reset(self):
        _, answers = self.attack(ip_frame(tcp(flags, data=b"x" * (flags % 3), urgent=flags), TCP)
                                 for flags in range(256))
        self.assertEqual(len(answers), 128)  # never a reset for a reset (RFC 9293 3.10.7.1)
        self.assertTrue(all(each[47] & RST for each in answers))
        self.expect_health()

    def test_tcp_into_the_session(self):
        self.attack(segments_into_the_session(self.session()))
        self.expect_health()

    def test_mutations(self):
        for seed in range(10):
            with self.subTest(seed=seed):
                self.attack(mutations(seed, 2000))
                self.expect_health()

    def test_floods(self):
        """Faster than it can all be taken; what is answered shows that it arrives."""
        self.arp_answers()
        for frame in floods(20000):
            self.send(frame)
        answers = self.ping()
        self.assertTrue(any(each[23] == ICMP and each[34] == 0 for each in answers))
        self.assertTrue(any(each[23] == TCP and each[47] == RST | ACK for each in answers))
        self.assertGreater(len(self.arp_answers()), 0)
        self.expect_health()


class HostileFull(Hostile):
    """The same against the firmware with all that can be switched on: it also reassembles, and defends its address."""
    ELF = "mote-tap-full.elf"

    def test_ipv4_fragments(self):
        """Some are answered: with time exceeded, or because what they add up to is good."""
        self.attack(fragment_frames())
        self.expect_health()

    def test_ipv4_fragments_are_put_together(self):
        ping = echo(data=bytes(range(256)) * 12)
        pieces = [ping[at:at + 1480] for at in range(0, len(ping), 1480)]
        frames = [ip_frame(piece, ICMP, fragment=185 * n | (0x2000 if n + 1 < len(pieces) else 0), number=7)
                  for n, piece in enumerate(pieces)]
        for order in itertools.permutations(frames):
            _, answers = self.attack(order)
            self.assertEqual(b"".join(frame[34:] for frame in answers if frame[23] == ICMP)[4:], ping[4:])
        self.expect_health()


if __name__ == "__main__":
    enter_namespace()
    main()
