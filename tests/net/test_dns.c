/* The DNS client (RFC 1035) against scripted answers, and hostile input of class DNS (NAME:WRECK, RFC
 * 9267). */
#include "rig.h"

#include <string.h>

static struct rig rig;
static uint16_t id, port;
static size_t query_length;

static int setup(void **state)
{
    (void)state;
    rig_open(&rig, 256, 256, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_close(&rig);
    return 0;
}

static const char question[] = "\6broker\7example\0\0\1\0\1"; /* 16 bytes of name, type, class */
enum { QUESTION = 20, ANSWERS = 12 + QUESTION };

static void expect_query(void)
{
    const struct frame *frame = rig_sent(&rig);
    assert_non_null(frame);
    port = (uint16_t)get16(frame->bytes + 34);
    assert_int_equal(get16(frame->bytes + 36), 53);
    id = (uint16_t)get16(frame->bytes + 42);
    assert_int_equal(get16(frame->bytes + 44), 0x0100);
    query_length = frame->length - 42;
    assert_memory_equal(frame->bytes + 54, question, QUESTION);
}

static void start(void)
{
    assert_int_equal(dns_start(&rig.net, "other.example", rig.now), NET_OK);
    dns_cancel(&rig.net);
    assert_int_equal(dns_start(&rig.net, "broker.example", rig.now), NET_OK);
    rig_poll(&rig);
    const struct frame *first = &rig.fake.sent[rig.fake.sent_tail % RIG_QUEUE];
    if (get16(first->bytes + 12) == 0x0806) {
        rig_resolve(&rig);
        rig_poll(&rig);
    }
    expect_query();
}

static int result(uint32_t *address)
{
    return dns_result(&rig.net, address);
}

/* A message of header and question, then `records`. */
static size_t build(uint8_t *message, uint16_t flags, uint16_t count, const void *records, size_t length)
{
    memset(message, 0, 12);
    put16(message, id);
    put16(message + 2, flags);
    put16(message + 4, 1);
    put16(message + 6, count);
    memcpy(message + 12, question, QUESTION);
    memcpy(message + ANSWERS, records, length);
    return ANSWERS + length;
}

static void send_raw(const uint8_t *message, size_t length)
{
    uint8_t frame[1600];
    rig_receive(&rig, frame, make_udp(frame, PEER, 53, OURS, port, message, length));
}

static void answer(uint16_t flags, uint16_t count, const void *records, size_t length)
{
    uint8_t message[1400];
    send_raw(message, build(message, flags, count, records, length));
}

#define A_RECORD "\300\14\0\1\0\1\0\0\0\0\0\4\12\1\2\3"

static void resolves(void **state)
{
    (void)state;
    uint32_t address;
    assert_int_equal(result(&address), NET_ERROR_STATE);
    start();
    assert_int_equal(result(&address), NET_ERROR_PENDING);
    answer(0x8180, 1, A_RECORD, 16); /* TTL 0 */
    assert_int_equal(result(&address), NET_OK);
    assert_int_equal(address, 0x0A010203);
    answer(0x8180, 1, A_RECORD, 16); /* nobody waits any more */
    assert_int_equal(result(&address), NET_OK);
    rig_discard_sent(&rig);
    start();
    answer(0x8180, 1, "\300\14\0\1\0\1\377\377\377\377\0\4\12\1\2\4", 16); /* TTL above 2^31 */
    assert_int_equal(result(&address), NET_OK);
    assert_int_equal(address, 0x0A010204);
    rig_expect_health(&rig);
}

/* Aliases, in order and not, with a name that differs in case. */
static void follows_aliases(void **state)
{
    (void)state;
    static const uint8_t in_order[] = "\300\14\0\5\0\1\0\0\0\0\0\4\1X\300\23" /* X.example, at 44 */
                                      "\1x\7EXAMPLE\0\0\1\0\1\0\0\0\0\0\4\12\1\2\5";
    uint32_t address;
    start();
    answer(0x8180, 2, in_order, sizeof in_order - 1);
    assert_int_equal(result(&address), NET_OK);
    assert_int_equal(address, 0x0A010205);
    static const uint8_t reversed[] = "\1x\7EXAMPLE\0\0\1\0\1\0\0\0\0\0\4\12\1\2\6"
                                      "\300\14\0\5\0\1\0\0\0\0\0\4\1X\300\23";
    start();
    answer(0x8180, 2, reversed, sizeof reversed - 1);
    assert_int_equal(result(&address), NET_OK);
    assert_int_equal(address, 0x0A010206);
}

static void failures(void **state)
{
    (void)state;
    uint32_t address;
    static const struct {
        uint16_t flags, count;
        int result;
    } cases[] = {{0x8183, 0, NET_ERROR_NO_NAME},
                 {0x8182, 0, NET_ERROR_SERVER},
                 {0x8185, 0, NET_ERROR_SERVER},
                 {0x8380, 1, NET_ERROR_SERVER},
                 {0x8180, 0, NET_ERROR_NO_NAME}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        start();
        answer(cases[i].flags, cases[i].count, A_RECORD, 16);
        assert_int_equal(result(&address), cases[i].result);
    }
    start();
    answer(0x8180, 1, "\300\14\0\1\0\1\0\0\0\0\0\4\177\0\0\1", 16); /* no host's address */
    assert_int_equal(result(&address), NET_ERROR_NO_NAME);
}

static void retries(void **state)
{
    (void)state;
    uint32_t address, begun = rig.now;
    start();
    for (uint32_t wait = 1000; wait <= 8000; wait *= 2) {
        rig_run(&rig, wait - 1);
        rig_nothing_sent(&rig);
        rig_run(&rig, 1);
        expect_query();
    }
    rig_run(&rig, 16000);
    assert_int_equal(result(&address), NET_ERROR_TIMEOUT);
    assert_int_equal(rig.now - begun, 31000);
    rig_expect_health(&rig);
}

static void no_neighbour(void **state)
{
    (void)state;
    uint32_t address;
    assert_int_equal(dns_start(&rig.net, "broker.example", rig.now), NET_OK);
    rig_run(&rig, 60000);
    assert_int_equal(result(&address), NET_ERROR_TIMEOUT);
    rig_discard_sent(&rig);
}

static void names(void **state)
{
    (void)state;
    char name[300];
    memset(name, 'a', sizeof name);
    static const char *const bad[] = {"", ".", ".a", "a..b", "a.b.."};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(dns_start(&rig.net, bad[i], rig.now), NET_ERROR_ARGUMENT);
    }
    name[64] = 0;
    assert_int_equal(dns_start(&rig.net, name, rig.now), NET_ERROR_ARGUMENT);
    name[63] = 0;
    assert_int_equal(dns_start(&rig.net, name, rig.now), NET_OK);
    for (size_t i = 0; i < sizeof name; i++) {
        name[i] = i % 10 == 9 ? '.' : 'a';
    }
    name[DNS_NAME_MAX + 1] = 0;
    assert_int_equal(dns_start(&rig.net, name, rig.now), NET_ERROR_ARGUMENT);
    name[DNS_NAME_MAX] = 0;
    assert_int_equal(dns_start(&rig.net, name, rig.now), NET_OK);
    rig_poll(&rig);
    rig_resolve(&rig);
    rig_poll(&rig);
    assert_non_null(rig_sent(&rig));
    net_link(&rig.net, false, rig.now);
    assert_int_equal(dns_start(&rig.net, "a", rig.now), NET_ERROR_DOWN);
}

