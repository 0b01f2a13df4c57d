/* Multicast DNS (RFC 6762): responder and queries against bytes by hand, and hostile input of class mDNS. */
#include "rig.h"

#include "net/mdns.h"

#include <string.h>

#if NET_WITH_MDNS

static struct rig rig;

#define GROUP  0xE00000FBU
#define FRIEND 0x0A000009U
static const uint8_t group_mac[6] = {1, 0, 0x5E, 0, 0, 0xFB}, friend_mac[6] = {2, 0, 0, 0, 0, 9};

static const uint8_t our_name[] = "\13mote-000002\5local";      /* 19 bytes with its end */
static const uint8_t second_name[] = "\15mote-000002-2\5local"; /* 21 */
enum { NAME = 19, SECOND_NAME = 21 };

static void open_rig(uint32_t seed)
{
    struct net_config config = {.mac = {2, 0, 0, 0, 0, 2},
                                .address = OURS,
                                .netmask = MASK,
                                .gateway = PEER,
                                .dns_server = PEER,
                                .mdns_name = "mote-000002",
                                .at_once = true,
                                .seed = {1, 2, 3, seed}};
    rig_open_config(&rig, &config, 256, 256, 0);
}

static int setup(void **state)
{
    (void)state;
    open_rig(4);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_discard_sent(&rig);
    rig_close(&rig);
    return 0;
}

/* The oldest frame sent that is of mDNS, ours or the multicast address's; NULL: none. */
static const struct frame *next_message(void)
{
    const struct frame *frame;
    while ((frame = rig_sent(&rig)) != NULL) {
        if (get16(frame->bytes + 12) == 0x0800 && frame->bytes[23] == 17 && frame->bytes[14] == 0x45) {
            assert_int_equal(frame->bytes[22], 255); /* 11 */
            assert_int_equal(get16(frame->bytes + 34), 5353);
            return frame;
        }
    }
    return NULL;
}

static const uint8_t *check_multicast(const struct frame *frame, size_t *length)
{
    assert_non_null(frame);
    assert_memory_equal(frame->bytes, group_mac, 6);
    assert_int_equal(get32(frame->bytes + 30), GROUP);
    assert_int_equal(get16(frame->bytes + 36), 5353);
    *length = frame->length - 42;
    return frame->bytes + 42;
}

static const uint8_t *expect_multicast(size_t *length)
{
    return check_multicast(next_message(), length);
}

static uint32_t wait_multicast(uint32_t limit, const uint8_t **message, size_t *length)
{
    uint32_t start = rig.now;
    const struct frame *frame;
    while ((frame = next_message()) == NULL) {
        uint32_t wait = net_wait_ms(&rig.net, rig.now);
        assert_true(rig.now - start <= limit);
        rig_advance(&rig, wait ? wait : 1);
    }
    *message = check_multicast(frame, length);
    return rig.now - start;
}

static void expect_probe(uint32_t limit, const uint8_t *name, size_t name_length)
{
    const uint8_t *message;
    size_t length;
    wait_multicast(limit, &message, &length);
    static const uint8_t header[12] = {0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0};
    static const uint8_t rest[] = {0,    255, 0x80, 1, /* ANY, unicast answer wanted */
                                   0xC0, 12,  0,    1, 0, 1, 0, 0, 0, 120, 0, 4, 10, 0, 0, 2};
    assert_int_equal(length, 12 + name_length + sizeof rest);
    assert_memory_equal(message, header, 12);
    assert_memory_equal(message + 12, name, name_length);
    assert_memory_equal(message + 12 + name_length, rest, sizeof rest);
}

/* An authoritative answer: our address with cache flush, and that there is nothing else. */
static void check_response(const uint8_t *message, size_t length, const uint8_t *name, size_t name_length)
{
    static const uint8_t header[12] = {0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 1};
    static const uint8_t rest[] = {0, 1,  0x80, 1, 0, 0, 0, 120, 0, 4, 10,   0,  0, 2, 0xC0, 12,
                                   0, 47, 0x80, 1, 0, 0, 0, 120, 0, 5, 0xC0, 12, 0, 1, 0x40};
    assert_int_equal(length, 12 + name_length + sizeof rest);
    assert_memory_equal(message, header, 12);
    assert_memory_equal(message + 12, name, name_length);
    assert_memory_equal(message + 12 + name_length, rest, sizeof rest);
}

