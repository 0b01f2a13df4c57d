/*
 * `net` on Linux as a program: a host of its own on a TAP device or in user mode,
 * for tests against other stacks.
 *
 *   net-peer [OPTION...] source HOST PORT BYTES     connects, sends so many bytes, closes
 *   net-peer [OPTION...] sink HOST PORT             connects, reads until the other side closes
 *   net-peer [OPTION...] echo HOST PORT BYTES       sends, and wants the same bytes back
 *   net-peer [OPTION...] udp-echo PORT              sends datagrams back; needs --for
 *   net-peer [OPTION...] wait                       answers ARP and echo; needs --for
 *
 * Bytes are those of a pattern, byte n being n * 31 + n / 256 modulo 256, and are compared. The last
 * line says what has passed. Exit status 0: all of it; 1: not; 2: the command line cannot be meant.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/tcp.h"
#include "net/udp.h"
#include "target/posix/argument.h"
#include "target/posix/linux_host.h"

static const char help[] =
    "net-peer [OPTION...] source HOST PORT BYTES | sink HOST PORT | echo HOST PORT BYTES | udp-echo PORT | "
    "wait\n" LINUX_HOST_HELP "  --tx, --rx BYTES buffers of the connection, default 16384\n"
    "  --for SECONDS    ends then; default 60\n";

enum { BUFFER_MAX = 65535 };

static struct linux_host_options options = {.net = "slirp", .config = {.mac = {0x02, 0, 0, 0, 1, 1}}};
static uint64_t tx_bytes = 16384, rx_bytes = 16384, limit_s = 60;

static struct linux_host host;
static uint8_t tx[BUFFER_MAX], rx[BUFFER_MAX];

static uint8_t pattern(uint64_t n)
{
    return (uint8_t)(n * 31 + n / 256);
}

/* Handles at most one frame; datagrams and unread bytes are to be fetched after each. */
static bool step(void)
{
    return linux_host_poll(&host);
}

static bool time_is_up(void)
{
    return linux_now_us() > limit_s * 1000000;
}

static void rest(void)
{
    linux_host_rest(&host, 100); /* for the limit */
}

/* ---- TCP ---- */

struct transfer {
    struct tcp_socket tcp;
    uint64_t to_send, sent, received;
    bool echo;   /* close when all has come back */
    bool closed; /* by us */
};

static void fill(struct transfer *t)
{
    struct tcp_span room[2] = {{0}, {0}};
    uint64_t total = tcp_reserve(&t->tcp, room);

    if (total > t->to_send - t->sent)
        total = t->to_send - t->sent;
    for (uint64_t i = 0; i < total; i++) {
        uint8_t *to = i < room[0].length ? &room[0].data[i] : &room[1].data[i - room[0].length];
        *to = pattern(t->sent + i);
    }
    if (total > 0)
        tcp_commit(&t->tcp, total);
    t->sent += total;
}

static void drain(struct transfer *t)
{
    const uint8_t *bytes;
    size_t length = tcp_peek(&t->tcp, &bytes);

    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != pattern(t->received + i))
            linux_host_leave(EXIT_FAILURE, "byte %" PRIu64 " is 0x%02x, not 0x%02x", t->received + i,
                             bytes[i], pattern(t->received + i));
    }
    tcp_consume(&t->tcp, length);
    t->received += length;
}

/* Whose turn is it to close? A source when it has sent all, an echo when all is back, a sink after the other
 * side. */
static void close_when_done(struct transfer *t)
{
    enum tcp_state state = tcp_state(&t->tcp);
    bool done = t->echo ? t->received >= t->to_send : t->to_send > 0 && t->sent == t->to_send;

    if (state == TCP_SYN_SENT)
        return; /* a close would end it before it has begun (RFC 9293 3.10.4) */
    if (!t->closed && (done || state == TCP_CLOSE_WAIT)) {
        tcp_close(&t->tcp);
        t->closed = true;
    }
}

static void connect_to(struct transfer *t, uint32_t address, uint16_t port)
{
    while (!net_is_up(&host.net)) {
        while (step()) {
        }
        if (time_is_up())
            linux_host_leave(EXIT_FAILURE, "no address from DHCP in %" PRIu64 " s", limit_s);
        rest();
    }
    tcp_init(&t->tcp, &host.net, tx, tx_bytes, rx, rx_bytes);
    int error = tcp_connect(&t->tcp, address, port, linux_now_ms());
    if (error != NET_OK)
        linux_host_leave(EXIT_FAILURE, "cannot connect (%d, enum net_error)", error);
}

