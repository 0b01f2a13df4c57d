#!/usr/bin/env python3
"""Response-time analysis of the firmware's tasks under the Stack Resource Policy.

usage: schedule.py ELF MEASURED TABLE

MEASURED: what kernel-measure printed of the ELF, which was built with KERNEL_STATISTICS.
TABLE: for each task the least time between starts and its deadline (cmake/schedule.txt).

A task's response R is the least solution of  R = C + B + sum over tasks j that go before it of
ceil(R / T_j) C_j.  C: its longest run. B: the longest time for which a task of lower priority held
a lock with a ceiling of at least its own; once is the most that it meets (SRP). Tasks that go
before it are those of higher priority, and of the same one, except that two software tasks share a
queue: of the other there come first the run under way and what its queue holds, however often it
starts. Exit status 1: a deadline does not hold.
"""
import math
import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True
from stack import Elf  # noqa: E402

# Entry and exit of the interrupt, the dispatcher, the timer's interrupt: cycles for each start (docs/kernel.md).
OVERHEAD_CYCLES = 450
ROUNDS_MAX = 10000


def enumerators(elf):
    out = subprocess.run(["arm-none-eabi-objdump", "--dwarf=info", elf], check=True, text=True,
                         capture_output=True).stdout
    return dict((name, int(value)) for name, value in
                re.findall(r"DW_AT_name\s*:.*?((?:TASK|RESOURCE)_\w+)\n.*DW_AT_const_value\s*: (-?\d+)", out))


class Task:
    def __init__(self, name, number, priority):
        self.name, self.number, self.priority = name, number, priority
        self.run = self.every = self.within = 0.0
        self.runs = 0
        self.capacity = 0  # of a software task


def read_tasks(names):
    return {number: Task(name[5:], number, names[name + "_PRIORITY"]) for name, number in names.items()
            if name.startswith("TASK_") and name + "_PRIORITY" in names and name != "TASK_idle"}


def read_measured(path):
    measured = {}
    for line in pathlib.Path(path).read_text(errors="replace").splitlines():
        if line.startswith("measured "):
            _, what, *words = line.split()
            measured[what] = [int(w) for w in words]
    missing = {"kernel_statistics_of_tasks", "kernel_statistics_of_locks", "hz"} - set(measured)
    if missing:
        raise SystemExit(f"schedule: {path} lacks {', '.join(sorted(missing))}: did the run come to its end?")
    return measured


def read_table(path, tasks, problems):
    by_name = {t.name: t for t in tasks.values()}
    for line in pathlib.Path(path).read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        name, every, within, *like = line.split()
        if {name, *like[1:]} - set(by_name):
            problems.append(f"{path} has a line for {name}: no such task: {line}")
            continue
        task = by_name[name]
        task.every, task.within = float(every), float(within)
        if like and not task.runs:
            task.run, task.runs = by_name[like[1]].run, by_name[like[1]].runs
    problems += [f"{path} does not say how often {t.name} starts" for t in tasks.values() if not t.every]


def blocking(task, tasks, names, locks):
    longest = 0.0
    for resource, held in locks.items():
        users = names[f"RESOURCE_{resource}_USERS"]
        ceiling = names[f"RESOURCE_{resource}_CEILING"]
        lower = any(users >> t.number & 1 and t.priority < task.priority for t in tasks.values())
        if lower and ceiling >= task.priority:
            longest = max(longest, held)
    return longest


def starts(task, other, time):
    """How often `other` goes before `task` within a time."""
    if other is task or other.priority < task.priority:
        return 0
    if other.priority == task.priority and task.capacity and other.capacity:
        return other.capacity + 1
    return math.ceil(time / other.every)


def response(task, tasks, block, overhead):
    r = task.run + overhead + block
    for _ in range(ROUNDS_MAX):
        total = task.run + overhead + block
        total += sum(starts(task, t, r) * (t.run + overhead) for t in tasks.values())
        if total <= r or total > 100 * task.within:
            return total
        r = total
    return math.inf


def main():
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    names, measured, problems = enumerators(sys.argv[1]), read_measured(sys.argv[2]), []
    tasks, us, elf = read_tasks(names), measured["hz"][0] / 1e6, Elf(sys.argv[1])
    words = measured["kernel_statistics_of_tasks"]
    for number, task in tasks.items():
        # uint64 cycles, uint32 cycles_max, uint32 runs (kernel/observe.h)
        task.run, task.runs = words[number * 4 + 2] / us, words[number * 4 + 3]
        if f"kernel_task_{task.name}" in elf.symbols:
            # The last half-word of struct kernel_task (kernel/kernel.h)
            task.capacity = elf.table(f"kernel_task_{task.name}")[6] >> 16
    read_table(sys.argv[3], tasks, problems)
    problems += [f"{t.name} has not run: its time is not known" for t in tasks.values() if not t.runs]
    numbers = {n[9:]: v for n, v in names.items() if n.startswith("RESOURCE_") and n + "_CEILING" in names}
    locks = {name: measured["kernel_statistics_of_locks"][number] / us for name, number in numbers.items()}
    for problem in problems:
        print("schedule:", problem)
    if problems:
        return 1

    overhead, kept = OVERHEAD_CYCLES / us, True
    for name, held in locks.items():
        print(f"lock {name}: held for up to {held:.1f} us, ceiling {names[f'RESOURCE_{name}_CEILING']}")
    print(f"{'task':16} {'prio':>4} {'runs':>7} {'longest':>9} {'every':>9} {'blocked':>9} {'response':>9} {'deadline':>9}  us")
    for task in sorted(tasks.values(), key=lambda t: -t.priority):
        block = blocking(task, tasks, names, locks)
        r = response(task, tasks, block, overhead)
        holds = r <= task.within
        kept = kept and holds
        print(f"{task.name:16} {task.priority:4} {task.runs:7} {task.run:9.1f} {task.every:9.0f} {block:9.1f} "
              f"{r:9.1f} {task.within:9.0f}  {'holds' if holds else 'DOES NOT HOLD'}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
