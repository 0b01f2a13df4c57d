#include "net/wire/dns.h"

#include "net/features.h"
#include "net/wire/bytes.h"

#include <string.h>

enum {
    LABEL_MAX = 63,
    NAME_MAX_WIRE = 255,
    JUMPS_MAX = 16, /* compression pointers followed in one name */
    ALIASES_MAX = 8,
    RECORDS_MAX = 32, /* looked at in one answer */
    SOA_LEAST = 22,   /* two empty names and five numbers */
    FLAG_RD = 0x0100,
    FLAGS_FIXED = 0xF800, /* QR and opcode */
    FLAGS_RESPONSE = 0x8000,
    FLAG_TC = 0x0200,
    RCODE = 0x000F,
    RCODE_NAME_ERROR = 3,
};

/* Walks over a name's labels, following compression pointers. */
struct walk {
    const uint8_t *message;
    size_t length;
    size_t at;
    size_t run;   /* where the labels in hand began: a pointer must lead before it */
    size_t total; /* bytes of the name so far */
    unsigned jumps;
};

/* Length of the next label, which then lies before `at`; 0 at the name's end; -1 when malformed. */
static int next_label(struct walk *walk)
{
    while (walk->at < walk->length) {
        size_t n = walk->message[walk->at];
        if (n <= LABEL_MAX) {
            walk->total += n + 1;
            if (n >= walk->length - walk->at || walk->total > NAME_MAX_WIRE) {
                return -1;
            }
            walk->at += n + 1;
            return (int)n;
        }
        if (n < 0xC0 || walk->length - walk->at < 2) {
            return -1;
        }
        size_t target = load_be16(walk->message + walk->at) & 0x3FFFU;
        /* Each run of labels lies before the last, so that no pointer can be met twice (RFC 9267 2). */
        if (target >= walk->run || target < DNS_HEADER || ++walk->jumps > JUMPS_MAX) {
            return -1;
        }
        walk->at = target;
        walk->run = target;
    }
    return -1;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

static bool same_label(const uint8_t *a, const uint8_t *b, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (lower(a[i]) != lower(b[i])) {
            return false;
        }
    }
    return true;
}

static bool same_name(const uint8_t *message, size_t length, size_t a_at, size_t b_at)
{
    struct walk a = {message, length, a_at, a_at, 0, 0};
    struct walk b = {message, length, b_at, b_at, 0, 0};
    for (;;) { /* bounded by NAME_MAX_WIRE */
        int a_length = next_label(&a), b_length = next_label(&b);
        if (a_length != b_length || a_length < 0) {
            return false;
        }
        if (a_length == 0) {
            return true;
        }
        size_t n = (size_t)a_length;
        if (!same_label(message + a.at - n, message + b.at - n, n)) {
            return false;
        }
    }
}

bool dns_name_is(const uint8_t *message, size_t length, size_t at, const uint8_t *name)
{
    struct walk walk = {message, length, at, at, 0, 0};
    for (;;) { /* bounded by the name's terminator */
        int n = next_label(&walk);
        if (n != *name++) {
            return false;
        }
        if (n == 0) {
            return true;
        }
        if (!same_label(message + walk.at - n, name, (size_t)n)) {
            return false;
        }
        name += n;
    }
}

#if NET_WITH_DNS_ALIASES

static bool copy_label(char *to, const uint8_t *label, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (label[i] == 0 || label[i] == '.') {
            return false;
        }
        to[i] = (char)label[i];
    }
    return true;
}

bool dns_get_name(const uint8_t *message, size_t length, size_t at, char *text, size_t size)
{
    struct walk walk = {message, length, at, at, 0, 0};
    size_t used = 0;
    int n;
    while ((n = next_label(&walk)) > 0) { /* bounded by NAME_MAX_WIRE */
        size_t label = (size_t)n;
        if (label >= size - used || !copy_label(text + used, message + walk.at - label, label)) {
            return false;
        }
        used += label + 1;
        text[used - 1] = '.';
    }
    if (n < 0 || used == 0) {
        return false;
    }
    text[used - 1] = 0;
    return true;
}

#endif

size_t dns_skip_name(const uint8_t *message, size_t length, size_t at)
{
    size_t start = at;
    while (at < length && at - start < NAME_MAX_WIRE) {
        size_t n = message[at];
        if (n == 0) {
            return at + 1;
        }
        if (n >= 0xC0) {
            return length - at >= 2 ? at + 2 : 0;
        }
        if (n > LABEL_MAX) {
            return 0;
        }
        at += n + 1;
    }
    return 0;
}

static size_t label_length(const char *name)
{
    size_t n = 0;
    while (name[n] && name[n] != '.') {
        n++;
    }
    return n;
}

size_t dns_name_length(const char *name)
{
    size_t total = 0;
    while (*name) {
        size_t n = label_length(name);
        total += n + 1;
        if (n == 0 || n > LABEL_MAX || total >= NAME_MAX_WIRE) {
            return 0;
        }
        name += name[n] ? n + 1 : n;
    }
    return total ? total + 1 : 0;
}

uint8_t *dns_put_name(uint8_t *at, const char *name)
{
    while (*name) {
        size_t n = label_length(name);
        *at++ = (uint8_t)n;
        memcpy(at, name, n);
        at += n;
        name += name[n] ? n + 1 : n;
    }
    *at++ = 0;
    return at;
}

size_t dns_build_query(uint8_t *message, uint16_t id, const char *name)
{
    store_be32(message, (uint32_t)id << 16 | FLAG_RD);
    store_be32(message + 4, 1U << 16); /* one question */
    store_be32(message + 8, 0);
    uint8_t *at = dns_put_name(message + DNS_HEADER, name);
    store_be32(at, (uint32_t)DNS_TYPE_A << 16 | DNS_CLASS_IN);
    return (size_t)(at + 4 - message);
}