static void ids_and_ports_are_random(void **state)
{
    (void)state;
    uint16_t last_id = 0, last_port = 0;
    for (int i = 0; i < 20; i++) {
        start();
        assert_true(id != last_id && id != last_id + 1);
        assert_true(port >= 49152 && port != last_port && port != last_port + 1);
        last_id = id;
        last_port = port;
    }
}

/* ---- Hostile ---- */

static void expect_ignored(const uint8_t *message, size_t length)
{
    uint32_t address, before = net_statistics(&rig.net)->dropped[NET_DROP_DNS];
    send_raw(message, length);
    assert_int_equal(net_statistics(&rig.net)->dropped[NET_DROP_DNS], before + 1);
    assert_int_equal(result(&address), NET_ERROR_PENDING);
}

static void not_the_answer(void **state)
{
    (void)state;
    uint8_t message[1400], frame[1600];
    start();
    size_t length = build(message, 0x8180, 1, A_RECORD, 16);
    static const uint8_t at[] = {0, 1, 5, 13, 20, 29, 31}; /* id, count of questions, question */
    for (unsigned i = 0; i < sizeof at; i++) {
        message[at[i]] ^= 1;
        expect_ignored(message, length);
        message[at[i]] ^= 1;
    }
    put16(message + 2, 0x0180); /* a query as the answer */
    expect_ignored(message, length);
    put16(message + 2, 0x9180); /* another opcode */
    expect_ignored(message, length);
    put16(message + 2, 0x8180);
    rig_receive(&rig, frame, make_udp(frame, PEER + 8, 53, OURS, port, message, length)); /* other server */
    rig_receive(&rig, frame, make_udp(frame, PEER, 54, OURS, port, message, length));
    rig_receive(&rig, frame, make_udp(frame, PEER, 53, OURS, (uint16_t)(port ^ 1), message, length));
    uint32_t address;
    assert_int_equal(result(&address), NET_ERROR_PENDING);
    for (size_t cut = 0; cut < length; cut++) {
        expect_ignored(message, cut);
    }
    send_raw(message, length);
    assert_int_equal(result(&address), NET_OK);
    rig_discard_sent(&rig);
    rig_expect_health(&rig);
}

