#!/usr/bin/env python3
"""The most that the single stack can hold, from the compiler's stack usage and call graph.

usage: stack.py ELF BUILD_FOLDER CALLS

BUILD_FOLDER holds what GCC wrote for the ELF with -fstack-usage -fcallgraph-info=su; with -flto
that is of the code as linked. Functions that it does not cover (the C library's) are read from the
disassembly. Tasks and priorities are those of the kernel's tables in the ELF, CALLS declares what
is called through pointers (cmake/stack_calls.txt).

The bound is the thread's stack plus the worst nesting of priorities, each with its deepest handler
and an exception's frame: tasks of one priority never preempt each other, and a call that stands in
a LOCK's block is only preempted from above the ceiling. Exit status 1: above the reserved stack, or
something is not bounded: recursion, alloca, a call that is not declared.
"""
import collections
import pathlib
import re
import struct
import subprocess
import sys

FRAME_BASIC = 32 + 8  # r0-r3, r12, lr, pc, xPSR, and the alignment to 8 bytes (ARMv7-M B1.5.7)
FRAME_FP = 104 + 8  # with s0-s15, FPSCR
TASK_BYTES = 28  # struct kernel_task (kernel/kernel.h)
INDIRECT = "__indirect_call"
THREAD = ("Reset_Handler", "main", "kernel_start", "kernel_idle", "idle_body", "kernel_sleep")


class Unbounded(Exception):
    pass


