# The front door. Everything is built by CMake (CMakePresets.json); this only
# finds what is missing, in the right order, and says what it does.
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help run test firmware host size flash attach debug lint format clean packages-%

RELEASE := build/firmware-release
HOST := build/host-debug
SANITIZE := build/host-sanitize
ELF := $(RELEASE)/mote.elf

help:
	@echo "make run      the firmware on the virtual board, with a real MQTT broker on this machine"
	@echo "make test     every test"
	@echo "make firmware the release firmware: $(ELF)"
	@echo "make size     flash and RAM against their budgets"
	@echo "make flash    writes the firmware to a real Nucleo-F429ZI; attach: its log; debug: GDB"
	@echo "make lint     clang-tidy; format: clang-format"
	@echo "Configured by MAC_ADDRESS, IP_ADDRESS, BROKER_IP_ADDRESS, BROKER_HOST, BROKER_PORT: see app/configure.sh"

packages-%:
	@cmake/packages.sh $*

firmware: packages-run
	@app/configure.sh
	@cmake --preset firmware-release >/dev/null
	@cmake --build --preset firmware-release --target mote

$(HOST)/virtual-board: host
host: packages-run
	@cmake --preset host-debug >/dev/null
	@cmake --build --preset host-debug --target virtual-board

run: firmware host
	@app/run.sh $(HOST)/virtual-board $(ELF) $(ARGS)

test: packages-test
	@tests/run.sh

size: firmware
	@cmake/size.sh $(ELF)

# A real board: probe-rs where it is installed, otherwise Debian's OpenOCD.
flash attach debug: packages-flash firmware
	@target/nucleo-f429zi/probe.sh $@ $(ELF)

lint: packages-lint
	@cmake --preset host-debug >/dev/null
	@cmake/lint.sh $(HOST)

format:
	@git ls-files '*.c' '*.h' | xargs clang-format -i

clean:
	rm -rf build
