/*
 * What an attacker off the path must not be able to guess: sequence numbers, ports, ids, cookies. Whatever
 * the keyed hash does not depend on, he could learn from his own connections.
 */
#include "net/internal.h"
#include "net/ping.h"
#include "net/tcp_listen.h"
#include "tcp_case.h"

#include <string.h>

/* HalfSipHash-2-4 with the key 00 01 .. 07 of the bytes 00 01 .., as its authors publish it. */
static void known_answers(void **state)
{
    (void)state;
    static const uint32_t key[2] = {0x03020100, 0x07060504}, words[2] = {0x03020100, 0x07060504};
    assert_int_equal(net_keyed_hash(key, words, 0), 0x5B9F35A9);
    assert_int_equal(net_keyed_hash(key, words, 1), 0x89466E2A);
    assert_int_equal(net_keyed_hash(key, words, 2), 0x8F84B8D0);
}

/* ---- RFC 6528 3: ISN = M + F(localip, localport, remoteip, remoteport, secretkey) ---- */

enum { PORTS = 0x1234ABCD };

static uint32_t isn_after(uint32_t ms)
{
    lab.net.now_ms = ms;
    return tcp_initial_sequence(&lab.net, OURS, PEER, PORTS);
}

static void sequence_number_follows_the_clock(void **state)
{
    (void)state;
    uint32_t first = isn_after(0);
    assert_int_equal(isn_after(1) - first, 250); /* one for each 4 us (RFC 9293 3.4.1) */
    assert_int_equal(isn_after(1000) - first, 250000);
    assert_int_equal(isn_after(UINT32_MAX) - first, 0U - 250);
    lab.net.now_ms = lab.now;
}

static void sequence_number_depends_on_the_connection(void **state)
{
    (void)state;
    uint32_t seed[4], isn = tcp_initial_sequence(&lab.net, OURS, PEER, PORTS);
    assert_int_not_equal(tcp_initial_sequence(&lab.net, OURS + 1, PEER, PORTS), isn);
    assert_int_not_equal(tcp_initial_sequence(&lab.net, OURS, PEER + 1, PORTS), isn);
    assert_int_not_equal(tcp_initial_sequence(&lab.net, OURS, PEER, PORTS + 1), isn);
    assert_int_not_equal(tcp_initial_sequence(&lab.net, OURS, PEER, PORTS + 0x10000), isn);
    memcpy(seed, lab.net.seed, sizeof seed);
    for (unsigned i = 0; i < 2; i++) { /* the whole of its key */
        lab.net.seed[i] ^= 1;
        assert_int_not_equal(tcp_initial_sequence(&lab.net, OURS, PEER, PORTS), isn);
        memcpy(lab.net.seed, seed, sizeof seed);
    }
    lab.net.seed[2] ^= 1; /* that of random numbers, which others see, is another */
    lab.net.seed[3] ^= 1;
    assert_int_equal(tcp_initial_sequence(&lab.net, OURS, PEER, PORTS), isn);
}

#if NET_WITH_TCP_TIMESTAMPS
static void timestamps_tell_nothing_of_other_peers(void **state) /* RFC 7323 7.1 */
{
    (void)state;
    uint32_t offset = tcp_timestamp_offset(&lab.net, OURS, PEER);
    assert_int_not_equal(tcp_timestamp_offset(&lab.net, OURS, PEER + 1), offset);
    assert_int_not_equal(tcp_timestamp_offset(&lab.net, OURS + 1, PEER), offset);
    lab.net.seed[2] ^= 1;
    assert_int_not_equal(tcp_timestamp_offset(&lab.net, OURS, PEER), offset);
}
#endif

/* ---- RFC 6056 3.3.1: ports ---- */

enum { DRAWS = 100000, FIRST_PORT = 49152, PORT_COUNT = 65536 - FIRST_PORT };

static uint8_t seen[PORT_COUNT / 8];

