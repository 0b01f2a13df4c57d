/* DHCP, DNS and SNTP messages to the net. */
#include "run.h"

#include <stdio.h>
#include <string.h>

/* ---- DHCP ---- */

static uint8_t *put_dhcp(uint8_t *to, uint8_t code, uint8_t length)
{
    to[0] = code;
    to[1] = length;
    return to + 2;
}

static uint8_t *put_number(struct run *run, const struct fields *fields, const char *key, uint8_t code,
                           uint8_t *to)
{
    if (!field_has(fields, key)) {
        return to;
    }
    put32(put_dhcp(to, code, 4), number_of(run, fields, key, 0));
    return to + 6;
}

/* Addresses with commas between them. */
static uint8_t *put_list(struct run *run, const struct fields *fields, const char *key, uint8_t code,
                         uint8_t *to)
{
    const char *text = field_get(fields, key);
    if (!text) {
        return to;
    }
    char copy[200], *rest = copy;
    (void)snprintf(copy, sizeof copy, "%s", text);
    uint8_t *at = to + 2;
    for (char *one; (one = strsep(&rest, ",")) != NULL; at += 4) {
        put32(at, address_in(run, one));
    }
    (void)put_dhcp(to, code, (uint8_t)(at - to - 2));
    return at;
}

static uint8_t dhcp_type(struct run *run, const char *name)
{
    static const char *const types[] = {"discover", "offer", "request", "decline", "ack", "nak", "release"};
    for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i], name) == 0) {
            return (uint8_t)(i + 1);
        }
    }
    run_fail(run, "'%s' is no DHCP message", name);
}

size_t build_dhcp(struct run *run, const struct fields *fields, uint8_t *message)
{
    memset(message, 0, 548);
    message[0] = (uint8_t)number_of(run, fields, "op", 2);
    message[1] = 1;
    message[2] = 6;
    put32(message + 4, number_of(run, fields, "xid", run->dhcp_xid));
    put32(message + 12, address_of(run, fields, "ciaddr", 0));
    put32(message + 16, address_of(run, fields, "yiaddr", 0));
    put32(message + 20, address_of(run, fields, "siaddr", 0));
    memcpy(message + 28, our_mac, 6);
    if (field_has(fields, "chaddr")) {
        message[33] = (uint8_t)number_of(run, fields, "chaddr", 0);
    }
    put32(message + 236, number_of(run, fields, "magic", 0x63825363));
    uint8_t *at = message + 240;
    if (!field_has(fields, "no-type")) {
        *put_dhcp(at, 53, 1) =
            (uint8_t)number_of(run, fields, "number", dhcp_type(run, fields->list[0].value));
        at += 3;
    }
    at = put_list(run, fields, "server", 54, at);
    at = put_number(run, fields, "lease", 51, at);
    at = put_list(run, fields, "mask", 1, at);
    at = put_list(run, fields, "router", 3, at);
    at = put_list(run, fields, "dns", 6, at);
    at = put_list(run, fields, "ntp", 42, at);
    at = put_number(run, fields, "t1", 58, at);
    at = put_number(run, fields, "t2", 59, at);
    if (field_has(fields, "raw-options")) {
        at += hex_bytes(run, field_get(fields, "raw-options"), at, 250);
    } else {
        *at++ = 255;
    }
    size_t length = (size_t)(at - message);
    return length < 300 && !field_has(fields, "raw-options") ? 300 : length;
}

/* ---- DNS ---- */

static uint8_t *put_name(const char *name, uint8_t *to)
{
    while (*name) {
        size_t length = strcspn(name, ".");
        *to++ = (uint8_t)length;
        memcpy(to, name, length);
        to += length;
        name += length + (name[length] == '.');
    }
    *to = 0;
    return to + 1;
}

struct record {
    const char *owner;
    uint32_t ttl, class;
};

static uint8_t *put_record(const struct record *record, uint16_t type, const uint8_t *data, size_t length,
                           uint8_t *to)
{
    to = put_name(record->owner, to);
    put16(to, type);
    put16(to + 2, record->class);
    put32(to + 4, record->ttl);
    put16(to + 8, (uint32_t)length);
    memcpy(to + 10, data, length);
    return to + 10 + length;
}