/* Records whose name is a bad compression pointer or label: never matched, never run away with. */
static void compression(void **state)
{
    (void)state;
    static const char *const names[] = {
        "\300\40",           /* to itself */
        "\300\60",           /* forward */
        "\377\377",          /* beyond the packet */
        "\300\0",            /* into the header */
        "\1a\300\40",        /* to the start of its own run */
        "\100",              /* reserved label types */
        "\200",       "\77", /* label beyond the end */
    };
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        uint8_t record[64] = {0};
        size_t n = strlen(names[i]);
        n = n < 2 ? 2 : n;
        memcpy(record, names[i], strlen(names[i]) + 1);
        if (i == 3) {
            n = 2;
        }
        memcpy(record + n, "\0\1\0\1\0\0\0\0\0\4\12\1\2\3", 14);
        start();
        answer(0x8180, 1, record, n + 14);
        uint32_t address;
        assert_int_not_equal(result(&address), NET_OK);
        rig_discard_sent(&rig);
    }
    rig_expect_health(&rig);
}

static void alias_loop(void **state)
{
    (void)state;
    uint32_t address;
    start();
    answer(0x8180, 1, "\300\14\0\5\0\1\0\0\0\0\0\2\300\14", 14); /* to itself */
    assert_int_equal(result(&address), NET_ERROR_NO_NAME);
    start();
    answer(0x8180, 2, /* there and back */
           "\300\14\0\5\0\1\0\0\0\0\0\4\1x\300\23"
           "\300\54\0\5\0\1\0\0\0\0\0\2\300\14",
           30);
    assert_int_equal(result(&address), NET_ERROR_NO_NAME);
    rig_expect_health(&rig);
}

static void lengths(void **state)
{
    (void)state;
    uint8_t message[1400];
    start();
    size_t length = build(message, 0x8180, 65535, A_RECORD, 16); /* ANCOUNT 65535 */
    message[ANSWERS + 3] = 2; /* of a type that is passed over: then they run out */
    expect_ignored(message, length);
    length = build(message, 0x8180, 1, A_RECORD, 16);
    put16(message + ANSWERS + 10, 3); /* not 4 for A */
    expect_ignored(message, length);
    put16(message + ANSWERS + 10, 5); /* beyond the rest */
    expect_ignored(message, length);
    put16(message + ANSWERS + 10, 65535);
    expect_ignored(message, length);
    uint32_t address;
    length = build(message, 0x8180, 65535, A_RECORD, 16); /* what there is, counts */
    send_raw(message, length);
    assert_int_equal(result(&address), NET_OK);
}

/* A name above 255 bytes made of labels and pointers, chained. */
static void name_above_255(void **state)
{
    (void)state;
    uint8_t message[1400], records[1000] = {0};
    size_t at = 0, previous = 0;
    for (int i = 0; i < 8; i++) {
        size_t here = ANSWERS + at;
        records[at] = 63;
        memset(records + at + 1, 'a', 63);
        at += 64;
        if (previous) {
            put16(records + at, 0xC000U | (uint32_t)previous);
            at += 2;
        } else {
            records[at++] = 0;
        }
        previous = here;
        memcpy(records + at, "\0\1\0\1\0\0\0\0\0\4\12\1\2\3", 14);
        at += 14;
    }
    start();
    size_t length = build(message, 0x8180, 8, records, at);
    send_raw(message, length);
    uint32_t address;
    assert_int_equal(result(&address), NET_ERROR_NO_NAME);
    rig_expect_health(&rig);
}

