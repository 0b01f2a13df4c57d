#include "tests/mqtt/client_packet.h"

#include <string.h>

enum {
    CONNECT = 1,
    PUBLISH = 3,
    PUBACK,
    PUBREC,
    PUBREL,
    PUBCOMP,
    SUBSCRIBE,
    UNSUBSCRIBE = 10,
    PINGREQ = 12,
    DISCONNECT = 14,
    AUTH,
};

/* ---- A cursor ---- */

struct cursor {
    const uint8_t *at, *end;
    const char *wrong; /* the first thing */
    struct client_packet *p;
};

static void fail(struct cursor *c, const char *what)
{
    if (!c->wrong) {
        c->wrong = what;
    }
    c->at = c->end;
}

static uint32_t number(struct cursor *c, size_t bytes)
{
    uint32_t value = 0;
    if ((size_t)(c->end - c->at) < bytes) {
        fail(c, "cut off");
        return 0;
    }
    for (; bytes; bytes--) {
        value = value << 8 | *c->at++;
    }
    return value;
}

/* 1.5.5 */
static uint32_t varint(struct cursor *c)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < 4; i++) {
        uint32_t byte = number(c, 1);
        value |= (byte & 0x7F) << 7 * i;
        if (byte < 0x80) {
            if (i && !byte) {
                fail(c, "longer than needed [MQTT-1.5.5-1]");
            }
            return value;
        }
    }
    fail(c, "a variable byte integer of five bytes");
    return 0;
}

static struct client_text binary(struct cursor *c)
{
    size_t length = number(c, 2);
    struct client_text text = {c->at, length};
    if ((size_t)(c->end - c->at) < length) {
        fail(c, "a string cut off");
        return (struct client_text){c->end, 0};
    }
    c->at += length;
    return text;
}

/* Bytes that follow this first one; 4: it is none. `least` is the smallest code of the length. */
static unsigned followers(uint8_t first, uint32_t *least)
{
    static const uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
    unsigned count = first < 0x80 ? 0 : first >> 5 == 6 ? 1 : first >> 4 == 14 ? 2 : first >> 3 == 30 ? 3 : 4;
    *least = count < 4 ? smallest[count] : 0;
    return count;
}

static const char *wrong_text(struct client_text text)
{
    for (size_t i = 0; i < text.length;) {
        uint32_t least, code = text.data[i];
        unsigned count = followers(text.data[i++], &least);
        if (count == 4 || text.length - i < count) {
            return "not UTF-8 [MQTT-1.5.4-1]";
        }
        code &= count ? 0x3FU >> count : 0x7FU;
        for (; count; count--, i++) {
            if (text.data[i] >> 6 != 2) {
                return "not UTF-8 [MQTT-1.5.4-1]";
            }
            code = code << 6 | (text.data[i] & 0x3F);
        }
        if (code < least || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
            return "not UTF-8 [MQTT-1.5.4-1]";
        }
        if (!code) {
            return "U+0000 [MQTT-1.5.4-2]";
        }
    }
    return NULL;
}

static struct client_text text(struct cursor *c)
{
    struct client_text t = binary(c);
    const char *wrong = wrong_text(t);
    if (wrong) {
        fail(c, wrong);
    }
    return t;
}

static struct client_text topic(struct cursor *c)
{
    struct client_text t = text(c);
    if (memchr(t.data, '#', t.length) || memchr(t.data, '+', t.length)) {
        fail(c, "a wildcard in a topic name [MQTT-3.3.2-2]");
    }
    return t;
}

/* ---- Properties ---- */

enum {
    IN_CONNECT = 1,
    IN_WILL = 2,
    IN_PUBLISH = 4,
    IN_ACK = 8,
    IN_SUBSCRIBE = 16,
    IN_UNSUBSCRIBE = 32,
    IN_DISCONNECT = 64,
    IN_AUTH = 128,
    EVERYWHERE = 255,
};

enum { NUMBER_1 = 1, NUMBER_2 = 2, VARINT = 3, NUMBER_4 = 4, BINARY, TEXT, TOPIC, PAIR };

