/* The SNTP client (RFC 4330) against a scripted server, and hostile input of class SNTP. */
#include "rig.h"

#include "net/sntp.h"

#include <string.h>

#if NET_WITH_SNTP

static struct rig rig;
static uint8_t request[48];
static uint16_t port;

#define SECOND_SERVER (PEER + 6)
#define NOW           0xEC000000U /* seconds since 1900: in 2025 */
#define UNIX          (NOW - 2208988800U)

static void open_with(uint32_t first, uint32_t second, const char *name)
{
    struct net_config config = {.mac = {2, 0, 0, 0, 0, 2},
                                .address = OURS,
                                .netmask = MASK,
                                .gateway = PEER,
                                .dns_server = PEER,
                                .ntp_name = name,
                                .seed = {1, 2, 3, 4}};
    config.at_once = true;
    uint8_t frame[64];
    rig_open_config(&rig, &config, 256, 256, 0);
    rig.net.ntp_servers[0] = first; /* as if from DHCP */
    rig.net.ntp_servers[1] = second;
    rig_receive(&rig, frame, make_arp(frame, 1, peer_mac, PEER, OURS));
    rig_receive(&rig, frame, make_arp(frame, 1, (const uint8_t[6]){2, 0, 0, 0, 0, 7}, SECOND_SERVER, OURS));
    rig_discard_sent(&rig);
}

