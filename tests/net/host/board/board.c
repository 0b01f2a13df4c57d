/*
 * The services of net-host on the chip: echo (TCP and UDP port 7), discard (9), a source of bytes (19), with
 * `net` in full, the driver of the MAC and nothing else. For tests/system/test_linux_peer.py, on the virtual
 * board.
 */
#include <string.h>

#include "net/udp.h"
#include "target/nucleo-f429zi/board.h"
#include "target/nucleo-f429zi/phy.h"
#include "target/stm32f429/clock.h"
#include "target/stm32f429/ethernet.h"
#include "target/stm32f429/irq.h"
#include "target/stm32f429/registers.h"
#include "tests/net/host/services.h"
#include "tests/target/semihosting.h"

enum { SOURCE_BYTES = 1000000, UDP_MAX = NET_FRAGMENT_BYTES - 8 };

static const struct net_config config = {
    .mac = {0x02, 0, 0, 0, 1, 2},
    .address = 0xC0A85002, /* 192.168.80.2 */
    .netmask = 0xFFFFFF00,
    .seed = {0x6D6F7465, 0x12345678, 0x9ABCDEF0, 0x0F1E2D3C},
    .multicast_filter = ethernet_multicast,
    .at_once = true,
};

static struct net_device device;
static struct net net;
static struct udp_socket udp;
static struct service echo, discard, source;
static volatile uint32_t now_ms;
static volatile bool woken;

void SysTick_Handler(void)
{
    now_ms++;
}

void ETH_IRQHandler(void)
{
    if (ethernet_interrupt() & ETHERNET_POLL)
        woken = true;
}

static void start(void)
{
    CHECK(board_init() == 0);
    CHECK(ethernet_init(config.mac) == 0);
    ethernet_device(&device);
    NVIC->ISER[ETH_IRQn / 32] = 1u << ETH_IRQn % 32;
    SYSTICK->RVR = clock_hclk_hz() / 1000 - 1;
    SYSTICK->CVR = 0;
    SYSTICK->CSR = 7; /* the core's clock, with its interrupt, on */
    net_init(&net, &config, &device);
    echo.serve = serve_echo;
    discard.serve = serve_discard;
    source.serve = serve_source;
    source.limit = SOURCE_BYTES;
    CHECK(service_open(&echo, &net, ECHO_PORT, BUFFER_MAX, BUFFER_MAX, now_ms));
    CHECK(service_open(&discard, &net, DISCARD_PORT, BUFFER_MAX, BUFFER_MAX, now_ms));
    CHECK(service_open(&source, &net, SOURCE_PORT, BUFFER_MAX, BUFFER_MAX, now_ms));
    CHECK(udp_open(&udp, &net, ECHO_PORT) == NET_OK);
}

static void watch_link(void)
{
    static struct phy phy;
    static struct ethernet_link link;
    static uint32_t due_ms;
    if ((int32_t)(now_ms - due_ms) < 0)
        return;
    int again_ms = phy_poll(&phy, &link);
    CHECK(again_ms > 0);
    due_ms = now_ms + (uint32_t)again_ms;
    if (ethernet_update(&link, now_ms) == ETHERNET_UP) {
        net_link(&net, true, now_ms);
        semihosting_print("net-host: up\n");
    }
}

static void echo_datagram(void)
{
    static uint8_t copy[UDP_MAX];
    struct udp_datagram datagram;
    if (!udp_receive(&udp, &datagram) || udp_busy(&udp) || datagram.length > UDP_MAX)
        return;
    memcpy(copy, datagram.data, datagram.length);
    (void)!udp_send(&udp, datagram.source, datagram.source_port, copy, datagram.length);
}

static bool step(void)
{
    bool more = net_poll(&net, now_ms);
    echo_datagram();
    service_run(&echo, now_ms);
    service_run(&discard, now_ms);
    service_run(&source, now_ms);
    CHECK(discard.bad == 0);
    return more;
}

/* Until the next interrupt, unless one has brought something since the last look. */
static void sleep(void)
{
    __asm__ volatile("cpsid i" ::: "memory");
    if (!woken)
        __asm__ volatile("dsb\n\twfi" ::: "memory");
    woken = false;
    __asm__ volatile("cpsie i\n\tisb" ::: "memory");
}

int main(void)
{
    start();
    for (;;) {
        watch_link();
        while (step()) {
        }
        net_flush(&net, now_ms);
        sleep();
    }
}