class Elf:
    """What is needed of a 32-bit little-endian ELF file."""

    def __init__(self, path):
        self.path = path
        self.data = pathlib.Path(path).read_bytes()
        offset, count, names = struct.unpack_from("<I", self.data, 32)[0], *struct.unpack_from("<HH", self.data, 48)
        self.sections = [struct.unpack_from("<10I", self.data, offset + 40 * i) for i in range(count)]
        del names
        self.symbols = {}  # name: (address, size, is a function)
        for section in self.sections:
            if section[1] == 2:  # SHT_SYMTAB
                self.read_symbols(section)

    def read_symbols(self, section):
        strings = self.sections[section[6]]
        for at in range(section[4], section[4] + section[5], 16):
            name, value, size, info, _, _ = struct.unpack_from("<IIIBBH", self.data, at)
            start = strings[4] + name
            text = self.data[start:self.data.index(b"\0", start)].decode()
            if text and info & 15 <= 2:
                self.symbols[text] = (value, size, info & 15 == 2)

    def bytes(self, address, size):
        for section in self.sections:
            if section[1] == 1 and section[3] <= address < section[3] + section[5]:
                at = section[4] + address - section[3]
                return self.data[at:at + size]
        raise SystemExit(f"stack: nothing at {address:#x} in {self.path}")

    def words(self, address, size):
        return struct.unpack(f"<{size // 4}I", self.bytes(address, size // 4 * 4))

    def table(self, name):
        address, size, _ = self.symbols[name]
        return self.words(address, size)

    def function_at(self, address):
        names = [n for n, (value, _, function) in self.symbols.items() if function and value & ~1 == address & ~1]
        return sorted(names, key=lambda n: (n not in GRAPH.frames, n))[0] if names else None


class Graph:
    """Functions with their frames, and who calls whom from which source line."""

    def __init__(self):
        self.frames = {}
        self.place = {}
        self.edges = collections.defaultdict(list)  # caller: (callee, file, line)
        self.problems = []

    def read(self, path, root):
        def short(title):
            return title.rsplit(":", 1)[-1]

        for line in path.read_text().splitlines():
            node = re.match(r'node: \{ title: "([^"]*)" label: "([^"]*)"', line)
            edge = re.match(r'edge: \{ sourcename: "([^"]*)" targetname: "([^"]*)"(?: label: "([^"]*)")?', line)
            if node:
                self.add_node(short(node[1]), node[2], root)
            elif edge:
                file, number = "", 0
                if edge[3]:
                    file, number = edge[3].rsplit(":", 2)[:2]
                self.edges[short(edge[1])].append((short(edge[2]), relative(file, root), int(number)))

    def add_node(self, name, label, root):
        parts = label.split("\\n")
        usage = re.search(r"(\d+) bytes \(([^)]*)\)", label)
        if not usage:
            return
        if "dynamic" in usage[2] and "bounded" not in usage[2]:
            self.problems.append(f"{name}: its stack grows at run time (alloca or a variable-length array)")
        self.frames[name] = int(usage[1])
        self.place[name] = relative(parts[1].rsplit(":", 2)[0], root)


def relative(file, root):
    path = pathlib.Path(file)
    return str(path.relative_to(root)) if path.is_absolute() and path.is_relative_to(root) else str(path)


def frame_of(instructions):
    """The most that a function of the library pushes, in whatever order."""
    total = 0
    for text in instructions:
        push = re.match(r"(?:push|vpush|stmdb\s+sp!,)(?:\.w)?\s*\{([^}]*)\}", text)
        if push:
            size = 8 if "d" in push[1] and text.startswith("vpush") else 4
            total += size * sum(register_count(r) for r in push[1].split(","))
        down = re.match(r"sub(?:\.w|w)?\s+sp,(?: sp,)? #(\d+)", text) or re.match(r"str.*\[sp, #-(\d+)\]!", text)
        if down:
            total += int(down[1])
        if re.match(r"(?:sub\w*(?:\.w)?\s+sp, (?:sp, )?r|mov\s+sp, r)", text):
            raise Unbounded("it changes the stack pointer by a register")
    return total


def register_count(text):
    span = re.match(r"\s*[a-z]+(\d+)\s*-\s*[a-z]+(\d+)", text)
    return int(span[2]) - int(span[1]) + 1 if span else 1


def disassemble(elf):
    """Instructions and direct calls of each function in the ELF, and whether the FPU is used."""
    out = subprocess.run(["arm-none-eabi-objdump", "-d", "--no-show-raw-insn", elf], check=True, text=True,
                         capture_output=True).stdout
    functions, calls, fpu, name = collections.defaultdict(list), collections.defaultdict(set), False, None
    for line in out.splitlines():
        start = re.match(r"[0-9a-f]+ <([^>]+)>:", line)
        if start:
            name = start[1]
            continue
        code = re.match(r"\s*[0-9a-f]+:\t(\S+)\s*(.*)", line)
        if not code or name is None:
            continue
        text = f"{code[1]} {code[2]}"
        functions[name].append(text)
        fpu = fpu or (code[1].startswith("v") and not code[1].startswith(".")
                      and code[1].split(".")[0] not in ("vmsr", "vmrs"))
        target = re.match(r"(?:bl|b|b\.w|b\.n|blx)\s+[0-9a-f]+ <([^>+]+)>$", text)
        if target and target[1] != name:
            calls[name].add(target[1])
    return functions, calls, fpu


def merge_aliases(graph, elf):
    """Functions that were folded into one have several names; the compiler knows the frame of one."""
    at = collections.defaultdict(list)
    for name, (value, _, function) in elf.symbols.items():
        if function:
            at[value].append(name)
    for names in at.values():
        known = [n for n in names if n in graph.frames]
        for name in names if known else []:
            if name not in graph.frames:
                graph.frames[name] = graph.frames[known[0]]
                graph.place[name] = graph.place.get(known[0])
                graph.edges[name] = graph.edges[known[0]]


def complete(graph, elf):
    """Adds what the compiler's graph does not know: the library, and calls that it makes by itself."""
    functions, calls, fpu = disassemble(elf.path)
    for name, instructions in functions.items():
        if name not in graph.frames:
            try:
                graph.frames[name] = frame_of(instructions)
            except Unbounded as why:
                graph.frames[name] = 0
                graph.problems.append(f"{name}: {why}")
        known = {callee for callee, _, _ in graph.edges[name]}
        graph.edges[name] += [(callee, "", 0) for callee in sorted(calls[name] - known)]
    merge_aliases(graph, elf)
    return fpu


def base(name):
    return name.split(".")[0]


class Calls:
    """The declarations of stack_calls.txt."""

    def __init__(self, path, graph, root):
        self.patterns, self.idle, self.root, self.graph = [], [], root, graph
        for line in pathlib.Path(path).read_text().splitlines():
            if not line.strip() or line.startswith("#"):
                continue
            pattern, *targets = line.split()
            if pattern == "idle":
                self.idle = targets
            else:
                self.patterns.append((pattern, targets))

    def named(self, target):
        if target == "none":
            return []
        file, name = target.split(":")
        return [n for n in self.graph.frames if base(n) == name and self.graph.place.get(n) == file]

    def all_named(self):
        return {n for _, targets in self.patterns for t in targets for n in self.named(t)}

    def reach(self, file, line, tasks):
        text = ""
        if file:
            lines = (self.root / file).read_text().splitlines()
            text = lines[line - 1] if 0 < line <= len(lines) else ""
        if "task->run(" in text or "KERNEL_DEFINE" in text:
            return tasks
        for pattern, targets in self.patterns:
            if pattern in text:
                found = [n for t in targets for n in self.named(t)]
                if found or targets == ["none"]:
                    return found
        raise Unbounded(f"{file}:{line}: a call through a pointer that stack_calls.txt does not declare: "
                        f"{text.strip()}")


class Locks:
    """The ceiling that the source around a call raises to."""

    def __init__(self, root, elf_path):
        self.root, self.blocks = root, {}
        out = subprocess.run(["arm-none-eabi-objdump", "--dwarf=info", elf_path], check=True, text=True,
                             capture_output=True).stdout
        pairs = re.findall(r"DW_AT_name\s*:.*?RESOURCE_(\w+)_CEILING\n.*DW_AT_const_value\s*: (\d+)", out)
        self.ceilings = {name: int(value) for name, value in pairs}

    def find(self, file):
        """Line ranges within the braces of LOCK, with their ceilings."""
        path = self.root / file
        if not file or not path.is_file():
            return []
        text = re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\])*"', lambda m: re.sub(r"[^\n]", " ", m[0]),
                      path.read_text(), flags=re.S)
        blocks = []
        for lock in re.finditer(r"\bLOCK\s*\(\s*(\w+)\s*\)\s*\{", text):
            depth, end = 1, lock.end()
            while depth and end < len(text):
                depth += {"{": 1, "}": -1}.get(text[end], 0)
                end += 1
            first, last = text.count("\n", 0, lock.end()) + 2, text.count("\n", 0, end)
            blocks.append((first, last, self.ceilings.get(lock[1], 0)))
        return blocks

    def ceiling(self, file, line):
        if file not in self.blocks:
            self.blocks[file] = self.find(file)
        return max((c for first, last, c in self.blocks[file] if first <= line <= last), default=0)


