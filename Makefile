# The front door. Everything is built by CMake (CMakePresets.json); this only
# finds what is missing, in the right order, and says what it does.
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help run posix test fuzz simulate bench firmware host tools size stack schedule trace emulator-torture flash attach debug lint format clean packages-%

RELEASE := build/firmware-release
HOST := build/host-debug
SANITIZE := build/host-sanitize
# MOTE_FULL=1: with everything that can be switched on.
FULL := $(if $(filter 1,$(MOTE_FULL)),-full)
FIRMWARE := mote$(FULL)
ELF := $(RELEASE)/$(FIRMWARE).elf

help:
	@echo "make run      the firmware on the virtual board, with a real MQTT broker on this machine"
	@echo "make posix    the same firmware as a Linux process (docs/posix.md), likewise"
	@echo "make tools    mote pub and mote sub, MQTT clients of the command line: docs/mote-tool.md"
	@echo "make test     every test"
	@echo "make fuzz     SECONDS=60 TARGET=NAME: one libFuzzer program, or without TARGET each of them"
	@echo "make simulate SEEDS=100000 SEED=1: TCP connections and MQTT sessions over bad links in virtual time"
	@echo "make firmware the release firmware: $(ELF)"
	@echo "make bench    instructions of the stack's paths against their budgets"
	@echo "make size     flash and RAM against their budgets"
	@echo "make emulator-torture  a billion random instructions on the emulated core and on QEMU"
	@echo "make stack    the most that the stack can hold, against what is reserved"
	@echo "make schedule which deadlines hold, from run times measured on the virtual board"
	@echo "make trace    a timeline of tasks, locks, spawns: build/trace.json, for Perfetto or chrome://tracing"
	@echo "make flash    writes the firmware to a real Nucleo-F429ZI; attach: its log; debug: GDB,"
	@echo "              also as make debug BOARD=virtual"
	@echo "make lint     clang-tidy; format: clang-format"
	@echo "MOTE_FULL=1 with run, posix, firmware, size, stack, flash, debug: the full firmware"
	@echo "Configured by MAC_ADDRESS, IP_ADDRESS, BROKER_IP_ADDRESS, BROKER_HOST, BROKER_PORT: see app/configure.sh"

packages-%:
	@cmake/packages.sh $*

firmware: packages-run
	@app/configure.sh
	@cmake --preset firmware-release >/dev/null
	@cmake --build --preset firmware-release --target $(FIRMWARE)

$(HOST)/virtual-board: host
host: packages-run
	@cmake --preset host-debug >/dev/null
	@cmake --build --preset host-debug --target virtual-board

# mote pub, mote sub: docs/mote-tool.md
tools: packages-run
	@cmake --preset host-debug >/dev/null
	@cmake --build --preset host-debug --target mote-tool
	@echo "$(HOST)/mote pub --help, $(HOST)/mote sub --help"

run: firmware host
	@app/run.sh $(HOST)/virtual-board $(ELF) $(ARGS)

posix: packages-run
	@app/configure.sh
	@cmake --preset host-debug >/dev/null
	@cmake --build --preset host-debug --target mote-posix$(FULL)
	@app/run.sh $(HOST)/mote-posix$(FULL) - $(ARGS)

test: packages-test
	@tests/run.sh

# libFuzzer programs (fuzz/, cmake/fuzz.cmake). Findings: build/fuzz/findings; replayed by build/fuzz/TARGET FILE.
fuzz: packages-fuzz
	@cmake --preset fuzz -DMOTE_FUZZ_SECONDS=$(or $(SECONDS),60) >/dev/null
	@cmake --build --preset fuzz $(if $(TARGET),--target $(TARGET)) >build/fuzz.log || { cat build/fuzz.log; exit 1; }
ifdef TARGET
	@sh fuzz/run.sh build/fuzz $(TARGET) $(or $(SECONDS),60)
else
	@ctest --preset fuzz -j "$$(nproc)"
endif

# Each seed is a world of eight connections. SEED=N SEEDS=1 replays one and leaves its frames in a file (docs/network.md).
simulate: packages-run
	@cmake --preset host-debug >/dev/null
	@cmake --build --preset host-debug --target net-full-sim_connections net-server-sim_connections integration-simulation >/dev/null
	@cd $(HOST) && ./net-full-sim_connections $(or $(SEED),1) $(or $(SEEDS),100000)
	@cd $(HOST) && ./net-server-sim_connections $(or $(SEED),1) $(or $(SEEDS),100000)
	@$(HOST)/integration-simulation $(or $(SEED),1) $(or $(SEEDS),100000)

bench: packages-bench host tools
	@bench/net.sh $(HOST)/virtual-board
	@bench/lwip/versus.sh $(HOST)/virtual-board
	@bench/kernel.sh $(HOST)
	@bench/mqtt.sh $(HOST)/virtual-board
	@bench/path.sh $(HOST)/virtual-board
	@bench/throughput.sh $(HOST)/virtual-board $(HOST)/mote

size: firmware
	@cmake/size.sh $(ELF)

stack: packages-measure
	@cmake/stack.sh $(FIRMWARE)

schedule: packages-measure host
	@cmake/schedule.sh $(HOST)

trace: packages-run host
	@cmake/trace.sh $(HOST) $(SECONDS)

# Random instructions on the emulated core and on QEMU: SEED=N goes on from there, INSTRUCTIONS=N says how many.
emulator-torture: packages-test
	@cmake --preset host-debug >/dev/null
	@cmake --build --preset host-debug --target emulator-cpu_qemu
	@$(HOST)/emulator-cpu_qemu $(or $(SEED),1) $(or $(INSTRUCTIONS),1000000000)

# A real board: probe-rs where it is installed, otherwise Debian's OpenOCD.
flash attach: packages-flash firmware
	@target/nucleo-f429zi/probe.sh $@ $(ELF)

# GDB on a real board, or with BOARD=virtual on the virtual one, where the same commands do the same.
ifeq ($(BOARD),virtual)
debug: packages-debug firmware host
	@emulator/debug.sh $(HOST)/virtual-board $(ELF) $(ARGS)
else
debug: packages-flash firmware
	@target/nucleo-f429zi/probe.sh $@ $(ELF)
endif

lint: packages-lint
	@cmake --preset host-debug >/dev/null
	@cmake/lint.sh $(HOST)

format: packages-lint
	@git ls-files '*.c' '*.h' | xargs clang-format -i

clean:
	rm -rf build
