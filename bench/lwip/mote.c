/* `net` in bench/lwip/versus.h. */
#include "bench/lwip/versus.h"
#include "net/dns.h"
#include "net/tcp.h"
#include "net/udp.h"

static struct net net;
static struct tcp_socket tcp;
static struct udp_socket udp;
static struct net_device bench_device;

static void configure(uint32_t address)
{
    struct net_config config = {
        .address = address, .netmask = 0xFFFFFF00, .seed = {1, 2, 3, 4}, .hostname = "mote"};
    memcpy(config.mac, our_mac, 6);
    net_init(&net, &config, &bench_device);
}

static void stack_set_up(void)
{
    bench_device = device;
    if (BENCH_SOFTWARE_CHECKSUMS) {
        bench_device.capabilities = 0;
    }
    configure(OUR_ADDRESS);
    tcp_init(&tcp, &net, tx, sizeof tx, rx, sizeof rx);
    int error = udp_open(&udp, &net, OUR_PORT);
    CHECK(error == NET_OK);
    net_link(&net, true, NOW_MS);
}

static void stack_poll(void)
{
    (void)net_poll(&net, NOW_MS);
}

static void stack_connect(void)
{
    int error = tcp_connect(&tcp, PEER_ADDRESS, PEER_PORT, NOW_MS);
    CHECK(error == NET_OK);
    stack_poll();
}

static bool stack_connected(void)
{
    return tcp_state(&tcp) == TCP_ESTABLISHED;
}

static void stack_take(size_t length)
{
    const uint8_t *data;
    size_t n = tcp_peek(&tcp, &data);
    CHECK(n == length);
    tcp_consume(&tcp, n);
    net_flush(&net, NOW_MS);
}

static void stack_send(size_t length)
{
    struct tcp_span room[2];
    size_t free = tcp_reserve(&tcp, room);
    CHECK(free >= length);
    tcp_commit(&tcp, length);
    net_flush(&net, NOW_MS);
}

static bool stack_take_datagram(size_t length)
{
    struct udp_datagram datagram;
    return udp_receive(&udp, &datagram) && datagram.length == length;
}

static void stack_send_datagram(size_t length)
{
    int error = udp_send(&udp, PEER_ADDRESS, 4000, tx, length);
    CHECK(error == NET_OK);
}

static void stack_idle(void)
{
    stack_poll();
}

static void stack_find_broker(void)
{
    uint32_t address = 0;
    configure(0);
    int error = dns_start(&net, "broker.example", NOW_MS);
    CHECK(error == NET_OK);
    stack_poll();
    error = dns_result(&net, &address);
    CHECK(error == NET_OK);
}
