#include "net/wire/dhcp.h"

#include "net/wire/bytes.h"
#include "net/wire/ethernet.h"

#include <string.h>

enum {
    OP_REQUEST = 1,
    OP_REPLY = 2,
    AT_SNAME = 44,
    AT_FILE = 108,
    AT_COOKIE = 236,
    AT_OPTIONS = 240,
    COOKIE = 0x63825363,
    OPTION_PAD = 0,
    OPTION_NETMASK = 1,
    OPTION_ROUTER = 3,
    OPTION_DNS = 6,
    OPTION_HOST_NAME = 12,
    OPTION_REQUESTED_ADDRESS = 50,
    OPTION_LEASE = 51,
    OPTION_OVERLOAD = 52,
    OPTION_TYPE = 53,
    OPTION_SERVER = 54,
    OPTION_PARAMETERS = 55,
    OPTION_T1 = 58,
    OPTION_T2 = 59,
    OPTION_END = 255,
    OVERLOAD_FILE = 1,
    OVERLOAD_SNAME = 2,
};

static bool store_option(uint8_t code, const uint8_t *data, size_t length, struct dhcp_reply *reply,
                         uint8_t *overload)
{
    if (code == OPTION_TYPE || code == OPTION_OVERLOAD) {
        if (length != 1) {
            return false;
        }
        *(code == OPTION_TYPE ? &reply->type : overload) = data[0];
        return true;
    }
    uint32_t *field;
    switch (code) {
    case OPTION_NETMASK: field = &reply->netmask; break;
    case OPTION_ROUTER: field = &reply->router; break;
    case OPTION_DNS: field = &reply->dns_server; break;
    case OPTION_LEASE: field = &reply->lease_s; break;
    case OPTION_SERVER: field = &reply->server; break;
    case OPTION_T1: field = &reply->t1_s; break;
    case OPTION_T2: field = &reply->t2_s; break;
    default: return true;
    }
    bool list = code == OPTION_ROUTER || code == OPTION_DNS; /* of which the first is taken */
    if (length < 4 || (list ? length % 4 != 0 : length != 4)) {
        return false;
    }
    *field = load_be32(data);
    return true;
}

static bool parse_options(const uint8_t *options, size_t length, struct dhcp_reply *reply, uint8_t *overload)
{
    for (size_t at = 0; at < length && options[at] != OPTION_END;) {
        if (options[at] == OPTION_PAD) {
            at++;
            continue;
        }
        if (length - at < 2 || options[at + 1] > length - at - 2) {
            return false;
        }
        if (!store_option(options[at], options + at + 2, options[at + 1], reply, overload)) {
            return false;
        }
        at += 2U + options[at + 1];
    }
    return true;
}

bool dhcp_parse(const uint8_t *message, size_t length, const uint8_t *mac, struct dhcp_reply *reply)
{
    if (length < AT_OPTIONS || load_be32(message) >> 8 != ((uint32_t)OP_REPLY << 16 | 0x0106) ||
        load_be32(message + AT_COOKIE) != COOKIE || !ethernet_same(message + 28, mac)) {
        return false;
    }
    *reply = (struct dhcp_reply){.xid = load_be32(message + 4), .your_address = load_be32(message + 16)};
    uint8_t overload = 0, nested = 0;
    if (!parse_options(message + AT_OPTIONS, length - AT_OPTIONS, reply, &overload)) {
        return false;
    }
    if ((overload & OVERLOAD_FILE) &&
        !parse_options(message + AT_FILE, AT_COOKIE - AT_FILE, reply, &nested)) {
        return false;
    }
    if ((overload & OVERLOAD_SNAME) &&
        !parse_options(message + AT_SNAME, AT_FILE - AT_SNAME, reply, &nested)) {
        return false;
    }
    return reply->type != 0;
}

void dhcp_build_head(uint8_t *head, const struct dhcp_request *request)
{
    memset(head, 0, DHCP_HEAD);
    store_be32(head, (uint32_t)OP_REQUEST << 24 | 0x010600); /* Ethernet, six bytes, no hops */
    store_be32(head + 4, request->xid);
    store_be32(head + 12, request->client_address);
    __builtin_memcpy(head + 28, request->mac, 6);
}

static uint8_t *put32(uint8_t *at, uint8_t code, uint32_t value)
{
    if (value == 0) {
        return at;
    }
    at[0] = code;
    at[1] = 4;
    store_be32(at + 2, value);
    return at + 6;
}

void dhcp_build_tail(uint8_t *tail, size_t size, const struct dhcp_request *request)
{
    static const uint8_t parameters[] = {
        OPTION_PARAMETERS, 6, OPTION_NETMASK, OPTION_ROUTER, OPTION_DNS, OPTION_LEASE, OPTION_T1, OPTION_T2};
    memset(tail, 0, size);
    uint8_t *at = tail + AT_COOKIE - DHCP_HEAD;
    store_be32(at, COOKIE);
    at[4] = OPTION_TYPE;
    at[5] = 1;
    at[6] = request->type;
    at = put32(at + 7, OPTION_REQUESTED_ADDRESS, request->requested_address);
    at = put32(at, OPTION_SERVER, request->server);
    memcpy(at, parameters, sizeof parameters);
    at += sizeof parameters;
    if (request->hostname && request->hostname[0]) {
        size_t room = (size_t)(tail + size - at) - 3;
        size_t length = strlen(request->hostname);
        length = length < room ? length : room;
        at[0] = OPTION_HOST_NAME;
        at[1] = (uint8_t)length;
        memcpy(at + 2, request->hostname, length);
        at += 2 + length;
    }
    *at = OPTION_END;
}