static void expect_announcement(uint32_t limit)
{
    const uint8_t *message;
    size_t length;
    wait_multicast(limit, &message, &length);
    check_response(message, length, our_name, NAME);
}

static void establish(void)
{
    rig_discard_sent(&rig); /* IGMP */
    for (int i = 0; i < 3; i++) {
        expect_probe(250, our_name, NAME);
    }
    expect_announcement(250);
    expect_announcement(1000);
    uint8_t frame[64];
    rig_receive(&rig, frame, make_arp(frame, 1, friend_mac, FRIEND, OURS));
    rig_run(&rig, 11000); /* IGMP repeats itself */
    rig_discard_sent(&rig);
}

static size_t build(uint8_t *message, uint16_t flags, const uint16_t counts[4], const void *body,
                    size_t length)
{
    memset(message, 0, 12);
    put16(message + 2, flags);
    for (int i = 0; i < 4; i++) {
        put16(message + 4 + 2 * i, counts[i]);
    }
    memcpy(message + 12, body, length);
    return 12 + length;
}

static void send_from(uint32_t source, uint16_t port, uint32_t to, const uint8_t *message, size_t length)
{
    uint8_t frame[1600];
    size_t total = make_udp(frame, source, port, to, 5353, message, length);
    memcpy(frame, to == GROUP ? group_mac : our_mac, 6);
    memcpy(frame + 6, friend_mac, 6);
    rig_receive(&rig, frame, total);
}

/* A question for our name, QTYPE and QCLASS as given. */
static void ask_from(uint16_t port, uint32_t to, uint16_t type, uint16_t class)
{
    uint8_t message[200], question[NAME + 4];
    memcpy(question, our_name, NAME);
    put16(question + NAME, type);
    put16(question + NAME + 2, class);
    size_t length = build(message, 0, (const uint16_t[]){1, 0, 0, 0}, question, sizeof question);
    put16(message, 0x1234);
    send_from(FRIEND, port, to, message, length);
}

static void ask(uint16_t type, uint16_t class)
{
    ask_from(5353, GROUP, type, class);
}

static void expect_silence(void)
{
    assert_null(next_message());
}

/* A response that says NAME has the record. */
static void claim(const uint8_t *name, size_t name_length, uint16_t type, uint32_t ttl, uint32_t address)
{
    uint8_t message[200], body[100];
    memcpy(body, name, name_length);
    uint8_t *at = body + name_length;
    put16(at, type);
    put16(at + 2, 0x8001);
    put32(at + 4, ttl);
    put16(at + 8, 4);
    put32(at + 10, address);
    size_t length = build(message, 0x8400, (const uint16_t[]){0, 1, 0, 0}, body, name_length + 14);
    send_from(FRIEND, 5353, GROUP, message, length);
}

static void probe_of_another(const uint8_t *name, size_t name_length, uint32_t address)
{
    uint8_t message[200], body[100];
    memcpy(body, name, name_length);
    uint8_t *at = body + name_length;
    put32(at, 0x00FF8001);
    put16(at + 4, 0xC00C);
    put32(at + 6, 0x00010001);
    put32(at + 10, 120);
    put16(at + 14, 4);
    put32(at + 16, address);
    size_t length = build(message, 0, (const uint16_t[]){1, 0, 1, 0}, body, name_length + 20);
    send_from(FRIEND, 5353, GROUP, message, length);
}

static const char *name(bool *ours)
{
    static char text[MDNS_TEXT_MAX + 1];
    *ours = mdns_name(&rig.net, text);
    return text;
}

/* ---- Probing and announcing: 8 ---- */

static void probes_then_announces(void **state)
{
    (void)state;
    bool ours;
    rig_discard_sent(&rig);
    assert_string_equal(name(&ours), "mote-000002.local");
    assert_false(ours);
    uint32_t start = rig.now;
    expect_probe(250, our_name, NAME);
    assert_in_range(rig.now - start, 0, 250);
    ask(1, 1); /* not ours yet */
    expect_silence();
    uint32_t first = rig.now;
    expect_probe(250, our_name, NAME);
    expect_probe(250, our_name, NAME);
    assert_int_equal(rig.now - first, 500);
    expect_announcement(250);
    assert_int_equal(rig.now - first, 750);
    (void)name(&ours);
    assert_true(ours);
    expect_announcement(1000);
    assert_int_equal(rig.now - first, 1750);
    rig_run(&rig, 600000);
    expect_silence();
    rig_expect_health(&rig);
}

