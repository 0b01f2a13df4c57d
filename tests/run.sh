#!/bin/sh
# Builds everything and runs every test; the last line counts the cases.
set -eu
cd "$(dirname "$0")/.."
jobs=$(nproc)

# The tests decide what is configured, not the environment of whoever runs them.
unset MAC_ADDRESS IP_ADDRESS GATEWAY_ADDRESS DNS_ADDRESS BROKER_IP_ADDRESS BROKER_HOST BROKER_PORT \
    NTP_ADDRESS NTP_HOST

quietly() {
    "$@" >build/test.log 2>&1 || {
        cat build/test.log
        echo "mote: failed: $*"
        exit 1
    }
}

mkdir -p build
for preset in firmware-release firmware-debug host-debug host-sanitize fuzz; do
    echo "building $preset"
    quietly cmake --preset $preset
    quietly cmake --build --preset $preset -j "$jobs"
done
cmake/size.sh build/firmware-release/mote.elf || true # a test of its own

status=0
# Last the libFuzzer programs, 60 s each, on as many cores as there are.
for preset in host-debug host-sanitize fuzz; do
    ctest --preset $preset -j "$jobs" --no-tests=error --test-output-size-passed 10000000 || status=1
done

# Cases: cmocka's and the board programs' lines, unittest's. A program that died counts as one failure more.
logs="build/host-debug/Testing/Temporary/LastTest.log build/host-sanitize/Testing/Temporary/LastTest.log
    build/fuzz/Testing/Temporary/LastTest.log"
count() {
    # shellcheck disable=SC2086
    cat $logs | grep -Ec "$1" || true
}
passed=$(count '^\[       OK \]|^ok |\.\.\. ok$')
failed=$(count '^\[  FAILED  \] [^0-9]|^FAILED [^(]|\.\.\. (FAIL|ERROR)$')
skipped=$(count "^SKIPPED|\.\.\. skipped")
[ $status = 0 ] || [ "$failed" -gt 0 ] || failed=1
echo "$passed passed, $failed failed, $skipped skipped"
[ $status = 0 ] && [ "$failed" = 0 ]
