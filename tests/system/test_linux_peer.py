#!/usr/bin/env python3
"""The Linux kernel's stack and its tools against ours: as a server on Linux (net-host, net-peer) and in the firmware.

nc, iperf3, nmap, hping3 and ping -f over a TAP device, and bulk over a link that loses, doubles, reorders, damages, delays
and throttles from a seed. After each flood nothing may be lost, and everything still answers. All of it stays in a
network namespace of the test's own; floods are bounded in number and time.
"""

import concurrent.futures
import json
import pathlib
import re
import signal
import socket
import struct
import subprocess
import tempfile
import time

import harness
from harness import LIMIT, PREFIX, BoardTest, Broker, Lines, enter_namespace, main
from test_hostile import ACK, PSH, RST, SYN, TCP, ethernet, ipv4, tcp

NET = "192.168.80."
HOST, PEER, SILENT = NET + "1", NET + "2", NET + "99"  # nobody has the last
PEER_MAC = bytes.fromhex("020000000102")
ECHO, DISCARD, SOURCE, IPERF = 7, 9, 19, 5201
SOCKETS = 4  # of each service (tests/net/host/services.h)
MTU_DATA = 1472


def pattern(count):
    return bytes((n * 31 + n // 256) % 256 for n in range(count))


DATA = pattern(1000000)


def program(name):
    return str(pathlib.Path(harness.VIRTUAL_BOARD).parent / name)


def run(*command, **options):
    """The output of a command that must succeed."""
    result = subprocess.run(command, stdin=options.pop("stdin", subprocess.DEVNULL), stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, timeout=2 * LIMIT, **options)
    output = result.stdout.decode(errors="replace")
    if result.returncode != 0:
        raise AssertionError("%s: status %d\n%s" % (" ".join(command), result.returncode, output))
    return output


def read_all(connection, enough=2 * len(DATA)):
    received = bytearray()
    while len(received) < enough and (chunk := connection.recv(65536)):
        received += chunk
    return bytes(received)


def connect(port, address=PEER):
    return socket.create_connection((address, port), timeout=LIMIT)


def echo(data, address=PEER):
    """Sends and receives at the same time; what came back."""
    with connect(ECHO, address) as connection, concurrent.futures.ThreadPoolExecutor(1) as reader:
        received = reader.submit(read_all, connection)
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        return received.result(LIMIT)


def flood(*arguments):
    """hping3; that most of a flood is not answered is no failure of it."""
    result = subprocess.run(["hping3", "-q", "-n", *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, timeout=LIMIT)
    match = re.search(r"(\d+) packets (?:tramitted|transmitted), (\d+) packets received", result.stdout)
    if not match:
        raise AssertionError("hping3 has not flooded: " + result.stdout)
    return int(match.group(1)), int(match.group(2))


class TapTest(BoardTest):
    NET = NET

    def setUp(self):
        harness.add_tap(self.addCleanup, self.NET + "1/24", name="mote3")

    def assert_ping_flood_loses_nothing(self, address, count):
        self.assertIn("%d received, 0%% packet loss" % count, run("ping", "-f", "-q", "-c", str(count), address))

    def start_shim(self, impairments):
        """A bad cable from the TAP; where its other end is."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        cable = "socket:%s/cable" % folder.name
        shim = subprocess.Popen([program("tap-shim"), "tap:mote3", cable, impairments], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)
        for step in (shim.stdout.close, shim.wait, shim.kill):
            self.addCleanup(step)
        Lines(shim.stdout, "tap-shim").wait("^tap-shim: up")
        return cable

    def scan(self, address, tcp, udp):
        """Port states by nmap, and its judgement of the initial sequence numbers; the fingerprint is nobody's."""
        output = run("nmap", "-n", "-Pn", "-v", "-sS", "-sU", "-O", "--max-os-tries", "1", "--max-retries", "2", "-p",
                     "T:%s,U:%s" % (tcp, udp), address)
        states = {match[0]: match[1] for match in re.findall(r"^(\d+/(?:tcp|udp)) +(\S+)", output, re.M)}
        return output, states


class Host(TapTest):
    """net-host on the TAP; at its end every socket is free and every frame back."""

    OPTIONS = ()

    def setUp(self):
        super().setUp()
        self.start_host(*self.OPTIONS)

    def start_host(self, *options):
        self.host = subprocess.Popen([program("net-host"), "--net", "tap:mote3", "--ip", PEER + "/24", *options],
                                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.output = Lines(self.host.stdout, "net-host")
        self.addCleanup(self.end_host)
        self.output.wait("^net-host: up")

    def end_host(self):
        self.host.send_signal(signal.SIGTERM)
        status = self.host.wait(LIMIT)
        self.output.wait("^(not )?at rest$")
        self.host.stdout.close()
        self.assertEqual(status, 0, "\n".join(self.output.lines))

    def echo_datagram(self, data, tries=1):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(LIMIT / tries)
            for last in range(tries):
                client.sendto(data, (PEER, ECHO))
                try:
                    self.assertEqual(client.recvfrom(65536), (data, (PEER, ECHO)))
                    return
                except TimeoutError:
                    pass
            self.fail("no answer to a datagram of %d bytes" % len(data))

    def judge(self):
        """Pings, all sockets at once, a datagram, one in fragments."""
        self.assert_ping_flood_loses_nothing(PEER, 200)
        with concurrent.futures.ThreadPoolExecutor(SOCKETS) as clients:
            for received in clients.map(echo, [DATA[:20000]] * SOCKETS):
                self.assertEqual(received, DATA[:20000])
        self.echo_datagram(b"still there?")
        self.echo_datagram(DATA[:4000])


class Services(Host):
    def test_nc(self):
        source = subprocess.Popen(["nc", "-d", PEER, str(SOURCE)], stdout=subprocess.PIPE)
        received, _ = source.communicate(timeout=LIMIT)
        self.assertEqual(received, DATA)
        for port, answer in ((ECHO, DATA), (DISCARD, b"")):
            result = subprocess.run(["nc", "-N", PEER, str(port)], input=DATA, stdout=subprocess.PIPE, timeout=LIMIT)
            self.assertEqual((result.returncode, result.stdout), (0, answer))
        result = subprocess.run(["nc", "-u", "-W", "1", PEER, str(ECHO)], input=b"a datagram", stdout=subprocess.PIPE,
                                timeout=LIMIT)
        self.assertEqual(result.stdout, b"a datagram")

    def test_iperf3_both_ways(self):
        for way in ([], ["-R"]):
            for count in (1000, 20000000):
                said = run("iperf3", "-J", "-c", PEER, "-n", str(count), *way)
                end = json.loads(said)["end"]
                self.assertIn("sum_sent", end, said)
                self.assertGreaterEqual(end["sum_sent"]["bytes"], count)
                # What is still under way at the end is not counted.
                self.assertGreater(end["sum_received"]["bytes"], count * 0.9 if count > 1000 else 0)

    def test_ping_flood_loses_nothing(self):
        self.assert_ping_flood_loses_nothing(PEER, 10000)

    def test_datagrams_up_to_what_fragments_hold(self):
        for size in (0, 1, 85, 86, 87, MTU_DATA - 1, MTU_DATA, MTU_DATA + 1, 2000, 2960, 2961, 4000, 4088):
            self.echo_datagram(DATA[:size])

    def test_more_connections_than_sockets(self):
        """Those that find no socket are not refused: their turn comes."""
        connections = [connect(ECHO) for _ in range(3 * SOCKETS)]
        for number, connection in enumerate(connections):
            with connection:
                connection.sendall(b"number %d" % number)
                self.assertEqual(connection.recv(100), b"number %d" % number)

    def test_many_connections_one_after_the_other(self):
        for number in range(300):
            self.assertEqual(echo(b"%d" % number), b"%d" % number)

    def test_peer_resets_in_the_middle(self):
        """SO_LINGER of 0 s: close is a reset."""
        for _ in range(20):
            with connect(SOURCE) as connection:
                connection.recv(1000)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.judge()

    def test_peer_stops_reading(self):
        """The window closes, the probes go on, and all bytes come in the end."""
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(LIMIT)
            connection.connect((PEER, SOURCE))
            time.sleep(1.5)  # a probe or two
            self.assertEqual(read_all(connection), DATA)

    def test_scan(self):
        output, states = self.scan(PEER, "1-200,%d" % IPERF, "7,9,53,67-69,123")
        self.assertEqual({port for port, state in states.items() if state == "open"},
                         {"7/tcp", "9/tcp", "19/tcp", "5201/tcp", "7/udp"}, output)
        self.assertRegex(output, r"Not shown: 197 closed tcp ports \(reset\)")
        self.assertGreaterEqual(int(re.search(r"Sequence Prediction: Difficulty=(\d+)", output).group(1)), 200, output)
        self.judge()


class SmallBuffers(Services):
    """As a device has them; the device computes the checksums."""

    OPTIONS = ("--checksums", "--tx", "2048", "--rx", "1500", "--cubic")
    test_scan = test_ping_flood_loses_nothing = test_many_connections_one_after_the_other = None


class Floods(Host):
    COUNT, PAUSE = 10000, "u10"  # microseconds between two

    def flood(self, *arguments, address=PEER):
        sent, _ = flood("-c", self.COUNT, "-i", self.PAUSE, *arguments, address)
        self.assertEqual(sent, self.COUNT)
        self.sent += sent
        self.judge()

    sent = 0

    def end_host(self):
        """The floods have come; the TAP's queue is short, and may have lost many on a busy machine."""
        super().end_host()
        match, _ = self.output.wait(r"^(\d+) frames received")
        self.assertGreater(int(match.group(1)), self.sent // 10)

    def open_wire(self):
        """All that passes from now on."""
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        wire.bind(("mote3", 3))
        return wire

    def test_syn_while_others_connect(self):
        """SYNs of a sender that never goes on: the queue is full all the time, cookies see to the rest (RFC 4987)."""
        command = ["hping3", "-q", "-n", "-S", "-a", SILENT, "-p", str(ECHO), "-c", "1000000", "-i", "u20", PEER]
        nowhere = {name: subprocess.DEVNULL for name in ("stdin", "stdout", "stderr")}
        with self.open_wire() as wire, subprocess.Popen(command, **nowhere) as flooding:
            if not any(frame[26:30] == socket.inet_aton(SILENT) for frame in harness.frames(wire)):
                self.fail("the flood has not begun")
            for number in range(50):
                self.assertEqual(echo(b"%d" % number), b"%d" % number)
            self.assertIsNone(flooding.poll(), "the flood was over too soon to have meant anything")
            flooding.terminate()
        self.judge()

    def test_syn(self):
        self.flood("-S", "-p", ECHO)
        self.flood("-S", "-p", 1)
        self.flood("-S", "-p", ECHO, "-s", ECHO, "-k", "-a", PEER)  # LAND

    def test_flags(self):
        for flags in ("-A", "-R", "-F", "-SF", "-FPU", "-SFRPAU"):
            self.flood("-p", ECHO, *("-" + flag for flag in flags[1:]))

    def test_segments_of_a_connection_by_guesswork(self):
        """From the right address and port, with sequence numbers by chance: the connection lives."""
        with connect(ECHO) as connection:
            port = connection.getsockname()[1]
            for flags in (("-R",), ("-S",), ("-A", "-P", "-d", "100")):
                self.flood("-p", ECHO, "-s", port, "-k", *flags)
                self.assert_echoes(connection)

    def test_segments_of_a_connection_in_its_window(self):
        """Who has guessed that well (RFC 5961 3 to 5) does not end it either, and puts no bytes into it."""
        with connect(ECHO) as connection, self.open_wire() as wire:
            port, seq, ack, options = self.last_acknowledgement(connection, wire)
            for number in range(self.COUNT // 4):
                for flags, offset, ahead in ((RST, 1 + number, 0), (RST | ACK, 1 + 3 * number, 0), (SYN, number, 0),
                                             (ACK | PSH, 0, 0x10000 + number)):
                    segment = tcp(flags, ECHO, port, (seq + offset) & 0xFFFFFFFF, (ack + ahead) & 0xFFFFFFFF,
                                  data=b"?" if flags & PSH else b"", options=options, source=HOST, destination=PEER)
                    wire.send(ethernet(ipv4(segment, TCP, source=HOST, destination=PEER), destination=PEER_MAC))
                    self.sent += 1
            self.assert_echoes(connection)
        self.judge()

    def assert_echoes(self, connection):
        connection.sendall(b"alive")
        self.assertEqual(connection.recv(100), b"alive")

    def last_acknowledgement(self, connection, wire):
        """The connection's local port, what its two ends send next, and the options, timestamps that is."""
        port = connection.getsockname()[1]
        self.assert_echoes(connection)
        for frame in harness.frames(wire):  # the kernel's acknowledgement of the echo
            if frame[12:14] != b"\x08\0" or frame[23] != TCP or frame[26:30] != socket.inet_aton(HOST):
                continue
            source, _, seq, ack, offset = struct.unpack(">HHIIB", frame[34:47])
            if source == port and len(frame) == 34 + (offset >> 4) * 4:
                return port, seq, ack, frame[54:]
        self.fail("no acknowledgement of the echo")

    def test_udp(self):
        self.flood("--udp", "-p", ECHO, "-d", 100)
        self.flood("--udp", "-p", 1, "-d", 1000)
        self.flood("--udp", "-p", ECHO, "-s", ECHO, "-k", "-a", PEER)  # to itself, forever
        self.flood("--udp", "-p", ECHO, "-d", 100, address=NET + "255")

    def test_icmp(self):
        self.flood("--icmp", "-d", 1000)
        self.flood("--icmp", "-C", 3, "-K", 4)  # fragmentation needed
        self.flood("--icmp", "-C", 5, "-K", 1)  # redirect
        self.flood("--icmp", "-a", SILENT, address=NET + "255")

    def test_fragments(self):
        self.flood("--udp", "-p", ECHO, "-x", "-d", 64)  # beginnings without an end
        self.flood("--udp", "-p", ECHO, "-g", 1000, "-d", 64)  # ends without a beginning
        self.flood("--icmp", "-x", "-g", 65520, "-d", 64)  # beyond 65535
        self.flood("--icmp", "-f", "-d", 200)  # whole ones in pieces of 16 bytes
        self.flood("-S", "-p", ECHO, "-f")  # a TCP header in two


class BadLink(Host):
    """Bulk both ways, each byte compared, for several mixes and seeds; in both directions of connecting."""

    MIXES = (
        ("loss=3", 300000),
        ("dup=5,reorder=10,hold=2", 300000),
        ("corrupt=2,loss=1", 200000),
        ("delay=20,jitter=10,reorder=2", 300000),
        ("rate=20000,queue=20", 500000),
        ("loss=2,dup=2,reorder=5,corrupt=1,delay=3,jitter=3,rate=50000", 100000),
    )

    def setUp(self):
        TapTest.setUp(self)

    def bulk_with_server(self, mix, size, *options):
        self.start_host("--impair", mix, "--bytes", str(size), *options)
        with concurrent.futures.ThreadPoolExecutor(3) as clients:
            echoed = clients.submit(echo, DATA[:size // 2])
            with connect(SOURCE) as source, connect(DISCARD) as discard:
                sourced = clients.submit(read_all, source)
                discard.sendall(DATA[:size])
                discard.shutdown(socket.SHUT_WR)
                self.assertEqual(read_all(discard), b"")
                self.assertEqual(sourced.result(LIMIT), DATA[:size])
            self.assertEqual(echoed.result(LIMIT), DATA[:size // 2])

    def bulk_with_client(self, name, mix, size):
        with socket.create_server((HOST, 0)) as server, concurrent.futures.ThreadPoolExecutor(1) as peer:
            server.settimeout(LIMIT)
            done = peer.submit(run, program(name), "--net", "tap:mote3", "--ip", PEER + "/24", "--for", str(LIMIT), "--impair",
                               mix, "echo", HOST, str(server.getsockname()[1]), str(size))
            connection, _ = server.accept()
            with connection:
                connection.settimeout(LIMIT)
                received = bytearray()
                while chunk := connection.recv(65536):
                    received += chunk
                    connection.sendall(chunk)
            self.assertEqual(received, DATA[:size])
            self.assertIn("complete: sent %d, received %d " % (size, size), done.result(LIMIT))


def server_test(mix, size, seed, cubic):
    return lambda self: self.bulk_with_server("%s,seed=%d" % (mix, seed), size, *cubic)


def client_test(program_name, mix, size, seed):
    return lambda self: self.bulk_with_client(program_name, "%s,seed=%d" % (mix, seed), size)


for number, (mix, size) in enumerate(BadLink.MIXES):
    words = re.sub(r"\W", "_", mix)
    for seed in (1, 2):
        setattr(BadLink, "test_server_%s_seed_%d" % (words, seed),
                server_test(mix, size, 10 * number + seed, ("--cubic",) * (seed == 2)))
    # Without reassembly and selective acknowledgements each loss costs it a round or a timeout.
    setattr(BadLink, "test_standard_client_" + words, client_test("net-peer", mix, size // 20, 10 * number + 4))

# This one probes for its address, which takes seconds: the last mix has all.
BadLink.test_full_client = client_test("net-peer-full", mix, size, 99)


class OnBoard(Host):
    """The same services on the virtual board: the firmware's stack in full and its driver (tests/net/host/board)."""

    NETWORK = "tap:mote3"

    def start_host(self):
        self.mote = self.board("net-host.elf", "--net", self.NETWORK)
        self.mote.wait("net-host: up")

    def tearDown(self):
        self.judge()
        self.assert_clean(self.mote)

    def bulk(self, size):
        with concurrent.futures.ThreadPoolExecutor(3) as clients:
            echoed = clients.submit(echo, DATA[:size])
            with connect(SOURCE) as source, connect(DISCARD) as discard:
                sourced = clients.submit(read_all, source, size)
                discard.sendall(DATA[:size])
                discard.shutdown(socket.SHUT_WR)
                self.assertEqual(read_all(discard), b"")
                self.assertEqual(sourced.result(LIMIT)[:size], DATA[:size])
            self.assertEqual(echoed.result(LIMIT), DATA[:size])

    def test_bulk_both_ways(self):
        self.assert_ping_flood_loses_nothing(PEER, 3000)
        self.bulk(len(DATA))

    def test_floods(self):
        with connect(ECHO) as connection:
            for kind in (("-S", "-p", ECHO, "-a", SILENT), ("-S", "-p", 1), ("-S", "-F", "-P", "-U", "-p", ECHO),
                         ("-R", "-p", ECHO), ("--udp", "-p", 1, "-d", 1000), ("--udp", "-p", ECHO, "-d", 100),
                         ("--icmp", "-d", 1000), ("--udp", "-p", ECHO, "-x", "-d", 64), ("--icmp", "-f", "-d", 200)):
                with self.subTest(kind=kind):
                    flood("-c", 3000, "-i", "u20", *kind, PEER)
                    connection.sendall(b"alive")
                    self.assertEqual(connection.recv(100), b"alive")


class OnBoardOverABadLink(OnBoard):
    test_bulk_both_ways = test_floods = None

    def setUp(self):
        TapTest.setUp(self)
        self.NETWORK = self.start_shim("loss=0.5,dup=1,reorder=2,corrupt=0.5,delay=1,jitter=1,seed=6")
        self.start_host()

    def tearDown(self):
        self.assert_clean(self.mote)

    def test_bulk(self):
        self.bulk(50000)


class Firmware(TapTest):
    """The standard firmware on the virtual board, with its session to Mosquitto over the kernel's TCP."""

    ELF = "mote-tap.elf"
    NET = "192.168.77."
    MOTE = NET + "2"
    TOPICS = PREFIX + "02-00-00-03-02-01"
    COUNT = 3000

    def start_mote(self, network):
        self.broker = self.start(Broker(self.NET + "1"))
        alive = self.start(self.broker.subscribe(self.TOPICS + "/alive"))
        self.mote = self.board(self.ELF, "--net", network)
        alive.next("alive")

    def judge(self):
        """Pings, a round trip by MQTT in the same session, and no remark of the board's."""
        run("ping", "-q", "-c", "1", "-w", "10", self.MOTE)  # behind what a flood has left in the queues
        self.assert_ping_flood_loses_nothing(self.MOTE, 100)
        self.mote.skip()
        self.broker.publish(self.TOPICS + "/set/led", "true")
        self.mote.wait("LD3 .*on")
        self.broker.publish(self.TOPICS + "/set/led", "false")
        self.mote.wait("LD3 .*off")
        self.assertEqual(len(self.mote.seen("connected to broker")), 1)
        self.assert_clean(self.mote)

    def test_scan_and_floods(self):
        self.start_mote("tap:mote3")
        output, states = self.scan(self.MOTE, "1-200,1883", "7,53,67-69,5353")
        self.assertEqual({port for port, state in states.items() if state == "open"}, set(), output)
        self.assertRegex(output, r"201 closed tcp ports \(reset\)")
        self.judge()
        for kind in ("-S -p 1", "-S -p 1883 -a 192.168.77.2 -s 1883 -k", "-A -p 1", "-R -p 1", "-S -F -P -U -p 1",
                     "-S -p 1 -a 192.168.77.99", "--udp -p 1 -d 1000", "--udp -p 68 -s 67 -k -d 300", "--icmp -d 1000",
                     "--icmp -C 3 -K 4", "--icmp -C 5 -K 1", "--udp -p 1 -x -d 64", "--udp -p 1 -g 1000 -d 64",
                     "--icmp -f -d 200"):
            with self.subTest(kind=kind):
                flood("-c", self.COUNT, "-i", "u20", *kind.split(), self.MOTE)
                self.judge()

    def test_session_over_a_bad_link(self):
        """2000 changes in a row, the last of which counts, through tap-shim."""
        self.start_mote(self.start_shim("loss=1,dup=2,reorder=3,corrupt=1,delay=2,seed=4"))
        lines = ["%d\n" % (100 + n % 900) for n in range(2000)] + ["777\n"]
        self.broker.pour(self.TOPICS + "/set/telemetry/period_ms", lines, "-q", "0")
        self.mote.wait("period_ms = 777")
        self.assertEqual(len(self.mote.seen("connected to broker")), 1)
        self.assert_clean(self.mote)


class FullFirmware(Firmware):
    """The full one, which probes for its address: some seconds for each start."""

    ELF = "mote-tap-full.elf"
    test_session_over_a_bad_link = None


if __name__ == "__main__":
    enter_namespace()
    main()