static void name_taken_while_probing(void **state) /* 8.1 */
{
    (void)state;
    bool ours;
    rig_discard_sent(&rig);
    expect_probe(250, our_name, NAME);
    claim(our_name, NAME, 1, 120, FRIEND);
    for (int i = 0; i < 3; i++) {
        expect_probe(250, second_name, SECOND_NAME);
    }
    const uint8_t *message;
    size_t length;
    wait_multicast(250, &message, &length);
    check_response(message, length, second_name, SECOND_NAME);
    assert_string_equal(name(&ours), "mote-000002-2.local");
    assert_true(ours);
}

/* Any type of record under the name is a claim to it while we probe; case does not matter. */
static void name_taken_by_another_type(void **state)
{
    (void)state;
    bool ours;
    static const uint8_t shouted[] = "\13MOTE-000002\5LOCAL";
    expect_probe(250, our_name, NAME);
    claim(shouted, NAME, 28, 120, FRIEND);
    assert_string_equal(name(&ours), "mote-000002-2.local");
}

static void simultaneous_probes(void **state) /* 8.2 */
{
    (void)state;
    rig_discard_sent(&rig);
    expect_probe(250, our_name, NAME);
    probe_of_another(our_name, NAME, 0x0A000001); /* 10.0.0.1 comes before 10.0.0.2: ours wins */
    uint32_t start = rig.now;
    expect_probe(250, our_name, NAME);
    assert_int_equal(rig.now - start, 250);
    probe_of_another(our_name, NAME, OURS); /* our own, come back */
    start = rig.now;
    probe_of_another(our_name, NAME, 0x0A000003); /* the other wins: a second's pause, then anew */
    expect_probe(1000, our_name, NAME);
    assert_int_equal(rig.now - start, 1000);
    claim(our_name, NAME, 1, 120, 0x0A000003); /* the winner has announced itself */
    expect_probe(250, second_name, SECOND_NAME);
}

static void endless_conflicts_slow_down(void **state) /* 8.1 */
{
    (void)state;
    rig_discard_sent(&rig);
    unsigned probes = 0;
    for (int ms = 0; ms < 60000; ms += 10) {
        rig_run(&rig, 10);
        const struct frame *frame;
        while ((frame = next_message()) != NULL) {
            uint8_t claimed[64] = {0};
            size_t length = 0;
            while (frame->bytes[54 + length] != 0) {
                length += frame->bytes[54 + length] + 1U;
            }
            memcpy(claimed, frame->bytes + 54, length);
            claim(claimed, length + 1, 1, 120, FRIEND);
            probes++;
        }
    }
    assert_in_range(probes, 20, 30); /* 15 soon, then one in 5 s */
    bool ours;
    (void)name(&ours);
    assert_false(ours);
    rig_expect_health(&rig);
}

/* ---- Answers: 6 ---- */

static void answers_all(void **state)
{
    (void)state;
    static const uint16_t types[] = {1, 255};
    const uint8_t *message;
    size_t length;
    establish();
    for (unsigned i = 0; i < 2; i++) {
        ask(types[i], 1);
        message = expect_multicast(&length);
        check_response(message, length, our_name, NAME);
        ask(types[i], 1); /* not more than once a second */
        rig_run(&rig, 999);
        ask(types[i], 1);
        expect_silence();
        rig_run(&rig, 1);
    }
    rig_expect_health(&rig);
}

static void says_what_there_is_not(void **state) /* 6.1 */
{
    (void)state;
    static const uint8_t rest[] = {0, 47, 0x80, 1, 0, 0, 0, 120, 0, 5, 0xC0, 12, 0, 1, 0x40};
    const uint8_t *message;
    size_t length;
    establish();
    ask(28, 1); /* AAAA */
    message = expect_multicast(&length);
    assert_int_equal(length, 12 + NAME + sizeof rest);
    assert_int_equal(get16(message + 6), 1);
    assert_memory_equal(message + 12 + NAME, rest, sizeof rest);
}

