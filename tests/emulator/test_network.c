/* The networks that the cable can be plugged into, and captures. */
#define _GNU_SOURCE /* unshare */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>

#include <cmocka.h>

#include "ethernet_bench.h"
#include "network/network.h"

struct end {
    uint8_t frame[NETWORK_FRAME_MAX];
    size_t length;
    unsigned count;
    int64_t now_ns;
};

static void deliver(void *context, const uint8_t *frame, size_t length)
{
    struct end *end = context;
    if (length > 14 && frame[12] == 0x86 && frame[13] == 0xDD)
        return; /* the kernel introduces itself on a new TAP */
    memcpy(end->frame, frame, length);
    end->length = length;
    end->count++;
}

static int64_t clock_ns(void *context)
{
    struct end *end = context;
    return end->now_ns;
}

static struct network *must_open(const char *spec, struct end *end)
{
    char message[NETWORK_MESSAGE] = "";
    const struct network_user user = {.context = end, .deliver = deliver, .clock_ns = clock_ns};
    struct network *n = network_open(spec, &user, message, sizeof message);
    if (n == NULL)
        fail_msg("%s: %s", spec, message);
    return n;
}

static void must_refuse(const char *spec, const char *words)
{
    char message[NETWORK_MESSAGE] = "";
    struct end end = {0};
    const struct network_user user = {.context = &end, .deliver = deliver, .clock_ns = clock_ns};
    struct network *n = network_open(spec, &user, message, sizeof message);
    assert_null(n);
    if (strstr(message, words) == NULL)
        fail_msg("%s: '%s' does not say '%s'", spec, message, words);
}

/* One round of the host's loop, without waiting. */
static void turn(struct network *n)
{
    struct pollfd fds[NETWORK_POLLFDS];
    int timeout_ms = -1;
    const size_t count = network_fill(n, fds, NETWORK_POLLFDS, &timeout_ms);
    assert_true(poll(fds, count, 0) >= 0);
    network_dispatch(n, fds, count);
}

static void errors_say_what_to_do(void **state)
{
    (void)state;
    must_refuse("ether", "use none, slirp, tap:NAME or socket:PATH");
    must_refuse("", "unknown network");
    must_refuse("none:1", "no argument");
    must_refuse("tap", "name the TAP");
    must_refuse("tap:a-name-that-is-too-long", "name the TAP");
    must_refuse("tap:lo", "TAP");
    must_refuse("socket", "socket's path");
    must_refuse("socket:/nonexistent/cable", "No such file");
    must_refuse("slirp:mtu=3", "only hostfwd");
    must_refuse("slirp:hostfwd=tcp:1", "tcp:127.0.0.1:8080-:80");
    must_refuse("slirp:hostfwd=tcp:127.0.0.1:99999-:80", "tcp:127.0.0.1:8080-:80");
    must_refuse("slirp:hostfwd=sctp:127.0.0.1:1-:80", "tcp:127.0.0.1:8080-:80");
}

/* Without the right to make one (or without /dev/net/tun) the text tells how to get a TAP. */
static void tap_without_permission(void **state)
{
    (void)state;
    char message[NETWORK_MESSAGE] = "";
    struct end end = {0};
    const struct network_user user = {.context = &end, .deliver = deliver, .clock_ns = clock_ns};
    if (geteuid() == 0 && seteuid(65534) != 0)
        skip();
    struct network *n = network_open("tap:motetest", &user, message, sizeof message);
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
    assert_null(n);
    assert_true(strstr(message, "as root: ip tuntap add dev motetest mode tap") != NULL ||
                strstr(message, "as root: modprobe tun") != NULL);
}

static void slirp_answers_arp(void **state)
{
    (void)state;
    static const uint8_t request[42] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2, 0, 0, 0, 0,  1, 8, 6,
                                        0,    1,    8,    0,    6,    4,    0, 1, 2, 0, 0,  0, 0, 1,
                                        10,   0,    2,    15,   0,    0,    0, 0, 0, 0, 10, 0, 2, 2};
    struct end end = {0};
    struct network *n = must_open("slirp", &end);
    network_send(n, request, sizeof request);
    turn(n);
    assert_int_equal(end.count, 1);
    assert_true(end.length >= 42);
    assert_memory_equal(end.frame, request + 6, 6);
    assert_int_equal(end.frame[21], 2); /* reply */
    assert_memory_equal(end.frame + 28, request + 38, 4);
    network_close(n);
}

