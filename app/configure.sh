#!/bin/sh
# Turns the build's environment into a header, and refuses what cannot work.
#   app/configure.sh [HEADER]     without HEADER: check only
#
#   MAC_ADDRESS        02-00-00-03-02-00 or with colons; unset: made from the chip's unique id
#   IP_ADDRESS         192.168.1.10 or 192.168.1.10/24; unset: DHCP
#   GATEWAY_ADDRESS    with IP_ADDRESS; unset: none
#   DNS_ADDRESS        with IP_ADDRESS, and BROKER_HOST or NTP_HOST
#   BROKER_IP_ADDRESS  unset: 10.0.2.2, the host as the virtual board sees it; for the full firmware (MOTE_FULL=1)
#                      up to four, to be tried in turn: 192.168.1.2,192.168.1.3
#   BROKER_HOST        a name instead of an address, or up to four likewise
#   BROKER_PORT        unset: 1883
#   NTP_ADDRESS        time server of the full firmware; unset: those that DHCP names, then
#   NTP_HOST           a name instead of an address; unset: none
set -eu
LC_ALL=C

refuse() {
    echo "mote: $1" >&2
    exit 1
}

# address NAME VALUE: prints it as a C constant
address() {
    printf '%s' "$2" | grep -Eqx '[0-9]{1,3}(\.[0-9]{1,3}){3}' ||
        refuse "$1=$2 is not an IPv4 address: four numbers from 0 to 255, as in 192.168.1.10"
    old_ifs=$IFS
    IFS=.
    # shellcheck disable=SC2086
    set -- "$1" "$2" $2
    IFS=$old_ifs
    value=0
    for part in "$3" "$4" "$5" "$6"; do
        part=$(printf '%s' "$part" | sed 's/^0*\(.\)/\1/')
        [ "$part" -le 255 ] || refuse "$1=$2 is not an IPv4 address: $part is above 255"
        value=$((value * 256 + part))
    done
    case $((value >> 24)) in
    0 | 127 | 22[4-9] | 23[0-9] | 24[0-9] | 25[0-5])
        refuse "$1=$2 is not the address of one host on a network"
        ;;
    esac
    printf '0x%08X' "$value"
}

# host NAME VALUE: refuses what is no name, or cannot be resolved
host() {
    printf '%s' "$2" | grep -Eqix '([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*' &&
        [ ${#2} -le 127 ] ||
        refuse "$1=$2 is not a host name: letters, digits, hyphens and dots, 127 at most"
    [ "$ip" = 0 ] || [ "$dns" != 0 ] || refuse "$1=$2 with IP_ADDRESS needs DNS_ADDRESS, the name server to ask"
}

brokers_max=4 # CONFIG_BROKERS_MAX of app/config.h

# brokers NAME LIST: sets `brokers`, as C, and `count`
brokers() {
    case $2 in
    , | ,* | *, | *,,*) refuse "$1=$2 has an empty place: the brokers of a list stand between single commas" ;;
    *,*[[:blank:]]* | *[[:blank:]]*,*) refuse "$1=$2 has a blank in it: commas alone separate the brokers of a list" ;;
    esac
    brokers="" count=0 rest=$2,
    while [ -n "$rest" ]; do
        one=${rest%%,*} rest=${rest#*,}
        if [ "$1" = BROKER_HOST ]; then
            host "$1" "$one"
            entry="{0, \"$one\"}"
        else
            entry="{$(address "$1" "$one"), \"\"}"
        fi
        case $brokers in
        *"$entry"*) refuse "$1=$2 names $one twice" ;;
        esac
        brokers="$brokers${brokers:+, }$entry"
        count=$((count + 1))
    done
    [ $count -le $brokers_max ] || refuse "$1=$2 names $count brokers: $brokers_max are the most"
    [ $count = 1 ] || [ "${MOTE_FULL:-}" = 1 ] ||
        refuse "$1=$2 names $count brokers: the standard firmware knows one, the full one (MOTE_FULL=1) tries several in turn"
}

for name in MAC_ADDRESS IP_ADDRESS GATEWAY_ADDRESS DNS_ADDRESS BROKER_IP_ADDRESS BROKER_HOST BROKER_PORT \
    NTP_ADDRESS NTP_HOST; do
    eval "value=\${$name:-}"
    [ "$value" = "$(printf '%s' "$value" | tr -d '[:cntrl:]')" ] ||
        refuse "$name has a line break or another control character in it"
done

