/* DHCP, DNS and SNTP messages of the net in words. */
#include "run.h"

#include <stdio.h>
#include <string.h>

/* ---- DHCP ---- */

static void decode_list(const uint8_t *option, const char *key, struct decoded *to)
{
    char text[400] = "";
    for (unsigned i = 0; i < option[1] && i < 64; i++) {
        size_t used = strlen(text);
        (void)snprintf(text + used, sizeof text - used, "%s%u", i ? "," : "", option[2 + i]);
    }
    add_word(to, key, "%s", text);
}

static void decode_dhcp_option(const uint8_t *option, struct decoded *to)
{
    switch (option[0]) {
    case 50: add_address(to, "requested", get32(option + 2)); break;
    case 54: add_address(to, "server", get32(option + 2)); break;
    case 51: add_word(to, "lease", "%u", get32(option + 2)); break;
    case 57: add_word(to, "max-size", "%u", get16(option + 2)); break;
    case 12: add_word(to, "hostname", "%.*s", option[1], (const char *)option + 2); break;
    case 55: decode_list(option, "params", to); break;
    case 61: decode_list(option, "client-id", to); break;
    default: break;
    }
}

static const uint8_t *find_dhcp_option(const uint8_t *at, const uint8_t *end, uint8_t code)
{
    while (at < end && *at != 255) {
        if (*at == 0) {
            at++;
            continue;
        }
        if (end - at < 2 || at + 2 + at[1] > end) {
            return NULL;
        }
        if (*at == code) {
            return at;
        }
        at += 2 + at[1];
    }
    return NULL;
}

void decode_dhcp(struct run *run, const uint8_t *message, size_t length, struct decoded *to)
{
    static const char *const types[] = {"none",    "discover", "offer", "request",
                                        "decline", "ack",      "nak",   "release"};
    const uint8_t *type = length > 244 ? find_dhcp_option(message + 240, message + length, 53) : NULL;
    if (!type || type[2] > 7) {
        add_word(to, "dhcp", "malformed");
        return;
    }
    run->dhcp_xid = get32(message + 4);
    add_word(to, "dhcp", "%s", types[type[2]]);
    add_word(to, "op", "%u", message[0]);
    add_word(to, "magic", "%u", get32(message + 236));
    add_word(to, "secs", "%u", get16(message + 8));
    add_address(to, "ciaddr", get32(message + 12));
    add_address(to, "yiaddr", get32(message + 16));
    add_address(to, "giaddr", get32(message + 24));
    add_word(to, "chaddr", "%u", message[33]);
    if (message[10] & 0x80) {
        add_word(to, "broadcast", "%s", "");
    }
    static const uint8_t codes[] = {50, 54, 51, 57, 12, 55, 61};
    for (unsigned i = 0; i < sizeof codes; i++) {
        const uint8_t *option = find_dhcp_option(message + 240, message + length, codes[i]);
        if (option) {
            decode_dhcp_option(option, to);
        }
    }
}

/* ---- DNS ---- */

/* The name at `at`, with compression; returns the place behind it. */
static size_t read_name(const uint8_t *message, size_t length, size_t at, char *to)
{
    size_t behind = 0, used = 0;
    for (int steps = 0; steps < 40 && at < length && message[at] != 0; steps++) {
        if ((message[at] & 0xC0) != 0) {
            behind = behind ? behind : at + 2;
            at = (message[at] & 0x3FU) << 8 | message[at + 1];
            continue;
        }
        size_t label = message[at];
        if (at + 1 + label > length || used + label + 2 > 255) {
            break;
        }
        memcpy(to + used, message + at + 1, label);
        used += label;
        to[used++] = '.';
        at += 1 + label;
    }
    to[used ? used - 1 : 0] = 0;
    return behind ? behind : at + 1;
}

static size_t decode_record(const uint8_t *message, size_t length, size_t at, const char *key,
                            struct decoded *to)
{
    char name[256];
    at = read_name(message, length, at, name);
    if (at + 10 > length) {
        return length;
    }
    if (get16(message + at) == 1) {
        add_word(to, "owner", "%s", name);
        add_word(to, "class", "%u", get16(message + at + 2));
        add_word(to, "rr-ttl", "%u", get32(message + at + 4));
        add_address(to, key, get32(message + at + 10));
    }
    return at + 10 + get16(message + at + 8);
}

void decode_dns(struct run *run, const uint8_t *message, size_t length, struct decoded *to)
{
    char name[256];
    if (length < 12) {
        add_word(to, "dns", "malformed");
        return;
    }
    bool response = message[2] & 0x80;
    uint32_t questions = get16(message + 4), answers = get16(message + 6), authorities = get16(message + 8);
    size_t at = 12;
    add_word(to, "dns", "%s", response ? "response" : "query");
    add_word(to, "id", "%u", get16(message));
    add_word(to, "rcode", "%u", message[3] & 15U);
    add_word(to, "qdcount", "%u", questions);
    add_word(to, "ancount", "%u", answers);
    add_word(to, "nscount", "%u", authorities);
    if (message[2] & 1) {
        add_word(to, "rd", "%s", "");
    }
    if (message[2] & 4) {
        add_word(to, "aa", "%s", "");
    }
    if (questions != 0) {
        at = read_name(message, length, at, name);
        add_word(to, "q", "%s", name);
        add_word(to, "qtype", "%u", get16(message + at));
        add_word(to, "qclass", "%u", get16(message + at + 2));
        at += 4;
        run->dns_id = get16(message);
        (void)snprintf(run->dns_name, sizeof run->dns_name, "%s", name);
    }
    for (uint32_t i = 0; i < answers && i < 3 && at < length; i++) {
        at = decode_record(message, length, at, "a", to);
    }
    for (uint32_t i = 0; i < authorities && i < 2 && at < length; i++) {
        at = decode_record(message, length, at, "ns-a", to);
    }
}

/* ---- SNTP ---- */

void decode_sntp(struct run *run, const uint8_t *message, size_t length, struct decoded *to)
{
    add_word(to, "sntp", "%s", length >= 48 ? "request" : "malformed");
    if (length < 48) {
        return;
    }
    add_word(to, "version", "%u", message[0] >> 3 & 7U);
    add_word(to, "mode", "%u", message[0] & 7U);
    add_word(to, "stratum", "%u", message[1]);
    add_word(to, "originate", "%u", get32(message + 24));
    memcpy(run->sntp_cookie, message + 40, 8);
}
