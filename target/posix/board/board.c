/* LEDs, button, cable, unique id: what the Nucleo's headers promise, and the board's side of them. */
#include "target/nucleo-f429zi/board.h"

#include <string.h>

#include "target/nucleo-f429zi/button.h"
#include "target/nucleo-f429zi/phy.h"
#include "target/posix/board/board.h"
#include "target/posix/board/options.h"
#include "target/posix/kernel_port.h"
#include "target/stm32f429/chip.h"
#include "target/stm32f429/irq.h"

static struct {
    bool leds[BOARD_LD3 + 1];
    bool pressed;
    bool cable_out;
    uint64_t release_us;
} board = {.release_us = UINT64_MAX};

int board_init(void)
{
    board.cable_out = options.cable_out;
    ethernet_plug(!board.cable_out);
    board_loop_start();
    return 0;
}

/* ---- LEDs ---- */

/* LD2 shows each frame: that is what --pcap is for. */
static void show(enum board_led led)
{
    static const char *const names[] = {[BOARD_LD1] = "LD1 (green)", [BOARD_LD3] = "LD3 (red)"};

    if (led != BOARD_LD2)
        board_remark("%s %s", names[led], board.leds[led] ? "on" : "off");
}

void board_led(enum board_led led, bool on)
{
    if (board.leds[led] == on)
        return;
    board.leds[led] = on;
    show(led);
}

void board_led_toggle(enum board_led led)
{
    board_led(led, !board.leds[led]);
}

/* ---- Button ---- */

static void edge(bool pressed)
{
    static const struct port_pend interrupt = PORT_PEND(EXTI15_10_IRQn);

    board.pressed = pressed;
    board_remark("button %s", pressed ? "down" : "up");
    port_pend(interrupt);
}

void board_press(void)
{
    if (!board.pressed)
        edge(true);
    board.release_us = board_now_us() + BOARD_PRESS_US;
}

uint64_t board_release_due_us(void)
{
    return board.release_us;
}

void board_release(void)
{
    board.release_us = UINT64_MAX;
    edge(false);
}

bool board_button(void)
{
    return board.pressed;
}

void button_init(void)
{
}

void button_acknowledge(void)
{
}

/* ---- Cable ---- */

bool board_cable_is_in(void)
{
    return !board.cable_out;
}

void board_set_cable(bool in)
{
    board.cable_out = !in;
    board_remark("cable %s", in ? "in" : "out");
    ethernet_plug(in);
}

int phy_poll(struct phy *phy, struct ethernet_link *link)
{
    (void)phy;
    *link = (struct ethernet_link){0};
    if (board.cable_out)
        return PHY_POLL_WAITING_MS;
    *link = (struct ethernet_link){.up = true, .fast = true, .full_duplex = true};
    return PHY_POLL_SETTLED_MS;
}

/* ---- Identity ---- */

void board_mac_from_uid(uint8_t mac_address[6])
{
    memcpy(mac_address, chip_uid(), 6);
    mac_address[0] = (uint8_t)((mac_address[0] & ~1u) | 2u);
}
