/* DNS messages at the limits of RFC 1035 2.3.4, 4.1.4 and RFC 9267: what is one byte too long is not
 * believed. */
#include "net/wire/dns.h"
#include "rig.h"

#include <stdlib.h>
#include <string.h>

#define ADDRESS 0x06060606U

enum { ID = 0x1234, HEADER = 12, LONGEST = 253 /* characters of a name, 255 bytes in a message */ };

struct message {
    uint8_t bytes[1400];
    size_t length;
};

static void put_bytes(struct message *m, const void *bytes, size_t length)
{
    memcpy(m->bytes + m->length, bytes, length);
    m->length += length;
}

static void put_label(struct message *m, size_t length)
{
    m->bytes[m->length++] = (uint8_t)length;
    memset(m->bytes + m->length, 'x', length);
    m->length += length;
}

static void put_text(struct message *m, const char *name)
{
    m->length = (size_t)(dns_put_name(m->bytes + m->length, name) - m->bytes);
}

static void put_question(struct message *m)
{
    put_bytes(m, "\0\1\0\1", 4);
}

/* An answer to a question for `name`, with so many records to come. */
static struct message begin(const char *name, uint16_t records)
{
    struct message m = {.length = HEADER};
    put16(m.bytes, ID);
    put16(m.bytes + 2, 0x8180);
    put16(m.bytes + 4, 1);
    put16(m.bytes + 6, records);
    put_text(&m, name);
    put_question(&m);
    return m;
}

/* What follows the name of an A record. */
static void put_address(struct message *m)
{
    put_bytes(m, "\0\1\0\1\0\0\0\5\0\4\6\6\6\6", 14);
}

static void put_question_name(struct message *m)
{
    put_bytes(m, "\xC0\x0C", 2);
}

/* In memory of its exact length, so that a sanitizer sees every step beyond. */
static enum dns_answer parse(const struct message *m, const char *name)
{
    struct dns_found found = {0, 0};
    uint8_t *copy = malloc(m->length ? m->length : 1);
    memcpy(copy, m->bytes, m->length);
    enum dns_answer answer = dns_parse(copy, m->length, ID, name, &found);
    assert_true(answer != DNS_ADDRESS || found.address == ADDRESS);
    free(copy);
    return answer;
}

static void expect(const struct message *m, const char *name, bool believed)
{
    enum dns_answer answer = parse(m, name);
    assert_int_equal(answer == DNS_ADDRESS, believed);
    struct message cut = *m;
    while (cut.length-- > 0) { /* no shorter one is, and none reads beyond */
        assert_int_not_equal(parse(&cut, name), DNS_ADDRESS);
    }
}

static void good(void **state)
{
    (void)state;
    struct message m = begin("a.b", 1);
    put_question_name(&m);
    put_address(&m);
    expect(&m, "a.b", true);
    expect(&m, "A.B", true);
    m = begin("AZ.zy", 1);
    put_text(&m, "Az.ZY");
    put_address(&m);
    expect(&m, "aZ.Zy", true);
    expect(&m, "aZ.Zx", false);
}

/* Names of `length` characters. */
static const char *long_name(size_t length)
{
    static char name[300];
    memset(name, 'n', length);
    name[length] = 0;
    for (size_t i = 63; i < length; i += 64) {
        name[i] = '.';
    }
    return name;
}

static void longest_name(void **state) /* 2.3.4 */
{
    (void)state;
    assert_int_equal(dns_name_length(long_name(LONGEST)), LONGEST + 2);
    assert_int_equal(dns_name_length(long_name(LONGEST + 1)), 0);
    assert_int_equal(dns_name_length(long_name(63)), 65);
    assert_int_equal(dns_name_length("n234567890123456789012345678901234567890123456789012345678901234"), 0);
    struct message m = begin(long_name(LONGEST), 1);
    put_question_name(&m);
    put_address(&m);
    expect(&m, long_name(LONGEST), true);
    struct message whole = begin(long_name(LONGEST), 1);
    put_text(&whole, long_name(LONGEST));
    put_address(&whole);
    expect(&whole, long_name(LONGEST), true);
}

static void too_long_name(void **state)
{
    (void)state;
    struct message m = begin("a.b", 2); /* of 256 bytes, in labels that are good each */
    for (unsigned i = 0; i < 3; i++) {
        put_label(&m, 63);
    }
    put_label(&m, 62);
    put_label(&m, 0);
    put_address(&m);
    put_question_name(&m);
    put_address(&m);
    expect(&m, "a.b", false);
    m = begin("a.b", 2); /* 255 bytes are good */
    for (unsigned i = 0; i < 3; i++) {
        put_label(&m, 63);
    }
    put_label(&m, 61);
    put_label(&m, 0);
    put_address(&m);
    put_question_name(&m);
    put_address(&m);
    expect(&m, "a.b", true);
}

static void label_of_64(void **state) /* 4.1.4: 01 and 10 are reserved */
{
    (void)state;
    for (size_t length = 64; length < 192; length += 63) {
        struct message m = begin("a.b", 2);
        put_label(&m, length);
        put_label(&m, 0);
        put_address(&m);
        put_question_name(&m);
        put_address(&m);
        expect(&m, "a.b", false);
    }
}