class Depth:
    """From a function on, for each ceiling that is held: the deepest chain, where dispatchers run `tasks`."""

    def __init__(self, graph, calls, locks, tasks):
        self.graph, self.calls, self.locks, self.tasks = graph, calls, locks, tasks
        self.known, self.open = {}, []

    def of(self, name):
        if name in self.known:
            return self.known[name]
        if name in self.open:
            raise Unbounded("recursion: " + " -> ".join(self.open[self.open.index(name):] + [name]))
        if name not in self.graph.frames:
            raise Unbounded(f"{self.open[-1]} calls {name}, of which nothing is known")
        self.open.append(name)
        frame = self.graph.frames[name]
        chains = {0: (frame, (name,))}
        for callee, file, line in self.graph.edges[name]:
            held = self.locks.ceiling(file, line)
            for target in self.targets(file, line) if callee == INDIRECT else [callee]:
                for inner, (size, way) in self.of(target).items():
                    ceiling = max(held, inner)
                    if frame + size > chains.get(ceiling, (0, ()))[0]:
                        chains[ceiling] = (frame + size, (name,) + way)
        self.open.pop()
        self.known[name] = chains
        return chains

    def targets(self, file, line):
        """All calls that are not declared are told at once."""
        try:
            return self.calls.reach(file, line, self.tasks)
        except Unbounded as why:
            if str(why) not in self.graph.problems:
                self.graph.problems.append(str(why))
            return []

    def most(self, name):
        return max(self.of(name).values())


class Nesting:
    """What priorities can pile up: preempted() is the most above a level, or a ceiling held at it."""

    def __init__(self, frame, chains):
        self.frame, self.chains, self.known = frame, chains, {}  # chains: level: [(ceiling, size, way)]

    def level(self, level):
        if level not in self.known:
            self.known[level] = max((size + self.preempted(max(level, ceiling))[0], ceiling, size, way)
                                    for ceiling, size, way in self.chains[level])
        return self.known[level]

    def preempted(self, ceiling):
        return max(((self.frame + self.level(m)[0], m) for m in self.chains if m > ceiling), default=(0, 0))


