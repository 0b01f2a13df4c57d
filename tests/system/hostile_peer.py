"""A small TCP and MQTT peer on a TAP device, where Linux has no address and is silent, for test_hostile_states.py."""

import re
import socket
import struct
import time

from harness import LIMIT, PREFIX

PEER, MOTE = "192.168.77.1", "192.168.77.2"
PEER_MAC = bytes.fromhex("0200000000c8")
MOTE_MAC = bytes.fromhex("020000030201")
EVERYONE = b"\xff" * 6
NAMED_MAC = bytes.fromhex("020000030202")
OTHER = "192.168.77.3"  # a second server, of the same machine
IPV4, ARP = 0x0800, 0x0806
ICMP, TCP, UDP = 1, 6, 17
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
BROKER_PORT = 1883
BATCH = 24  # the virtual switch buffers 48
CHALLENGES = 10  # RFC 5961 7: that many in five seconds
QUICK_MS = 1500  # a longer pause before the next attempt is ended by pulling the cable


# ---- Frames ----

def address(text):
    return socket.inet_aton(text)


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def put16(data, at, value):
    return data[:at] + struct.pack(">H", value) + data[at + 2:]


def ipv4(payload, protocol, source, destination):
    header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0, address(source),
                         address(destination))
    return put16(header, 10, checksum(header)) + payload