/* A pointer leads back, also the one that another leads to. */
static void pointers_lead_back(void **state)
{
    (void)state;
    struct message m = begin("a.b", 1);
    put_bytes(&m, "\xC0\x25", 2); /* to what follows the record */
    put_address(&m);
    assert_int_equal(m.length, 0x25);
    put_text(&m, "a.b");
    expect(&m, "a.b", false);

    m = begin("a.b", 2);
    put_question_name(&m);
    put_bytes(&m, "\0\x10\0\1\0\0\0\5\0\7", 10); /* TXT */
    assert_int_equal(m.length, 0x21);
    put_bytes(&m, "\xC0\x23", 2); /* to the next byte */
    put_text(&m, "a.b");
    put_bytes(&m, "\xC0\x21", 2);
    put_address(&m);
    expect(&m, "a.b", false);
    m.bytes[0x28 + 1] = 0x23; /* not by that way */
    expect(&m, "a.b", true);
}

/* An address for the name x.y, and that a.b is an alias of what follows: so many bytes, the message's last.
 */
static struct message alias_of(const void *name, size_t length)
{
    struct message m = begin("a.b", 2);
    put_text(&m, "x.y");
    put_address(&m);
    put_question_name(&m);
    put_bytes(&m, "\0\5\0\1\0\0\0\5\0", 9);
    m.bytes[m.length++] = (uint8_t)length;
    put_bytes(&m, name, length);
    return m;
}

/* Names within data, where no record says where they must end; and pointers of reserved kinds, to x.y. */
static void names_cut_by_the_end(void **state)
{
    (void)state;
    struct message m = alias_of("\1x\1y\0", 5);
    assert_int_equal(parse(&m, "a.b"), DNS_ADDRESS);
    static const char *const cut[] = {"\1x\1y", "\1x\1",   "\1x",      "\1",
                                      "\xC0",   "\1x\xC0", "\x80\x15", "\x40\x15"};
    for (size_t i = 0; i < sizeof cut / sizeof *cut; i++) {
        m = alias_of(cut[i], strlen(cut[i]));
        assert_int_not_equal(parse(&m, "a.b"), DNS_ADDRESS);
    }
}

/* That a.b is an alias of a name whose last piece is a pointer, and the address of that name. */
static enum dns_answer parse_alias_with_pointer(size_t last_label)
{
    struct message m = begin("a.b", 2);
    put_question_name(&m);
    put_bytes(&m, "\0\5\0\1\0\0\0\5", 8); /* CNAME */
    size_t data = m.length + 2;
    m.length = data;
    for (unsigned i = 0; i < 3; i++) {
        put_label(&m, 63);
    }
    put_label(&m, last_label);
    put_question_name(&m);
    put16(m.bytes + data - 2, (uint32_t)(m.length - data));
    put16(m.bytes + m.length, 0xC000U + (uint32_t)data);
    m.length += 2;
    put_address(&m);
    return parse(&m, "a.b");
}

/* Each piece is short enough, but 192 + 1 + 58 + 5 are 256. */
static void too_long_by_pointers(void **state)
{
    (void)state;
    assert_int_equal(parse_alias_with_pointer(57), DNS_ADDRESS);
    assert_int_not_equal(parse_alias_with_pointer(58), DNS_ADDRESS);
}

/* The question must be ours label by label, not only byte by byte. */
static void question_of_other_labels(void **state)
{
    (void)state;
    static const char *const others[] = {"\3a\1b\0", "\1a\3b\0", "\1a\1b\1", "\1a\2b\0", "\0a\1b\0"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct message m = begin("a.b", 1);
        memcpy(m.bytes + HEADER, others[i], 5);
        put_text(&m, "a.b");
        put_address(&m);
        assert_int_equal(parse(&m, "a.b"), DNS_IGNORED);
    }
}

/* The SOA record that limits a negative answer is one of the authority section (RFC 2308 3). */
static void soa_of_the_authority_section(void **state)
{
    (void)state;
#if NET_WITH_DNS_CACHE
    static const uint8_t soa[] = {0, 6, 0, 1, 0, 0, 1, 0, 0, 22, 0, 0, 0, 0, 0, 1,
                                  0, 0, 0, 1, 0, 0, 0, 1, 0, 0,  0, 1, 0, 0, 0, 99};
    struct dns_found found = {0, 0};
    struct message m = begin("a.b", 1);
    put_question_name(&m);
    put_bytes(&m, soa, sizeof soa);
    assert_int_equal(dns_parse(m.bytes, m.length, ID, "a.b", &found), DNS_NO_NAME);
    assert_int_equal(found.ttl_s, 0);
    put16(m.bytes + 6, 0);
    put16(m.bytes + 8, 1);
    assert_int_equal(dns_parse(m.bytes, m.length, ID, "a.b", &found), DNS_NO_NAME);
    assert_int_equal(found.ttl_s, 99);
    m.bytes[42] = 21; /* one byte less than two root names and five numbers */
    m.length--;
    assert_int_equal(dns_parse(m.bytes, m.length, ID, "a.b", &found), DNS_NO_NAME);
    assert_int_equal(found.ttl_s, 0);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),
        cmocka_unit_test(longest_name),
        cmocka_unit_test(too_long_name),
        cmocka_unit_test(label_of_64),
        cmocka_unit_test(pointers_lead_back),
        cmocka_unit_test(names_cut_by_the_end),
        cmocka_unit_test(too_long_by_pointers),
        cmocka_unit_test(question_of_other_labels),
        cmocka_unit_test(soa_of_the_authority_section),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