/* Is the question, which servers repeat uncompressed, the one we asked? */
static bool question_matches(const uint8_t *message, size_t length, const char *name)
{
    size_t at = DNS_HEADER;
    while (*name) {
        size_t n = label_length(name);
        if (length - at < n + 6 || message[at] != n ||
            !same_label(message + at + 1, (const uint8_t *)name, n)) {
            return false;
        }
        at += n + 1;
        name += name[n] ? n + 1 : n;
    }
    return length - at >= 5 && message[at] == 0 &&
           load_be32(message + at + 1) == ((uint32_t)DNS_TYPE_A << 16 | DNS_CLASS_IN);
}

size_t dns_read_record(const uint8_t *message, size_t length, size_t at, struct dns_record *record)
{
    record->name = at;
    at = dns_skip_name(message, length, at);
    if (at == 0 || length - at < 10) {
        return 0;
    }
    record->type_and_class = load_be32(message + at);
    if (NET_WITH_DNS_CACHE || NET_WITH_MDNS) {
        uint32_t ttl = load_be32(message + at + 4);
        record->ttl_s = ttl > INT32_MAX ? 0 : ttl; /* RFC 2181 8 */
    }
    record->length = load_be16(message + at + 8);
    record->data = at + 10;
    return record->length <= length - record->data ? record->data + record->length : 0;
}

/*
 * Looks through the answers for an address or alias of the name at `*wanted`.
 * An alias is put in its place and the search begins again.
 */
static enum dns_answer search(const uint8_t *message, size_t length, size_t at, unsigned count,
                              size_t *wanted, struct dns_found *found)
{
    struct dns_record record;
    for (unsigned i = 0; i < count; i++) {
        at = dns_read_record(message, length, at, &record);
        if (at == 0) {
            return DNS_IGNORED;
        }
        bool alias = record.type_and_class == ((uint32_t)DNS_TYPE_CNAME << 16 | DNS_CLASS_IN);
        bool address = record.type_and_class == ((uint32_t)DNS_TYPE_A << 16 | DNS_CLASS_IN);
        if ((!alias && !address) || !same_name(message, length, record.name, *wanted)) {
            continue;
        }
        if (address && record.length != 4) {
            return DNS_IGNORED;
        }
        if (NET_WITH_DNS_CACHE && record.ttl_s < found->ttl_s) {
            found->ttl_s = record.ttl_s;
        }
        if (address) {
            found->address = load_be32(message + record.data);
            return DNS_ADDRESS;
        }
        *wanted = record.data;
        return DNS_NO_NAME;
    }
    *wanted = 0;
    return DNS_NO_NAME;
}

/*
 * How long it may be remembered that there is no answer: by the SOA record of the authority section, which
 * follows `answers` records (RFC 2308 5). 0: there is none.
 */
static uint32_t negative_ttl(const uint8_t *message, size_t length, size_t at, unsigned answers)
{
    unsigned authorities = load_be16(message + 8);
    struct dns_record record;
    for (unsigned i = 0; i < RECORDS_MAX && i < answers + authorities; i++) {
        at = dns_read_record(message, length, at, &record);
        if (at == 0) {
            return 0;
        }
        if (i >= answers && record.type_and_class == ((uint32_t)DNS_TYPE_SOA << 16 | DNS_CLASS_IN) &&
            record.length >= SOA_LEAST) {
            uint32_t minimum = load_be32(message + record.data + record.length - 4);
            return minimum < record.ttl_s ? minimum : record.ttl_s;
        }
    }
    return 0;
}

enum dns_answer dns_parse(const uint8_t *message, size_t length, uint16_t id, const char *name,
                          struct dns_found *found)
{
    if (length < DNS_HEADER || load_be16(message) != id || load_be16(message + 4) != 1 ||
        !question_matches(message, length, name)) {
        return DNS_IGNORED;
    }
    unsigned flags = load_be16(message + 2);
    if ((flags & FLAGS_FIXED) != FLAGS_RESPONSE) {
        return DNS_IGNORED;
    }
    bool exists = (flags & RCODE) != RCODE_NAME_ERROR;
    if (exists && ((flags & RCODE) || (flags & FLAG_TC))) {
        return DNS_FAILURE;
    }
    unsigned count = load_be16(message + 6);
    count = count < RECORDS_MAX ? count : RECORDS_MAX;
    size_t answers = dns_skip_name(message, length, DNS_HEADER) + 4;
    size_t wanted = DNS_HEADER, alias = 0;
    enum dns_answer answer = DNS_NO_NAME;
    if (NET_WITH_DNS_CACHE) {
        found->ttl_s = UINT32_MAX;
    }
    for (unsigned i = 0; exists && i < ALIASES_MAX && wanted != 0 && answer == DNS_NO_NAME; i++) {
        alias = i == 0 ? 0 : wanted;
        answer = search(message, length, answers, count, &wanted, found);
    }
#if NET_WITH_DNS_ALIASES
    if (answer == DNS_NO_NAME && wanted == 0 && alias != 0 &&
        (!NET_WITH_DNS_CACHE || negative_ttl(message, length, answers, count) == 0)) {
        found->address = (uint32_t)alias;
        return DNS_ALIAS;
    }
#else
    (void)alias;
#endif
    if (NET_WITH_DNS_CACHE && answer == DNS_NO_NAME) {
        found->ttl_s = negative_ttl(message, length, answers, count);
    }
    return answer;
}
