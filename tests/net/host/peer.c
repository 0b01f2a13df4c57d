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
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/udp.h"
#include "target/posix/argument.h"
#include "target/posix/linux_host.h"
#include "tests/net/host/iperf3.h"
#include "tests/net/host/services.h"

static const char help[] = "net-host [OPTION...]\n" LINUX_HOST_HELP "  --cubic          congestion control\n"
                           "  --tx, --rx BYTES buffers of a connection, default 32768\n"
                           "  --bytes N        that the source sends, default 1000000\n";

static struct linux_host_options options = {
    .net = "slirp",
    .config = {.mac = {0x02, 0, 0, 0, 1, 2}, .at_once = true},
};
static uint64_t tx_bytes = 32768, rx_bytes = 32768, source_bytes = 1000000;
static bool cubic;

enum { ECHO, DISCARD, SOURCE, IPERF, SERVICES };

static struct linux_host host;
static struct udp_socket udp;
static uint64_t datagrams;
static struct service services[SERVICES];

static volatile sig_atomic_t ended;

static void on_end(int signal_number)
{
    (void)signal_number;
    ended = 1;
}

static void open_services(void)
{
    static void (*const serve[SERVICES])(struct service *, struct connection *) = {
        serve_echo, serve_discard, serve_source, serve_iperf3};
    static const uint16_t ports[SERVICES] = {ECHO_PORT, DISCARD_PORT, SOURCE_PORT, IPERF_PORT};

    for (unsigned i = 0; i < SERVICES; i++) {
        struct service *s = &services[i];
        s->serve = serve[i];
        s->limit = source_bytes;
        if (!service_open(s, &host.net, ports[i], tx_bytes, rx_bytes, linux_now_ms()))
            linux_host_leave(EXIT_FAILURE, "port %u cannot be served", ports[i]);
        for (unsigned k = 0; cubic && k < CONNECTIONS; k++)
            tcp_set_congestion_control(&s->connections[k].tcp, TCP_CUBIC);
    }
    if (udp_open(&udp, &host.net, ECHO_PORT) != NET_OK)
        linux_host_leave(EXIT_FAILURE, "UDP port %u cannot be opened", ECHO_PORT);
}

static void echo_datagram(void)
{
    static uint8_t copy[NET_FRAGMENT_BYTES];
    struct udp_datagram datagram;

    if (!udp_receive(&udp, &datagram) || udp_busy(&udp))
        return;
    memcpy(copy, datagram.data, datagram.length);
    if (udp_send(&udp, datagram.source, datagram.source_port, copy, datagram.length) == NET_OK)
        datagrams++;
}

static bool step(void)
{
    bool more = linux_host_poll(&host);
    echo_datagram();
    for (unsigned i = 0; i < SERVICES; i++)
        service_run(&services[i], linux_now_ms());
    return more;
}

static bool at_rest(void)
{
    bool resting = host.wire.lent == NULL && !udp_busy(&udp);

    for (unsigned i = 0; i < SERVICES; i++)
        resting = resting && service_at_rest(&services[i]);
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
        linux_host_rest(&host, 200); /* for a signal that came just before */
        if (ended && ended_ms == 0)
            ended_ms = linux_now_ms();
    } while (!ended || (!at_rest() && linux_now_ms() - ended_ms < PATIENCE_MS));

    uint64_t bad = services[DISCARD].bad;
    for (unsigned i = 0; i < SERVICES; i++) {
        const struct service *s = &services[i];
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
                 datagrams, bad, net_statistics(&host.net)->tcp_retransmissions);
    (void)printf("%" PRIu32 " frames received\n", net_statistics(&host.net)->frames_received);
    (void)puts(at_rest() ? "at rest" : "not at rest");
    return at_rest() && bad == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- Command line ---- */

static bool take_option(int option, const char *text)
{
    switch (option) {
    case 'u': return cubic = true;
    case 't': return argument_number(text, TCP_BUFFER_MIN, BUFFER_MAX, &tx_bytes);
    case 'r': return argument_number(text, TCP_BUFFER_MIN, BUFFER_MAX, &rx_bytes);
    case 'b': return argument_number(text, 1, UINT64_MAX / 16000, &source_bytes);
    case 'h': (void)fputs(help, stdout); exit(EXIT_SUCCESS);
    default: return linux_host_option(&options, option, text);
    }
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        LINUX_HOST_OPTIONS,
        {"cubic", no_argument, NULL, 'u'},
        {"tx", required_argument, NULL, 't'},
        {"rx", required_argument, NULL, 'r'},
        {"bytes", required_argument, NULL, 'b'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const struct sigaction end = {.sa_handler = on_end};

    linux_host_arguments(argc, argv, known, take_option);
    if (optind < argc)
        linux_host_leave(2, "%s is no option; --help lists them", argv[optind]);
    (void)sigaction(SIGTERM, &end, NULL);
    (void)sigaction(SIGINT, &end, NULL);
    linux_host_open(&host, &options);
    open_services();
    (void)puts("net-host: up");
    (void)fflush(stdout);
    int status = run();
    linux_host_close(&host);
    return status;
}