static void put16(uint8_t *p, unsigned value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static size_t dhcp_discover(uint8_t *frame)
{
    static const uint8_t start[42] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2, 0,  0,  0,  0, 1, 8, 0,
                                      0x45, 0,    0,    0,    0,    1,    0, 0,  64, 17, 0, 0, 0, 0,
                                      0,    0,    0xFF, 0xFF, 0xFF, 0xFF, 0, 68, 0,  67, 0, 0, 0, 0};
    static const uint8_t transaction[4] = {'m', 'o', 't', 'e'};
    static const uint8_t options[] = {99, 130, 83, 99, 53, 1, 1, 255};
    enum { BOOTP = 236, TOTAL = 42 + BOOTP + 60 };
    memset(frame, 0, TOTAL);
    memcpy(frame, start, sizeof start);
    put16(frame + 16, TOTAL - 14);
    put16(frame + 38, TOTAL - 34);
    frame[42] = 1;
    frame[43] = 1;
    frame[44] = 6;
    memcpy(frame + 46, transaction, sizeof transaction);
    memcpy(frame + 70, frame + 6, 6);
    memcpy(frame + 42 + BOOTP, options, sizeof options);
    uint32_t sum = 0;
    for (unsigned i = 14; i < 34; i += 2)
        sum += (uint32_t)frame[i] << 8 | frame[i + 1];
    sum = (sum & 0xFFFF) + (sum >> 16);
    put16(frame + 24, ~(sum + (sum >> 16)) & 0xFFFF);
    return TOTAL;
}

static void slirp_offers_an_address(void **state)
{
    (void)state;
    static const uint8_t offered[4] = {10, 0, 2, 15};
    uint8_t frame[400];
    struct end end = {0};
    struct network *n = must_open("slirp", &end);
    network_send(n, frame, dhcp_discover(frame));
    turn(n);
    assert_int_equal(end.count, 1);
    assert_true(end.length > 282);
    assert_memory_equal(end.frame + 46, "mote", 4);
    assert_memory_equal(end.frame + 58, offered, 4);
    assert_int_equal(end.frame[284], 2); /* option 53: OFFER */
    network_close(n);
}

/* A port of the host that was free just now. */
static struct sockaddr_in free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    const int s = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(s, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(s, (struct sockaddr *)&address, &length), 0);
    (void)close(s);
    return address;
}

/* Somebody connects to the host's port: slirp looks for the board by ARP. */
static void slirp_forwards_a_port(void **state)
{
    (void)state;
    static const uint8_t guest[4] = {10, 0, 2, 15};
    char spec[128];
    struct end end = {0};
    const struct sockaddr_in port = free_port();
    (void)snprintf(spec, sizeof spec,
                   "slirp:hostfwd=tcp:127.0.0.1:%u-:80,hostfwd=udp:127.0.0.1:%u-10.0.2.15:7",
                   ntohs(port.sin_port), ntohs(port.sin_port));
    struct network *n = must_open(spec, &end);
    must_refuse(spec, "is it in use?");
    const int client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    (void)connect(client, (const struct sockaddr *)&port, sizeof port);
    for (unsigned i = 0; i < 20 && end.count == 0; i++) {
        end.now_ns += 100000000;
        turn(n);
    }
    assert_int_equal(end.frame[12] << 8 | end.frame[13], 0x0806);
    assert_memory_equal(end.frame + 38, guest, 4);
    (void)close(client);
    network_close(n);
}

static void two_boards_on_a_socket(void **state)
{
    (void)state;
    char spec[128];
    struct end a = {0}, b = {0};
    uint8_t frame[100] = {1, 2, 3};
    (void)snprintf(spec, sizeof spec, "socket:/tmp/mote-cable-%d", (int)getpid());
    struct network *first = must_open(spec, &a);
    struct network *second = must_open(spec, &b);
    turn(first);
    network_send(first, frame, sizeof frame);
    network_send(first, frame, 64);
    turn(second);
    assert_int_equal(b.count, 2);
    assert_int_equal(b.length, 64);
    network_send(second, frame, sizeof frame);
    turn(first);
    assert_int_equal(a.length, sizeof frame);
    assert_memory_equal(a.frame, frame, sizeof frame);
    /* The second goes and comes back. */
    network_close(second);
    network_send(first, frame, sizeof frame);
    turn(first);
    second = must_open(spec, &b);
    turn(first);
    network_send(second, frame, 70);
    turn(first);
    assert_int_equal(a.length, 70);
    /* The first goes: the second takes its place. */
    network_close(first);
    turn(second);
    turn(second);
    first = must_open(spec, &a);
    turn(second);
    network_send(second, frame, 80);
    turn(first);
    assert_int_equal(a.length, 80);
    network_close(first);
    network_close(second);
    assert_int_not_equal(access(spec + 7, F_OK), 0);
}

/* Frames that the kernel has received on the interface, from this namespace's /proc: the second figure. */
static unsigned long received_by_kernel(const char *name)
{
    char line[512];
    unsigned long packets = 0;
    FILE *f = fopen("/proc/thread-self/net/dev", "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f) != NULL) {
        char *at = strstr(line, name);
        if (at == NULL)
            continue;
        (void)strtoul(at + strlen(name) + 1, &at, 10);
        packets = strtoul(at, NULL, 10);
    }
    (void)fclose(f);
    return packets;
}

static void send_from_host(const char *interface, const uint8_t *frame, size_t length)
{
    const int s = socket(AF_PACKET, SOCK_RAW, 0);
    const struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(interface)};
    assert_true(s >= 0);
    assert_int_equal(sendto(s, frame, length, 0, (const struct sockaddr *)&to, sizeof to), length);
    (void)close(s);
}