mac=0
mac_bytes="0, 0, 0, 0, 0, 0"
if [ -n "${MAC_ADDRESS:-}" ]; then
    printf '%s' "$MAC_ADDRESS" | grep -Eqix '[0-9a-f]{2}([:-][0-9a-f]{2}){5}' ||
        refuse "MAC_ADDRESS=$MAC_ADDRESS is not a MAC address: six pairs of hex digits, as in 02-00-00-03-02-00"
    [ $((0x$(printf '%.2s' "$MAC_ADDRESS") & 1)) = 0 ] ||
        refuse "MAC_ADDRESS=$MAC_ADDRESS is a group address: the first pair must be even"
    [ -n "$(printf '%s' "$MAC_ADDRESS" | tr -d '0:-')" ] ||
        refuse "MAC_ADDRESS=$MAC_ADDRESS is no address: not all digits can be 0"
    mac=1
    mac_bytes=$(printf '%s' "$MAC_ADDRESS" | sed 's/[:-]/, 0x/g; s/^/0x/')
fi

ip=0 netmask=0 gateway=0 dns=0
if [ -n "${IP_ADDRESS:-}" ]; then
    prefix=24
    case $IP_ADDRESS in
    */*)
        prefix=${IP_ADDRESS#*/}
        printf '%s' "$prefix" | grep -Eqx '[0-9]{1,2}' && [ "$prefix" -ge 1 ] && [ "$prefix" -le 30 ] ||
            refuse "IP_ADDRESS=$IP_ADDRESS: the prefix after the slash is a number from 1 to 30"
        ;;
    esac
    ip=$(address IP_ADDRESS "${IP_ADDRESS%%/*}")
    netmask=$(printf '0x%08X' $((0xFFFFFFFF << (32 - prefix) & 0xFFFFFFFF)))
    host=$((ip & ~netmask & 0xFFFFFFFF))
    [ "$host" != 0 ] && [ "$host" != $((~netmask & 0xFFFFFFFF)) ] ||
        refuse "IP_ADDRESS=$IP_ADDRESS is the network's or the broadcast address of its /$prefix, not a host's"
    [ -z "${GATEWAY_ADDRESS:-}" ] || gateway=$(address GATEWAY_ADDRESS "$GATEWAY_ADDRESS")
    [ "$gateway" = 0 ] || [ $(((gateway ^ ip) & netmask)) = 0 ] ||
        refuse "GATEWAY_ADDRESS=$GATEWAY_ADDRESS is not in the network of IP_ADDRESS=$IP_ADDRESS (prefix /$prefix)"
    [ -z "${DNS_ADDRESS:-}" ] || dns=$(address DNS_ADDRESS "$DNS_ADDRESS")
else
    for name in GATEWAY_ADDRESS DNS_ADDRESS; do
        eval "value=\${$name:-}"
        [ -z "$value" ] || refuse "$name goes with IP_ADDRESS: without it, DHCP says the $(echo $name | cut -d_ -f1)"
    done
fi

if [ -n "${BROKER_HOST:-}" ]; then
    [ -z "${BROKER_IP_ADDRESS:-}" ] || refuse "set BROKER_HOST or BROKER_IP_ADDRESS, not both"
    brokers BROKER_HOST "$BROKER_HOST"
else
    brokers BROKER_IP_ADDRESS "${BROKER_IP_ADDRESS:-10.0.2.2}"
fi

port=${BROKER_PORT:-1883}
printf '%s' "$port" | grep -Eqx '[1-9][0-9]{0,4}' && [ "$port" -le 65535 ] ||
    refuse "BROKER_PORT=$port is not a port: a number from 1 to 65535"

ntp=0
[ -z "${NTP_ADDRESS:-}" ] || [ -z "${NTP_HOST:-}" ] || refuse "set NTP_ADDRESS or NTP_HOST, not both"
[ -z "${NTP_ADDRESS:-}" ] || ntp=$(address NTP_ADDRESS "$NTP_ADDRESS")
[ -z "${NTP_HOST:-}" ] || host NTP_HOST "$NTP_HOST"

[ -n "${1:-}" ] || exit 0
new=$(
    cat <<END
/* Written by app/configure.sh from the environment of the build. */
#define CONFIG_MAC_GIVEN $mac
#define CONFIG_MAC {$mac_bytes}
#define CONFIG_ADDRESS $ip
#define CONFIG_NETMASK $netmask
#define CONFIG_GATEWAY $gateway
#define CONFIG_DNS_SERVER $dns
#define CONFIG_BROKERS $brokers
#define CONFIG_BROKER_COUNT $count
#define CONFIG_BROKER_PORT $port
#define CONFIG_NTP_SERVER $ntp
#define CONFIG_NTP_HOST "${NTP_HOST:-}"
END
)
[ "$new" = "$(cat "$1" 2>/dev/null)" ] || printf '%s\n' "$new" >"$1"