static void unicast_if_wanted(void **state) /* 5.4 */
{
    (void)state;
    establish();
    ask(1, 0x8001);
    const struct frame *frame = next_message();
    assert_non_null(frame);
    assert_memory_equal(frame->bytes, friend_mac, 6);
    assert_int_equal(get32(frame->bytes + 30), FRIEND);
    assert_int_equal(get16(frame->bytes + 36), 5353);
    check_response(frame->bytes + 42, frame->length - 42, our_name, NAME);
    rig_run(&rig, 30000); /* others may have forgotten by now: to all */
    size_t length;
    ask(1, 0x8001);
    const uint8_t *message = expect_multicast(&length);
    check_response(message, length, our_name, NAME);
    ask_from(5353, OURS, 1, 1); /* asked by unicast (5.5) */
    frame = next_message();
    assert_non_null(frame);
    assert_int_equal(get32(frame->bytes + 30), FRIEND);
}

static void legacy_resolver(void **state) /* 6.7 */
{
    (void)state;
    static const uint8_t rest[] = {0, 1, 0, 1, 0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 10, 0, 4, 10, 0, 0, 2};
    establish();
    ask_from(40000, GROUP, 1, 1);
    const struct frame *frame = next_message();
    assert_non_null(frame);
    assert_int_equal(get32(frame->bytes + 30), FRIEND);
    assert_int_equal(get16(frame->bytes + 36), 40000);
    const uint8_t *message = frame->bytes + 42;
    assert_int_equal(get32(message), 0x12348400);
    assert_int_equal(get32(message + 4), 0x00010001);
    assert_memory_equal(message + 12, our_name, NAME);
    assert_memory_equal(message + 12 + NAME, rest, sizeof rest);
    assert_int_equal(frame->length, 42 + 12 + NAME + sizeof rest);
}

/* The first question of a host that ARP does not know yet has an answer. */
static void unknown_neighbour(void **state)
{
    (void)state;
    rig_run(&rig, 20000);
    rig_discard_sent(&rig);
    ask_from(40000, GROUP, 1, 1);
    const struct frame *frame = next_message();
    assert_non_null(frame);
    assert_memory_equal(frame->bytes, friend_mac, 6);
    assert_int_equal(get32(frame->bytes + 30), FRIEND);
    ask(1, 0x8001);
    frame = next_message();
    assert_non_null(frame);
    assert_memory_equal(frame->bytes, friend_mac, 6);
    rig_nothing_sent(&rig);
}

static void known_answer(void **state) /* 7.1 */
{
    (void)state;
    establish();
    static const uint8_t question[] = {0, 1, 0, 1};
    for (uint32_t ttl = 59; ttl <= 60; ttl++) {
        uint8_t message[200], body[100];
        memcpy(body, our_name, NAME);
        memcpy(body + NAME, question, 4);
        uint8_t *at = body + NAME + 4;
        put16(at, 0xC00C);
        put32(at + 2, 0x00010001);
        put32(at + 6, ttl);
        put16(at + 10, 4);
        put32(at + 12, OURS);
        rig_run(&rig, 1000);
        size_t length = build(message, 0, (const uint16_t[]){1, 1, 0, 0}, body, NAME + 4 + 16);
        send_from(FRIEND, 5353, GROUP, message, length);
        assert_true((next_message() == NULL) == (ttl == 60)); /* half of its life left */
    }
}

/* ---- Conflicts later: 9 ---- */

static void defends_against_a_probe(void **state)
{
    (void)state;
    establish();
    probe_of_another(our_name, NAME, FRIEND);
    const struct frame *frame = next_message();
    assert_non_null(frame);
    check_response(frame->bytes + 42, frame->length - 42, our_name, NAME);
}

static void conflict_with_an_established_name(void **state)
{
    (void)state;
    establish();
    claim(our_name, NAME, 1, 120, OURS);    /* what is true */
    claim(our_name, NAME, 1, 0, FRIEND);    /* taken back */
    claim(our_name, NAME, 28, 120, FRIEND); /* another type: no address of ours */
    claim(second_name, SECOND_NAME, 1, 120, FRIEND);
    rig_run(&rig, 2000);
    expect_silence();
    claim(our_name, NAME, 1, 120, FRIEND);
    expect_probe(250, our_name, NAME); /* is it still there? */
    claim(our_name, NAME, 1, 120, FRIEND);
    expect_probe(250, second_name, SECOND_NAME);
}

static void with_the_address(void **state)
{
    (void)state;
    bool ours;
    establish();
    net_link(&rig.net, false, rig.now);
    (void)name(&ours);
    assert_false(ours);
    ask(1, 1);
    rig_run(&rig, 60000);
    expect_silence();
    net_link(&rig.net, true, rig.now);
    rig_discard_sent(&rig);
    rig_poll(&rig);
    expect_probe(250, our_name, NAME);
    rig_run(&rig, 5000);
    (void)name(&ours);
    assert_true(ours);
}