static const struct {
    uint8_t type, places;
} kinds[] = {
    [0x01] = {NUMBER_1, IN_WILL | IN_PUBLISH},
    [0x02] = {NUMBER_4, IN_WILL | IN_PUBLISH},
    [0x03] = {TEXT, IN_WILL | IN_PUBLISH},
    [0x08] = {TOPIC, IN_WILL | IN_PUBLISH},
    [0x09] = {BINARY, IN_WILL | IN_PUBLISH},
    [0x0B] = {VARINT, IN_SUBSCRIBE}, /* not in a client's PUBLISH [MQTT-3.3.4-6] */
    [0x11] = {NUMBER_4, IN_CONNECT | IN_DISCONNECT},
    [0x15] = {TEXT, IN_CONNECT | IN_AUTH},
    [0x16] = {BINARY, IN_CONNECT | IN_AUTH},
    [0x17] = {NUMBER_1, IN_CONNECT},
    [0x18] = {NUMBER_4, IN_WILL},
    [0x19] = {NUMBER_1, IN_CONNECT},
    [0x1F] = {TEXT, IN_ACK | IN_DISCONNECT | IN_AUTH},
    [0x21] = {NUMBER_2, IN_CONNECT},
    [0x22] = {NUMBER_2, IN_CONNECT},
    [0x23] = {NUMBER_2, IN_PUBLISH},
    [0x26] = {PAIR, EVERYWHERE},
    [0x27] = {NUMBER_4, IN_CONNECT},
};

static void store_number(struct cursor *c, unsigned id, uint32_t value)
{
    struct client_packet *p = c->p;
    switch (id) {
    case 0x11: p->session_expiry_s = value; break;
    case 0x21: p->receive_maximum = (uint16_t)value; break;
    case 0x22: p->alias_maximum = (uint16_t)value; break;
    case 0x23:
        p->alias = (uint16_t)value;
        p->has_alias = true;
        break;
    case 0x27: p->maximum_packet_size = value; break;
    default: break;
    }
    bool nonzero = id == 0x0B || id == 0x21 || id == 0x23 || id == 0x27;
    bool boolean = id == 0x01 || id == 0x17 || id == 0x19;
    if ((nonzero && !value) || (boolean && value > 1)) {
        fail(c, "a property of an impossible value");
    }
}

static void property(struct cursor *c, unsigned id)
{
    const uint8_t *begin = c->at;
    struct client_text t;
    switch (kinds[id].type) {
    case BINARY: (void)binary(c); break;
    case TOPIC: (void)topic(c); break;
    case VARINT: store_number(c, id, varint(c)); break;
    case TEXT:
        t = text(c);
        if (id == 0x15) {
            c->p->method = t;
        }
        break;
    case PAIR:
        (void)text(c);
        (void)text(c);
        break;
    default: store_number(c, id, number(c, kinds[id].type)); break;
    }
    if (id == 0x1F || id == 0x26) {
        c->p->reason_size += 1 + (size_t)(c->at - begin);
    }
}

static void properties(struct cursor *c, unsigned place)
{
    const uint8_t *end = c->end;
    uint64_t seen = 0;
    size_t length = varint(c);
    if ((size_t)(c->end - c->at) < length) {
        fail(c, "properties beyond the packet");
        return;
    }
    c->p->properties += length;
    c->end = c->at + length;
    while (c->at != c->end) {
        unsigned id = *c->at++;
        if (id >= sizeof kinds / sizeof kinds[0] || !(kinds[id].places & place)) {
            fail(c, "a property that has no place here");
            break;
        }
        if (id != 0x26 && (seen >> id & 1)) {
            fail(c, "a property twice");
        }
        seen |= (uint64_t)1 << id;
        property(c, id);
    }
    if (!c->wrong) {
        c->end = end;
    }
}

/* ---- Packets ---- */

static void connect_packet(struct cursor *c)
{
    struct client_packet *p = c->p;
    struct client_text name = binary(c);
    p->version = (uint8_t)number(c, 1);
    if (name.length != 4 || memcmp(name.data, "MQTT", 4) != 0 || (p->version != 5 && p->version != 4)) {
        fail(c, "another protocol [MQTT-3.1.2-1]");
        return;
    }
    unsigned flags = p->connect_flags = (uint8_t)number(c, 1);
    bool will = flags & 4;
    if (flags & 1 || (flags >> 3 & 3) == 3 || (!will && (flags & 0x38))) {
        fail(c, "CONNECT's flags [MQTT-3.1.2-3, -11, -12, -13]");
    }
    p->keep_alive_s = (uint16_t)number(c, 2);
    if (p->version == 5) {
        properties(c, IN_CONNECT);
    }
    p->client_id = text(c);
    if (will) {
        if (p->version == 5) {
            properties(c, IN_WILL);
        }
        p->will_topic = topic(c);
        if (!p->will_topic.length) {
            fail(c, "an empty topic [MQTT-4.7.3-1]");
        }
        (void)binary(c);
    }
    if (flags & 0x80) {
        p->user_name = text(c);
    }
    if (flags & 0x40) {
        p->password = binary(c);
    }
}

