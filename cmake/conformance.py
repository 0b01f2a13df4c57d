#!/usr/bin/env python3
"""Is docs/mqtt-conformance.md complete, and does each test that it names exist?

Every numbered statement of MQTT 5.0's appendix B has to stand in one of its three parts, once, and each row of
the tables needs a test or words that say why there is none.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs/mqtt-conformance.md"

# Appendix B: how many statements each section has; 2.2.1 begins with 2.
SECTIONS = """
1.5.4 3, 1.5.5 1, 1.5.7 1, 2.1.3 1, 2.2.1 6, 2.2.2 1, 3.1.0 2, 3.1.2 30, 3.1.3 12, 3.1.4 6, 3.2.0 2, 3.2.2 22,
3.3.1 13, 3.3.2 20, 3.3.4 10, 3.4.2 3, 3.5.2 3, 3.6.1 1, 3.6.2 3, 3.7.2 3, 3.8.1 1, 3.8.3 5, 3.8.4 8, 3.9.2 2,
3.9.3 2, 3.10.1 1, 3.10.3 2, 3.10.4 6, 3.11.2 2, 3.11.3 2, 3.12.4 1, 3.14.0 1, 3.14.1 1, 3.14.2 4, 3.14.4 3,
3.15.1 1, 3.15.2 3, 4.1.0 2, 4.2.0 1, 4.3.1 1, 4.3.2 5, 4.3.3 13, 4.4.0 2, 4.5.0 2, 4.6.0 6, 4.7.0 1, 4.7.1 2,
4.7.2 1, 4.7.3 4, 4.8.2 6, 4.9.0 3, 4.12.0 7, 4.12.1 2, 4.13.1 1, 4.13.2 1, 6.0.0 4
"""


def statements():
    for entry in SECTIONS.replace("\n", " ").split(","):
        section, count = entry.split()
        for n in range(2 if section == "2.2.1" else 1, int(count) + 1):
            yield f"{section}-{n}"


def tests():
    """file/name of all cmocka tests that are registered."""
    for path in [*ROOT.glob("tests/mqtt/test_*.c"), *ROOT.glob("tests/integration/test_*.c")]:
        for name in re.findall(r"(?:cmocka_unit_test\w*|TEST)\((\w+)", path.read_text()):
            yield f"{path.stem.removeprefix('test_')}/{name}"


def rows(text):
    """(statement, what shows it) of the tables' rows."""
    for line in text.splitlines():
        match = re.match(r"\| MQTT-([\d.]+-\d+) \| .+ \| (.+) \|$", line)
        if match:
            yield match.groups()


def listed(text):
    """The statements of a paragraph such as "MQTT-1.5.4-1, -3 to -5; MQTT-..."."""
    for section, numbers in re.findall(r"MQTT-(\d+\.\d+\.\d+)((?:(?:,| to)? ?-\d+)+)", text):
        for first, last in re.findall(r"-(\d+)(?: to -(\d+))?", numbers):
            for n in range(int(first), int(last or first) + 1):
                yield f"{section}-{n}"


def complaints(text, existing):
    tables, _, rest = text.partition("## What binds the server alone")
    table = list(rows(tables))
    found = [statement for statement, _ in table] + list(listed(rest.strip().split("\n\n")[0]))
    expected = list(statements())
    for statement in expected:
        if found.count(statement) != 1:
            yield f"MQTT-{statement} stands there {found.count(statement)} times"
    for statement in sorted(set(found) - set(expected)):
        yield f"MQTT-{statement} is no statement"
    for name in re.findall(r"`([a-z0-9_]+/[a-z0-9_]+)`", text):
        if name not in existing and name not in ("connect/x", "simulation/x"):
            yield f"no test {name}"
    for statement, shown in table:
        if not re.search(r"`|[a-z]{3}|MQTT-", shown):
            yield f"MQTT-{statement} is neither tested nor explained"


def main():
    text = DOCUMENT.read_text()
    wrong = list(complaints(text, set(tests())))
    for complaint in wrong:
        print(f"{DOCUMENT.name}: {complaint}")
    table = list(rows(text))
    tested = sum("`" in shown and "/" in shown for _, shown in table)
    print(f"{'FAILED' if wrong else 'ok'} mqtt-conformance: {len(list(statements()))} statements, "
          f"{len(table)} in tables, {tested} of them with tests")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
