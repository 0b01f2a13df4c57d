#include "net/wire/mdns.h"

#include "net/features.h"
#include "net/wire/bytes.h"
#include "net/wire/dns.h"

#include <string.h>

#if NET_WITH_MDNS

enum {
    ENTRIES_MAX = 64, /* questions or records that are looked at in one message */
    TYPE_NSEC = 47,
    TYPE_ANY = 255,
    TOP_BIT = 0x8000, /* of the class: unicast answer wanted (5.4), or cache flush (10.2) */
    CLASS_ANY = 255,
    FLAGS_RESPONSE = 0x8000,
    FLAGS_AUTHORITATIVE = 0x8400,
    FLAGS_FIXED = 0x780F, /* opcode and response code, 0 (18.3, 18.11) */
    POINTER_TO_NAME = 0xC000 | DNS_HEADER,
};

struct reader {
    const uint8_t *message;
    size_t length;
    size_t at; /* 0: malformed */
    const uint8_t *name;
    uint32_t address;
};

static bool of_internet(uint32_t type_and_class)
{
    uint32_t class = type_and_class & 0x7FFF;
    return class == DNS_CLASS_IN || class == CLASS_ANY;
}

static void read_question(struct reader *in, struct mdns_message *parsed)
{
    size_t name = in->at, behind = dns_skip_name(in->message, in->length, name);
    if (behind == 0 || in->length - behind < 4) {
        in->at = 0;
        return;
    }
    in->at = behind + 4;
    uint32_t question = load_be32(in->message + behind);
    if (!of_internet(question) || !dns_name_is(in->message, in->length, name, in->name)) {
        return;
    }
    uint32_t type = question >> 16;
    bool address = type == DNS_TYPE_A || type == TYPE_ANY;
    parsed->asks_address = parsed->asks_address || address;
    parsed->type = address ? (uint16_t)type : parsed->type;
    parsed->asks_other = parsed->asks_other || !address;
    parsed->unicast = parsed->unicast && (question & TOP_BIT) != 0;
}

/* The next record; false: not of our name, or none that can be told from a mistake. */
static bool read_record(struct reader *in, struct dns_record *record)
{
    in->at = dns_read_record(in->message, in->length, in->at, record);
    return in->at != 0 && of_internet(record->type_and_class) &&
           dns_name_is(in->message, in->length, record->name, in->name);
}

static bool is_address(const struct dns_record *record)
{
    return record->type_and_class >> 16 == DNS_TYPE_A && record->length == 4;
}

/* In a query these are the answers that the asker knows; in a response, what others hold to be true. */
static void read_answer(struct reader *in, struct mdns_message *parsed, unsigned section)
{
    struct dns_record record;
    if (!read_record(in, &record) || (!parsed->response && section != 1)) {
        return;
    }
    bool same = is_address(&record) && load_be32(in->message + record.data) == in->address;
    if (!parsed->response) {
        parsed->known = parsed->known || (same && record.ttl_s >= MDNS_TTL_S / 2);
    } else if (!same && record.ttl_s != 0) { /* with 0 it is being taken back */
        parsed->claims = parsed->claims || is_address(&record);
        parsed->claims_other = parsed->claims_other || !is_address(&record);
    }
}

static void read_authority(struct reader *in, struct mdns_message *parsed)
{
    struct dns_record record;
    if (read_record(in, &record) && !parsed->response && is_address(&record)) {
        parsed->probes = true;
        parsed->proposed = load_be32(in->message + record.data);
    }
}

bool mdns_parse(const uint8_t *message, size_t length, const uint8_t *name, uint32_t address,
                struct mdns_message *parsed)
{
    struct reader in = {message, length, DNS_HEADER, name, address};
    if (length < DNS_HEADER || (load_be16(message + 2) & FLAGS_FIXED) != 0) {
        return false;
    }
    *parsed = (struct mdns_message){.id = load_be16(message), .unicast = true};
    parsed->response = (load_be16(message + 2) & FLAGS_RESPONSE) != 0;
    unsigned left = ENTRIES_MAX;
    for (unsigned section = 0; section < 4; section++) {
        for (unsigned n = load_be16(message + 4 + 2 * section); n > 0 && left > 0; n--, left--) {
            switch (section) {
            case 0: read_question(&in, parsed); break;
            case 2: read_authority(&in, parsed); break;
            default: read_answer(&in, parsed, section); break;
            }
            if (in.at == 0) {
                return false;
            }
        }
    }
    return true;
}

/* ---- Building ---- */

static uint8_t *put_header(uint8_t *message, uint32_t id_and_flags, uint32_t questions_and_answers,
                           uint32_t authorities_and_additionals)
{
    store_be32(message, id_and_flags);
    store_be32(message + 4, questions_and_answers);
    store_be32(message + 8, authorities_and_additionals);
    return message + DNS_HEADER;
}

static uint8_t *put_name(uint8_t *at, const uint8_t *name)
{
    size_t n = 0;
    while (name[n] != 0) {
        n += name[n] + 1U;
    }
    memcpy(at, name, n + 1);
    return at + n + 1;
}

static uint8_t *put_pointer(uint8_t *at)
{
    store_be16(at, POINTER_TO_NAME);
    return at + 2;
}

/* What follows the name of a record of our address. */
static uint8_t *put_address(uint8_t *at, uint32_t class, uint32_t ttl_s, uint32_t address)
{
    store_be32(at, (uint32_t)DNS_TYPE_A << 16 | class);
    store_be32(at + 4, ttl_s);
    store_be16(at + 8, 4);
    store_be32(at + 10, address);
    return at + 14;
}

/* What follows the name of a record that says: type A there is, no other. */
static uint8_t *put_nothing_else(uint8_t *at)
{
    store_be32(at, (uint32_t)TYPE_NSEC << 16 | TOP_BIT | DNS_CLASS_IN);
    store_be32(at + 4, MDNS_TTL_S);
    store_be16(at + 8, 5);
    at = put_pointer(at + 10);
    at[0] = 0; /* the first 256 types, one byte of bits: of type 1 */
    at[1] = 1;
    at[2] = 0x80 >> DNS_TYPE_A;
    return at + 3;
}

size_t mdns_build_probe(uint8_t *message, const uint8_t *name, uint32_t address)
{
    uint8_t *at = put_name(put_header(message, 0, 1U << 16, 1U << 16), name);
    store_be32(at, (uint32_t)TYPE_ANY << 16 | TOP_BIT | DNS_CLASS_IN);
    at = put_address(put_pointer(at + 4), DNS_CLASS_IN, MDNS_TTL_S, address);
    return (size_t)(at - message);
}

size_t mdns_build_response(uint8_t *message, const uint8_t *name, uint32_t address, bool with_address)
{
    uint8_t *at = put_name(put_header(message, FLAGS_AUTHORITATIVE, 1, with_address), name);
    if (with_address) {
        at = put_address(at, TOP_BIT | DNS_CLASS_IN, MDNS_TTL_S, address);
        at = put_pointer(at);
    }
    return (size_t)(put_nothing_else(at) - message);
}

size_t mdns_build_legacy(uint8_t *message, const uint8_t *name, uint32_t address,
                         const struct mdns_message *query)
{
    uint32_t id = (uint32_t)query->id << 16;
    uint8_t *at = put_name(put_header(message, id | FLAGS_AUTHORITATIVE, 1U << 16 | 1, 0), name);
    store_be32(at, (uint32_t)query->type << 16 | DNS_CLASS_IN);
    at = put_address(put_pointer(at + 4), DNS_CLASS_IN, MDNS_LEGACY_TTL_S, address);
    return (size_t)(at - message);
}

#endif
