/* From the words of a script to frames, malformed ones included. */
#include "run.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IP_ROOM = 8192 };

uint8_t pattern_byte(uint32_t offset)
{
    return (uint8_t)(offset * 31 + offset / 251);
}

uint32_t number_of(struct run *run, const struct fields *fields, const char *key, uint32_t otherwise)
{
    const char *text = field_get(fields, key);
    uint32_t value = otherwise;
    if (text && !parse_number(text, &value)) {
        run_fail(run, "'%s %s': a number should be there", key, text);
    }
    return value;
}

uint32_t address_in(struct run *run, const char *text)
{
    uint32_t address;
    if (!parse_address(text, &address)) {
        run_fail(run, "'%s' is no address", text);
    }
    return address;
}

uint32_t address_of(struct run *run, const struct fields *fields, const char *key, uint32_t otherwise)
{
    const char *text = field_get(fields, key);
    return text ? address_in(run, text) : otherwise;
}

static unsigned hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
    return at ? (unsigned)(at - digits) : 16;
}

size_t hex_bytes(struct run *run, const char *text, uint8_t *bytes, size_t room)
{
    size_t count = 0;
    for (; *text; text += 2) {
        unsigned high = hex_digit(text[0]), low = hex_digit(text[1]);
        if (high > 15 || low > 15 || count == room) {
            run_fail(run, "'%s' are no hexadecimal bytes, or too many", text);
        }
        bytes[count++] = (uint8_t)(high << 4 | low);
    }
    return count;
}

/* The number at the front of `*text`, which moves behind it and the character that follows, if that is `end`.
 */
static bool take_number(const char **text, char end, uint32_t *value)
{
    char *behind;
    if (!isdigit((unsigned char)**text)) {
        return false;
    }
    *value = (uint32_t)strtoul(*text, &behind, 10);
    bool good = *behind == end;
    *text = behind + (good && end != 0);
    return good;
}

/* ---- Ethernet ---- */

void mac_of_host(uint32_t address, uint8_t *mac)
{
    if (address == UINT32_MAX || (address & 0xFF) == 0xFF) {
        memcpy(mac, everyone, 6);
    } else if (address >> 28 == 0xE) {
        mac[0] = 1, mac[1] = 0, mac[2] = 0x5E;
        put32(mac + 2, 0x5E000000 | (address & 0x7FFFFF));
    } else {
        memcpy(mac, peer_mac, 6);
        bool on_link = (address & MASK) == (PEER & MASK) || address >> 16 == 0xA9FE;
        mac[5] = on_link ? (uint8_t)address : mac[5];
    }
}

static void read_mac(struct run *run, const struct fields *fields, const char *key, uint8_t *mac)
{
    const char *text = field_get(fields, key);
    if (!text) {
        return;
    }
    if (strcmp(text, "broadcast") == 0) {
        memcpy(mac, everyone, 6);
        return;
    }
    for (int i = 0; i < 6; i++, text += 3) {
        unsigned high = hex_digit(text[0]), low = high < 16 ? hex_digit(text[1]) : 16;
        if (low > 15 || text[2] != (i < 5 ? ':' : 0)) {
            run_fail(run, "'%s' is no link address", field_get(fields, key));
        }
        mac[i] = (uint8_t)(high << 4 | low);
    }
}

static size_t finish_frame(struct run *run, const struct fields *fields, uint8_t *frame, size_t length)
{
    read_mac(run, fields, "dst-mac", frame);
    read_mac(run, fields, "src-mac", frame + 6);
    size_t pad = number_of(run, fields, "pad", 0), cut = number_of(run, fields, "cut", UINT32_MAX);
    if (length + pad > FRAME_ROOM) {
        run_fail(run, "a frame of %zu bytes does not fit", length + pad);
    }
    memset(frame + length, 0xEE, pad);
    length += pad;
    return length < cut ? length : cut;
}

static size_t build_arp(struct run *run, const struct fields *fields, uint8_t *frame)
{
    bool request = strcmp(fields->list[0].value, "request") == 0;
    uint32_t sender = address_of(run, fields, "spa", PEER);
    uint8_t mac[6];
    mac_of_host(sender, mac);
    size_t length = make_arp(frame, request ? 1 : 2, mac, sender, address_of(run, fields, "tpa", OURS));
    read_mac(run, fields, "sha", frame + 22);
    memcpy(frame + 6, frame + 22, 6);
    read_mac(run, fields, "tha", frame + 32);
    put16(frame + 14, number_of(run, fields, "hrd", 1));
    put16(frame + 16, number_of(run, fields, "pro", 0x0800));
    frame[18] = (uint8_t)number_of(run, fields, "hlen", 6);
    frame[19] = (uint8_t)number_of(run, fields, "plen", 4);
    put16(frame + 20, number_of(run, fields, "op", request ? 1 : 2));
    return finish_frame(run, fields, frame, length);
}