/* True: not for the first time. */
static bool draw(uint32_t number)
{
    bool again = seen[number / 8] >> number % 8 & 1;
    seen[number / 8] |= (uint8_t)(1 << number % 8);
    return again;
}

static unsigned distinct(void)
{
    unsigned count = 0;
    for (size_t i = 0; i < sizeof seen; i++) {
        count += (unsigned)__builtin_popcount(seen[i]);
    }
    memset(seen, 0, sizeof seen);
    return count;
}

static uint16_t next_tcp_port(struct tcp_socket *s)
{
    assert_int_equal(tcp_connect(s, PEER, BROKER, lab.now), NET_OK);
    uint16_t port = tcp_local_port(s);
    tcp_abort(s);
    assert_true(port >= FIRST_PORT);
    return port;
}

static void tcp_ports_are_of_the_whole_range_and_never_taken(void **state)
{
    (void)state;
    static struct tcp_socket other;
    uint8_t tx[64], rx[64];
    tcp_init(&other, &lab.net, tx, sizeof tx, rx, sizeof rx);
    assert_int_equal(tcp_connect(&other, PEER, BROKER, lab.now), NET_OK);
    uint16_t last = 0, taken = tcp_local_port(&other);
    for (unsigned i = 0; i < DRAWS; i++) {
        uint16_t port = next_tcp_port(&lab.tcp);
        assert_int_not_equal(port, last); /* that connection may be in TIME-WAIT at the peer */
        assert_int_not_equal(port, taken);
        draw(port - FIRST_PORT);
        last = port;
    }
    assert_in_range(distinct(), PORT_COUNT * 99 / 100, PORT_COUNT);
    tcp_abort(&other);
    lab.net.tcp_sockets = &lab.tcp;
    rig_discard_sent(&lab);
}

static void udp_ports_are_of_the_whole_range_and_never_taken(void **state)
{
    (void)state;
    struct udp_socket other, s;
    assert_int_equal(udp_open(&other, &lab.net, 0), NET_OK);
    for (unsigned i = 0; i < DRAWS; i++) {
        assert_int_equal(udp_open(&s, &lab.net, 0), NET_OK);
        assert_true(udp_port(&s) >= FIRST_PORT);
        assert_int_not_equal(udp_port(&s), udp_port(&other));
        draw(udp_port(&s) - FIRST_PORT);
        udp_close(&s);
    }
    assert_in_range(distinct(), PORT_COUNT * 99 / 100, PORT_COUNT);
    udp_close(&other);
}

/* ---- Ids ---- */

/* 16-bit ids, of which a quarter is counted. */
static void count_id(uint16_t id, unsigned *repeated)
{
    *repeated += draw(id % PORT_COUNT);
}

/* CVE-2008-1447: the id of a query and its port, anew for each. */
static void dns_ids_and_ports(void **state)
{
    (void)state;
    unsigned repeated_ids = 0, repeated_ports = 0;
    for (unsigned i = 0; i < 200; i++) {
        assert_int_equal(dns_start(&lab.net, "host.example", lab.now), NET_OK);
        count_id(lab.net.dns[0].id, &repeated_ids);
        dns_cancel(&lab.net);
    }
    (void)distinct();
    for (unsigned i = 0; i < 200; i++) {
        assert_int_equal(dns_start(&lab.net, "host.example", lab.now), NET_OK);
        repeated_ports += draw(lab.net.dns[0].port - FIRST_PORT);
        dns_cancel(&lab.net);
    }
    (void)distinct();
    assert_in_range(repeated_ids, 0, 10);
    assert_in_range(repeated_ports, 0, 10);
}

#if NET_WITH_PING
static void ping_ids_differ(void **state)
{
    (void)state;
    static struct ping pings[1000];
    for (unsigned i = 0; i < 1000; i++) {
        ping_open(&pings[i], &lab.net);
        for (unsigned j = 0; j < i; j++) {
            assert_true(pings[i].id != pings[j].id);
        }
        draw(pings[i].id >> 2);
    }
    for (unsigned i = 0; i < 1000; i++) {
        ping_close(&pings[i]);
    }
    assert_in_range(distinct(), 900, 1000); /* of a quarter as many */
}
#endif

