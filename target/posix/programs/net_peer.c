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
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/tcp.h"
#include "net/udp.h"
#include "target/posix/argument.h"
#include "target/posix/checksum_device.h"
#include "target/posix/impaired_device.h"
#include "target/posix/linux_device.h"

static const char help[] =
    "net-peer [OPTION...] source HOST PORT BYTES | sink HOST PORT | echo HOST PORT BYTES | udp-echo PORT | "
    "wait\n"
    "  --net NETWORK    tap:NAME, socket:PATH, slirp (default)\n"
    "  --ip ADDRESS/PREFIX, --gateway ADDRESS    unset: DHCP\n"
    "  --mac ADDRESS    default 02-00-00-00-01-01\n"
    "  --impair LIST    "
    "loss=1.5,dup=1,reorder=2,corrupt=0.1,delay=20,jitter=5,hold=10,rate=10000,queue=50,seed=7\n"
    "  --checksums      the device computes them, not the stack\n"
    "  --tx, --rx BYTES buffers of the connection, default 16384\n"
    "  --for SECONDS    ends then; default 60\n"
    "  --pcap FILE      records the frames\n";

enum { BUFFER_MAX = 65535 };

static struct {
    const char *net;
    const char *pcap;
    bool impaired, checksums;
    struct impairment_config impairment;
    uint64_t tx_bytes, rx_bytes, limit_s;
    struct net_config config;
} options = {
    .net = "slirp",
    .tx_bytes = 16384,
    .rx_bytes = 16384,
    .limit_s = 60,
    .config = {.mac = {0x02, 0, 0, 0, 1, 1}},
};

static struct {
    struct linux_device wire;
    struct impaired_device link;
    struct checksum_device mac;
    struct net net;
    uint8_t tx[BUFFER_MAX], rx[BUFFER_MAX];
} host;

static _Noreturn __attribute__((format(printf, 2, 3))) void leave(int status, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)fputs("net-peer: ", stderr);
    (void)vfprintf(stderr, format, arguments);
    (void)fputc('\n', stderr);
    va_end(arguments);
    exit(status);
}

static uint32_t now_ms(void)
{
    return (uint32_t)(linux_now_us() / 1000);
}

static uint64_t clock_us(void *clock)
{
    (void)clock;
    return linux_now_us();
}

static uint8_t pattern(uint64_t n)
{
    return (uint8_t)(n * 31 + n / 256);
}

/* ---- The host ---- */

static void open_host(void)
{
    const struct net_device *device = &host.wire.device;
    char message[NETWORK_MESSAGE];

    if (!linux_device_open(&host.wire, options.net, linux_now_us, message, sizeof message) ||
        (options.pcap && !(host.wire.pcap = pcap_open(options.pcap, message, sizeof message))))
        leave(EXIT_FAILURE, "%s", message);
    if (options.impaired) {
        (void)!impaired_device_init(&host.link, device, &options.impairment, &options.impairment, clock_us,
                                    NULL);
        device = &host.link.device;
    }
    if (options.checksums) {
        checksum_device_init(&host.mac, device);
        device = &host.mac.device;
    }
    FILE *random = fopen("/dev/urandom", "re");
    if (!random || fread(options.config.seed, sizeof options.config.seed, 1, random) != 1)
        leave(EXIT_FAILURE, "no random numbers from /dev/urandom");
    (void)fclose(random);
    net_init(&host.net, &options.config, device);
    net_link(&host.net, true, now_ms());
}

/* Handles at most one frame; datagrams and unread bytes are to be fetched after each. */
static bool step(void)
{
    if (options.impaired)
        impaired_device_run(&host.link);
    return net_poll(&host.net, now_ms());
}

static bool time_is_up(void)
{
    return linux_now_us() > options.limit_s * 1000000;
}