/* ---- IPv4 ---- */

/* The bytes of the payload that this fragment is to carry; all of it without `slice`. */
static size_t take_slice(struct run *run, const struct fields *fields, uint8_t *payload, size_t length,
                         uint32_t *offset)
{
    const char *slice = field_get(fields, "slice");
    uint32_t from = 0, to = (uint32_t)length;
    const char *at = slice;
    if (slice && (!take_number(&at, ':', &from) || !take_number(&at, 0, &to) || from > to || to > length)) {
        run_fail(run, "slice %s of %zu bytes", slice, length);
    }
    memmove(payload, payload + from, to - from);
    *offset = number_of(run, fields, "offset", from);
    return to - from;
}

struct ip_hosts {
    uint32_t from, to;
};

static size_t wrap_ip(struct run *run, const struct fields *fields, struct ip_hosts hosts, uint8_t protocol,
                      uint8_t *payload, size_t length, uint8_t *frame)
{
    uint32_t offset;
    uint8_t options[40], *ip = frame + 14;
    length = take_slice(run, fields, payload, length, &offset);
    const char *hex = field_get(fields, "ip-options");
    size_t option_bytes = hex ? hex_bytes(run, hex, options, sizeof options) : 0;
    size_t header = 20 + (option_bytes + 3) / 4 * 4;
    if (14 + header + length > FRAME_ROOM) {
        run_fail(run, "%zu bytes of payload do not fit a frame", length);
    }
    memset(ip, 0, header);
    memcpy(ip + 20, options, option_bytes);
    memcpy(ip + header, payload, length);
    ip[0] = (uint8_t)(number_of(run, fields, "version", 4) << 4 |
                      (number_of(run, fields, "ihl", (uint32_t)header / 4) & 15));
    ip[1] = (uint8_t)number_of(run, fields, "tos", 0);
    put16(ip + 2, number_of(run, fields, "tot", (uint32_t)(header + length)));
    put16(ip + 4, number_of(run, fields, "ip-id", 0x1234));
    put16(ip + 6,
          offset / 8 | (field_has(fields, "df") ? 0x4000U : 0) | (field_has(fields, "mf") ? 0x2000U : 0));
    ip[8] = (uint8_t)number_of(run, fields, "ttl", 64);
    ip[9] = (uint8_t)number_of(run, fields, "proto", protocol);
    put32(ip + 12, hosts.from);
    put32(ip + 16, hosts.to);
    put16(ip + 10, plain_checksum(0, ip, header) ^ (field_has(fields, "ip-badsum") ? 1U : 0));
    mac_of_host(hosts.to, frame);
    if (frame[0] != 1 && frame[0] != 255) {
        memcpy(frame, our_mac, 6);
    }
    mac_of_host(hosts.from, frame + 6);
    if (frame[6] & 1) {
        memcpy(frame + 6, peer_mac, 6);
    }
    put16(frame + 12, 0x0800);
    return finish_frame(run, fields, frame, 14 + header + length);
}

static uint32_t pseudo_header(struct ip_hosts hosts, uint8_t protocol, size_t length)
{
    return (hosts.from >> 16) + (hosts.from & 0xFFFF) + (hosts.to >> 16) + (hosts.to & 0xFFFF) + protocol +
           (uint32_t)length;
}

/* Our address: what the net has, or will have. */
static uint32_t ours(const struct run *run)
{
    uint32_t address = net_address(&run->rig.net);
    return address ? address : OURS;
}

static struct ip_hosts hosts_of(struct run *run, const struct fields *fields, uint32_t from, uint32_t to)
{
    return (struct ip_hosts){address_of(run, fields, "from", from), address_of(run, fields, "to", to)};
}

/* ---- TCP ---- */

/* A number of the script, relative to `base` unless it begins with an equals sign. */
static uint32_t sequence(struct run *run, const struct fields *fields, const char *key, uint32_t base)
{
    const char *text = field_get(fields, key);
    uint32_t value;
    if (!text) {
        return 0;
    }
    bool absolute = *text == '=', negative = *text == '-';
    if (!parse_number(text + (absolute || negative), &value)) {
        run_fail(run, "'%s %s': a number should be there", key, text);
    }
    value = negative ? 0 - value : value;
    return absolute ? value : base + value;
}