static void random_answers(void **state)
{
    (void)state;
    uint32_t seed = 12345, address;
    for (int run = 0; run < 20000; run++) {
        uint8_t message[1400], records[100];
        if (result(&address) != NET_ERROR_PENDING) {
            rig_discard_sent(&rig);
            start();
        }
        for (size_t i = 0; i < sizeof records; i++) {
            seed = seed * 1664525 + 1013904223;
            static const uint8_t likely[] = {0, 1, 5, 0xC0, 12, 4, 0x20, 63};
            records[i] = seed & 0x80000 ? likely[seed >> 24 & 7] : (uint8_t)(seed >> 24);
        }
        send_raw(message, build(message, 0x8180, (uint16_t)(seed >> 28), records, seed >> 20 & 63));
    }
    rig_discard_sent(&rig);
    rig_expect_health(&rig);
}

/* ---- Cache ---- */

#if NET_WITH_DNS_CACHE

#define A_WITH_TTL(ttl)   "\300\14\0\1\0\1" ttl "\0\4\12\1\2\3"
#define SOA(ttl, minimum) "\300\14\0\6\0\1" ttl "\0\26\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4" minimum

/* Is the answer there at once, without a frame? */
static bool is_cached(const char *name)
{
    uint32_t address;
    assert_int_equal(dns_start(&rig.net, name, rig.now), NET_OK);
    bool cached = result(&address) != NET_ERROR_PENDING;
    if (cached) {
        rig_poll(&rig);
        rig_nothing_sent(&rig);
    }
    dns_cancel(&rig.net);
    return cached;
}

static void cached_for_its_ttl(void **state) /* RFC 1035 7.4 */
{
    (void)state;
    uint32_t address;
    start();
    answer(0x8180, 1, A_WITH_TTL("\0\0\0\74"), 16);
    assert_int_equal(dns_start(&rig.net, "broker.example", rig.now), NET_OK);
    assert_int_equal(result(&address), NET_OK);
    assert_int_equal(address, 0x0A010203);
    assert_true(is_cached("BROKER.example."));
    assert_false(is_cached("roker.example"));
    assert_false(is_cached("broker.exampl"));
    rig_run(&rig, 59999);
    assert_true(is_cached("broker.example"));
    rig_run(&rig, 1);
    assert_false(is_cached("broker.example"));
    rig_discard_sent(&rig);
}

static void not_cached_that_may_not_be(void **state)
{
    (void)state;
    start();
    answer(0x8180, 1, A_RECORD, 16); /* TTL 0 */
    assert_false(is_cached("broker.example"));
    start();
    answer(0x8180, 1, A_WITH_TTL("\200\0\0\1"), 16); /* above 2^31: as 0 (RFC 2181 8) */
    assert_false(is_cached("broker.example"));
    start();
    answer(0x8182, 0, "", 0); /* a failure of the server */
    assert_false(is_cached("broker.example"));
    start();
    answer(0x8183, 0, "", 0); /* no such name, but for how long? */
    assert_false(is_cached("broker.example"));
    rig_expect_health(&rig);
}

static void chain_lives_as_long_as_its_shortest_link(void **state)
{
    (void)state;
    start();
    answer(0x8180, 2,
           "\300\14\0\5\0\1\0\0\0\12\0\4\1X\300\23" /* 10 s */
           "\1x\7EXAMPLE\0\0\1\0\1\0\0\1\0\0\4\12\1\2\5",
           41);
    rig_run(&rig, 9999);
    assert_true(is_cached("broker.example"));
    rig_run(&rig, 1);
    assert_false(is_cached("broker.example"));
    rig_discard_sent(&rig);
}

/* The answer of a name server without answers: `soa` in the authority section. */
static void answer_nothing(uint16_t flags, const char *soa, size_t length)
{
    uint8_t message[200];
    size_t total = build(message, flags, 0, soa, length);
    put16(message + 8, 1);
    send_raw(message, total);
}

