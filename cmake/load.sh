# Sourced by schedule.sh and trace.sh: a firmware with observers, and a load for it from a broker on $BROKER_PORT.
export BROKER_PORT
unset MAC_ADDRESS IP_ADDRESS GATEWAY_ADDRESS DNS_ADDRESS BROKER_IP_ADDRESS BROKER_HOST NTP_ADDRESS NTP_HOST

# build_observed FOLDER SWITCH [COMMAND…]: mote.elf with -DSWITCH; then the command. The log is shown if that fails.
build_observed() {
    folder=$1 switch=$2
    small=$(cmake/release_flags.sh)
    shift 2
    mkdir -p build
    {
        cmake --preset firmware-release -B "$folder" -DCMAKE_C_FLAGS_MINSIZEREL="$small -D$switch" &&
            cmake --build "$folder" --target mote && "$@"
    } >"$folder.log" 2>&1 || {
        cat "$folder.log" >&2
        exit 1
    }
}

# load PERIOD: the LED set and the settings listed each so many seconds, once the device is there.
load() {
    prefix=$(mosquitto_sub -p "$BROKER_PORT" -t '#' -F %t -W 6 | sed -n 's,/telemetry$,,p' | tail -n 1)
    while sleep "$1"; do
        mosquitto_pub -p "$BROKER_PORT" -V 5 -q 1 -t "$prefix/settings/led" -m true
        mosquitto_pub -p "$BROKER_PORT" -V 5 -q 1 -t "$prefix/settings" -n \
            -D publish response-topic "$prefix/response" -D publish correlation-data list
    done
}

# load_from DELAY PERIOD: in the background, to the script's end.
load_from() {
    (sleep "$1"; load "$2") >/dev/null 2>&1 &
    loading=$!
    trap 'kill $loading 2>/dev/null || true' EXIT
}