/* Sends what is queued and sleeps until something is to be done. */
static void rest(void)
{
    net_flush(&host.net, now_ms());
    uint32_t wait_ms = net_wait_ms(&host.net, now_ms());
    if (options.impaired) {
        uint64_t due_us = impaired_device_due_us(&host.link), now_us = linux_now_us();
        uint64_t due_ms = due_us > now_us ? (due_us - now_us + 999) / 1000 : 0;
        if (due_ms < wait_ms)
            wait_ms = (uint32_t)due_ms;
    }
    linux_device_wait(&host.wire, wait_ms < 100 ? wait_ms : 100); /* for the limit */
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
            leave(EXIT_FAILURE, "byte %" PRIu64 " is 0x%02x, not 0x%02x", t->received + i, bytes[i],
                  pattern(t->received + i));
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
            leave(EXIT_FAILURE, "no address from DHCP in %" PRIu64 " s", options.limit_s);
        rest();
    }
    tcp_init(&t->tcp, &host.net, host.tx, options.tx_bytes, host.rx, options.rx_bytes);
    int error = tcp_connect(&t->tcp, address, port, now_ms());
    if (error != NET_OK)
        leave(EXIT_FAILURE, "cannot connect (%d, enum net_error)", error);
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
            leave(EXIT_FAILURE,
                  "%" PRIu64 " s have passed: sent %" PRIu64 ", received %" PRIu64 " bytes, state %d",
                  options.limit_s, t->sent, t->received, (int)tcp_state(&t->tcp));
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
        leave(EXIT_FAILURE, "port %u cannot be opened", port);
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
    char message[IMPAIRMENT_MESSAGE];

    switch (option) {
    case 'n': options.net = text; return true;
    case 'i': return argument_host(text, &options.config.address, &options.config.netmask);
    case 'g': return argument_address(text, &options.config.gateway);
    case 'm': return argument_mac(text, options.config.mac);
    case 'x':
        options.impaired = true;
        if (!impairment_parse(text, &options.impairment, message, sizeof message))
            leave(2, "%s", message);
        return true;
    case 'c': return options.checksums = true;
    case 't': return argument_number(text, TCP_BUFFER_MIN, BUFFER_MAX, &options.tx_bytes);
    case 'r': return argument_number(text, TCP_BUFFER_MIN, BUFFER_MAX, &options.rx_bytes);
    case 'f': return argument_number(text, 0, 1000000, &options.limit_s);
    case 'p': options.pcap = text; return true;
    case 'h': (void)fputs(help, stdout); exit(EXIT_SUCCESS);
    default: return false;
    }
}

static void take_options(int argc, char **argv)
{
    static const struct option known[] = {
        {"net", required_argument, NULL, 'n'},     {"ip", required_argument, NULL, 'i'},
        {"gateway", required_argument, NULL, 'g'}, {"mac", required_argument, NULL, 'm'},
        {"impair", required_argument, NULL, 'x'},  {"checksums", no_argument, NULL, 'c'},
        {"tx", required_argument, NULL, 't'},      {"rx", required_argument, NULL, 'r'},
        {"for", required_argument, NULL, 'f'},     {"pcap", required_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (!take_option(option, optarg))
            leave(2, "%s%s cannot be meant; --help lists the options", option == '?' ? "that" : "",
                  optarg ? optarg : "");
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
        leave(2, "after %s come an address, a port%s", words[0], sends ? " and a number of bytes" : "");
    t.echo = echo;
    open_host();
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
        open_host();
        return udp_echo((uint16_t)port);
    }
    if (count == 1 && strcmp(words[0], "wait") == 0) {
        open_host();
        return wait_for_end();
    }
    leave(2, "what shall it do? --help lists it");
}

int main(int argc, char **argv)
{
    take_options(argc, argv);
    int status = run(argc - optind, argv + optind);
    if (options.impaired)
        impaired_device_close(&host.link);
    pcap_close(host.wire.pcap);
    linux_device_close(&host.wire);
    return status;
}
