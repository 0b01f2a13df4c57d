"""The same programs, compiled at four levels, on the virtual board, on QEMU and on the host print the same.

compare.py VIRTUAL_BOARD FIRMWARE_FOLDER HOST_PROGRAM

The host's mathematics library is another: there, values may differ by some units in the last place.
"""
import os
import shutil
import struct
import subprocess
import sys

LEVELS = ("O0", "O2", "O3", "Os")
ULPS = 4  # of the precision that a function's name tells
QEMU = ("qemu-system-arm -M netduinoplus2 -nographic -monitor none -serial none "
        "-semihosting-config enable=on,target=native -kernel").split()


def run(command):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    lines = [line for line in result.stdout.splitlines() if line[:2] in ("= ", "~ ") or line == "end"]
    if result.returncode != 0 or not lines or lines[-1] != "end":
        fail(f"{' '.join(command)} ended with {result.returncode}:\n{result.stdout[-500:]}")
    return lines[:-1]


def fail(text):
    print(f"FAILED {text}")
    sys.exit(1)


def number(bits):
    return struct.unpack(">d", bytes.fromhex(bits))[0]


def near(name, a, b):
    precision = 2.0 ** (-23 if name.endswith("f") else -52)
    return abs(number(a) - number(b)) <= ULPS * precision * max(abs(number(a)), 1e-3)


def agree(line, expected):
    kind, name, value = line.split()
    if (kind, name) != tuple(expected.split()[:2]):
        return False
    return value == expected.split()[2] or (kind == "~" and near(name, value, expected.split()[2]))


def compare(what, lines, expected, exactly):
    if len(lines) != len(expected):
        fail(f"{what}: {len(lines)} lines instead of {len(expected)}")
    for line, other in zip(lines, expected):
        if not (line == other if exactly else agree(line, other)):
            fail(f"{what}: {line} instead of {other}")
    print(f"ok {what}: {len(lines)} results")


def main():
    board, folder, host = sys.argv[1:]
    expected = run([host])
    library = None  # what the target's library gives, the same at all levels
    for level in LEVELS:
        program = os.path.join(folder, f"compiled-{level}.elf")
        lines = run([board, "--net", "none", "--timeout", "600", program])
        compare(f"-{level} on the board as on the host", lines, expected, False)
        library = library or lines
        compare(f"-{level} on the board as at -{LEVELS[0]}", lines, library, True)
        if shutil.which(QEMU[0]):
            compare(f"-{level} on QEMU as on the board", run(QEMU + [program]), lines, True)
        else:
            print(f"SKIPPED -{level} on QEMU: not installed")


main()