static void packet_id(struct cursor *c)
{
    c->p->packet_id = (uint16_t)number(c, 2);
    if (!c->p->packet_id) {
        fail(c, "packet id 0 [MQTT-2.2.1-3]");
    }
}

static void publish_packet(struct cursor *c, bool v311)
{
    struct client_packet *p = c->p;
    p->duplicate = p->flags & 8;
    p->qos = p->flags >> 1 & 3;
    p->retain = p->flags & 1;
    if (p->qos == 3) {
        fail(c, "QoS 3 [MQTT-3.3.1-4]");
    }
    if (p->qos == 0 && p->duplicate) {
        fail(c, "DUP with QoS 0 [MQTT-3.3.1-2]");
    }
    p->topic = topic(c);
    if (p->qos) {
        packet_id(c);
    }
    if (!v311) {
        properties(c, IN_PUBLISH);
    }
    if (!p->topic.length && !p->has_alias) {
        fail(c, "no topic and no alias [MQTT-4.7.3-1]");
    }
    p->payload = (struct client_text){c->at, (size_t)(c->end - c->at)};
    c->at = c->end;
}

static bool is_reason(unsigned type, uint8_t reason)
{
    static const uint8_t puback[] = {0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99};
    static const uint8_t pubrel[] = {0x00, 0x92};
    static const uint8_t disconnect[] = {0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93,
                                         0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x87, 0x9B};
    static const uint8_t auth[] = {0x18, 0x19};
    switch (type) {
    case PUBACK:
    case PUBREC: return memchr(puback, reason, sizeof puback) != NULL;
    case PUBREL:
    case PUBCOMP: return memchr(pubrel, reason, sizeof pubrel) != NULL;
    case DISCONNECT: return memchr(disconnect, reason, sizeof disconnect) != NULL;
    default: return memchr(auth, reason, sizeof auth) != NULL;
    }
}

/* A reason code and properties, which may be left out from the end. */
static void reason(struct cursor *c, unsigned place)
{
    if (c->at == c->end) {
        return;
    }
    c->p->reason = (uint8_t)number(c, 1);
    if (!is_reason(c->p->type, c->p->reason)) {
        fail(c, "a reason code that this packet has not");
    }
    if (c->at != c->end) {
        properties(c, place);
    }
}

/* 4.7.1, 4.8.2 */
static const char *wrong_filter(struct client_text t)
{
    if (!t.length) {
        return "an empty filter [MQTT-4.7.3-1]";
    }
    for (size_t i = 0; i < t.length; i++) {
        bool alone = (i == 0 || t.data[i - 1] == '/') && (i + 1 == t.length || t.data[i + 1] == '/');
        bool last = i + 1 == t.length;
        if ((t.data[i] == '#' && (!alone || !last)) || (t.data[i] == '+' && !alone)) {
            return "a wildcard out of place [MQTT-4.7.1-1, MQTT-4.7.1-2]";
        }
    }
    return NULL;
}

static void filter(struct cursor *c, bool options, bool v311)
{
    struct client_filter f = {text(c), 0};
    const char *wrong = wrong_filter(f.text);
    if (wrong) {
        fail(c, wrong);
    }
    if (options) {
        f.options = (uint8_t)number(c, 1);
        if ((f.options & 3) == 3 || (f.options >> 4 & 3) == 3 || f.options >> 6 || (v311 && f.options > 2)) {
            fail(c, "subscription options [MQTT-3.8.3-5]");
        }
    }
    if (c->p->filter_count < CLIENT_PACKET_FILTERS) {
        c->p->filters[c->p->filter_count] = f;
    }
    c->p->filter_count++;
}

static void filters_packet(struct cursor *c, bool v311)
{
    bool subscribes = c->p->type == SUBSCRIBE;
    packet_id(c);
    if (!v311) {
        properties(c, subscribes ? IN_SUBSCRIBE : IN_UNSUBSCRIBE);
    }
    do {
        filter(c, subscribes, v311); /* at least one [MQTT-3.8.3-2, MQTT-3.10.3-2] */
    } while (c->at != c->end);
}

static void ack_packet(struct cursor *c, bool v311)
{
    packet_id(c);
    if (!v311) {
        reason(c, IN_ACK);
    }
}

static void auth_packet(struct cursor *c, bool v311)
{
    if (v311) {
        fail(c, "AUTH in 3.1.1");
    }
    reason(c, IN_AUTH);
    if (!c->p->method.data) {
        fail(c, "AUTH without a method [MQTT-4.12.0-5]");
    }
}

