#!/usr/bin/env python3
"""The figures in README.md and docs/ are what the benches and cmake/size.sh give today, to the instruction and the byte;
with another compiler than README.md names they are skipped. What fails says which line to write.

`test_figures.py VIRTUAL_BOARD FIRMWARE_FOLDER [TEST…]`
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BOARD = FIRMWARE = None

# What each document says, in its words. {GROUP/ROW} is a figure, by the beginning of the row's name in the output of the
# tool; {GROUP/ROW|COLUMN} one of its other columns; {=NAME} a figure that is not measured here, but must be the same
# wherever it stands; … any words.
CLAIMS = {
    "README.md": """
| flash: the standard firmware | {size/flash} bytes | {size/flash|budget} |
| RAM: stack ({size/.stack}) and Ethernet buffers ({size/.dma}) included | {size/RAM} bytes | {size/RAM|budget} |
| lock and unlock / spawn / spawn to a higher task |\
 {kernel/lock and unlock, ceiling above} / {kernel/spawn} / {kernel/spawn to the start} instructions |\
 {kernel/lock and unlock, ceiling above|budget} / {kernel/spawn|budget} / {kernel/spawn to the start|budget} |
| echo reply, frame to frame | {net/echo} instructions | {net/echo|budget} |
| TCP, 1460 bytes: receive / send | {net/TCP: receive 1460} / {net/TCP: send 1460} instructions |\
 {net/TCP: receive 1460|budget} / {net/TCP: send 1460|budget} |
| PUBLISH with 64 bytes received, frame to event | {path/PUBLISH received} instructions | {path/PUBLISH received|budget} |
| publish 64 bytes, QoS 0, call to frame | {path/publish QoS 0} instructions | {path/publish QoS 0|budget} |
| publish 64 bytes, QoS 1, call to acknowledged | {path/publish QoS 1} instructions | {path/publish QoS 1|budget} |
| MQTT engine alone, 64 bytes, QoS 0: receive / publish | {mqtt/receive QoS 0} / {mqtt/publish QoS 0} instructions |\
 {mqtt/receive QoS 0|budget} / {mqtt/publish QoS 0|budget} |
| MQTT engine alone, QoS 1 round trip | {mqtt/publish QoS 1} instructions | {mqtt/publish QoS 1|budget} |
| TCP, 1460 bytes: receive / send, checksums by hardware | {=receive} / {=send} instructions |\
 {versus/TCP: receive 1460|hardware} / {versus/TCP: send 1460|hardware} |
| the same with checksums by software | {=receive software} / {=send software} instructions |\
 {versus/TCP: receive 1460|software} / {versus/TCP: send 1460|software} |
| echo reply | {=echo} instructions | {versus/echo|hardware} |
| UDP, 64 bytes: receive / send | {=udp receive} / {=udp send} instructions |\
 {versus/UDP: receive|hardware} / {versus/UDP: send|hardware} |
| a turn of the loop with nothing to do | {=nothing} instructions | {versus/nothing|hardware} |
| flash at -Os / static RAM without buffers | {=flash} / {=ram} bytes |\
 {versus/flash|hardware} / {versus/static RAM|hardware} |
takes it to {size-full/flash} bytes of flash and {size-full/RAM} of RAM
""",
    "docs/network.md": """
| `struct net` | {struct/net}:… | {struct-full/net}:… |
| `struct tcp_socket`, plus the caller's two buffers | {struct/tcp_socket} | {struct-full/tcp_socket} |
| `struct tcp_listener` | | {struct-full/tcp_listener}:… |
| `struct udp_socket` | {struct/udp_socket} | {struct-full/udp_socket} |
| `struct ping` | | {struct-full/ping} |
| echo request, 56 bytes, frame to frame | {net/echo} | {net/echo|budget} | {net-full/echo} |
| TCP: receive 1460 bytes, every second segment acknowledged | {net/TCP: receive 1460} |\
 {net/TCP: receive 1460|budget} | {net-full/TCP: receive 1460} |
| TCP: send 1460 bytes, every second segment acknowledged by the peer | {net/TCP: send 1460} |\
 {net/TCP: send 1460|budget} | {net-full/TCP: send 1460} |
