/*
 * `net` with everything on as a server on Linux, for tests against the kernel's stack and its tools
 * (tests/system/test_linux_peer.py); net-peer is the client.
 *
 *   net-host [OPTION...]
 *
 * TCP: echo (port 7), discard (9), a source of bytes (19), and what an iperf3 client wants of its server
 * (5201). UDP: echo (7). Says "up" when it is, and ends with SIGTERM; then every socket must be free and
 * every frame given back, or the exit status is 1.
 */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/udp.h"
#include "target/posix/argument.h"
#include "target/posix/checksum_device.h"
#include "target/posix/impaired_device.h"
#include "target/posix/linux_device.h"
#include "tests/net/host/iperf3.h"
#include "tests/net/host/services.h"

static const char help[] =
    "net-host [OPTION...]\n"
    "  --net NETWORK    tap:NAME, socket:PATH, slirp (default)\n"
    "  --ip ADDRESS/PREFIX    unset: DHCP\n"
    "  --impair LIST    loss=1.5,dup=1,reorder=2,corrupt=0.1,delay=20,jitter=5,rate=10000,seed=7\n"
    "  --checksums      the device computes them, not the stack\n"
    "  --cubic          congestion control\n"
    "  --tx, --rx BYTES buffers of a connection, default 32768\n"
    "  --bytes N        that the source sends, default 1000000\n";

static struct {
    const char *net;
    bool impaired, checksums, cubic;
    struct impairment_config impairment;
    uint64_t tx_bytes, rx_bytes, source_bytes;
    struct net_config config;
} options = {
    .net = "slirp",
    .tx_bytes = 32768,
    .rx_bytes = 32768,
    .source_bytes = 1000000,
    .config = {.mac = {0x02, 0, 0, 0, 1, 2}, .at_once = true},
};

enum { ECHO, DISCARD, SOURCE, IPERF, SERVICES };

static struct {
    struct linux_device wire;
    struct impaired_device link;
    struct checksum_device mac;
    struct net net;
    struct udp_socket udp;
    uint64_t datagrams;
    struct service services[SERVICES];
} host;

static volatile sig_atomic_t ended;

static void on_end(int signal_number)
{
    (void)signal_number;
    ended = 1;
}

static _Noreturn __attribute__((format(printf, 2, 3))) void leave(int status, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)fputs("net-host: ", stderr);
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

/* ---- The host ---- */

