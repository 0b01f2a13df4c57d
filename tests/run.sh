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
log=Testing/Temporary/LastTest.log
# What fails is run once more, alone: peers in real time on a busy machine can be late. Both runs are shown, and what
# passes only then is named. Last the libFuzzer programs, 60 s each, on as many cores as there are.
for preset in host-debug host-sanitize fuzz; do
    rm -f build/$preset/$log.first
    ctest --preset $preset -j "$jobs" --no-tests=error --test-output-size-passed 10000000 && continue
    cp build/$preset/$log build/$preset/$log.first
    echo "once more, alone:"
    ctest --preset $preset --rerun-failed --test-output-size-passed 10000000 || status=1
done

# The output of a first run's passed tests; the others' is in that of the second.
passed_of_first() {
    awk '/^[0-9]+\/[0-9]+ Testing: / { text = "" } { text = text $0 "\n" } /^Test Passed\.$/ { printf "%s", text }' "$1"
}
logs() {
    for preset in host-debug host-sanitize fuzz; do
        cat build/$preset/$log
        [ ! -f build/$preset/$log.first ] || passed_of_first build/$preset/$log.first
    done
}

# Cases: cmocka's and the board programs' lines, unittest's. A program that died counts as one failure more.
logs >build/test.log
count() {
    grep -Ec "$1" build/test.log || true
}
passed=$(count '^\[       OK \]|^ok |\.\.\. ok$|^ok$') # a warning may stand between a case and its ok
failed=$(count '^\[  FAILED  \] [^0-9]|^FAILED [^(]|\.\.\. (FAIL|ERROR)$')
skipped=$(count "^SKIPPED|\.\.\. skipped")
[ $status = 0 ] || [ "$failed" -gt 0 ] || failed=1
for first in build/*/$log.first; do
    [ ! -f "$first" ] || sed -n 's/^"\(.*\)" start time.*/\1/; t keep; /^Test Failed\.$/ { g; s/^/not passed at the first run: /p }; d; :keep h; d' "$first"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $status = 0 ] && [ "$failed" = 0 ]
