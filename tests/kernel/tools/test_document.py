#!/usr/bin/env python3
"""docs/kernel.md as a newcomer takes it: its table is the app's, its code compiles, its edits make a firmware that does
what the text says."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
DOCUMENT = (ROOT / "docs/kernel.md").read_text()
BOARD = None
WARNINGS = "-Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef -Werror"
COMPILE = ["arm-none-eabi-gcc", *"-mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard --specs=picolibc.specs".split(),
           "-std=gnu17", "-Os", *WARNINGS.split()]
TREE = ["CMakeLists.txt", "CMakePresets.json", "app", "bench", "cmake", "kernel", "log", "mqtt", "net", "settings", "target",
        "tests"]
LINKED = ["kernel/kernel.c", "kernel/clock.c", *("target/stm32f429/%s.c" % name for name in (
    "startup", "crash", "memory", "timer", "clock", "wait")), "-nostartfiles", "-T", "target/nucleo-f429zi/nucleo-f429zi.ld"]
CONFIGURED_BY = ("MAC_ADDRESS", "IP_ADDRESS", "GATEWAY_ADDRESS", "DNS_ADDRESS", "BROKER_IP_ADDRESS", "BROKER_HOST",
                 "BROKER_PORT", "NTP_ADDRESS", "NTP_HOST")


def section(title):
    return re.search(r"^#+ %s\n(.*?)(?=^## )" % re.escape(title), DOCUMENT, re.M | re.S)[1]


def blocks(text, kind):
    return re.findall(r"^```%s\n(.*?)^```$" % kind, text, re.M | re.S)


def edited(text, block):
    """A block's lines that begin with a blank are in the text, one after the other; those with + go between them."""
    lines = block.splitlines(keepends=True)
    there = "".join(line[1:] for line in lines if line[0] == " ")
    assert text.count(there) == 1, "%d times in the file, not once:\n%s" % (text.count(there), there)
    return text.replace(there, "".join(line[1:] for line in lines))


class Document(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)

    def test_the_table_is_the_app_s(self):
        table = blocks(section("The firmware's own table"), "c")[0]
        self.assertIn(table, (ROOT / "app/app.h").read_text(), "docs/kernel.md shows another table than app/app.h has")

    def test_the_program_compiles(self):
        header, bodies, idle = blocks(section("Messages and IDLE"), "c")
        (self.path / "app").mkdir()
        (self.path / "app/app.h").write_text("#ifndef APP_H\n#define APP_H\n" + header + "#endif\n")
        for name, text in (("without_idle", bodies), ("with_idle", bodies + idle)):
            (self.path / (name + ".c")).write_text(text)
            said = subprocess.run([*COMPILE, "-I", str(self.path), "-I", str(ROOT), "-c", str(self.path / (name + ".c")),
                                   "-o", os.devnull], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            self.assertEqual(said.returncode, 0, said.stdout)

    def test_each_message_is_tested(self):
        """What the table of messages shows is what programs of tests/must-not-compile expect, to the letter."""
        expected = {path.read_text().splitlines()[0] for path in (ROOT / "tests/must-not-compile").glob("*.c")}
        messages = re.findall(r"^\| `([^`]*)` \|", section("What the compiler says"), re.M)
        self.assertGreater(len(messages), 20)
        for message in messages:
            self.assertIn("// expect: " + message, expected)

    def test_a_body_that_is_missing(self):
        """The linker's message, and where it comes from."""
        header, bodies, _ = blocks(section("Messages and IDLE"), "c")
        (self.path / "app").mkdir()
        (self.path / "app/app.h").write_text("#ifndef APP_H\n#define APP_H\n" + header + "#endif\n")
        (self.path / "prog.c").write_text(re.sub(r"TASK\(report\)\n{.*?^}\n", "", bodies, flags=re.M | re.S))
        said = subprocess.run([*COMPILE, "-g", "-I", str(self.path), "-I.", str(self.path / "prog.c"), *LINKED, "-o", os.devnull],
                              cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertNotEqual(said.returncode, 0)
        message = re.search(r"^\| `(undefined reference [^`]*)` \(linker\)", DOCUMENT, re.M)[1]
        self.assertRegex(said.stdout.replace("`", "'"), message.replace("'", "['`]"))

    def test_figures(self):
        """Those of the table are what `make bench` counts, with the compiler that the text names."""
        version = subprocess.run(["arm-none-eabi-gcc", "-dumpfullversion"], check=True, text=True, capture_output=True).stdout
        if not version.startswith(re.search(r"at `-O2`, GCC ([\d.]+)", DOCUMENT)[1]):
            self.skipTest("another compiler: GCC " + version.strip())
        elf = self.path / "bench.elf"
        subprocess.run([*COMPILE, "-O2", "-g3", "-flto", "-ffunction-sections", "-fdata-sections", "-I.", "bench/kernel.c",
                        *LINKED, "-Wl,--gc-sections", "-o", str(elf)], cwd=ROOT, check=True)
        said = subprocess.run([str(pathlib.Path(BOARD).with_name("kernel-figures")), str(elf)], check=True, text=True,
                              capture_output=True).stdout
        counted = re.findall(r"^ok +\S.*? {2,}(\d+)", said, re.M)
        told = re.findall(r"\d+", " ".join(re.findall(r"^\|[^|]*\| ([\d /]+) \|", section("Figures"), re.M)))
        self.assertEqual(told, counted, said)

    def build(self, firmware):
        environment = {name: value for name, value in os.environ.items() if name not in CONFIGURED_BY}
        for command in (["cmake", "--preset", "firmware-release"],
                        ["cmake", "--build", "--preset", "firmware-release", "--target", firmware]):
            said = subprocess.run(command, cwd=self.path, env=environment, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True)
            self.assertEqual(said.returncode, 0, said.stdout)
        return self.path / "build/firmware-release" / (firmware + ".elf")

    def test_a_task_and_a_resource_are_added(self):
        for name in TREE:
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, self.path / name)
        text = section("To add a task and a resource")
        app, main = self.path / "app/app.h", self.path / "app/main.c"
        edits = blocks(text, "diff")
        self.assertEqual(len(edits), 5)
        for file, block in zip((app, app, main, main, main), edits):
            file.write_text(edited(file.read_text(), block))
        elf = self.build("mote-dhcp")
        script = self.path / "script"
        script.write_text("at 2s button press\nat 3s button press\nat 4s button press\n"
                          'expect "pressed 3 times" within 8s\nat 15s button press\n'
                          'expect "pressed 4 times" within 8s\nstop 0\n')
        said = subprocess.run([BOARD, "--net", "none", "--timeout", "60", "--script", str(script), str(elf)],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(said.returncode, 0, said.stdout)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: %s VIRTUAL_BOARD [TEST…]" % sys.argv[0])
    BOARD = sys.argv.pop(1)
    unittest.main(verbosity=2)