static void body(struct cursor *c, bool v311)
{
    switch (c->p->type) {
    case CONNECT: connect_packet(c); break;
    case PUBLISH: publish_packet(c, v311); break;
    case PUBACK:
    case PUBREC:
    case PUBREL:
    case PUBCOMP: ack_packet(c, v311); break;
    case SUBSCRIBE:
    case UNSUBSCRIBE: filters_packet(c, v311); break;
    case PINGREQ: break;
    case DISCONNECT:
        if (!v311) {
            reason(c, IN_DISCONNECT);
        }
        break;
    case AUTH: auth_packet(c, v311); break;
    default: fail(c, "a packet that a client does not send"); break;
    }
    if (c->at != c->end) {
        fail(c, "more bytes than the packet has");
    }
}

size_t client_packet_size(const uint8_t *bytes, size_t length)
{
    size_t remaining = 0;
    for (size_t i = 1; i < length && i < 5; i++) {
        remaining |= (size_t)(bytes[i] & 0x7F) << 7 * (i - 1);
        if (bytes[i] < 0x80) {
            return i > 1 && bytes[i] == 0 ? SIZE_MAX : 1 + i + remaining;
        }
    }
    return length < 5 ? 0 : SIZE_MAX;
}

const char *client_packet_parse(struct client_packet *p, const uint8_t *bytes, size_t size, bool v311)
{
    struct cursor c = {.at = bytes + 1, .end = bytes + size, .p = p};
    memset(p, 0, sizeof *p);
    p->type = bytes[0] >> 4;
    p->flags = bytes[0] & 15;
    bool two = p->type == PUBREL || p->type == SUBSCRIBE || p->type == UNSUBSCRIBE;
    if (p->type != PUBLISH && p->flags != (two ? 2 : 0)) {
        return "reserved flags [MQTT-2.1.3-1]";
    }
    if (varint(&c) != (size_t)(c.end - c.at)) {
        fail(&c, "Remaining Length");
    }
    if (!c.wrong) {
        body(&c, v311);
    }
    return c.wrong;
}

/* ---- A connection ---- */

static const char *wrong_place(const struct client_stream *s)
{
    const struct client_packet *p = &s->packet;
    if (s->closed) {
        return "a packet after DISCONNECT [MQTT-3.14.4-1]";
    }
    if (s->connected == (p->type == CONNECT)) {
        return s->connected ? "a second CONNECT [MQTT-3.1.0-2]" : "not CONNECT first [MQTT-3.1.0-1]";
    }
    if (p->type == CONNECT) {
        return NULL;
    }
    if (p->type == AUTH && !s->authenticates) {
        return "AUTH without a method in CONNECT [MQTT-4.12.0-7]";
    }
    /* 3.1.4 lets a client send before the CONNACK; this one waits, as it has to if it authenticates. */
    bool early = !s->accepted && p->type != AUTH && p->type != DISCONNECT;
    return early ? "a packet before the CONNACK [MQTT-3.1.2-30]" : NULL;
}

static const char *wrong_publish(struct client_stream *s)
{
    const struct client_packet *p = &s->packet;
    if (s->limits_qos && p->qos > s->maximum_qos) {
        return "above Maximum QoS [MQTT-3.2.2-11]";
    }
    if (s->no_retain && p->retain) {
        return "retained [MQTT-3.2.2-14]";
    }
    if (!p->has_alias) {
        return NULL;
    }
    if (p->alias > s->alias_maximum) {
        return "an alias above the maximum [MQTT-3.2.2-17]";
    }
    if (p->alias < 96) {
        uint32_t *word = &s->aliases[p->alias / 32], bit = 1U << p->alias % 32;
        if (!p->topic.length && !(*word & bit)) {
            return "an alias that was not set";
        }
        *word |= bit;
    }
    return NULL;
}

const char *client_stream_packet(struct client_stream *s, const uint8_t *bytes, size_t size)
{
    struct client_packet *p = &s->packet;
    const char *wrong = client_packet_parse(p, bytes, size, s->version == 4);
    if (!wrong) {
        wrong = wrong_place(s);
    }
    if (wrong) {
        return wrong;
    }
    if (p->type == CONNECT) {
        s->connected = true;
        s->version = p->version;
        s->authenticates = p->method.data != NULL;
        return NULL;
    }
    s->closed = p->type == DISCONNECT;
    if (s->accepted && s->maximum_packet_size && size > s->maximum_packet_size) {
        return "above Maximum Packet Size [MQTT-3.2.2-15]";
    }
    return p->type == PUBLISH ? wrong_publish(s) : NULL;
}
