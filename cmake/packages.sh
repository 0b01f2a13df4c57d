#!/bin/sh
# Installs by name the Debian packages that are missing, saying so.
#   cmake/packages.sh run|test|measure|fuzz|bench|flash|debug|lint
set -eu

build="cmake ninja-build gcc libc6-dev pkg-config gcc-arm-none-eabi picolibc-arm-none-eabi"
board="libslirp-dev libglib2.0-dev libdw-dev libelf-dev libcmocka-dev"
case "${1:-}" in
run) wanted="$build $board mosquitto mosquitto-clients" ;;
test) wanted="$build $board mosquitto mosquitto-clients python3 iproute2 util-linux iputils-ping
      iputils-arping netcat-openbsd nmap hping3 iperf3 dnsmasq-base avahi-daemon avahi-utils dbus qemu-system-arm openocd gdb-multiarch git ca-certificates clang libclang-rt-dev llvm" ;;
measure) wanted="$build $board mosquitto mosquitto-clients python3" ;;
fuzz) wanted="cmake ninja-build clang libclang-rt-dev llvm libc6-dev" ;;
bench) wanted="$build $board dpkg-dev" ;;
flash) wanted="$build openocd gdb-multiarch" ;;
debug) wanted="$build $board util-linux gdb-multiarch" ;;
lint) wanted="$build $board clang-format clang-tidy" ;;
*)
    echo "usage: cmake/packages.sh run|test|measure|fuzz|bench|flash|debug|lint" >&2
    exit 2
    ;;
esac

# For Aedes, the tests' second broker: from wherever they are already.
if [ "${1:-}" = test ] && ! command -v npm >/dev/null; then
    wanted="$wanted nodejs npm"
fi

missing=""
for package in $wanted; do
    status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    sudo=""
elif command -v sudo >/dev/null; then
    sudo="sudo"
else
    echo "mote: these packages are missing, and there is no sudo to install them with:$missing" >&2
    echo "mote: as root, run: apt-get install$missing" >&2
    exit 1
fi
echo "mote: installing what is missing:$missing"
$sudo apt-get update -qq || echo "mote: the package lists could not be brought up to date; trying with what is there" >&2
# shellcheck disable=SC2086
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