static int transfer(struct transfer *t, uint32_t address, uint16_t port)
{
    connect_to(t, address, port);
    uint64_t start_us = linux_now_us();
    while (tcp_state(&t->tcp) != TCP_CLOSED && tcp_state(&t->tcp) != TCP_TIME_WAIT) {
        bool more;
        do {
            more = step();
            drain(t);
            fill(t);
            close_when_done(t);
        } while (more);
        if (time_is_up())
            linux_host_leave(EXIT_FAILURE,
                             "%" PRIu64 " s have passed: sent %" PRIu64 ", received %" PRIu64
                             " bytes, state %d",
                             limit_s, t->sent, t->received, (int)tcp_state(&t->tcp));
        rest();
    }
    uint64_t us = linux_now_us() - start_us;
    uint64_t bytes = t->sent + t->received;
    bool complete =
        tcp_error(&t->tcp) == NET_OK && t->sent == t->to_send && (!t->echo || t->received == t->sent);
    (void)printf("%s: sent %" PRIu64 ", received %" PRIu64 " bytes in %" PRIu64 " ms, %" PRIu64
                 " kbit/s, %u segments sent again, error %d\n",
                 complete ? "complete" : "incomplete", t->sent, t->received, us / 1000,
                 bytes * 8000 / (us + 1), (unsigned)net_statistics(&host.net)->tcp_retransmissions,
                 tcp_error(&t->tcp));
    return complete ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- UDP ---- */

static int udp_echo(uint16_t port)
{
    static uint8_t copy[1472];
    struct udp_socket udp;
    struct udp_datagram datagram;
    uint64_t echoed = 0;

    if (udp_open(&udp, &host.net, port) != NET_OK)
        linux_host_leave(EXIT_FAILURE, "port %u cannot be opened", port);
    while (!time_is_up()) {
        bool more;
        do {
            more = step();
            if (!udp_receive(&udp, &datagram) || udp_busy(&udp))
                continue;
            memcpy(copy, datagram.data, datagram.length);
            if (udp_send(&udp, datagram.source, datagram.source_port, copy, datagram.length) == NET_OK)
                echoed++;
        } while (more);
        rest();
    }
    (void)printf("echoed %" PRIu64 " datagrams\n", echoed);
    return EXIT_SUCCESS;
}

static int wait_for_end(void)
{
    while (!time_is_up()) {
        while (step()) {
        }
        rest();
    }
    (void)printf("received %u, sent %u frames\n", (unsigned)net_statistics(&host.net)->frames_received,
                 (unsigned)net_statistics(&host.net)->frames_sent);
    return EXIT_SUCCESS;
}

/* ---- Command line ---- */

static bool take_option(int option, const char *text)
{
    switch (option) {
    case 't': return argument_number(text, TCP_BUFFER_MIN, BUFFER_MAX, &tx_bytes);
    case 'r': return argument_number(text, TCP_BUFFER_MIN, BUFFER_MAX, &rx_bytes);
    case 'f': return argument_number(text, 0, 1000000, &limit_s);
    case 'h': (void)fputs(help, stdout); exit(EXIT_SUCCESS);
    default: return linux_host_option(&options, option, text);
    }
}

/* COMMAND HOST PORT [BYTES] */
static int run_tcp(int count, char **words, bool sends, bool echo)
{
    static struct transfer t;
    uint32_t address;
    uint64_t port;

    if (count != (sends ? 4 : 3) || !argument_address(words[1], &address) ||
        !argument_number(words[2], 1, UINT16_MAX, &port) ||
        (sends && !argument_number(words[3], 1, UINT64_MAX / 16000, &t.to_send)))
        linux_host_leave(2, "after %s come an address, a port%s", words[0],
                         sends ? " and a number of bytes" : "");
    t.echo = echo;
    linux_host_open(&host, &options);
    return transfer(&t, address, (uint16_t)port);
}

static int run(int count, char **words)
{
    uint64_t port;

    if (count > 0 && strcmp(words[0], "source") == 0)
        return run_tcp(count, words, true, false);
    if (count > 0 && strcmp(words[0], "sink") == 0)
        return run_tcp(count, words, false, false);
    if (count > 0 && strcmp(words[0], "echo") == 0)
        return run_tcp(count, words, true, true);
    if (count == 2 && strcmp(words[0], "udp-echo") == 0 && argument_number(words[1], 1, UINT16_MAX, &port)) {
        linux_host_open(&host, &options);
        return udp_echo((uint16_t)port);
    }
    if (count == 1 && strcmp(words[0], "wait") == 0) {
        linux_host_open(&host, &options);
        return wait_for_end();
    }
    linux_host_leave(2, "what shall it do? --help lists it");
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        LINUX_HOST_OPTIONS,
        {"tx", required_argument, NULL, 't'},
        {"rx", required_argument, NULL, 'r'},
        {"for", required_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };

    linux_host_arguments(argc, argv, known, take_option);
    int status = run(argc - optind, argv + optind);
    linux_host_close(&host);
    return status;
}