/* The data of an SOA record: two names and five numbers, of which the last is the minimum. */
static size_t soa_data(uint32_t minimum, uint8_t *data)
{
    uint8_t *at = put_name("host.ns", put_name("ns", data));
    memset(at, 0, 16);
    put32(at + 16, minimum);
    return (size_t)(at + 20 - data);
}

/* Records in the order of the words; owner, ttl and class hold for those that follow. */
static uint8_t *put_records(struct run *run, const struct fields *fields, uint8_t *at, uint16_t count[3])
{
    struct record record = {run->dns_name, 60, 1};
    uint8_t data[300];
    for (size_t i = 1; i < fields->count; i++) {
        const char *key = fields->list[i].key, *value = fields->list[i].value;
        uint32_t number = 0;
        (void)parse_number(value, &number);
        if (strcmp(key, "owner") == 0) {
            record.owner = value;
        } else if (strcmp(key, "rr-ttl") == 0) {
            record.ttl = number;
        } else if (strcmp(key, "class") == 0) {
            record.class = number;
        } else if (strcmp(key, "a") == 0 || strcmp(key, "ns-a") == 0) {
            put32(data, address_in(run, value));
            at = put_record(&record, 1, data, 4, at);
            count[*key == 'a' ? 0 : 1]++;
        } else if (strcmp(key, "cname") == 0) {
            at = put_record(&record, 5, data, (size_t)(put_name(value, data) - data), at);
            count[0]++;
        } else if (strcmp(key, "soa") == 0) {
            at = put_record(&record, 6, data, soa_data(number, data), at);
            count[1]++;
        }
    }
    return at;
}

size_t build_dns(struct run *run, const struct fields *fields, uint8_t *message)
{
    bool response = strcmp(fields->list[0].value, "response") == 0;
    uint16_t count[3] = {0};
    uint8_t *at = message + 12;
    bool question = !field_has(fields, "no-question");
    memset(message, 0, 12);
    put16(message, field_get(fields, "id") ? number_of(run, fields, "id", 0) : run->dns_id);
    message[2] = (uint8_t)((response ? 0x80 : 0) | (field_has(fields, "aa") ? 4 : 0) |
                           (field_has(fields, "tc") ? 2 : 0) | 1);
    message[3] = (uint8_t)(0x80 | number_of(run, fields, "rcode", 0));
    if (question) {
        const char *name = field_get(fields, "q");
        at = put_name(name ? name : run->dns_name, at);
        put16(at, number_of(run, fields, "qtype", 1));
        put16(at + 2, number_of(run, fields, "qclass", 1));
        at += 4;
    }
    at = put_records(run, fields, at, count);
    if (field_has(fields, "raw")) {
        at += hex_bytes(run, field_get(fields, "raw"), at, 500);
    }
    put16(message + 4, number_of(run, fields, "qdcount", question));
    put16(message + 6, number_of(run, fields, "ancount", count[0]));
    put16(message + 8, number_of(run, fields, "nscount", count[1]));
    put16(message + 10, number_of(run, fields, "arcount", 0));
    return (size_t)(at - message);
}

/* ---- SNTP ---- */

size_t build_sntp(struct run *run, const struct fields *fields, uint8_t *message)
{
    static const char *const codes[] = {"DENY", "RSTR", "RATE"};
    memset(message, 0, 48);
    message[0] = (uint8_t)(number_of(run, fields, "leap", 0) << 6 |
                           number_of(run, fields, "version", 4) << 3 | number_of(run, fields, "mode", 4));
    message[1] = (uint8_t)number_of(run, fields, "stratum", 2);
    put32(message + 4, number_of(run, fields, "delay", 0));
    put32(message + 8, number_of(run, fields, "dispersion", 0));
    for (unsigned i = 0; i < 3; i++) {
        if (field_has(fields, "kiss") && strcmp(codes[i], field_get(fields, "kiss")) == 0) {
            memcpy(message + 12, codes[i], 4);
        }
    }
    memcpy(message + 24, run->sntp_cookie, 8);
    if (field_has(fields, "originate")) {
        put32(message + 24, number_of(run, fields, "originate", 0));
    }
    uint32_t seconds = number_of(run, fields, "time", 1800000000) + 2208988800U; /* from 1970 to 1900 */
    put32(message + 32, seconds);
    put32(message + 40, field_has(fields, "time") && number_of(run, fields, "time", 0) == 0 ? 0 : seconds);
    return 48;
}