static void needless_names(void **state)
{
    (void)state;
    static const char *const bad[] = {NULL, "", "a-name-of-thirty-two-characters-"};
    for (unsigned i = 0; i < 3; i++) {
        struct net_config config = {.mac = {2, 0, 0, 0, 0, 2},
                                    .address = OURS,
                                    .netmask = MASK,
                                    .mdns_name = bad[i],
                                    .at_once = true,
                                    .seed = {1, 2, 3, 4}};
        rig_discard_sent(&rig);
        rig_close(&rig);
        rig_open_config(&rig, &config, 256, 256, 0);
        rig_run(&rig, 10000);
        bool ours;
        assert_string_equal(name(&ours), "");
        assert_false(ours);
        expect_silence();
    }
}

/* ---- Queries ---- */

static const uint8_t *expect_query(uint16_t *port, size_t *length)
{
    const struct frame *frame;
    do {
        frame = rig_sent(&rig);
        assert_non_null(frame);
    } while (get16(frame->bytes + 36) != 5353 || get16(frame->bytes + 34) == 5353);
    assert_int_equal(get32(frame->bytes + 30), GROUP);
    *port = (uint16_t)get16(frame->bytes + 34);
    *length = frame->length - 42;
    assert_int_equal(get16(frame->bytes + 44), 0); /* no recursion (18.6) */
    return frame->bytes + 42;
}

static void reply(uint32_t source, uint16_t from, uint16_t port, const uint8_t *query, size_t length)
{
    uint8_t message[200], frame[400];
    memcpy(message, query, length);
    put16(message + 2, 0x8400);
    message[7] = 1;
    memcpy(message + length, "\300\14\0\1\0\1\0\0\0\12\0\4\12\0\0\11", 16);
    rig_receive(&rig, frame, make_udp(frame, source, from, OURS, port, message, length + 16));
}

static void asks_for_local_names(void **state) /* 5.1 */
{
    (void)state;
    uint32_t address;
    uint16_t port;
    size_t length;
    establish();
    assert_int_equal(dns_start(&rig.net, "broker.LOCAL.", rig.now), NET_OK);
    rig_poll(&rig);
    const uint8_t *query = expect_query(&port, &length);
    uint8_t copy[100];
    memcpy(copy, query, length);
    reply(0x0B000001, 5353, port, copy, length); /* of another network (11) */
    reply(FRIEND, 53, port, copy, length);       /* not a responder */
    assert_int_equal(dns_result(&rig.net, &address), NET_ERROR_PENDING);
    reply(FRIEND, 5353, port, copy, length);
    assert_int_equal(dns_result(&rig.net, &address), NET_OK);
    assert_int_equal(address, 0x0A000009);
    net_link(&rig.net, false, rig.now);
    net_link(&rig.net, true, rig.now);
    rig_discard_sent(&rig);
    uint32_t start = rig.now;
    assert_int_equal(dns_start(&rig.net, "broker.local", rig.now), NET_OK);
    rig_run(&rig, 10000);
    assert_int_equal(dns_result(&rig.net, &address), NET_ERROR_TIMEOUT);
    assert_int_equal(rig.now - start, 10000);
    unsigned queries = 0;
    const struct frame *frame;
    while ((frame = rig_sent(&rig)) != NULL) {
        queries += get16(frame->bytes + 36) == 5353 && get16(frame->bytes + 34) != 5353;
    }
    assert_int_equal(queries, 3);
}

static void which_names_are_local(void **state)
{
    (void)state;
    assert_true(mdns_is_local("a.local") && mdns_is_local("a.b.LoCaL."));
    assert_false(mdns_is_local("local") || mdns_is_local(".local") || mdns_is_local("alocal") ||
                 mdns_is_local("a.local.example") || mdns_is_local("") || mdns_is_local("."));
}

/* ---- Hostile ---- */

static void expect_ignored(uint32_t source, uint16_t port, const uint8_t *message, size_t length)
{
    send_from(source, port, GROUP, message, length);
    expect_silence();
    bool ours;
    (void)name(&ours);
    assert_true(ours);
}