static void absence_is_cached(void **state) /* RFC 2308 5 */
{
    (void)state;
    uint32_t address;
    static const uint16_t flags[] = {0x8183, 0x8180}; /* no such name; no address */
    for (unsigned i = 0; i < 2; i++) {
        start();
        answer_nothing(flags[i], SOA("\0\0\0\100", "\0\0\0\24"), 34); /* 64 s, at least 20 */
        assert_int_equal(dns_start(&rig.net, "broker.example", rig.now), NET_OK);
        assert_int_equal(result(&address), NET_ERROR_NO_NAME);
        rig_run(&rig, 19999);
        assert_true(is_cached("broker.example"));
        rig_run(&rig, 1);
        assert_false(is_cached("broker.example"));
    }
    start();
    answer_nothing(0x8183, SOA("\0\0\0\24", "\0\0\0\100"), 34); /* the record's own life is the shorter */
    rig_run(&rig, 19999);
    assert_true(is_cached("broker.example"));
    rig_run(&rig, 1);
    assert_false(is_cached("broker.example"));
    start();
    answer_nothing(0x8183, SOA("\0\1\0\0", "\0\1\0\0"), 34); /* 18 hours: 5 minutes are enough */
    rig_run(&rig, 299999);
    assert_true(is_cached("broker.example"));
    rig_run(&rig, 1);
    assert_false(is_cached("broker.example"));
    start();
    for (size_t length = 0; length < 34; length++) { /* cut off */
        answer_nothing(0x8183, SOA("\0\0\0\100", "\0\0\0\24"), length);
        assert_false(is_cached("broker.example"));
        rig_discard_sent(&rig);
        start();
    }
    rig_expect_health(&rig);
}

static void resolve(const char *name, uint8_t ttl_s)
{
    assert_int_equal(dns_start(&rig.net, name, rig.now), NET_OK);
    rig_poll(&rig);
    const struct frame *frame = rig_sent(&rig);
    assert_non_null(frame);
    uint8_t message[200], record[] = {0xC0, 12, 0, 1, 0, 1, 0, 0, 0, ttl_s, 0, 4, 10, 1, 2, 9};
    size_t length = frame->length - 42;
    memcpy(message, frame->bytes + 42, length);
    message[2] = 0x81;
    message[7] = 1;
    memcpy(message + length, record, sizeof record);
    port = (uint16_t)get16(frame->bytes + 34);
    send_raw(message, length + sizeof record);
}

static void cache_is_bounded(void **state)
{
    (void)state;
    start();
    answer(0x8180, 1, A_WITH_TTL("\0\0\0\24"), 16);
    resolve("b", 40);
    resolve("c", 10); /* the first to expire gives way */
    resolve("d", 30);
    resolve("e", 50);
    assert_true(is_cached("broker.example") && is_cached("b") && is_cached("d") && is_cached("e"));
    assert_false(is_cached("c"));
    net_link(&rig.net, false, rig.now); /* another network, other names */
    net_link(&rig.net, true, rig.now);
    assert_false(is_cached("b"));
    rig_discard_sent(&rig);
}

/* Times are compared by their difference: what is old must not look new again. */
static void cache_outlives_no_wrap(void **state)
{
    (void)state;
    start();
    answer(0x8180, 1, A_WITH_TTL("\177\377\377\377"), 16);
    rig_run(&rig, 86399999);
    assert_true(is_cached("broker.example"));
    for (int day = 0; day < 100; day++) {
        rig_run(&rig, 43200000);
        assert_false(is_cached("broker.example"));
        rig_discard_sent(&rig);
    }
}

#endif

/* ---- The domain ---- */

#if NET_WITH_DNS_SEARCH

static void expect_question(const char *wanted, size_t length)
{
    rig_poll(&rig);
    const struct frame *frame = rig_sent(&rig);
    assert_non_null(frame);
    assert_int_equal(frame->length, 54 + length + 4);
    assert_memory_equal(frame->bytes + 54, wanted, length);
    id = (uint16_t)get16(frame->bytes + 42);
    port = (uint16_t)get16(frame->bytes + 34);
}

static void answer_question(uint16_t flags, const char *asked, size_t length, bool address)
{
    uint8_t message[200] = {0};
    put16(message, id);
    put16(message + 2, flags);
    message[5] = 1;
    message[7] = address;
    memcpy(message + 12, asked, length);
    put32(message + 12 + length, 0x00010001);
    memcpy(message + 16 + length, "\300\14\0\1\0\1\0\0\0\74\0\4\12\1\2\3", 16);
    send_raw(message, 16 + length + (address ? 16U : 0U));
}

