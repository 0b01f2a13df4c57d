/* From frames to the words of a script. */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void add_word(struct decoded *to, const char *key, const char *format, ...)
{
    char *value = to->text + to->used;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(value, TEXT_ROOM - to->used, format, arguments);
    va_end(arguments);
    assert_true(length >= 0 && to->used + (size_t)length + 1 < TEXT_ROOM && to->fields.count < FIELDS_MAX);
    to->used += (size_t)length + 1;
    to->fields.list[to->fields.count++] = (struct field){.key = key, .value = value};
}

void add_address(struct decoded *to, const char *key, uint32_t address)
{
    add_word(to, key, "%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
}

static void add_mac(struct decoded *to, const char *key, const uint8_t *mac)
{
    if (memcmp(mac, everyone, 6) == 0) {
        add_word(to, key, "broadcast");
        return;
    }
    add_word(to, key, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

static bool is_pattern(const uint8_t *data, size_t length, uint32_t offset)
{
    for (uint32_t i = 0; i < length; i++) {
        if (data[i] != pattern_byte(offset + i)) {
            return false;
        }
    }
    return true;
}

/* ---- TCP ---- */

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Options as text, sorted: their order means nothing. */
struct option_list {
    unsigned count;
    char text[12][100];
};

static void decode_sack(const struct conversation *c, const uint8_t *option, char *to, size_t room)
{
    int used = snprintf(to, room, "sack");
    for (unsigned at = 2; at + 8 <= option[1]; at += 8) {
        used += snprintf(to + used, room - (size_t)used, " %u:%u", get32(option + at) - c->peer_isn,
                         get32(option + at + 4) - c->peer_isn);
    }
}

static void decode_option(struct conversation *c, const uint8_t *option, char *to, size_t room)
{
    switch (option[0] << 8 | option[1]) {
    case 0x0204: (void)snprintf(to, room, "mss %u", get16(option + 2)); return;
    case 0x0303: (void)snprintf(to, room, "wscale %u", option[2]); return;
    case 0x0402: (void)snprintf(to, room, "sack"); return;
    case 0x080A:
        if (!c->timestamp_known) {
            c->timestamp_base = get32(option + 2);
            c->timestamp_known = true;
        }
        (void)snprintf(to, room, "ts %u %u", get32(option + 2) - c->timestamp_base, get32(option + 6));
        return;
    default: break;
    }
    if (option[0] == 5 && option[1] % 8 == 2) {
        decode_sack(c, option, to, room);
        return;
    }
    (void)snprintf(to, room, "kind %u length %u", option[0], option[1]);
}

static void decode_options(struct conversation *c, const uint8_t *option, const uint8_t *end,
                           struct decoded *to)
{
    struct option_list list = {0};
    char *sorted[12], text[600] = "";
    while (option < end && *option != 0 && list.count < 12) {
        if (*option == 1) {
            option++;
            continue;
        }
        if (end - option < 2 || option[1] < 2 || option[1] > end - option) {
            (void)snprintf(list.text[list.count++], 100, "malformed");
            break;
        }
        decode_option(c, option, list.text[list.count++], 100);
        option += option[1];
    }
    for (unsigned i = 0; i < list.count; i++) {
        sorted[i] = list.text[i];
    }
    qsort(sorted, list.count, sizeof *sorted, compare_text);
    for (unsigned i = 0; i < list.count; i++) {
        size_t used = strlen(text);
        (void)snprintf(text + used, sizeof text - used, "%s%s", i ? ", " : "", sorted[i]);
    }
    add_word(to, "options", "%s", text);
}

static void decode_flags(uint8_t flags, struct decoded *to)
{
    static const char order[] = "SFRPUEC.";
    static const uint8_t bits[] = {SYN, FIN, RST, PSH, URG, 64, 128, ACK};
    char text[10];
    size_t used = 0;
    for (unsigned i = 0; i < 8; i++) {
        if (flags & bits[i]) {
            text[used++] = order[i];
        }
    }
    text[used] = 0;
    add_word(to, "tcp", "%s", used ? text : "-");
}

static void decode_tcp(struct conversation *c, const uint8_t *tcp, size_t length, struct decoded *to)
{
    size_t header = (tcp[12] >> 4) * 4U;
    uint8_t flags = tcp[13];
    uint32_t seq = get32(tcp + 4), ack = get32(tcp + 8);
    decode_flags(flags, to);
    if ((flags & SYN) && !c->our_isn_known) {
        c->our_isn = seq;
        c->our_isn_known = true;
    }
    if (c->our_isn_known) {
        add_word(to, "seq", "%d", (int)(seq - c->our_isn));
    } else {
        add_word(to, "seq", "=%u", seq);
    }
    if (flags & ACK) {
        add_word(to, "ack", "%d", (int)(ack - c->peer_isn));
    }
    add_word(to, "win", "%u", get16(tcp + 14));
    if (header < 20 || header > length) {
        add_word(to, "doff", "%zu", header / 4);
        return;
    }
    add_word(to, "len", "%zu", length - header);
    decode_options(c, tcp + 20, tcp + header, to);
    if (!is_pattern(tcp + header, length - header, seq - c->our_isn - 1 + ((flags & SYN) != 0))) {
        add_word(to, "wrong-bytes", "yes");
    }
}

/* ---- The others ---- */

static void decode_arp(const uint8_t *arp, struct decoded *to)
{
    add_word(to, "arp", "%s", get16(arp + 6) == 1 ? "request" : "reply");
    add_mac(to, "sha", arp + 8);
    add_address(to, "spa", get32(arp + 14));
    add_mac(to, "tha", arp + 18);
    add_address(to, "tpa", get32(arp + 24));
}

static void decode_icmp(struct run *run, const uint8_t *icmp, size_t length, struct decoded *to)
{
    static const char *const names[] = {
        [0] = "echo-reply", [3] = "unreachable", [8] = "echo", [11] = "time-exceeded", [12] = "parameter"};
    const char *name = icmp[0] < sizeof names / sizeof *names ? names[icmp[0]] : NULL;
    add_word(to, "icmp", "%s", name ? name : "other");
    add_word(to, "number", "%u", icmp[0]);
    add_word(to, "code", "%u", icmp[1]);
    add_word(to, "len", "%zu", length - 8);
    if (icmp[0] == 0 || icmp[0] == 8) {
        run->ping_id = icmp[0] == 8 ? get16(icmp + 4) : run->ping_id;
        add_word(to, "id", "%u", get16(icmp + 4));
        add_word(to, "seq", "%u", get16(icmp + 6));
        if (!is_pattern(icmp + 8, length - 8, 0)) {
            add_word(to, "wrong-bytes", "yes");
        }
        return;
    }
    const uint8_t *received = run->last_received.bytes + 14;
    size_t whole = (received[0] & 15U) * 4U + 8, present = run->last_received.length - 14;
    bool same = length - 8 >= (whole < present ? whole : present) &&
                memcmp(icmp + 8, received, whole < present ? whole : present) == 0;
    add_word(to, "quote", "%s", same ? "received" : "other");
}

static void decode_igmp(const uint8_t *igmp, struct decoded *to)
{
    const char *name = igmp[0] == 0x11   ? "query"
                       : igmp[0] == 0x16 ? "report"
                       : igmp[0] == 0x17 ? "leave"
                       : igmp[0] == 0x12 ? "report-v1"
                                         : "other";
    add_word(to, "igmp", "%s", name);
    add_address(to, "group", get32(igmp + 4));
    add_word(to, "max", "%u", igmp[1]);
}

static void decode_udp(struct run *run, const uint8_t *udp, size_t length, struct decoded *to)
{
    uint32_t sport = get16(udp), dport = get16(udp + 2);
    const uint8_t *payload = udp + 8;
    if (dport == 67) {
        decode_dhcp(run, payload, length - 8, to);
    } else if (dport == 53 || dport == 5353 || sport == 5353) {
        run->dns_port = sport;
        decode_dns(run, payload, length - 8, to);
    } else if (dport == 123) {
        run->sntp_port = sport;
        decode_sntp(run, payload, length - 8, to);
    } else {
        add_word(to, "udp", "%s", "");
        add_word(to, "len", "%zu", length - 8);
        if (!is_pattern(payload, length - 8, 0)) {
            add_word(to, "wrong-bytes", "yes");
        }
    }
    add_word(to, "sport", "%u", sport);
    add_word(to, "dport", "%u", dport);
    add_word(to, "ulen", "%u", get16(udp + 4));
    if (get16(udp + 6) == 0) {
        add_word(to, "nosum", "%s", "");
    }
}

static void decode_payload(struct run *run, struct conversation *c, const uint8_t *ip, size_t length,
                           struct decoded *to)
{
    size_t header = (ip[0] & 15U) * 4U;
    const uint8_t *payload = ip + header;
    length -= header;
    uint32_t place = get16(ip + 6) & 0x3FFF;
    if (place != 0) {
        add_word(to, "fragment", "%s", "");
        add_word(to, "offset", "%u", (place & 0x1FFF) * 8);
        add_word(to, "bytes", "%zu", length);
    } else if (ip[9] == 6 && length >= 20) {
        decode_tcp(c, payload, length, to);
        add_word(to, "sport", "%u", get16(payload));
        add_word(to, "dport", "%u", get16(payload + 2));
    } else if (ip[9] == 1 && length >= 8) {
        decode_icmp(run, payload, length, to);
    } else if (ip[9] == 2 && length >= 8) {
        decode_igmp(payload, to);
    } else if (ip[9] == 17 && length >= 8) {
        decode_udp(run, payload, length, to);
    } else {
        add_word(to, "ipv4", "%s", "");
        add_word(to, "len", "%zu", length);
    }
}

static void decode_ip(const uint8_t *ip, struct decoded *to)
{
    add_address(to, "from", get32(ip + 12));
    add_address(to, "to", get32(ip + 16));
    add_word(to, "ttl", "%u", ip[8]);
    add_word(to, "tos", "%u", ip[1]);
    add_word(to, "proto", "%u", ip[9]);
    add_word(to, "ip-id", "%u", get16(ip + 4));
    if (ip[6] & 0x40) {
        add_word(to, "df", "%s", "");
    }
    if (ip[6] & 0x20) {
        add_word(to, "mf", "%s", "");
    }
    if ((ip[0] & 15) > 5 && get32(ip + 20) == 0x94040000) {
        add_word(to, "router-alert", "%s", "");
    }
}

void decode_frame(struct run *run, unsigned conversation, const uint8_t *frame, size_t length,
                  struct decoded *to)
{
    to->fields.count = 0;
    to->used = 0;
    const uint8_t *ip = frame + 14;
    uint32_t type = get16(frame + 12);
    if (type == 0x0806 && length >= 42) {
        decode_arp(ip, to);
    } else if (type == 0x0800 && length >= 34) {
        decode_payload(run, &run->conversations[conversation], ip, get16(ip + 2), to);
        decode_ip(ip, to);
    } else {
        add_word(to, "frame", "%s", "");
    }
    add_mac(to, "dst-mac", frame);
    add_mac(to, "src-mac", frame + 6);
}