def tcp(source, destination, ports, seq, ack, flags, window, urgent, options, data):
    options += b"\0" * (-len(options) % 4)
    segment = struct.pack(">HHIIBBHHH", *ports, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, (5 + len(options) // 4) << 4, flags,
                          window, 0, urgent) + options + data
    pseudo = address(source) + address(destination) + struct.pack(">HH", TCP, len(segment))
    return put16(segment, 16, checksum(pseudo + segment))


def send_frame(port, frame):
    deadline = time.monotonic() + LIMIT
    while True:
        try:
            return port.send(frame)
        except OSError as error:  # the TAP's queue is full: the board is still busy with it
            if time.monotonic() > deadline:
                raise AssertionError("the board takes no more frames: %s" % error)
            time.sleep(0.001)


class Segment:
    """One that the device has sent."""

    def __init__(self, packet):
        header = 4 * (packet[0] & 15)
        segment = packet[header:struct.unpack(">H", packet[2:4])[0]]
        self.source, self.port, self.seq, self.ack = struct.unpack(">HHII", segment[:12])
        self.flags, self.window = segment[13], struct.unpack(">H", segment[14:16])[0]
        self.data = segment[4 * (segment[12] >> 4):]
        self.end = self.seq + len(self.data) + (self.flags & SYN != 0) + (self.flags & FIN != 0) & 0xFFFFFFFF

    def __repr__(self):
        return "[port %d seq %u ack %u flags %02x window %d, %d bytes]" % (
            self.source, self.seq, self.ack, self.flags, self.window, len(self.data))


# ---- MQTT, as much of it as holds a session ----

def mqtt_text(text):
    return struct.pack(">H", len(text)) + text.encode()


def mqtt_publish(topic, payload):
    body = mqtt_text(topic) + b"\0" + payload.encode()
    return bytes([0x30, len(body)]) + body


CONNACK = bytes([0x20, 6, 0, 0, 3, 0x13, 0, 0])  # Server Keep Alive 0: no PINGREQ, whose absence would end the session
VIOLATION = bytes([0x10, 0])  # a CONNECT from the server: the device says DISCONNECT and closes first


def mqtt_packets(stream):
    """The whole packets at its beginning, and what is left."""
    packets = []
    while len(stream) >= 2:
        length, shift, at = 0, 0, 1
        while at < len(stream):
            length |= (stream[at] & 0x7F) << shift
            at += 1
            if not stream[at - 1] & 0x80:
                break
            shift += 7
        else:
            break
        if len(stream) < at + length:
            break
        packets.append((stream[0], stream[at:at + length]))
        stream = stream[at + length:]
    return packets, stream


# ---- The peer ----

class Wire:
    """The other end of the cable: answers ARP and ping as a host does, and hands out the rest."""

    def __init__(self, interface, mote_mac=MOTE_MAC, mac=PEER_MAC, addresses=(PEER,)):
        self.mote_mac, self.mac, self.addresses = mote_mac, mac, addresses
        self.pings = 0
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
        self.socket.bind((interface, 3))

    def close(self):
        self.socket.close()

    def send(self, payload, kind=IPV4, destination=None):
        send_frame(self.socket, (destination or self.mote_mac) + self.mac + struct.pack(">H", kind) + payload)

    def packets(self, limit=LIMIT):
        """IPv4 packets of the device as they come, until the time is up."""
        deadline = time.monotonic() + limit
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                frame = self.socket.recv(4096)
            except (TimeoutError, BlockingIOError):
                return
            if frame[6:12] != self.mote_mac:
                continue
            kind, packet = struct.unpack(">H", frame[12:14])[0], frame[14:]
            if kind == ARP:
                self.answer_arp(packet)
            elif kind == IPV4 and packet[9] == ICMP and packet[20] == 8:
                self.answer_ping(packet)
            elif kind == IPV4:
                yield packet

    def answer_arp(self, packet):
        target = socket.inet_ntoa(packet[24:28])
        if packet[6:8] == b"\0\1" and target in self.addresses:
            self.send(packet[:6] + b"\0\2" + self.mac + packet[24:28] + packet[8:18], ARP)

    def answer_ping(self, packet):
        length = struct.unpack(">H", packet[2:4])[0]
        message = put16(b"\0\0\0\0" + packet[24:length], 2, 0)
        message = put16(message, 2, checksum(message))
        self.send(ipv4(message, ICMP, socket.inet_ntoa(packet[16:20]), socket.inet_ntoa(packet[12:16])))

    def ping(self, mote=MOTE, source=None):
        """Comes back when all that was sent before has been dealt with; the other packets that came until then."""
        others = []
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            self.pings += 1
            number = struct.pack(">HH", 0x7E57, self.pings & 0xFFFF)
            message = put16(b"\x08\0\0\0" + number + b"the peer's own ping", 2, 0)
            self.send(ipv4(put16(message, 2, checksum(message)), ICMP, source or self.addresses[0], mote))
            for packet in self.packets(1):
                if packet[9] == ICMP and packet[20] == 0 and packet[24:28] == number:
                    return others
                others.append(packet)
        raise AssertionError("the board does not answer any more")


class Connection:
    """One of the device's to the peer, of which the peer knows all numbers. What is due is acknowledged unless told
    otherwise, and packets are answered as a broker does."""

    def __init__(self, peer, syn, iss):
        self.peer, self.port, self.mote_iss = peer, syn.source, syn.seq
        self.iss = iss
        self.seq, self.ack = iss, syn.end  # ours to send next; the device's next to come
        self.window = 8192
        self.acknowledges = True
        self.session = False
        self.ended = False
        self.stream = b""
        self.packets = []

    def send(self, flags=ACK, data=b"", seq=None, ack=None, window=None, urgent=0, options=b""):
        """Where no other number is given, the right one; that of what is sent next is not moved."""
        segment = tcp(PEER, MOTE, (BROKER_PORT, self.port), self.seq if seq is None else seq,
                      self.ack if ack is None else ack, flags, self.window if window is None else window, urgent,
                      options, data)
        self.peer.wire.send(ipv4(segment, TCP, PEER, MOTE))

    def give(self, data, flags=ACK | PSH, **fields):
        """In order: moves on."""
        self.send(flags, data, **fields)
        self.seq = self.seq + len(data) + (flags & FIN != 0) & 0xFFFFFFFF

    def drop(self):
        """Resets it."""
        self.send(RST)
        self.ended = True

    def take(self, segment):
        if segment.flags & RST:
            self.ended = self.ended or segment.seq == self.ack
            return
        if segment.flags & SYN or not self.acknowledges:
            return
        if segment.seq != self.ack:
            if segment.end != segment.seq:
                self.send()
            return
        self.ack = segment.end
        self.stream += segment.data
        if segment.flags & FIN:
            self.ended = True
        if segment.end != segment.seq:
            self.send()
        packets, self.stream = mqtt_packets(self.stream)
        for kind, body in packets:
            self.packets.append((kind, body))
            self.serve(kind, body)

    def serve(self, kind, body):
        if kind == 0x10:
            self.give(CONNACK)
        elif kind == 0x82:
            codes = self.count_filters(body)
            self.give(bytes([0x90, 3 + codes]) + body[:2] + b"\0" + bytes(codes))
            self.session = True
        elif kind == 0xC0:
            self.give(b"\xd0\0")
        elif kind >> 4 == 3 and kind & 6:
            topic = struct.unpack(">H", body[:2])[0]
            self.give(b"\x40\x02" + body[2 + topic:4 + topic])

    @staticmethod
    def count_filters(body):
        at, count = 3 + body[2], 0
        while at < len(body):
            at += 3 + struct.unpack(">H", body[at:at + 2])[0]
            count += 1
        return count

    def published(self, name):
        """How many messages of that topic have come."""
        topic = ("/" + name).encode()
        return sum(kind >> 4 == 3 and body[2:].find(topic) == len(PREFIX) + 17 for kind, body in self.packets)


class Peer:
    """The broker's host."""

    def __init__(self, interface, mote, mac=MOTE_MAC):
        self.wire, self.mote = Wire(interface, mac), mote
        self.topics = PREFIX + mac.hex("-")
        self.connection = None
        self.connections = []
        self.led = False
        self.told = 0  # lines of the log when the present connection began
        self.iss = 0x10000000

    def segments(self, limit=LIMIT):
        """Of the present connection, after it has had them; or the SYN of another. What is of neither is reset."""
        for packet in self.wire.packets(limit):
            if packet[9] != TCP:
                self.serve(packet)
            else:
                segment = Segment(packet)
                if self.connection and segment.source == self.connection.port:
                    self.connection.take(segment)
                    yield segment
                elif segment.flags & SYN:
                    yield segment
                elif not segment.flags & RST:
                    self.reset(segment)

    def serve(self, packet):
        """What is neither ARP, nor a ping, nor TCP."""

    def reset(self, segment):
        packet = tcp(PEER, MOTE, (segment.port, segment.source), segment.ack, 0, RST, 0, 0, b"", b"")
        self.wire.send(ipv4(packet, TCP, PEER, MOTE))

    def wait(self, accepts, what, limit=LIMIT):
        """The first segment that is accepted."""
        last = []
        for segment in self.segments(limit):
            last.append(segment)
            if accepts(segment):
                return segment
        raise AssertionError("no %s; last segments: %s" % (what, last[-8:]))

    def sync(self):
        """All that was sent has been dealt with; what of the present connection came back meanwhile."""
        came = [Segment(packet) for packet in self.wire.ping() if packet[9] == TCP]
        came = [segment for segment in came if segment.source == self.connection.port]
        for segment in came:
            self.connection.take(segment)
        return came

    # -- A connection from its SYN to the session --

    def hurry(self):
        """Ends a long pause before the next attempt: with the link up again there is one at once."""
        pause = int(re.search(r"in (\d+) ms", self.mote.seen(r"next attempt in \d+ ms")[-1]).group(1))
        if pause > QUICK_MS:
            self.mote.skip()
            self.mote.key("c")
            self.mote.wait("link down")
            self.mote.key("c")

    def lost(self):
        return any(re.search("broker (lost|not reached)", line) for line in self.mote.output.lines[self.told:])

    def await_syn(self):
        """The next connection in SYN-SENT. Nothing is answered yet."""
        old, self.connection = self.connection, None
        hurried = False
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            for segment in self.segments(0.1):
                if segment.flags & SYN and (old is None or segment.source != old.port):
                    return self.begin(segment)
            if not hurried and self.lost():
                self.hurry()
                hurried = True
        raise AssertionError("no further connection; the log's last lines: %s" % self.mote.output.lines[-10:])

    def begin(self, syn):
        self.told = len(self.mote.output.lines)
        self.iss += 0x01234567
        self.connection = Connection(self, syn, self.iss & 0xFFFFFFFF)
        self.connections.append((syn.source, syn.seq))
        return self.connection

    def accept(self, connection=None, iss=None, options=b"\x02\x04\x05\xb4"):
        """Through the handshake to the session."""
        c = connection or self.await_syn()
        c.seq = c.iss if iss is None else iss
        c.give(b"", SYN | ACK, options=options)
        c.seq = c.seq + 1 & 0xFFFFFFFF
        return self.expect_session()

    def expect_session(self):
        c = self.connection
        self.wait(lambda each: c.session, "session")
        return c

    # -- The judgement --

    def leds(self):
        return len(self.mote.seen("LD3 .*o(n|ff)"))

    def led_message(self):
        """Changes the LED, if it is taken in: then call expect_led."""
        self.led = not self.led
        self.led_lines = len(self.mote.output.lines)
        return mqtt_publish(self.topics + "/settings/led", "true" if self.led else "false")

    def expect_led(self):
        deadline = time.monotonic() + LIMIT
        expression = "LD3 .*" + ("on" if self.led else "off")
        while not any(re.search(expression, line) for line in self.mote.output.lines[self.led_lines:]):
            for _ in self.segments(0.05):
                pass
            if time.monotonic() > deadline:
                raise AssertionError("the LED has not been told: %s" % self.mote.output.lines[-10:])

    def round_trip(self):
        """A setting goes in, telemetry comes out."""
        c = self.connection
        c.give(self.led_message())
        self.expect_led()
        before = c.published("telemetry")
        self.wait(lambda each: c.published("telemetry") > before + 1, "telemetry")