/* A single label is looked for in the domain, then as it is. */
static void name_in_the_domain(void **state)
{
    (void)state;
    uint32_t address;
    start();
    dns_cancel(&rig.net);
    strcpy(rig.net.domain, "lan.test");
    assert_int_equal(dns_start(&rig.net, "broker", rig.now), NET_OK);
    expect_question("\6broker\3lan\4test", 17);
    answer_question(0x8180, "\6broker\3lan\4test", 17, true);
    assert_int_equal(result(&address), NET_OK);
    assert_int_equal(address, 0x0A010203);
    assert_int_equal(dns_start(&rig.net, "other", rig.now), NET_OK);
    expect_question("\5other\3lan\4test", 16);
    answer_question(0x8183, "\5other\3lan\4test", 16, false);
    assert_int_equal(result(&address), NET_ERROR_PENDING);
    expect_question("\5other", 7);
    answer_question(0x8183, "\5other", 7, false);
    assert_int_equal(result(&address), NET_ERROR_NO_NAME);
    assert_int_equal(dns_start(&rig.net, "a.b", rig.now), NET_OK);
    expect_question("\1a\1b", 5);
    strcpy(rig.net.domain, "a..b"); /* no name */
    assert_int_equal(dns_start(&rig.net, "c", rig.now), NET_OK);
    expect_question("\1c", 3);
    rig_expect_health(&rig);
}

#endif

/* ---- Several servers ---- */

#if NET_DNS_SERVERS > 1

static const uint8_t second_mac[6] = {2, 0, 0, 0, 0, 9};
#define SECOND (PEER + 8)

/* Two servers, whose link addresses are known. */
static void start_with_two(void)
{
    uint8_t frame[64];
    rig.net.dns_servers[1] = SECOND;
    start();
    assert_int_equal(get32(rig.fake.sent[(rig.fake.sent_tail - 1) % RIG_QUEUE].bytes + 30), PEER);
    rig_receive(&rig, frame, make_arp(frame, 1, second_mac, SECOND, OURS));
    rig_discard_sent(&rig);
}

static uint32_t next_server_asked(uint32_t after_ms)
{
    if (after_ms > 0) {
        rig_run(&rig, after_ms - 1);
        rig_nothing_sent(&rig);
        rig_run(&rig, 1);
    }
    const struct frame *frame = rig_sent(&rig);
    assert_non_null(frame);
    assert_int_equal(get16(frame->bytes + 42), id);
    return get32(frame->bytes + 30);
}

static void answer_from(uint32_t source, uint16_t flags, uint16_t count, const void *records, size_t length)
{
    uint8_t message[1400], frame[1600];
    size_t total = build(message, flags, count, records, length);
    rig_receive(&rig, frame, make_udp(frame, source, 53, OURS, port, message, total));
}

static void servers_in_turn(void **state)
{
    (void)state;
    uint32_t address;
    start_with_two();
    assert_int_equal(next_server_asked(1000), SECOND);
    assert_int_equal(next_server_asked(1000), PEER);
    assert_int_equal(next_server_asked(2000), SECOND);
    assert_int_equal(next_server_asked(2000), PEER);
    assert_int_equal(next_server_asked(4000), SECOND);
    rig_run(&rig, 4000);
    assert_int_equal(result(&address), NET_ERROR_TIMEOUT);
    rig_discard_sent(&rig);
    rig_expect_health(&rig);
}

static void failing_server_is_passed_over(void **state)
{
    (void)state;
    uint32_t address;
    static const uint16_t failures[] = {0x8182, 0x8185, 0x8380}; /* cannot, will not, cut short */
    for (unsigned i = 0; i < 3; i++) {
        start_with_two();
        answer_from(PEER, failures[i], 1, A_RECORD, 16);
        assert_int_equal(result(&address), NET_ERROR_PENDING);
        assert_int_equal(next_server_asked(0), SECOND);
        answer_from(PEER, failures[i], 1, A_RECORD, 16); /* once more */
        rig_nothing_sent(&rig);
        assert_int_equal(next_server_asked(1000), SECOND); /* which alone is asked from now on */
        answer_from(SECOND, 0x8180, 1, A_RECORD, 16);
        assert_int_equal(result(&address), NET_OK);
        start_with_two();
        answer_from(PEER, failures[i], 1, A_RECORD, 16);
        assert_int_equal(next_server_asked(0), SECOND);
        answer_from(SECOND, failures[i], 1, A_RECORD, 16);
        assert_int_equal(result(&address), NET_ERROR_SERVER);
    }
    start_with_two();
    answer_from(PEER, 0x8183, 0, "", 0); /* that there is no such name is an answer */
    assert_int_equal(result(&address), NET_ERROR_NO_NAME);
    rig_expect_health(&rig);
}