static void open_net(void)
{
    const struct net_device *device = &host.wire.device;
    char message[NETWORK_MESSAGE];

    if (!linux_device_open(&host.wire, options.net, linux_now_us, message, sizeof message))
        leave(EXIT_FAILURE, "%s", message);
    if (options.impaired) {
        if (!impaired_device_init(&host.link, device, &options.impairment, &options.impairment, clock_us,
                                  NULL))
            leave(EXIT_FAILURE, "such a link cannot be made over this device");
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

static void open_services(void)
{
    static void (*const serve[SERVICES])(struct service *, struct connection *) = {
        serve_echo, serve_discard, serve_source, serve_iperf3};
    static const uint16_t ports[SERVICES] = {ECHO_PORT, DISCARD_PORT, SOURCE_PORT, IPERF_PORT};

    for (unsigned i = 0; i < SERVICES; i++) {
        struct service *s = &host.services[i];
        s->serve = serve[i];
        s->limit = options.source_bytes;
        if (!service_open(s, &host.net, ports[i], options.tx_bytes, options.rx_bytes, now_ms()))
            leave(EXIT_FAILURE, "port %u cannot be served", ports[i]);
        for (unsigned k = 0; options.cubic && k < CONNECTIONS; k++)
            tcp_set_congestion_control(&s->connections[k].tcp, TCP_CUBIC);
    }
    if (udp_open(&host.udp, &host.net, ECHO_PORT) != NET_OK)
        leave(EXIT_FAILURE, "UDP port %u cannot be opened", ECHO_PORT);
}

static void echo_datagram(void)
{
    static uint8_t copy[NET_FRAGMENT_BYTES];
    struct udp_datagram datagram;

    if (!udp_receive(&host.udp, &datagram) || udp_busy(&host.udp))
        return;
    memcpy(copy, datagram.data, datagram.length);
    if (udp_send(&host.udp, datagram.source, datagram.source_port, copy, datagram.length) == NET_OK)
        host.datagrams++;
}

static bool step(void)
{
    if (options.impaired)
        impaired_device_run(&host.link);
    bool more = net_poll(&host.net, now_ms());
    echo_datagram();
    for (unsigned i = 0; i < SERVICES; i++)
        service_run(&host.services[i], now_ms());
    return more;
}

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
    linux_device_wait(&host.wire, wait_ms < 200 ? wait_ms : 200); /* for a signal that came just before */
}

static bool at_rest(void)
{
    bool resting = host.wire.lent == NULL && !udp_busy(&host.udp);

    for (unsigned i = 0; i < SERVICES; i++)
        resting = resting && service_at_rest(&host.services[i]);
    return resting;
}

/* Connections that peers have left go on for some time; so long at most: */
enum { PATIENCE_MS = 10000 };

static int run(void)
{
    uint32_t ended_ms = 0;

    do {
        while (step()) {
        }
        rest();
        if (ended && ended_ms == 0)
            ended_ms = now_ms();
    } while (!ended || (!at_rest() && now_ms() - ended_ms < PATIENCE_MS));

    uint64_t bad = host.services[DISCARD].bad;
    for (unsigned i = 0; i < SERVICES; i++) {
        const struct service *s = &host.services[i];
        (void)printf("port %u: %" PRIu64 " connections served, %" PRIu64 " failed, received %" PRIu64
                     ", sent %" PRIu64 " bytes\n",
                     s->port, s->served, s->failed, s->received, s->sent);
        for (unsigned k = 0; k < CONNECTIONS; k++) {
            const struct tcp_socket *tcp = &s->connections[k].tcp;
            if (tcp_state(tcp) != TCP_LISTEN)
                (void)printf("port %u: a connection with port %u in state %d, %zu bytes queued\n", s->port,
                             tcp_remote_port(tcp), (int)tcp_state(tcp), tcp_queued(tcp));
        }
    }
    (void)printf("%" PRIu64 " datagrams echoed, %" PRIu64 " bytes wrong, %" PRIu32 " segments sent again\n",
                 host.datagrams, bad, net_statistics(&host.net)->tcp_retransmissions);
    (void)printf("%" PRIu32 " frames received\n", net_statistics(&host.net)->frames_received);
    (void)puts(at_rest() ? "at rest" : "not at rest");
    return at_rest() && bad == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- Command line ---- */

static bool take_option(int option, const char *text)
{
    char message[IMPAIRMENT_MESSAGE];

    switch (option) {
    case 'n': options.net = text; return true;
    case 'i': return argument_host(text, &options.config.address, &options.config.netmask);
    case 'x':
        options.impaired = true;
        if (!impairment_parse(text, &options.impairment, message, sizeof message))
            leave(2, "%s", message);
        return true;
    case 'c': return options.checksums = true;
    case 'u': return options.cubic = true;
    case 't': return argument_number(text, TCP_BUFFER_MIN, BUFFER_MAX, &options.tx_bytes);
    case 'r': return argument_number(text, TCP_BUFFER_MIN, BUFFER_MAX, &options.rx_bytes);
    case 'b': return argument_number(text, 1, UINT64_MAX / 16000, &options.source_bytes);
    case 'h': (void)fputs(help, stdout); exit(EXIT_SUCCESS);
    default: return false;
    }
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        {"net", required_argument, NULL, 'n'},    {"ip", required_argument, NULL, 'i'},
        {"impair", required_argument, NULL, 'x'}, {"checksums", no_argument, NULL, 'c'},
        {"cubic", no_argument, NULL, 'u'},        {"tx", required_argument, NULL, 't'},
        {"rx", required_argument, NULL, 'r'},     {"bytes", required_argument, NULL, 'b'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
    };
    const struct sigaction end = {.sa_handler = on_end};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (!take_option(option, optarg))
            leave(2, "%s%s cannot be meant; --help lists the options", option == '?' ? "that" : "",
                  optarg ? optarg : "");
    }
    if (optind < argc)
        leave(2, "%s is no option; --help lists them", argv[optind]);
    (void)sigaction(SIGTERM, &end, NULL);
    (void)sigaction(SIGINT, &end, NULL);
    open_net();
    open_services();
    (void)puts("net-host: up");
    (void)fflush(stdout);
    int status = run();
    if (options.impaired)
        impaired_device_close(&host.link);
    linux_device_close(&host.wire);
    return status;
}
