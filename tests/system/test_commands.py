#!/usr/bin/env python3
"""What people type: the build's environment, the virtual board's command line, flashing a real board."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import harness
from harness import ROOT, BoardTest, main


class Environment(unittest.TestCase):
    def configure(self, **variables):
        environment = {"PATH": os.environ["PATH"], **variables}
        with tempfile.TemporaryDirectory() as folder:
            header = pathlib.Path(folder) / "config_values.h"
            result = subprocess.run(["sh", ROOT / "app/configure.sh", header], env=environment, text=True,
                                    capture_output=True)
            return result, header.read_text() if header.exists() else None

    def test_defaults(self):
        result, header = self.configure()
        self.assertEqual(result.returncode, 0)
        self.assertIn("#define CONFIG_ADDRESS 0\n", header)
        self.assertIn('#define CONFIG_BROKERS {0x0A000202, ""}\n', header)
        self.assertIn("#define CONFIG_BROKER_PORT 1883\n", header)

    def test_all_given(self):
        result, header = self.configure(MAC_ADDRESS="02:00:00:03:02:Af", IP_ADDRESS="192.168.1.10/16",
                                        GATEWAY_ADDRESS="192.168.0.1", DNS_ADDRESS="9.9.9.9",
                                        BROKER_HOST="broker.example", BROKER_PORT="8883",
                                        NTP_ADDRESS="192.168.0.1")
        self.assertEqual(result.returncode, 0, result.stderr)
        for line in ("CONFIG_MAC {0x02, 0x00, 0x00, 0x03, 0x02, 0xAf}", "CONFIG_ADDRESS 0xC0A8010A",
                     "CONFIG_NETMASK 0xFFFF0000", "CONFIG_GATEWAY 0xC0A80001", "CONFIG_DNS_SERVER 0x09090909",
                     'CONFIG_BROKERS {0, "broker.example"}', "CONFIG_BROKER_PORT 8883",
                     "CONFIG_NTP_SERVER 0xC0A80001", 'CONFIG_NTP_HOST ""'):
            self.assertIn("#define %s\n" % line, header)

    def test_time_server_by_name(self):
        for variables in ({}, {"IP_ADDRESS": "10.0.2.15", "DNS_ADDRESS": "9.9.9.9"}):
            result, header = self.configure(NTP_HOST="pool.ntp.org", **variables)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn('#define CONFIG_NTP_SERVER 0\n#define CONFIG_NTP_HOST "pool.ntp.org"\n', header)

    def test_several_brokers(self):
        """For the full firmware alone."""
        for variables, brokers, count in (
                ({"BROKER_IP_ADDRESS": "192.168.1.2,192.168.1.3"}, '{0xC0A80102, ""}, {0xC0A80103, ""}', 2),
                ({"BROKER_HOST": "a.example,b.example,a,b"}, '{0, "a.example"}, {0, "b.example"}, {0, "a"}, {0, "b"}', 4)):
            result, header = self.configure(MOTE_FULL="1", **variables)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn("#define CONFIG_BROKERS %s\n#define CONFIG_BROKER_COUNT %d\n" % (brokers, count), header)
            for full in ({}, {"MOTE_FULL": "0"}):
                result, header = self.configure(**variables, **full)
                self.assertEqual(result.returncode, 1)
                self.assertIsNone(header)
                self.assertRegex(result.stderr, r"\Amote: [^\n]*%d brokers[^\n]*MOTE_FULL=1[^\n]*\n\Z" % count)

    def test_malformed_lists_stop_with_one_line(self):
        for variables, why in (({"BROKER_IP_ADDRESS": "10.0.2.2,"}, "empty place"), ({"BROKER_IP_ADDRESS": ",10.0.2.2"}, "empty place"),
                               ({"BROKER_HOST": "a,,b"}, "empty place"), ({"BROKER_HOST": ","}, "empty place"),
                               ({"BROKER_IP_ADDRESS": "10.0.2.2, 10.0.2.3"}, "blank"),
                               ({"BROKER_IP_ADDRESS": "10.0.2.2,10.0.2.256"}, r"=10\.0\.2\.256 is not an IPv4 address"),
                               ({"BROKER_IP_ADDRESS": "10.0.2.2,broker"}, "=broker is not an IPv4 address"),
                               ({"BROKER_HOST": "a,b_c"}, "=b_c is not a host name"),
                               ({"BROKER_HOST": "a,b", "IP_ADDRESS": "10.0.2.15"}, "DNS_ADDRESS"),
                               ({"BROKER_IP_ADDRESS": "10.0.2.2,10.0.2.3,10.0.2.2"}, r"10\.0\.2\.2 twice"),
                               ({"BROKER_HOST": "a,b,c,d,e"}, "5 brokers: 4 are the most")):
            with self.subTest(**variables):
                result, header = self.configure(MOTE_FULL="1", **variables)
                self.assertEqual(result.returncode, 1)
                self.assertIsNone(header)
                self.assertRegex(result.stderr, r"\Amote: [^\n]*%s[^\n]*\n\Z" % why)

    def test_malformed_values_stop_with_one_line(self):
        for variables in ({"MAC_ADDRESS": "02-00-00-03-02"}, {"MAC_ADDRESS": "02-00-00-03-02-0g"},
                          {"MAC_ADDRESS": "01-00-00-03-02-00"}, {"MAC_ADDRESS": "00-00-00-00-00-00"},
                          {"IP_ADDRESS": "10.0.2"}, {"IP_ADDRESS": "10.0.2.256"}, {"IP_ADDRESS": "10.0.2.15x"},
                          {"IP_ADDRESS": "10.0.2.0"}, {"IP_ADDRESS": "10.0.2.255"}, {"IP_ADDRESS": "224.0.0.1"},
                          {"IP_ADDRESS": "127.0.0.1"}, {"IP_ADDRESS": "10.0.2.15/33"}, {"IP_ADDRESS": "10.0.2.15/"},
                          {"IP_ADDRESS": "10.0.2.15", "GATEWAY_ADDRESS": "10.0.3.1"},
                          {"GATEWAY_ADDRESS": "10.0.2.2"}, {"BROKER_IP_ADDRESS": "broker.example"},
                          {"BROKER_HOST": "bro ker"}, {"BROKER_HOST": 'a"b'}, {"BROKER_HOST": "a\nb"},
                          {"BROKER_HOST": "a" * 64}, {"BROKER_HOST": "a", "BROKER_IP_ADDRESS": "10.0.2.2"},
                          {"BROKER_HOST": "a", "IP_ADDRESS": "10.0.2.15"},
                          {"BROKER_PORT": "0"}, {"BROKER_PORT": "65536"}, {"BROKER_PORT": "mqtt"},
                          {"NTP_ADDRESS": "pool.ntp.org"}, {"NTP_ADDRESS": "0.0.0.0"}, {"NTP_HOST": "a b"},
                          {"NTP_HOST": "a\\"}, {"NTP_HOST": "a", "NTP_ADDRESS": "10.0.2.2"},
                          {"NTP_HOST": "a", "IP_ADDRESS": "10.0.2.15"}):
            with self.subTest(**variables):
                result, header = self.configure(**variables)
                self.assertEqual(result.returncode, 1)
                self.assertIsNone(header)
                self.assertRegex(result.stderr, r"\Amote: [^\n]+\n\Z")
                self.assertTrue(any(name in result.stderr for name in variables), result.stderr)


class CommandLine(BoardTest):
    def refused(self, expected, *arguments):
        status, output = self.run_board(*arguments)
        self.assertEqual(status, 2, output)
        self.assertRegex(output, expected)
        self.assertLessEqual(output.count("\n"), 2, output)

    def test_bad_use(self):
        elf = str(harness.FIRMWARE / "mote-dhcp.elf")
        self.refused("--frobnicate", "--frobnicate", elf)
        self.refused("(?i)elf")
        self.refused("missing.elf", "missing.elf")
        self.refused("(?i)elf", str(ROOT / "Makefile"))
        self.refused("(?i)arm", "/bin/true")
        self.refused("nowhere", "--net", "nowhere", elf)
        self.refused("tap", "--net", "tap:a-name-that-is-too-long-for-linux", elf)
        self.refused("missing.txt", "--script", "missing.txt", elf)
        self.refused("timeout", "--timeout", "soon", elf)

    def test_help_and_version(self):
        status, output = self.run_board("--help")
        self.assertEqual(status, 0)
        for option in ("--net", "--pcap", "--script", "--timeout", "--pace", "--seed", "--hash"):
            self.assertIn(option, output)

    def test_tap_without_permission(self):
        if os.geteuid() != 0:
            self.skipTest("SKIPPED: only root can give up the permission")
        with tempfile.TemporaryDirectory() as folder:  # the checkout may be one that another user cannot read
            os.chmod(folder, 0o755)
            board, elf = (shutil.copy(each, folder) for each in (harness.VIRTUAL_BOARD, harness.FIRMWARE / "mote-dhcp.elf"))
            result = subprocess.run(["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--reuid=65534", "--clear-groups",
                                     board, "--net", "tap:mote9", elf],
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(result.returncode, 2, result.stdout)
        self.assertIn("ip tuntap add", result.stdout)


class Determinism(BoardTest):
    def run_hashed(self, *options):
        status, output = self.run_board("--net", "none", "--pace", "fast", "--timeout", "20", "--hash", *options,
                                        str(harness.FIRMWARE / "mote-dhcp.elf"))
        self.assertEqual(status, 4, output)
        return re.search(r"state ([0-9a-f]{16}) at", output).group(1), output

    def test_two_runs_are_identical_to_the_last_bit(self):
        first, second = self.run_hashed("--seed", "7"), self.run_hashed("--seed", "7")
        self.assertEqual(first, second)

    def test_another_seed_is_another_run(self):
        self.assertNotEqual(self.run_hashed("--seed", "7")[0], self.run_hashed("--seed", "8")[0])

    def test_a_script_is_part_of_the_input(self):
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as script:
            script.write("at 5s cable out\nat 8s cable in\nat 10s button press\n")
            script.flush()
            with_script = self.run_hashed("--script", script.name)
            self.assertEqual(with_script, self.run_hashed("--script", script.name))
        self.assertNotEqual(with_script[0], self.run_hashed()[0])


class RealBoard(unittest.TestCase):
    """As far as that goes without one."""

    def probe(self, action, **variables):
        return subprocess.run([ROOT / "target/nucleo-f429zi/probe.sh", action, harness.FIRMWARE / "mote-dhcp.elf"],
                              env={**os.environ, "DRY_RUN": "1", **variables}, capture_output=True, text=True)

    def test_openocd_accepts_its_configuration(self):
        result = subprocess.run(["openocd", "-f", ROOT / "target/nucleo-f429zi/openocd.cfg", "-c", "shutdown"],
                                capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn("Error", result.stderr)

    def test_arguments(self):
        elf = str(harness.FIRMWARE / "mote-dhcp.elf")
        self.assertIn("program %s verify reset exit" % elf, self.probe("flash", USE_OPENOCD="1").stdout)
        attach = self.probe("attach", USE_OPENOCD="1").stdout
        symbols = subprocess.run(["arm-none-eabi-nm", elf], check=True, capture_output=True, text=True).stdout
        address = re.search(r"^([0-9a-f]{8}) \w _SEGGER_RTT$", symbols, re.MULTILINE).group(1)
        self.assertIn("rtt setup 0x" + address, attach)
        self.assertIn("gdb-multiarch", self.probe("debug", USE_OPENOCD="1").stdout)
        self.assertEqual(self.probe("fly").returncode, 2)

    def test_probe_rs_arguments(self):
        with tempfile.TemporaryDirectory() as folder:
            tool = pathlib.Path(folder) / "probe-rs"
            tool.write_text("#!/bin/sh\n")
            tool.chmod(0o755)
            path = folder + ":" + os.environ["PATH"]
            self.assertIn("probe-rs run --chip STM32F429ZITx", self.probe("flash", PATH=path).stdout)
            self.assertIn("probe-rs attach --chip STM32F429ZITx", self.probe("attach", PATH=path).stdout)

    def test_elf_layout(self):
        """Vectors first in flash; stack pointer and reset vector plausible; DMA memory in SRAM1-3."""
        elf = str(harness.FIRMWARE / "mote-dhcp.elf")
        with tempfile.NamedTemporaryFile() as image:
            subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", elf, image.name], check=True)
            head = pathlib.Path(image.name).read_bytes()[:8]
        stack, reset = int.from_bytes(head[:4], "little"), int.from_bytes(head[4:], "little")
        self.assertTrue(0x20000000 < stack <= 0x20030000 and stack % 8 == 0, hex(stack))
        self.assertTrue(0x08000000 < reset < 0x08100000 and reset % 2 == 1, hex(reset))


if __name__ == "__main__":
    main()
