/*
 * lwIP in bench/lwip/versus.h: the raw interface, and a driver that copies nothing. A received frame is a
 * pbuf of the driver's own, with the frame behind it; sent is what a chain of pbufs refers to.
 */
#include "lwip/dhcp.h"
#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/sys.h"
#include "lwip/tcp.h"
#include "lwip/timeouts.h"
#include "lwip/udp.h"
#include "netif/ethernet.h"
#undef TCP_FIN
#undef TCP_SYN
#undef TCP_RST
#undef TCP_PSH
#undef TCP_ACK
#undef TCP_URG
#include "bench/lwip/versus.h"

static struct netif netif;
static struct tcp_pcb *tcp;
static struct udp_pcb *udp;
static size_t tcp_received, udp_received;
static bool connected;
static const ip4_addr_t our_address = {PP_HTONL(OUR_ADDRESS)}, peer_address = {PP_HTONL(PEER_ADDRESS)};

/* Initialised, so that it lies in memory before wire.frame: lwIP compares the two to find room for headers.
 */
static struct pbuf_custom received = {.pbuf = {.ref = 1}};

u32_t sys_now(void)
{
    return NOW_MS;
}

/* ---- Driver ---- */

static void free_received(struct pbuf *p)
{
    (void)p;
    device.release(NULL);
}

/* Its head is in the first pbuf, the payload, if any, in the next. */
static err_t send_frame(struct netif *n, struct pbuf *p)
{
    (void)n;
    (void)device.send(NULL, p->len, p->next ? p->next->payload : NULL, (size_t)(p->tot_len - p->len));
    if (!connected) {
        memcpy(wire.head, p->payload, p->len); /* for answer_syn */
    }
    return ERR_OK;
}

static err_t init_netif(struct netif *n)
{
    n->output = etharp_output;
    n->linkoutput = send_frame;
    n->mtu = 1500;
    n->hwaddr_len = 6;
    memcpy(n->hwaddr, our_mac, 6);
    n->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
    return ERR_OK;
}

static void stack_poll(void)
{
    uint8_t *frame;
    size_t length = device.receive(NULL, &frame);
    if (length == 0) {
        return;
    }
    struct pbuf *p =
        pbuf_alloced_custom(PBUF_RAW, (u16_t)length, PBUF_POOL, &received, frame, sizeof wire.frame);
    (void)ethernet_input(p, &netif);
}

/* ---- Application ---- */

static err_t on_received(void *argument, struct tcp_pcb *pcb, struct pbuf *p, err_t error)
{
    (void)argument;
    (void)error;
    tcp_received = p->tot_len;
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    return ERR_OK;
}

static err_t on_connected(void *argument, struct tcp_pcb *pcb, err_t error)
{
    (void)argument;
    (void)pcb;
    connected = error == ERR_OK;
    return ERR_OK;
}

static void on_datagram(void *argument, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                        u16_t port)
{
    (void)argument;
    (void)pcb;
    (void)from;
    (void)port;
    udp_received = p->tot_len;
    pbuf_free(p);
}

static void stack_set_up(void)
{
    static const ip4_addr_t netmask = {PP_HTONL(0xFFFFFF00)}, gateway = {0};
    CHECK((uint8_t *)(&received + 1) <= wire.frame);
    received.custom_free_function = free_received;
    lwip_init();
    (void)netif_add(&netif, &our_address, &netmask, &gateway, NULL, init_netif, ethernet_input);
    netif_set_default(&netif);
    netif_set_up(&netif);
    netif_set_link_up(&netif);
    udp = udp_new();
    err_t error = udp_bind(udp, IP4_ADDR_ANY, OUR_PORT);
    CHECK(error == ERR_OK);
    udp_recv(udp, on_datagram, NULL);
}

static void stack_connect(void)
{
    tcp = tcp_new();
    tcp_recv(tcp, on_received);
    tcp_nagle_disable(tcp);
    err_t error = tcp_connect(tcp, &peer_address, PEER_PORT, on_connected);
    CHECK(error == ERR_OK);
}

static bool stack_connected(void)
{
    return connected && tcp->state == ESTABLISHED;
}

static void stack_take(size_t length)
{
    CHECK(tcp_received == length); /* on_received has done all */
    tcp_received = 0;
}

static void stack_send(size_t length)
{
    err_t error = tcp_write(tcp, tx, (u16_t)length, 0);
    CHECK(error == ERR_OK);
    error = tcp_output(tcp);
    CHECK(error == ERR_OK);
}

static bool stack_take_datagram(size_t length)
{
    return udp_received == length;
}

static void stack_send_datagram(size_t length)
{
    /* Copied, as `net` copies it. */
    struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, (u16_t)length, PBUF_RAM);
    CHECK(p);
    memcpy(p->payload, tx, length);
    err_t error = udp_sendto(udp, p, &peer_address, 4000);
    CHECK(error == ERR_OK);
    pbuf_free(p);
}

static void stack_idle(void)
{
    stack_poll();
    sys_check_timeouts();
}

static void on_found(const char *name, const ip_addr_t *address, void *argument)
{
    (void)name;
    (void)argument;
    CHECK(address);
}

static void stack_find_broker(void)
{
    ip_addr_t address;
    netif_set_hostname(&netif, "mote");
    err_t error = dhcp_start(&netif);
    CHECK(error == ERR_OK);
    error = dns_gethostbyname("broker.example", &address, on_found, NULL);
    CHECK(error == ERR_INPROGRESS);
    sys_check_timeouts();
}