static void failed_server_loses_its_turns(void **state)
{
    (void)state;
    uint32_t address;
    uint8_t frame[64];
    start_with_two();
    rig.net.dns_servers[2] = PEER + 6;
    rig_receive(&rig, frame, make_arp(frame, 1, (const uint8_t[6]){2, 0, 0, 0, 0, 7}, PEER + 6, OURS));
    rig_discard_sent(&rig);
    answer_from(PEER, 0x8182, 0, "", 0);
    assert_int_equal(next_server_asked(0), SECOND);
    assert_int_equal(next_server_asked(1000), PEER + 6);
    assert_int_equal(next_server_asked(1000), SECOND);
    assert_int_equal(next_server_asked(2000), PEER + 6);
    answer_from(PEER + 6, 0x8180, 1, A_RECORD, 16);
    assert_int_equal(result(&address), NET_OK);
    rig_expect_health(&rig);
}

static void late_answer_of_the_first_counts(void **state)
{
    (void)state;
    uint32_t address;
    start_with_two();
    assert_int_equal(next_server_asked(1000), SECOND);
    answer_from(PEER + 7, 0x8180, 1, A_RECORD, 16); /* never asked */
    assert_int_equal(result(&address), NET_ERROR_PENDING);
    answer_from(PEER, 0x8180, 1, A_RECORD, 16);
    assert_int_equal(result(&address), NET_OK);
    rig_expect_health(&rig);
}

/* A first server that is not even there must not take the second one's turns. */
static void absent_server_is_passed_over(void **state)
{
    (void)state;
    uint32_t address;
    start_with_two();
    dns_cancel(&rig.net);
    rig.net.dns_servers[0] = PEER + 77;
    assert_int_equal(dns_start(&rig.net, "broker.example", rig.now), NET_OK);
    rig_run(&rig, 1000);
    const struct frame *frame;
    while ((frame = rig_sent(&rig)) != NULL && get16(frame->bytes + 12) == 0x0806) {
    }
    assert_non_null(frame);
    assert_int_equal(get32(frame->bytes + 30), SECOND);
    id = (uint16_t)get16(frame->bytes + 42);
    port = (uint16_t)get16(frame->bytes + 34);
    answer_from(SECOND, 0x8180, 1, A_RECORD, 16);
    assert_int_equal(result(&address), NET_OK);
    rig_discard_sent(&rig);
}

/* A new lease names none while a query runs. */
static void servers_vanish(void **state)
{
    (void)state;
    uint32_t address;
    start_with_two();
    memset(rig.net.dns_servers, 0, sizeof rig.net.dns_servers);
    rig_run(&rig, 60000);
    assert_int_equal(result(&address), NET_ERROR_TIMEOUT);
    rig_discard_sent(&rig);
    rig_expect_health(&rig);
}

#endif

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(resolves),
        TEST(follows_aliases),
        TEST(failures),
        TEST(retries),
        TEST(no_neighbour),
        TEST(names),
        TEST(ids_and_ports_are_random),
        TEST(not_the_answer),
        TEST(compression),
        TEST(alias_loop),
        TEST(lengths),
        TEST(name_above_255),
        TEST(random_answers),
#if NET_WITH_DNS_CACHE
        TEST(cached_for_its_ttl),
        TEST(not_cached_that_may_not_be),
        TEST(chain_lives_as_long_as_its_shortest_link),
        TEST(absence_is_cached),
        TEST(cache_is_bounded),
        TEST(cache_outlives_no_wrap),
#endif
#if NET_WITH_DNS_SEARCH
        TEST(name_in_the_domain),
#endif
#if NET_DNS_SERVERS > 1
        TEST(servers_in_turn),
        TEST(failing_server_is_passed_over),
        TEST(failed_server_loses_its_turns),
        TEST(late_answer_of_the_first_counts),
        TEST(absent_server_is_passed_over),
        TEST(servers_vanish),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
