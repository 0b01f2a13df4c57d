/*
 * The Ethernet driver when things break: a payload that the DMA cannot reach,
 * and a REF_CLK that goes away during a transmission.
 */
// board: --net slirp --pace fast
#include "ethernet_program.h"
#include "target/stm32f429/gpio.h"

enum {
    REF_CLK = GPIO_PIN('A', 1),
    AF_ETHERNET = 11,
};

static const void *const ccm = (const void *)0x10000000;

static uint32_t send_something(const void *payload, size_t payload_length)
{
    uint8_t *frame = device.reserve(device.context);
    CHECK(frame);
    build_arp_request(frame);
    return device.send(device.context, ARP_LENGTH, payload, payload_length);
}

static bool has_passed(uint32_t ticket)
{
    return (int32_t)(device.sent(device.context) - ticket) >= 0;
}

/* The DMA stops, and says so; the MAC is set up anew. */
static void recover_from_bus_error(void)
{
    events = 0;
    uint32_t ticket = send_something(ccm, 100);
    for (int i = 0; i < 1000 && !(events & ETHERNET_FAILED); i++)
        wait_cycles(CYCLES_PER_MS / 100);
    CHECK(events & ETHERNET_FAILED);
    CHECK(!has_passed(ticket));
    CHECK(ethernet_update(&link_state, now_ms) == ETHERNET_RECOVERED);
    CHECK(has_passed(ticket));
    find_gateway();
}

/* Nothing leaves without REF_CLK: the transmit watchdog sees it, and the MAC's reset does not end before it
 * is back. */
static void recover_from_lost_clock(void)
{
    gpio_configure(REF_CLK, GPIO_INPUT, 0);
    uint32_t ticket = send_something(NULL, 0);
    pass_ms(1);
    CHECK(ethernet_update(&link_state, now_ms) == ETHERNET_SAME);
    now_ms += ETHERNET_TX_STUCK_MS - 1;
    CHECK(ethernet_update(&link_state, now_ms) == ETHERNET_SAME);
    CHECK(!has_passed(ticket));
    now_ms += 1;
    CHECK(ethernet_update(&link_state, now_ms) == ETHERNET_DOWN);
    CHECK(has_passed(ticket));
    CHECK(device.reserve(device.context) == NULL);
    CHECK(ethernet_update(&link_state, now_ms) == ETHERNET_NO_CLOCK);

    gpio_configure(REF_CLK, GPIO_ALTERNATE, AF_ETHERNET);
    bring_link_up();
    find_gateway();
}

int main(void)
{
    struct ethernet_statistics statistics;

    start_ethernet();
    bring_link_up();
    find_gateway();
    recover_from_bus_error();
    OK("recovery from a bus error");
    recover_from_lost_clock();
    OK("recovery from a lost REF_CLK");

    ethernet_statistics(&statistics);
    CHECK(statistics.recoveries == 2);
    semihosting_exit(0);
}