/* In a network namespace of its own. The last test: the namespace stays. */
static void tap_carries_frames(void **state)
{
    (void)state;
    struct end end = {0};
    uint8_t frame[100] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2, 0, 0, 0, 0, 1, 0x88, 0xB5};
    if (unshare(CLONE_NEWNET) != 0 || access("/dev/net/tun", R_OK | W_OK) != 0) {
        print_message("needs root and /dev/net/tun\n");
        skip();
    }
    struct network *n = must_open("tap:motetest", &end);
    const unsigned long before = received_by_kernel("motetest");
    network_send(n, frame, sizeof frame);
    assert_int_equal(received_by_kernel("motetest"), before + 1);
    frame[20] = 77;
    send_from_host("motetest", frame, sizeof frame);
    for (unsigned i = 0; i < 100 && end.count == 0; i++) {
        struct pollfd fd;
        int timeout_ms = -1;
        assert_int_equal(network_fill(n, &fd, 1, &timeout_ms), 1);
        assert_true(poll(&fd, 1, 10000) > 0);
        network_dispatch(n, &fd, 1);
    }
    assert_memory_equal(end.frame, frame, sizeof frame);
    must_refuse("tap:motetest", "in use");
    network_close(n);
}

/* ---- The board with its driver at one end, slirp at the other ---- */

static void to_network(struct bench *b, const uint8_t *frame, size_t length)
{
    network_send(b->user, frame, length);
}

static void to_board(void *context, const uint8_t *frame, size_t length)
{
    struct bench *b = context;
    ethernet_receive(b->m, frame, length);
}

static int64_t board_clock_ns(void *context)
{
    const struct bench *b = context;
    return (int64_t)(machine_now(b->m) / VTIME_NS(1));
}

static void board_gets_an_offer_through_its_dma(void **state)
{
    (void)state;
    static const uint8_t offered[4] = {10, 0, 2, 15};
    char message[NETWORK_MESSAGE];
    uint8_t frame[400];
    struct bench *b = bench_new();
    const struct network_user user = {.context = b, .deliver = to_board, .clock_ns = board_clock_ns};
    struct network *n = network_open("slirp", &user, message, sizeof message);
    assert_non_null(n);
    b->user = n;
    b->frame_out = to_network;
    bench_start(b, 4, 1536, MACCR_IPCO);
    bench_tx_descriptor(b, 0, TDES0_FIRST | TDES0_LAST, frame, dhcp_discover(frame));
    bench_write(b, ETH_DMATPDR, 0);
    bench_wait(b, VTIME_MS(1));
    turn(n);
    bench_wait(b, VTIME_MS(1));
    const uint8_t *answer = b->m->sram + (RX_BUFFERS - SRAM_BASE);
    assert_false(bench_rx_status(b, 0) & DESC_OWN);
    assert_int_equal(bench_rx_status(b, 0) & 0xA1, BIT(5)); /* IPv4, no checksum error */
    assert_memory_equal(answer + 58, offered, 4);
    network_close(n);
    bench_free(b);
}

static uint32_t word(const uint8_t *p)
{
    uint32_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

static void capture_is_a_pcap_file(void **state)
{
    (void)state;
    char path[64], message[NETWORK_MESSAGE];
    uint8_t file[256], frame[60] = {9, 8, 7};
    (void)snprintf(path, sizeof path, "/tmp/mote-capture-%d.pcap", (int)getpid());
    struct pcap *p = pcap_open(path, message, sizeof message);
    assert_non_null(p);
    assert_true(pcap_write(p, 1234567890123456u, frame, sizeof frame));
    assert_true(pcap_write(p, 1234567890124456u, frame, 42));
    pcap_close(p);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    const size_t length = fread(file, 1, sizeof file, f);
    (void)fclose(f);
    (void)unlink(path);
    assert_int_equal(length, 24 + 16 + 60 + 16 + 42);
    assert_int_equal(word(file), 0xA1B23C4D);
    assert_int_equal(word(file + 4), 4u << 16 | 2);
    assert_int_equal(word(file + 20), 1);
    assert_int_equal(word(file + 24), 1234);
    assert_int_equal(word(file + 28), 567890123);
    assert_int_equal(word(file + 32), 60);
    assert_memory_equal(file + 40, frame, 60);
    assert_int_equal(word(file + 100 + 4), 567890124);
    assert_int_equal(word(file + 100 + 12), 42);
    assert_null(pcap_open("/nonexistent/x.pcap", message, sizeof message));
    assert_non_null(strstr(message, "No such file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_say_what_to_do),  cmocka_unit_test(tap_without_permission),
        cmocka_unit_test(slirp_answers_arp),      cmocka_unit_test(slirp_offers_an_address),
        cmocka_unit_test(slirp_forwards_a_port),  cmocka_unit_test(two_boards_on_a_socket),
        cmocka_unit_test(capture_is_a_pcap_file), cmocka_unit_test(board_gets_an_offer_through_its_dma),
        cmocka_unit_test(tap_carries_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
