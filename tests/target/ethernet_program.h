/* What the programs about Ethernet have in common: start, link, waiting for frames, ARP with
 * libslirp's 10.0.2.2. */
#ifndef TESTS_TARGET_ETHERNET_PROGRAM_H
#define TESTS_TARGET_ETHERNET_PROGRAM_H

#include <string.h>

#include "semihosting.h"
#include "target/nucleo-f429zi/board.h"
#include "target/nucleo-f429zi/phy.h"
#include "target/stm32f429/ethernet.h"
#include "target/stm32f429/irq.h"
#include "target/stm32f429/registers.h"
#include "target/stm32f429/wait.h"

enum {
    CYCLES_PER_MS = 180000,
    LINK_TIMEOUT_MS = 8000,
    ANSWER_TIMEOUT_MS = 2000,
    ARP_LENGTH = 42,
};

static struct net_device device;
static struct phy phy;
static struct ethernet_link link_state;
static uint32_t now_ms;
static volatile uint32_t events;
static uint8_t gateway[6];
static const uint8_t own_mac[6] = {0x02, 0, 0, 0, 0, 0x77};
static const uint8_t own_ip[4] = {10, 0, 2, 15};
static const uint8_t gateway_ip[4] = {10, 0, 2, 2};

void ETH_IRQHandler(void)
{
    events |= ethernet_interrupt();
}

static void pass_ms(uint32_t ms)
{
    wait_cycles(ms * CYCLES_PER_MS);
    now_ms += ms;
}

static void start_ethernet(void)
{
    CHECK(board_init() == 0);
    CHECK(ethernet_init(own_mac) == 0);
    ethernet_device(&device);
    NVIC->ISER[ETH_IRQn / 32] = 1u << ETH_IRQn % 32;
    CHECK(device.reserve(device.context) == NULL);
}

static void bring_link_up(void)
{
    uint32_t since = now_ms;
    for (;;) {
        int again = phy_poll(&phy, &link_state);
        CHECK(again > 0);
        int change = ethernet_update(&link_state, now_ms);
        CHECK(change >= 0);
        if (change == ETHERNET_UP)
            break;
        CHECK(change == ETHERNET_SAME);
        CHECK(now_ms - since < LINK_TIMEOUT_MS);
        pass_ms((uint32_t)again);
    }
}

/* Waits for the interrupt, then takes a frame; 0 after the time-out. */
static size_t await_frame(uint8_t **frame)
{
    for (uint32_t ms = 0; ms < ANSWER_TIMEOUT_MS; ms++) {
        size_t length = device.receive(device.context, frame);
        if (length != 0)
            return length;
        events = 0;
        length = device.receive(device.context, frame);
        if (length != 0)
            return length;
        for (int i = 0; i < 100 && !events; i++)
            wait_cycles(CYCLES_PER_MS / 100);
        now_ms++;
    }
    return 0;
}

static void build_arp_request(uint8_t *frame)
{
    static const uint8_t head[] = {0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1};
    memset(frame, 0, ARP_LENGTH);
    memset(frame, 0xFF, 6);
    memcpy(frame + 6, own_mac, 6);
    memcpy(frame + 12, head, sizeof head);
    memcpy(frame + 22, own_mac, 6);
    memcpy(frame + 28, own_ip, 4);
    memcpy(frame + 38, gateway_ip, 4);
}

static void find_gateway(void)
{
    uint8_t *frame = device.reserve(device.context);
    CHECK(frame);
    CHECK(frame == device.reserve(device.context));
    build_arp_request(frame);
    uint32_t ticket = device.send(device.context, ARP_LENGTH, NULL, 0);
    size_t length;
    do {
        length = await_frame(&frame);
        CHECK(length >= ARP_LENGTH);
        if (frame[12] == 0x08 && frame[13] == 0x06 && frame[21] == 2 && !memcmp(frame + 28, gateway_ip, 4))
            memcpy(gateway, frame + 22, 6);
        device.release(device.context);
    } while (gateway[0] == 0);
    CHECK((int32_t)(device.sent(device.context) - ticket) >= 0);
}

#endif