static uint8_t tcp_flags(const char *letters)
{
    static const char known[] = "FSRP.UEC";
    uint8_t flags = 0;
    for (; *letters; letters++) {
        const char *at = strchr(known, *letters);
        flags = (uint8_t)(flags | (at ? 1U << (at - known) : 0));
    }
    return flags;
}

static uint8_t *put_option(uint8_t *to, uint8_t kind, uint8_t length)
{
    to[0] = kind;
    to[1] = length;
    return to + 2;
}

/* A:B A:B ..., relative to our initial number. */
static uint8_t *build_sack(const struct conversation *c, const char *text, uint8_t *to)
{
    uint8_t *at = to + 2;
    uint32_t start, end;
    while (take_number(&text, ':', &start) && (take_number(&text, ' ', &end) || *text == 0)) {
        put32(at, start + c->our_isn);
        put32(at + 4, end + c->our_isn);
        at += 8;
    }
    (void)put_option(to, 5, (uint8_t)(at - to));
    return *text == 0 ? at : NULL;
}

static uint8_t *build_timestamps(const struct conversation *c, const char *text, uint8_t *to)
{
    uint32_t value, echo;
    if (!take_number(&text, ' ', &value) || !take_number(&text, 0, &echo)) {
        return NULL;
    }
    uint8_t *at = put_option(to, 8, 10);
    put32(at, value);
    put32(at + 4, echo + (c->timestamp_known ? c->timestamp_base : 0));
    return to + 10;
}

/* One of the options between < and >; NULL: it is none. */
static uint8_t *build_option(const struct conversation *c, const char *text, uint8_t *to)
{
    size_t length = strcspn(text, " ");
    const char *rest = text + length + (text[length] != 0);
    uint32_t number;
    if (strcmp(text, "nop") == 0) {
        *to = 1;
        return to + 1;
    }
    if (strcmp(text, "sack") == 0) {
        return put_option(to, 4, 2);
    }
    if (strncmp(text, "sack ", 5) == 0) {
        return build_sack(c, rest, to);
    }
    if (strncmp(text, "ts ", 3) == 0) {
        return build_timestamps(c, rest, to);
    }
    bool mss = strncmp(text, "mss ", 4) == 0, scale = strncmp(text, "wscale ", 7) == 0;
    if (!(mss || scale) || !take_number(&rest, 0, &number)) {
        return NULL;
    }
    if (mss) {
        put16(put_option(to, 2, 4), number);
        return to + 4;
    }
    *put_option(to, 3, 3) = (uint8_t)number;
    return to + 3;
}

static size_t build_options(struct run *run, const struct conversation *c, const struct fields *fields,
                            uint8_t *to)
{
    const char *raw = field_get(fields, "raw-options"), *list = field_get(fields, "options");
    size_t length = raw ? hex_bytes(run, raw, to, 40) : 0;
    char copy[200], *rest = copy;
    (void)snprintf(copy, sizeof copy, "%s", list ? list : "");
    uint8_t *at = to + length;
    for (char *one; rest && *rest && (one = strsep(&rest, ",")) != NULL;) {
        one += strspn(one, " ");
        at = build_option(c, one, at);
        if (!at) {
            run_fail(run, "'%s' is no option: mss N, wscale N, sack, sack A:B ..., ts VALUE ECHO, nop", one);
        }
    }
    length = (size_t)(at - to);
    while (length % 4 != 0) {
        to[length++] = raw ? 0 : 1;
    }
    if (length > 40) {
        run_fail(run, "%zu bytes of options", length);
    }
    return length;
}