def handlers(elf):
    """Priority: handler names, and priority: tasks that its dispatcher runs."""
    vectors = elf.table("vectors")
    address, size, _ = elf.symbols["kernel_interrupts"]
    by_level = collections.defaultdict(list)
    for number, priority in struct.iter_unpack("BB", elf.bytes(address, size)):
        by_level[priority].append(elf.function_at(vectors[16 + number]))
    lists = elf.symbols["kernel_lists"][0]
    tasks = collections.defaultdict(list)
    # Not by kernel_tasks, which the compiler takes apart where it has one element.
    for name, (address, size, _) in elf.symbols.items():
        if name.startswith("kernel_task_") and size == TASK_BYTES:
            run, _, ready = elf.words(address, 12)
            tasks[(ready - lists) // 4].append(elf.function_at(run))
    return by_level, tasks


def thread(graph, calls, depth):
    """The thread's stack while interrupts may come: frames on the way to the idle loop, and what that calls."""
    way = [n for n in THREAD if n in graph.frames]
    below = 0
    for name in way:
        for callee, file, _ in graph.edges[name]:
            if callee not in way and callee != INDIRECT and file in calls.idle and base(callee) != "kernel_init":
                below = max(below, depth.most(callee)[0])
    return sum(graph.frames[n] for n in way) + below


def undeclared(elf, graph, calls, by_level, tasks):
    """Functions whose address is stored somewhere but that nothing here accounts for."""
    expected = calls.all_named() | {n for ns in by_level.values() for n in ns} | {n for ns in tasks.values() for n in ns}
    flash = [s for s in elf.sections if s[1] == 1 and s[2] & 2]  # allocated bytes
    vectors = elf.symbols["vectors"]
    taken = set()
    for section in flash:
        for at in range(0, section[5] - 3, 4):
            if not vectors[0] <= section[3] + at < vectors[0] + vectors[1]:
                taken.add(struct.unpack_from("<I", elf.data, section[4] + at)[0])
    starts = {value | 1: name for name, (value, _, function) in elf.symbols.items() if function and name in graph.place}
    return sorted(name for value, name in starts.items() if value in taken and name not in expected)


def show(nesting, start, way, idle):
    """Prints the worst nesting and returns the bound."""
    print(f"start and INIT, nothing can come: {start:5}  {' > '.join(way)}")
    print(f"idle:                             {idle:5}")
    bound, level = nesting.preempted(0)
    while level:
        _, ceiling, size, way = nesting.level(level)
        held = f", ceiling {ceiling} held" if ceiling > level else ""
        print(f"priority {level:2}: frame {nesting.frame:3}, then {size:5}{held}  {' > '.join(way)}")
        level = nesting.preempted(max(level, ceiling))[1]
    return max(idle + bound, start)


def main():
    global GRAPH
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    root = pathlib.Path(__file__).resolve().parent.parent
    elf, graph = Elf(sys.argv[1]), Graph()
    GRAPH = graph
    name = pathlib.Path(sys.argv[1]).name
    folder = pathlib.Path(sys.argv[2])
    # With LTO the graph is of the linked code; what was compiled without is in objects' own files.
    linked = sorted(folder.glob(f"{name}.ltrans*.ci"))
    for path in linked + sorted(folder.glob("CMakeFiles/**/*.ci")):
        graph.read(path, root)
    if not graph.frames:
        raise SystemExit(f"stack: {folder} holds no call graph; build with -fstack-usage -fcallgraph-info=su")
    frame = FRAME_FP if complete(graph, elf) else FRAME_BASIC
    calls = Calls(sys.argv[3], graph, root)
    by_level, tasks = handlers(elf)
    reserved = elf.symbols["stack_end"][0] - elf.symbols["stack_start"][0]
    problems = graph.problems
    problems += [f"{n}: its address is taken, but stack_calls.txt does not name it"
                 for n in undeclared(elf, graph, calls, by_level, tasks)]
    locks = Locks(root, sys.argv[1])
    bound = 0
    try:
        depth = Depth(graph, calls, locks, [])
        start, way = depth.most("Reset_Handler")
        idle = thread(graph, calls, depth)
        chains = {}
        for level, names in by_level.items():
            depth = Depth(graph, calls, locks, tasks[level])
            chains[level] = [(c, *chain) for n in names for c, chain in depth.of(n).items()]
        bound = show(Nesting(frame, chains), start, way, idle)
    except Unbounded as why:
        problems.append(str(why))
    for problem in problems:
        print("stack:", problem)
    if problems:
        print("stack: not bounded")
    elif bound > reserved:
        print(f"stack: up to {bound} bytes, but only {reserved} are reserved: shorten the chains above, "
              "or raise STACK_SIZE (target/nucleo-f429zi/nucleo-f429zi.ld)")
    else:
        print(f"stack: at most {bound} bytes of {reserved} reserved")
    return 1 if problems or bound > reserved else 0


if __name__ == "__main__":
    sys.exit(main())