/* RFC 2131 4.1: a transaction id of its own for each transaction: an answer to an old one is none. */
static void dhcp_transactions(void **state)
{
    (void)state;
    struct rig rig;
    rig_open_dhcp(&rig);
    uint32_t last = 0;
    for (unsigned i = 0; i < 20; i++) {
        net_link(&rig.net, true, rig.now);
        rig_poll(&rig);
        const struct frame *discover = rig_sent(&rig);
        assert_non_null(discover);
        uint32_t xid = get32(discover->bytes + 46);
        assert_true(xid - last > 1000);
        last = xid;
        rig_discard_sent(&rig);
        net_link(&rig.net, false, rig.now);
    }
    rig_close(&rig);
}

/* ---- SYN cookies (RFC 4987 3.6) ---- */

#if NET_WITH_TCP_LISTEN

static struct tcp_listener listener;
enum { SLOT_MS = 65536, PEER_SEQ = 7000, PEER_PORT = 5000 };

static void syn_or_ack(uint32_t source, uint32_t destination, uint16_t port, uint32_t seq, uint32_t ack,
                       uint8_t flags)
{
    uint8_t frame[128];
    size_t length = make_tcp(&lab, frame, seq, ack, flags, 8192, NULL, 0);
    put32(frame + 26, source);
    put32(frame + 30, destination);
    put16(frame + 34, port);
    fix_ipv4(frame);
    fix_tcp(frame, length);
    rig_receive(&lab, frame, length);
}

static void fill_queue(void)
{
    for (uint16_t i = 0; i < TCP_SYN_QUEUE; i++) {
        syn_or_ack(PEER + 50, OURS, (uint16_t)(2000 + i), 100, 0, SYN);
    }
    rig_discard_sent(&lab);
}

static int setup_listener(void **state)
{
    setup(state);
    assert_int_equal(tcp_listen(&listener, &lab.net, 80, 4096), NET_OK);
    assert_int_equal(tcp_accept(&listener, &lab.tcp, lab.now), NET_OK);
    lab.port = 80;
    rig_run(&lab, SLOT_MS * 2U - lab.now % SLOT_MS); /* at the very beginning of a slot */
    fill_queue();
    return 0;
}

static uint32_t get_cookie(void)
{
    syn_or_ack(PEER, OURS, PEER_PORT, PEER_SEQ, 0, SYN);
    const struct frame *answer = rig_sent(&lab);
    assert_non_null(answer);
    assert_int_equal(answer->bytes[47], SYN | ACK);
    return get32(answer->bytes + 38);
}

/* The last step of the handshake; is it believed? */
static bool believed(uint32_t source, uint32_t destination, uint16_t port, uint32_t seq, uint32_t cookie,
                     uint8_t flags)
{
    syn_or_ack(source, destination, port, seq, cookie + 1, flags);
    bool taken = tcp_state(&lab.tcp) == TCP_ESTABLISHED;
    if (!taken) {
        const struct frame *answer = rig_sent(&lab);
        assert_non_null(answer);
        assert_int_equal(answer->bytes[47], RST);
    }
    return taken;
}

static void cookie_is_of_one_connection(void **state)
{
    (void)state;
    uint32_t cookie = get_cookie();
    assert_false(believed(PEER + 9, OURS, PEER_PORT, PEER_SEQ + 1, cookie, ACK));
    assert_false(believed(PEER, OURS, PEER_PORT + 1, PEER_SEQ + 1, cookie, ACK));
    assert_false(believed(PEER, OURS, PEER_PORT, PEER_SEQ + 2, cookie, ACK));
    assert_false(believed(PEER, OURS, PEER_PORT, PEER_SEQ + 1, cookie + (1U << 25), ACK)); /* another MSS */
    assert_false(believed(PEER, OURS, PEER_PORT, PEER_SEQ + 1, cookie - (1U << 27), ACK)); /* another time */
    assert_false(believed(PEER, OURS, PEER_PORT, PEER_SEQ + 1, cookie, SYN | ACK));
    assert_true(believed(PEER, OURS, PEER_PORT, PEER_SEQ + 1, cookie, ACK));
}