static size_t build_tcp(struct run *run, const struct line *line, uint8_t *frame)
{
    const struct fields *fields = &line->fields;
    const struct conversation *c = &run->conversations[line->conversation];
    uint8_t tcp[IP_ROOM] = {0}, flags = tcp_flags(fields->list[0].value);
    size_t length = number_of(run, fields, "len", 0), header = 20 + build_options(run, c, fields, tcp + 20);
    uint32_t seq = sequence(run, fields, "seq", c->peer_isn);
    if (!field_has(fields, "seq") || ((flags & ACK) && !field_has(fields, "ack"))) {
        run_fail(run, "a segment has a seq, and with '.' an ack");
    }
    put16(tcp, number_of(run, fields, "sport", c->peer_port));
    put16(tcp + 2, number_of(run, fields, "dport", c->our_port));
    put32(tcp + 4, seq);
    put32(tcp + 8, sequence(run, fields, "ack", c->our_isn));
    tcp[12] = (uint8_t)(number_of(run, fields, "doff", (uint32_t)header / 4) << 4);
    tcp[13] = flags;
    put16(tcp + 14, number_of(run, fields, "win", 65535));
    put16(tcp + 18, number_of(run, fields, "urg", 0));
    if (length > 1600) {
        run_fail(run, "len %zu", length);
    }
    uint32_t stream = seq - c->peer_isn - 1 + ((flags & SYN) != 0);
    for (uint32_t i = 0; i < length; i++) {
        tcp[header + i] =
            field_has(fields, "fill") ? (uint8_t)number_of(run, fields, "fill", 0) : pattern_byte(stream + i);
    }
    struct ip_hosts hosts = hosts_of(run, fields, c->peer, ours(run));
    uint16_t sum = plain_checksum(pseudo_header(hosts, 6, header + length), tcp, header + length);
    put16(tcp + 16, sum ^ (field_has(fields, "badsum") ? 0x101U : 0));
    return wrap_ip(run, fields, hosts, 6, tcp, header + length, frame);
}

/* ---- ICMP, IGMP ---- */

static const struct {
    const char *name;
    uint8_t type;
} icmp_types[] = {{"echo", 8},          {"echo-reply", 0}, {"unreachable", 3}, {"time-exceeded", 11},
                  {"quench", 4},        {"redirect", 5},   {"parameter", 12},  {"timestamp", 13},
                  {"address-mask", 17}, {"other", 0}};

/* What an error quotes: the last packet that we sent, changed as the words say. */
static size_t build_quote(struct run *run, const struct line *line, uint8_t *to)
{
    const struct fields *fields = &line->fields;
    const struct queued_frame *of = &run->last_sent;
    if (of->length < 34) {
        run_fail(run, "nothing has been sent that could be quoted");
    }
    size_t most = of->length - 14, length = number_of(run, fields, "quote-len", 28);
    length = length < most ? length : most;
    memcpy(to, of->bytes + 14, length < 28 ? 28 : length);
    if (field_has(fields, "quote-seq")) {
        put32(to + 24, sequence(run, fields, "quote-seq", run->conversations[line->conversation].our_isn));
    }
    to[9] = (uint8_t)number_of(run, fields, "quote-proto", to[9]);
    put32(to + 12, address_of(run, fields, "quote-from", get32(to + 12)));
    put32(to + 16, address_of(run, fields, "quote-to", get32(to + 16)));
    return length;
}

static size_t build_icmp(struct run *run, const struct line *line, uint8_t *frame)
{
    const struct fields *fields = &line->fields;
    const char *name = fields->list[0].value;
    uint8_t icmp[IP_ROOM] = {0};
    size_t i = 0, count = sizeof icmp_types / sizeof *icmp_types;
    while (i < count && strcmp(icmp_types[i].name, name) != 0) {
        i++;
    }
    if (i == count) {
        run_fail(run, "'%s' is no ICMP message", name);
    }
    icmp[0] = (uint8_t)number_of(run, fields, "number", icmp_types[i].type);
    icmp[1] = (uint8_t)number_of(run, fields, "code", 0);
    size_t length = number_of(run, fields, "len", 0);
    if (field_has(fields, "quote")) {
        put32(icmp + 4, number_of(run, fields, "mtu", 0));
        length = build_quote(run, line, icmp + 8);
    } else {
        put16(icmp + 4, number_of(run, fields, "id", icmp[0] == 0 ? run->ping_id : 1));
        put16(icmp + 6, number_of(run, fields, "seq", 1));
        for (uint32_t at = 0; at < length && at < IP_ROOM - 8; at++) {
            icmp[8 + at] = pattern_byte(at);
        }
    }
    length = length < IP_ROOM - 8 ? 8 + length : IP_ROOM;
    put16(icmp + 2, plain_checksum(0, icmp, length) ^ (field_has(fields, "badsum") ? 0x101U : 0));
    return wrap_ip(run, fields, hosts_of(run, fields, PEER, ours(run)), 1, icmp, length, frame);
}