static void malformed(void **state)
{
    (void)state;
    uint8_t message[200], body[100];
    establish();
    memcpy(body, our_name, NAME);
    put32(body + NAME, 0x00010001);
    size_t length = build(message, 0, (const uint16_t[]){1, 0, 0, 0}, body, NAME + 4);
    for (size_t cut = 0; cut < length; cut++) {
        expect_ignored(FRIEND, 5353, message, cut);
    }
    put16(message + 2, 0x0800); /* another opcode (18.3), a response code (18.11) */
    expect_ignored(FRIEND, 5353, message, length);
    put16(message + 2, 0x0003);
    expect_ignored(FRIEND, 5353, message, length);
    put16(message + 2, 0);
    for (int i = 0; i < 4; i++) {
        put16(message + 4 + 2 * i, 65535); /* counts that are not true */
        expect_ignored(FRIEND, 5353, message, length);
        put16(message + 4 + 2 * i, i == 0);
    }
    send_from(0x0B000001, 5353, OURS, message, length); /* to us alone, not from a neighbour (5.5, 11) */
    assert_null(next_message());
    static const char *const names[] = {"\300\14",    "\300\60", "\377\377", "\300\0",
                                        "\1a\300\14", "\100",    "\200"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) { /* NAME:WRECK (RFC 9267) */
        memset(body, 0, sizeof body);
        memcpy(body, names[i], strlen(names[i]) + 1);
        put32(body + 4, 0x00010001);
        expect_ignored(FRIEND, 5353, message, build(message, 0, (const uint16_t[]){1, 0, 0, 0}, body, 8));
        expect_ignored(FRIEND, 5353, message,
                       build(message, 0x8400, (const uint16_t[]){0, 1, 0, 0}, body, 30));
    }
    rig_run(&rig, 1000);
    rig_expect_health(&rig);
}

/* A response must come from port 5353 (6), or strangers' programs could take our name. */
static void response_from_another_port(void **state)
{
    (void)state;
    uint8_t message[200], body[100];
    establish();
    memcpy(body, our_name, NAME);
    memcpy(body + NAME, "\0\1\0\1\0\0\0\170\0\4\12\0\0\11", 14);
    size_t length = build(message, 0x8400, (const uint16_t[]){0, 1, 0, 0}, body, NAME + 14);
    expect_ignored(FRIEND, 1024, message, length);
    rig_run(&rig, 3000);
    expect_silence();
}

static void random_messages(void **state)
{
    (void)state;
    uint32_t seed = 7;
    establish();
    for (int run = 0; run < 20000; run++) {
        uint8_t message[256];
        static const uint8_t likely[] = {0, 1, 12, 0xC0, 11, 5, 28, 255};
        memset(message, 0, sizeof message);
        memcpy(message + 12, our_name, NAME);
        memcpy(message + 60, our_name, NAME);
        for (int i = 0; i < 60; i++) {
            seed = seed * 1664525 + 1013904223;
            size_t at = (seed >> 8) % sizeof message;
            if (at < 12 || at > 30) {
                message[at] = seed & 0x80000 ? likely[seed >> 24 & 7] : (uint8_t)(seed >> 24);
            }
        }
        for (int i = 0; i < 4; i++) {
            put16(message + 4 + 2 * i, seed >> (8 * i) & 3);
        }
        put16(message + 2, seed & 0x100 ? 0x8400 : 0);
        send_from(FRIEND, 5353, GROUP, message, seed >> 24);
        rig_discard_sent(&rig);
        rig_run(&rig, seed >> 26);
        rig_discard_sent(&rig);
    }
    rig_run(&rig, 60000);
    bool ours;
    (void)name(&ours);
    assert_true(ours);
    rig_expect_health(&rig);
}

#endif

int main(void)
{
#if NET_WITH_MDNS
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(probes_then_announces),
        TEST(name_taken_while_probing),
        TEST(name_taken_by_another_type),
        TEST(simultaneous_probes),
        TEST(endless_conflicts_slow_down),
        TEST(answers_all),
        TEST(says_what_there_is_not),
        TEST(unicast_if_wanted),
        TEST(legacy_resolver),
        TEST(unknown_neighbour),
        TEST(known_answer),
        TEST(defends_against_a_probe),
        TEST(conflict_with_an_established_name),
        TEST(with_the_address),
        TEST(needless_names),
        TEST(asks_for_local_names),
        TEST(which_names_are_local),
        TEST(malformed),
        TEST(response_from_another_port),
        TEST(random_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
#else
    return 0;
#endif
}