| TCP: receive 64 bytes, until they can be read | {net/TCP: receive 64 bytes, until} |\
 | {net-full/TCP: receive 64 bytes, until} |
| TCP: send 64 bytes, and receive the acknowledgement | {net/TCP: send 64} | | {net-full/TCP: send 64} |
| UDP: receive 64 bytes | {net/UDP: receive} | | {net-full/UDP: receive} |
| UDP: send 64 bytes | {net/UDP: send} | | {net-full/UDP: send} |
| `net_poll` with nothing to do | {net/net_poll} | | {net-full/net_poll} |
| echo request, 56 bytes, frame to frame | {=echo} | {versus/echo|hardware} | {=echo software} | {versus/echo|software} |
| TCP: receive 1460 bytes | {=receive} | {versus/TCP: receive 1460|hardware} |\
 {=receive software} | {versus/TCP: receive 1460|software} |
| TCP: send 1460 bytes | {=send} | {versus/TCP: send 1460|hardware} |\
 {=send software} | {versus/TCP: send 1460|software} |
| TCP: receive 64 bytes | {=receive 64} | {versus/TCP: receive 64|hardware} |\
 {=receive 64 software} | {versus/TCP: receive 64|software} |
| TCP: send 64 bytes, and receive the acknowledgement | {=send 64} | {versus/TCP: send 64|hardware} |\
 {=send 64 software} | {versus/TCP: send 64|software} |
| UDP: receive 64 bytes | {=udp receive} | {versus/UDP: receive|hardware} |\
 {=udp receive software} | {versus/UDP: receive|software} |
| UDP: send 64 bytes | {=udp send} | {versus/UDP: send|hardware} |\
 {=udp send software} | {versus/UDP: send|software} |
| nothing to do | {=nothing} | {versus/nothing|hardware} | {=nothing} | {versus/nothing|software} |
| flash at -Os, bytes | {=flash} | {versus/flash|hardware} | {=flash software} | {versus/flash|software} |
| static RAM, bytes, without DMA and data buffers | {=ram} | {versus/static RAM|hardware} |\
 {=ram} | {versus/static RAM|software} |
""",
    "docs/mqtt.md": """
| PUBLISH QoS 0 received: to the event, and the poll that finds nothing more | {mqtt/receive QoS 0} |\
 {mqtt/receive QoS 0|budget} | {mqtt-full/receive QoS 0} |
| PUBLISH QoS 1 received and acknowledged | {mqtt/receive QoS 1} | | {mqtt-full/receive QoS 1} |
| PUBLISH QoS 2 received, until PUBCOMP | | | {mqtt-full/receive QoS 2} |
| PUBLISH QoS 0 sent, without memcpy | {mqtt/publish QoS 0} | {mqtt/publish QoS 0|budget} | {mqtt-full/publish QoS 0} |
| PUBLISH QoS 1 sent until PUBLISHED, without memcpy | {mqtt/publish QoS 1} | {mqtt/publish QoS 1|budget} |\
 {mqtt-full/publish QoS 1} |
| PUBLISH QoS 2 sent until PUBLISHED, without memcpy | | | {mqtt-full/publish QoS 2} |
| a poll with nothing to do | {mqtt/mqtt_poll} | | {mqtt-full/mqtt_poll} |
| PUBLISH QoS 0 received: frame to event | {path/PUBLISH received} | {path/PUBLISH received|budget} |\
 {path-full/receive QoS 0} |
| the same, until nothing is left to do | {path/the same} | | |
| PUBLISH QoS 1 received: frame to PUBACK out | {path/receive QoS 1} | | {path-full/receive QoS 1} |
| PUBLISH QoS 2 received: frame to PUBCOMP out | | | {path-full/receive QoS 2} |
| publish QoS 0: call to frame out | {path/publish QoS 0} | {path/publish QoS 0|budget} | {path-full/publish QoS 0} |
| publish QoS 1: call to PUBLISHED, and nothing left to do | {path/publish QoS 1} | {path/publish QoS 1|budget} |\
 {path-full/publish QoS 1} |