#if NET_WITH_ROUTES
static void cookie_is_of_one_address_of_ours(void **state)
{
    (void)state;
    assert_int_equal(net_add_address(&lab.net, OURS + 1, MASK), NET_OK);
    rig_run(&lab, 20000);
    rig_discard_sent(&lab);
    uint32_t cookie = get_cookie();
    assert_false(believed(PEER, OURS + 1, PEER_PORT, PEER_SEQ + 1, cookie, ACK));
    assert_true(believed(PEER, OURS, PEER_PORT, PEER_SEQ + 1, cookie, ACK));
}
#endif

static void cookie_depends_on_the_seed(void **state)
{
    (void)state;
    uint32_t cookie = get_cookie();
    for (unsigned i = 0; i < 2; i++) {
        lab.net.seed[i] ^= 1;
        assert_int_not_equal(get_cookie(), cookie);
        lab.net.seed[i] ^= 1;
    }
    assert_int_equal(get_cookie(), cookie);
}

/* Others keep the listener giving cookies: it is the cookie's own time that counts. */
static bool believed_after(uint32_t ms)
{
    uint32_t cookie = get_cookie();
    while (ms > 0) {
        uint32_t step = ms < 20000 ? ms : 20000;
        rig_run(&lab, step);
        rig_discard_sent(&lab);
        fill_queue();
        syn_or_ack(PEER + 60, OURS, PEER_PORT, PEER_SEQ, 0, SYN);
        rig_discard_sent(&lab);
        ms -= step;
    }
    return believed(PEER, OURS, PEER_PORT, PEER_SEQ + 1, cookie, ACK);
}

static void cookie_is_good_in_the_next_slot(void **state)
{
    (void)state;
    assert_true(believed_after(2 * SLOT_MS - 1));
}

static void cookie_is_not_good_in_the_slot_after(void **state)
{
    (void)state;
    assert_false(believed_after(2 * SLOT_MS));
}

/* When the five bits of time have come round. */
static void cookie_is_not_good_again(void **state)
{
    (void)state;
    uint32_t cookie = get_cookie();
    rig_run(&lab, 32 * SLOT_MS);
    rig_discard_sent(&lab);
    assert_false(believed(PEER, OURS, PEER_PORT, PEER_SEQ + 1, cookie, ACK));
}

#define SERVER(name) cmocka_unit_test_setup_teardown(name, setup_listener, teardown)

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(known_answers),
        TEST(sequence_number_follows_the_clock),
        TEST(sequence_number_depends_on_the_connection),
#if NET_WITH_TCP_TIMESTAMPS
        TEST(timestamps_tell_nothing_of_other_peers),
#endif
        TEST(tcp_ports_are_of_the_whole_range_and_never_taken),
        TEST(udp_ports_are_of_the_whole_range_and_never_taken),
        TEST(dns_ids_and_ports),
#if NET_WITH_PING
        TEST(ping_ids_differ),
#endif
        TEST(dhcp_transactions),
#if NET_WITH_TCP_LISTEN
        SERVER(cookie_is_of_one_connection),
#if NET_WITH_ROUTES
        SERVER(cookie_is_of_one_address_of_ours),
#endif
        SERVER(cookie_depends_on_the_seed),
        SERVER(cookie_is_good_in_the_next_slot),
        SERVER(cookie_is_not_good_in_the_slot_after),
        SERVER(cookie_is_not_good_again),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