static size_t build_igmp(struct run *run, const struct fields *fields, uint8_t *frame)
{
    const char *name = fields->list[0].value;
    uint8_t igmp[8] = {0};
    igmp[0] = strcmp(name, "query") == 0    ? 0x11
              : strcmp(name, "report") == 0 ? 0x16
              : strcmp(name, "leave") == 0  ? 0x17
                                            : 0x12;
    igmp[0] = (uint8_t)number_of(run, fields, "number", igmp[0]);
    igmp[1] = (uint8_t)number_of(run, fields, "max", 0);
    uint32_t group = address_of(run, fields, "group", 0);
    put32(igmp + 4, group);
    put16(igmp + 2, plain_checksum(0, igmp, 8) ^ (field_has(fields, "badsum") ? 0x101U : 0));
    struct ip_hosts hosts = hosts_of(run, fields, PEER, group ? group : 0xE0000001);
    return wrap_ip(run, fields, hosts, 2, igmp, 8, frame);
}

/* ---- UDP ---- */

static size_t build_udp(struct run *run, const struct fields *fields, struct ip_hosts hosts, uint8_t *udp,
                        size_t payload, uint8_t *frame)
{
    size_t length = 8 + payload;
    put16(udp + 4, number_of(run, fields, "ulen", (uint32_t)length));
    put16(udp + 6, 0);
    uint16_t sum = plain_checksum(pseudo_header(hosts, 17, length), udp, length);
    put16(udp + 6, sum ? sum : 0xFFFF);
    if (field_has(fields, "nosum") || field_has(fields, "badsum")) {
        put16(udp + 6, field_has(fields, "nosum") ? 0 : sum ^ 0x101U);
    }
    put16(udp + 6, number_of(run, fields, "sum", get16(udp + 6)));
    return wrap_ip(run, fields, hosts, 17, udp, length, frame);
}

static size_t build_datagram(struct run *run, const struct fields *fields, uint8_t *frame)
{
    const char *protocol = fields->list[0].key;
    uint8_t udp[IP_ROOM] = {0};
    uint32_t sport = 5000, dport = 7000, to = ours(run);
    size_t length = field_has(fields, "len") ? number_of(run, fields, "len", 0) : 0;
    if (strcmp(protocol, "dhcp") == 0) {
        length = build_dhcp(run, fields, udp + 8);
        sport = 67, dport = 68, to = UINT32_MAX;
    } else if (strcmp(protocol, "dns") == 0) {
        length = build_dns(run, fields, udp + 8);
        sport = 53, dport = run->dns_port;
    } else if (strcmp(protocol, "sntp") == 0) {
        length = build_sntp(run, fields, udp + 8);
        sport = 123, dport = run->sntp_port;
    } else {
        for (uint32_t i = 0; i < length && i < IP_ROOM - 8; i++) {
            udp[8 + i] = pattern_byte(i);
        }
    }
    put16(udp, number_of(run, fields, "sport", sport));
    put16(udp + 2, number_of(run, fields, "dport", dport));
    return build_udp(run, fields, hosts_of(run, fields, PEER, to), udp,
                     length < IP_ROOM - 8 ? length : IP_ROOM - 8, frame);
}

static size_t build_ipv4(struct run *run, const struct fields *fields, uint8_t *frame)
{
    uint8_t payload[IP_ROOM];
    const char *hex = field_get(fields, "hex");
    size_t length = hex ? hex_bytes(run, hex, payload, sizeof payload) : number_of(run, fields, "len", 0);
    for (uint32_t i = 0; !hex && i < length && i < IP_ROOM; i++) {
        payload[i] = pattern_byte(i);
    }
    return wrap_ip(run, fields, hosts_of(run, fields, PEER, ours(run)), 253, payload, length, frame);
}

size_t build_frame(struct run *run, const struct line *line, uint8_t *frame)
{
    const struct fields *fields = &line->fields;
    const char *protocol = fields->list[0].key;
    if (strcmp(protocol, "tcp") == 0) {
        return build_tcp(run, line, frame);
    }
    if (strcmp(protocol, "arp") == 0) {
        return build_arp(run, fields, frame);
    }
    if (strcmp(protocol, "icmp") == 0) {
        return build_icmp(run, line, frame);
    }
    if (strcmp(protocol, "igmp") == 0) {
        return build_igmp(run, fields, frame);
    }
    if (strcmp(protocol, "ipv4") == 0) {
        return build_ipv4(run, fields, frame);
    }
    if (strcmp(protocol, "frame") == 0) {
        const char *hex = field_get(fields, "hex");
        size_t length = hex ? hex_bytes(run, hex, frame, FRAME_ROOM) : 0;
        return finish_frame(run, fields, frame, length);
    }
    if (strcmp(protocol, "any") == 0 || strcmp(protocol, "fragment") == 0) {
        run_fail(run, "'%s' can only be expected", protocol);
    }
    return build_datagram(run, fields, frame);
}