| publish QoS 2: the same | | | {path-full/publish QoS 2} |
| standard: QoS 0 and 1 | {mqtt-bytes/QoS 0 and 1, the standard build: flash} |\
 {mqtt-bytes/QoS 0 and 1, the standard build: flash|budget} | {mqtt-bytes/QoS 0 and 1, the standard build: struct} |
| all of the protocol:… | {mqtt-bytes/all of the protocol: flash} | {mqtt-bytes/all of the protocol: flash|budget} |\
 {mqtt-bytes/all of the protocol: struct} |
| everything | {mqtt-bytes/everything: flash} | {mqtt-bytes/everything: flash|budget} | {mqtt-bytes/everything: struct} |
| everything, the router… | {mqtt-bytes/everything, router and store in RAM: flash} | |\
 {mqtt-bytes/everything, router and store in RAM: struct} |
""",
}
TOOLS = {  # and the groups of their output, each of which begins with a line of heads
    "bench/net.sh": ("net", "net-full"),
    "bench/mqtt.sh": ("mqtt", "mqtt-full", "mqtt-bytes"),
    "bench/path.sh": ("path", "path-full"),
}
STRUCTS = {"net": "net/net.h", "tcp_socket": "net/tcp.h", "udp_socket": "net/udp.h"}
STRUCTS_FULL = {**STRUCTS, "tcp_listener": "net/tcp_listen.h", "ping": "net/ping.h"}
COMPILE = "arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard --specs=picolibc.specs".split()


def said_by(*command):
    done = subprocess.run([str(word) for word in command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    if done.returncode and "above the budget" not in done.stdout:
        raise RuntimeError("%s:\n%s" % (" ".join(map(str, command)), done.stdout))
    return done.stdout


class Figures(dict):
    """By group and row; each row is a figure by column, of which "" is the first."""

    def add(self, group, row, **columns):
        self.setdefault(group, {})[row] = columns

    def get_figure(self, name):
        name, _, column = name.partition("|")
        group, _, row = name.partition("/")
        rows = self[group]
        found = [full for full in rows if full == row] or [full for full in rows if full.startswith(row)]
        if len(found) != 1:
            raise KeyError("%d rows of %s begin with %r; it has %s" % (len(found), group, row, sorted(rows)))
        return rows[found[0]][column or "figure"]


def bench_figures(figures, tool, groups):
    text = said_by(tool, BOARD)
    tables = re.split(r"^.*\b(?:count|size) +budget\n", text, flags=re.M)[1:]
    if len(tables) != len(groups):
        raise RuntimeError("%s prints %d tables, not %s:\n%s" % (tool, len(tables), groups, text))
    for group, table in zip(groups, tables):
        for row, figure, budget in re.findall(r"^(\S.*?)  +(\d+)(?: +(\d+|-))?", table, re.M):
            figures.add(group, row, figure=int(figure), budget=int(budget) if budget.isdigit() else None)
    return text


def versus_figures(figures):
    text = said_by("bench/lwip/versus.sh", BOARD, "ours")
    for row, hardware, software in re.findall(r"^(\S.*?)  +- +(\d+) +- +(\d+)$", text, re.M):
        figures.add("versus", row, hardware=int(hardware), software=int(software))


def kernel_figures(figures):
    said_by("cmake", "--build", "build/firmware-bench", "--target", "bench-kernel")
    text = said_by(pathlib.Path(BOARD).with_name("kernel-figures"), "build/firmware-bench/bench-kernel.elf")
    for row, figure, budget in re.findall(r"^ok +(\S.*?)  +(\d+)(?: +budget (\d+))?", text, re.M):
        figures.add("kernel", row, figure=int(figure), budget=int(budget) if budget else None)


def size_figures(figures, group, elf):
    text = said_by("cmake/size.sh", pathlib.Path(FIRMWARE) / elf)
    for row, figure in re.findall(r"^  (\S+) +(\d+)", text, re.M):
        figures.add(group, row, figure=int(figure))
    for row, figure, budget in re.findall(r"^(flash|RAM) +(\d+)(?: of +(\d+))?", text, re.M):
        figures.add(group, row, figure=int(figure), budget=int(budget) if budget else None)


def struct_figures(figures, group, headers, *options):
    with tempfile.TemporaryDirectory() as folder:
        source, made = pathlib.Path(folder, "sizes.c"), pathlib.Path(folder, "sizes.o")
        source.write_text("".join('#include "%s"\nchar size_of_%s[sizeof(struct %s)];\n' % (header, name, name)
                                  for name, header in headers.items()))
        said_by(*COMPILE, "-std=gnu17", "-I.", *options, "-c", source, "-o", made)
        text = said_by("arm-none-eabi-nm", "-S", made)
    for size, name in re.findall(r"^\S+ (\S+) . size_of_(\S+)$", text, re.M):
        figures.add(group, name, figure=int(size, 16))


def pattern_of(claim):
    """The claim as an expression, and the names of its groups; blanks and line ends are alike. A row of a table is whole."""
    pieces = re.split(r"\{([^}]*)\}", claim)
    text = [re.sub(r"(\\ )+", r"\\s+", re.escape(piece)).replace("…", "[^|\n]*") for piece in pieces[::2]]
    if claim.startswith("|"):
        text = ["^" + text[0], *text[1:-1], text[-1] + "$"]
    return re.compile(r"(\d[\d ,]*\d|\d)".join(text), re.M), pieces[1::2]


def like(figure, told):
    """Written with the separator of thousands that is there."""
    separator = re.search(r"\d([ ,])\d{3}", told)
    return re.sub(r"(?<=\d)(?=(\d{3})+$)", separator[1], str(figure)) if separator else str(figure)


class Documents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        version = said_by("arm-none-eabi-gcc", "-dumpfullversion").strip()
        named = re.search(r"gcc ([\d.]+)", (ROOT / "README.md").read_text())[1]
        if not (version + ".").startswith(named + "."):
            raise unittest.SkipTest("README.md's figures are of gcc %s, this is %s" % (named, version))
        cls.figures, cls.elsewhere = Figures(), {}
        cls.above = [line for tool, groups in TOOLS.items() for line in bench_figures(cls.figures, tool, groups).splitlines()
                     if "above the budget" in line]
        versus_figures(cls.figures)
        kernel_figures(cls.figures)
        size_figures(cls.figures, "size", "mote-dhcp.elf")
        size_figures(cls.figures, "size-full", "mote-dhcp-full.elf")
        struct_figures(cls.figures, "struct", STRUCTS)
        struct_figures(cls.figures, "struct-full", STRUCTS_FULL, "-DNET_FULL=1")

    def test_the_budgets_hold(self):
        self.assertEqual(self.above, [])

    def measured(self, name, told):
        if name.startswith("="):
            return self.elsewhere.setdefault(name, told)
        return self.figures.get_figure(name)

    def wrong(self, document, text, claim):
        """What to write instead, or None."""
        pattern, names = pattern_of(claim)
        found = list(pattern.finditer(text))
        if len(found) != 1:
            return "%s: %d places say\n    %s\nIf it has other words now, CLAIMS in %s wants them" % (
                document, len(found), claim, pathlib.Path(__file__).relative_to(ROOT))
        told = [int(re.sub("[ ,]", "", number)) for number in found[0].groups()]
        figures = [self.measured(name, number) for name, number in zip(names, told)]
        if told == figures:
            return None
        line = text.count("\n", 0, found[0].start()) + 1
        instead = iter(figures)
        new = re.sub(r"\{[^}]*\}", lambda _: "%s", claim) % tuple(
            like(next(instead), number) for number in found[0].groups())
        return "%s:%d is not what is measured; write\n    %s" % (document, line, new)

    def check(self, document):
        text = (ROOT / document).read_text()
        claims = [claim for claim in CLAIMS[document].splitlines() if claim]
        wrong = [message for message in (self.wrong(document, text, claim) for claim in claims) if message]
        if wrong:
            self.fail("\n" + "\n".join(wrong))

    def test_readme(self):
        self.check("README.md")

    def test_network(self):
        self.check("docs/network.md")

    def test_mqtt(self):
        self.check("docs/mqtt.md")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: %s VIRTUAL_BOARD FIRMWARE_FOLDER [TEST…]" % sys.argv[0])
    BOARD, FIRMWARE = (str(pathlib.Path(argument).resolve()) for argument in sys.argv[1:3])
    del sys.argv[1:3]
    unittest.main(verbosity=2)
