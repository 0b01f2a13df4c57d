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
    OPTION_DOMAIN = 15,
    OPTION_NTP = 42,
    OPTION_REQUESTED_ADDRESS = 50,
    OPTION_LEASE = 51,
    OPTION_OVERLOAD = 52,
    OPTION_TYPE = 53,
    OPTION_SERVER = 54,
    OPTION_PARAMETERS = 55,
    OPTION_T1 = 58,
    OPTION_T2 = 59,
    OPTION_END = 255,
    FLAG_BROADCAST = 0x80,
    OVERLOAD_FILE = 1,
    OVERLOAD_SNAME = 2,
};

/* Options of numbers, and where they go. */
static const uint8_t numbers[][2] = {
    {OPTION_NETMASK, offsetof(struct dhcp_reply, netmask)},
    {OPTION_ROUTER, offsetof(struct dhcp_reply, router)},
    {OPTION_DNS, offsetof(struct dhcp_reply, dns_servers)},
#if NET_WITH_SNTP
    {OPTION_NTP, offsetof(struct dhcp_reply, ntp_servers)},
#endif
    {OPTION_LEASE, offsetof(struct dhcp_reply, lease_s)},
    {OPTION_SERVER, offsetof(struct dhcp_reply, server)},
    {OPTION_T1, offsetof(struct dhcp_reply, t1_s)},
    {OPTION_T2, offsetof(struct dhcp_reply, t2_s)},
};

/* Of how many numbers of an option there is a place. */
static unsigned places(uint8_t code)
{
    return code == OPTION_DNS ? NET_DNS_SERVERS : NET_WITH_SNTP && code == OPTION_NTP ? NET_NTP_SERVERS : 1;
}

#if NET_WITH_DNS_SEARCH
/* Letters, digits, hyphens, dots between. What is no name is as if it was not there. */
static void store_domain(const uint8_t *data, size_t length, char *domain)
{
    while (length > 0 && (data[length - 1] == 0 || data[length - 1] == '.')) {
        length--; /* some servers count the end of their string */
    }
    domain[0] = 0;
    if (length > DHCP_DOMAIN_MAX) {
        return;
    }
    for (size_t i = 0; i < length; i++) {
        uint8_t c = data[i] | 0x20, plain = data[i];
        if (!((c >= 'a' && c <= 'z') || (plain >= '0' && plain <= '9') || plain == '-' || plain == '.')) {
            return;
        }
    }
    memcpy(domain, data, length);
    domain[length] = 0;
}
#endif

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
#if NET_WITH_DNS_SEARCH
    if (code == OPTION_DOMAIN) {
        store_domain(data, length, reply->domain);
        return true;
    }
#endif
    const uint8_t *number = (const uint8_t *)numbers; /* all of it, not its first row */
    while (number[0] != code) { // NOLINT(clang-analyzer-core.UndefinedBinaryOperatorResult)
        number += sizeof numbers[0];
        if (number == (const uint8_t *)numbers + sizeof numbers) {
            return true;
        }
    }
    bool list = code == OPTION_ROUTER || code == OPTION_DNS || (NET_WITH_SNTP && code == OPTION_NTP);
    if (length < 4 || (list ? length % 4 != 0 : length != 4)) {
        return false;
    }
    for (size_t i = 0; i < places(code) && 4 * i < length; i++) {
        uint32_t value = load_be32(data + 4 * i);
        __builtin_memcpy((uint8_t *)reply + number[1] + 4 * i, &value, sizeof value);
    }
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
    if (NET_WITH_LINK_LOCAL && request->broadcast) {
        head[10] = FLAG_BROADCAST;
    }
    store_be32(head + 12, request->client_address);
    __builtin_memcpy(head + 28, request->mac, 6);
}

static uint8_t *put(uint8_t *at, uint8_t code, const void *value, size_t length)
{
    at[0] = code;
    at[1] = (uint8_t)length;
    memcpy(at + 2, value, length);
    return at + 2 + length;
}

/* Unless it is 0. */
static uint8_t *put_address(uint8_t *at, uint8_t code, uint32_t address)
{
    uint32_t value = __builtin_bswap32(address);
    return address ? put(at, code, &value, sizeof value) : at;
}

void dhcp_build_tail(uint8_t *tail, size_t size, const struct dhcp_request *request)
{
    static const uint8_t parameters[] = {
#if NET_WITH_SNTP
        OPTION_NTP,
#endif
#if NET_WITH_DNS_SEARCH
        OPTION_DOMAIN,
#endif
        OPTION_NETMASK,
        OPTION_ROUTER,
        OPTION_DNS,
        OPTION_LEASE,
        OPTION_T1,
        OPTION_T2
    };
    memset(tail, 0, size);
    uint8_t *at = tail + AT_COOKIE - DHCP_HEAD;
    store_be32(at, COOKIE);
    at = put(at + 4, OPTION_TYPE, &request->type, 1);
    at = put_address(at, OPTION_REQUESTED_ADDRESS, request->requested_address);
    at = put_address(at, OPTION_SERVER, request->server);
    if (NET_WITH_ACD && request->type == DHCP_DECLINE) { /* table 5: nothing else */
        *at = OPTION_END;
        return;
    }
    at = put(at, OPTION_PARAMETERS, parameters, sizeof parameters);
    if (request->hostname && request->hostname[0]) {
        size_t room = (size_t)(tail + size - at) - 3;
        size_t length = strlen(request->hostname);
        at = put(at, OPTION_HOST_NAME, request->hostname, length < room ? length : room);
    }
    *at = OPTION_END;
}