static int setup(void **state)
{
    (void)state;
    open_with(PEER, 0, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_discard_sent(&rig);
    rig_close(&rig);
    return 0;
}

/* The oldest frame sent that is not an ARP request, which are answered. */
static const struct frame *next_frame(void)
{
    static const uint8_t second_mac[6] = {2, 0, 0, 0, 0, 7};
    const struct frame *frame;
    while ((frame = rig_sent(&rig)) != NULL && get16(frame->bytes + 12) == 0x0806) {
        uint8_t reply[64];
        uint32_t target = get32(frame->bytes + 38);
        const uint8_t *mac = target == PEER ? peer_mac : second_mac;
        rig_receive(&rig, reply, make_arp(reply, 2, mac, target, OURS));
    }
    return frame;
}

/* Milliseconds until the next request, and the server it goes to. */
static uint32_t wait_request(uint32_t limit, uint32_t server)
{
    uint32_t start = rig.now;
    const struct frame *frame;
    while ((frame = next_frame()) == NULL) {
        uint32_t wait = net_wait_ms(&rig.net, rig.now), left = start + limit - rig.now;
        assert_true(left > 0);
        rig_advance(&rig, wait == 0 ? 1 : wait < left ? wait : left);
    }
    assert_int_equal(frame->length, 42 + 48);
    assert_int_equal(get32(frame->bytes + 30), server);
    assert_int_equal(get16(frame->bytes + 36), 123);
    port = (uint16_t)get16(frame->bytes + 34);
    memcpy(request, frame->bytes + 42, 48);
    assert_int_equal(request[0], 0x23); /* version 4, client */
    for (int i = 1; i < 40; i++) {
        assert_int_equal(request[i], 0); /* nothing about us */
    }
    return rig.now - start;
}

/* A good answer to the request. */
static void build(uint8_t *message, uint32_t seconds, uint32_t fraction)
{
    memset(message, 0, 48);
    message[0] = 0x24;
    message[1] = 2;
    memcpy(message + 24, request + 40, 8);
    put32(message + 32, seconds);
    put32(message + 36, fraction);
    put32(message + 40, seconds);
    put32(message + 44, fraction);
}

static void send_from(uint32_t source, uint16_t from, uint16_t to, const uint8_t *message, size_t length)
{
    uint8_t frame[1600];
    rig_receive(&rig, frame, make_udp(frame, source, from, OURS, to, message, length));
}

static void answer(const uint8_t *message)
{
    send_from(PEER, 123, port, message, 48);
}

static struct sntp_time now(void)
{
    struct sntp_time time;
    assert_true(sntp_time(&rig.net, rig.now, &time));
    return time;
}

static bool known(void)
{
    struct sntp_time time;
    return sntp_time(&rig.net, rig.now, &time);
}

static void tells_the_time(void **state)
{
    (void)state;
    uint8_t message[48];
    assert_false(known());
    wait_request(1000, PEER);
    rig_run(&rig, 100); /* there and back, 20 of it at the server */
    build(message, NOW, 0x80000000);
    put32(message + 32, NOW);
    put32(message + 36, 0x80000000 - 85899346); /* 20 ms */
    answer(message);
    assert_int_equal(now().unix_s, UNIX);
    assert_in_range(now().ms, 539, 541);
    rig_run(&rig, 470);
    assert_int_equal(now().unix_s, UNIX + 1);
    assert_int_equal(sntp_server(&rig.net), PEER);
    uint32_t next = wait_request(5000000, PEER);
    assert_in_range(next, 4096000 - 256000 - 1000, 4096000 + 256000);
    rig_expect_health(&rig);
}

/* RFC 4330 3: 2036-02-07 begins another era. */
static void goes_on_in_2036(void **state)
{
    (void)state;
    static const uint32_t seconds[] = {0xFFFFFFFF, 0, 1, 0x70000000};
    uint8_t message[48];
    for (unsigned i = 0; i < 4; i++) {
        rig_close(&rig);
        open_with(PEER, 0, NULL);
        wait_request(1000, PEER);
        build(message, seconds[i], 0x40000000);
        answer(message);
        assert_int_equal(now().unix_s, seconds[i] - 2208988800U);
    }
    rig_close(&rig);
    open_with(PEER, 0, NULL);
    wait_request(1000, PEER);
    build(message, 0xFFFFFFFF, 0x40000000);
    answer(message);
    rig_run(&rig, 1000);
    assert_int_equal(now().unix_s, 2085978496); /* 2036-02-07T06:28:16Z */
    assert_int_equal(now().ms, 250);
}

static void time_outlives_the_clocks_wrap(void **state)
{
    (void)state;
    uint8_t message[48];
    wait_request(1000, PEER);
    build(message, NOW, 0);
    answer(message);
    uint32_t base = now().unix_s;
    for (uint32_t hour = 1; hour <= 120 * 24; hour++) { /* no server answers any more */
        rig_run(&rig, 3600000);
        rig_discard_sent(&rig);
        assert_int_equal(now().unix_s, base + hour * 3600);
    }
}

static void back_off(void **state) /* RFC 4330 10 */
{
    (void)state;
    assert_in_range(wait_request(1000, PEER), 0, 1000);
    for (uint32_t wait = 16000; wait < 1024000; wait *= 2) {
        uint32_t waited = wait_request(3000000, PEER);
        assert_true(waited >= 15000);
        assert_in_range(waited, wait - wait / 16, 3 * wait);
    }
    uint32_t last = wait_request(3000000, PEER);
    assert_in_range(last, 900000, 2300000);
    uint8_t message[48];
    build(message, NOW, 0);
    answer(message);
    assert_true(known());
    rig_discard_sent(&rig);
    rig_expect_health(&rig);
}

static void second_server_is_asked(void **state)
{
    (void)state;
    rig_close(&rig);
    open_with(PEER, SECOND_SERVER, NULL);
    uint8_t message[48];
    wait_request(1000, PEER);
    wait_request(60000, SECOND_SERVER);
    wait_request(120000, PEER);
    build(message, NOW, 0);
    message[0] |= 0xC0; /* leap alarm: the server's own clock is not set */
    answer(message);
    wait_request(200000, SECOND_SERVER);
    build(message, NOW, 0);
    send_from(SECOND_SERVER, 123, port, message, 48);
    assert_true(known());
    assert_int_equal(sntp_server(&rig.net), SECOND_SERVER);
}

static void kiss_of_death(void **state) /* RFC 4330 8 */
{
    (void)state;
    rig_close(&rig);
    open_with(PEER, SECOND_SERVER, NULL);
    uint8_t message[48];
    static const char *const codes[] = {"DENY", "RSTR"};
    wait_request(1000, PEER);
    for (unsigned i = 0; i < 2; i++) {
        build(message, NOW, 0);
        message[1] = 0;
        memcpy(message + 12, codes[i], 4);
        message[31] ^= 1; /* not in answer to us: a stranger's */
        send_from(i ? SECOND_SERVER : PEER, 123, port, message, 48);
        message[31] ^= 1;
        send_from(i ? SECOND_SERVER : PEER, 123, port, message, 48);
        if (i == 0) {
            wait_request(60000, SECOND_SERVER);
        }
    }
    rig_run(&rig, 86400000); /* nobody is left */
    rig_nothing_sent(&rig);
    assert_false(known());
    net_link(&rig.net, false, rig.now);
    net_link(&rig.net, true, rig.now); /* perhaps another network */
    uint8_t frame[64];
    rig_receive(&rig, frame, make_arp(frame, 1, peer_mac, PEER, OURS));
    rig_discard_sent(&rig);
    wait_request(20000, PEER);
    rig_expect_health(&rig);
}

static void rate_kiss_slows_down(void **state)
{
    (void)state;
    uint8_t message[48];
    wait_request(1000, PEER);
    build(message, NOW, 0);
    message[1] = 0;
    memcpy(message + 12, "RATE", 4);
    answer(message);
    assert_in_range(wait_request(3000000, PEER), 900000, 1100000);
    build(message, NOW, 0);
    answer(message);
    assert_true(known());
    assert_in_range(wait_request(20000000, PEER), 7000000, 9000000); /* twice as long as usual */
}

static void server_by_name(void **state)
{
    (void)state;
    static const char question[] = "\4time\4test\0\0\1\0\1";
    uint8_t message[200];
    uint32_t address;
    rig_close(&rig);
    open_with(0, 0, "time.test");
    assert_int_equal(dns_start(&rig.net, "broker.example", rig.now),
                     NET_OK); /* does not disturb the caller's */
    rig_run(&rig, 999);
    const struct frame *frame, *query = NULL;
    while ((frame = rig_sent(&rig)) != NULL) {
        if (memcmp(frame->bytes + 54, question, 15) == 0) {
            query = frame;
        }
    }
    assert_non_null(query);
    size_t length = query->length - 42;
    memcpy(message, query->bytes + 42, length);
    message[2] = 0x81;
    message[7] = 1;
    memcpy(message + length, "\300\14\0\1\0\1\0\0\0\74\0\4\12\0\0\1", 16);
    port = (uint16_t)get16(query->bytes + 34);
    rig_discard_sent(&rig);
    send_from(PEER, 53, port, message, length + 16);
    assert_int_equal(dns_result(&rig.net, &address), NET_ERROR_PENDING);
    dns_cancel(&rig.net);
    rig_run(&rig, 10);
    wait_request(1000, PEER);
    build(message, NOW, 0);
    answer(message);
    assert_true(known());
    rig_expect_health(&rig);
}

static void name_that_does_not_resolve(void **state)
{
    (void)state;
    rig_close(&rig);
    open_with(0, 0, "time.test");
    unsigned queries = 0;
    for (int second = 0; second < 7200; second++) {
        rig_run(&rig, 1000);
        const struct frame *frame;
        while ((frame = next_frame()) != NULL) {
            queries += get16(frame->bytes + 36) == 53;
        }
    }
    assert_in_range(queries, 30, 120); /* five each time, ever more seldom */
    rig_expect_health(&rig);
}

/* A cable that comes and goes is no reason to ask more often than every 15 s. */
static void link_flaps(void **state)
{
    (void)state;
    unsigned requests = 0;
    for (int i = 0; i < 100; i++) {
        uint8_t frame[64];
        net_link(&rig.net, false, rig.now);
        rig_run(&rig, 300);
        net_link(&rig.net, true, rig.now);
        rig_receive(&rig, frame, make_arp(frame, 1, peer_mac, PEER, OURS));
        rig_run(&rig, 1200);
        const struct frame *sent;
        while ((sent = rig_sent(&rig)) != NULL) {
            requests += get16(sent->bytes + 12) == 0x0800 && get16(sent->bytes + 36) == 123;
        }
    }
    assert_in_range(requests, 5, 11);
}

/* ---- Hostile ---- */

static void expect_ignored(const uint8_t *message, size_t length)
{
    uint32_t before = net_statistics(&rig.net)->dropped[NET_DROP_SNTP];
    send_from(PEER, 123, port, message, length);
    assert_int_equal(net_statistics(&rig.net)->dropped[NET_DROP_SNTP], before + 1);
    assert_false(known());
}

static void not_the_answer(void **state)
{
    (void)state;
    uint8_t message[48];
    wait_request(1000, PEER);
    build(message, NOW, 0);
    for (size_t i = 24; i < 32; i++) { /* origin */
        message[i] ^= 1;
        expect_ignored(message, 48);
        message[i] ^= 1;
    }
    static const uint8_t first[] = {0x23, 0x25, 0x20, 0x04,
                                    0x2C}; /* client, broadcast, mode 0, versions 0, 5 */
    for (unsigned i = 0; i < sizeof first; i++) {
        message[0] = first[i];
        expect_ignored(message, 48);
    }
    message[0] = 0x24;
    for (size_t length = 0; length < 48; length++) {
        expect_ignored(message, length);
    }
    send_from(PEER + 5, 123, port, message, 48); /* another host, another port of it */
    send_from(PEER, 124, port, message, 48);
    send_from(PEER, 123, (uint16_t)(port ^ 1), message, 48);
    assert_false(known());
    answer(message);
    assert_true(known());
    build(message, NOW + 5000, 0); /* again: nothing was asked */
    answer(message);
    assert_true(now().unix_s < UNIX + 10);
    rig_discard_sent(&rig);
    rig_expect_health(&rig);
}

/* RFC 4330 5: an answer to us, of a server that does not know the time. */
static void unfit_answers(void **state)
{
    (void)state;
    static const struct {
        uint8_t at, value;
    } cases[] = {{0, 0xE4}, {1, 16}, {1, 255}, {5, 16}, {9, 16}, {8, 0x80}, {1, 0}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t message[48];
        rig_close(&rig);
        open_with(PEER, 0, NULL);
        wait_request(1000, PEER);
        build(message, NOW, 0);
        message[cases[i].at] = cases[i].value;
        answer(message);
        assert_false(known());
        assert_true(wait_request(60000, PEER) >= 15000);
    }
    static const uint32_t times[] = {0, 0x83AA7E80 /* 1970 */, 0xE0000000 /* 2019 */};
    for (unsigned i = 0; i < 3; i++) {
        uint8_t message[48];
        build(message, times[i], 0);
        answer(message);
        if (i != 0) {
            assert_false(known());
        }
        wait_request(600000, PEER);
    }
    rig_expect_health(&rig);
}

static void late_answer(void **state)
{
    (void)state;
    uint8_t message[48];
    wait_request(1000, PEER);
    rig_run(&rig, 5000);
    build(message, NOW, 0);
    answer(message);
    assert_false(known());
}

static void cookies_and_ports_are_random(void **state)
{
    (void)state;
    uint8_t last[8] = {0};
    uint16_t last_port = 0;
    for (int i = 0; i < 20; i++) {
        rig_close(&rig);
        open_with(PEER, 0, NULL);
        rig.net.random_counter += (uint32_t)i * 100;
        wait_request(1000, PEER);
        assert_memory_not_equal(request + 40, last, 4);
        assert_memory_not_equal(request + 44, last + 4, 4);
        assert_true(port != last_port && port >= 49152);
        memcpy(last, request + 40, 8);
        last_port = port;
    }
}

static void random_answers(void **state)
{
    (void)state;
    uint32_t seed = 99;
    unsigned asked = 0;
    wait_request(1000, PEER);
    for (int run = 0; run < 20000; run++) {
        uint8_t message[60];
        build(message, NOW, 0);
        for (int i = 0; i < 4; i++) {
            seed = seed * 1664525 + 1013904223;
            message[(seed >> 8) % 48] = (uint8_t)(seed >> 24);
        }
        answer(message);
        rig_run(&rig, seed >> 22);
        const struct frame *frame = next_frame();
        if (frame) {
            port = (uint16_t)get16(frame->bytes + 34);
            memcpy(request, frame->bytes + 42, 48);
            asked++;
        }
    }
    assert_true(asked > 1);
    rig_discard_sent(&rig);
    rig_expect_health(&rig);
}

#endif

int main(void)
{
#if NET_WITH_SNTP
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(tells_the_time),
        TEST(goes_on_in_2036),
        TEST(time_outlives_the_clocks_wrap),
        TEST(back_off),
        TEST(second_server_is_asked),
        TEST(kiss_of_death),
        TEST(rate_kiss_slows_down),
        TEST(server_by_name),
        TEST(name_that_does_not_resolve),
        TEST(link_flaps),
        TEST(not_the_answer),
        TEST(unfit_answers),
        TEST(late_answer),
        TEST(cookies_and_ports_are_random),
        TEST(random_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
#else
    return 0;
#endif
}
