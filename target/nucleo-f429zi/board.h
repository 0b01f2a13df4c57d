/* The Nucleo-F429ZI (UM1974): clock, LEDs, button, Ethernet pins, MAC address. */
#ifndef NUCLEO_F429ZI_BOARD_H
#define NUCLEO_F429ZI_BOARD_H

#include <stdbool.h>
#include <stdint.h>

enum board_led {
    BOARD_LD1, /* green, PB0 */
    BOARD_LD2, /* blue, PB7 */
    BOARD_LD3, /* red, PB14 */
};

/*
 * First thing in main, before interrupts: clock tree, pins, sleep while debugging.
 * 0, or an error of clock_init (clock.h): the board runs on with what clock there is.
 */
int board_init(void) __attribute__((warn_unused_result));

/* One store, from any context. */
void board_led(enum board_led led, bool on);
/* Of one LED from one context at a time. */
void board_led_toggle(enum board_led led);

/* Is B1 pressed? Not debounced. From any context. */
bool board_button(void);

/* A locally administered address out of the chip's unique id: the same at each boot. */
void board_mac_from_uid(uint8_t mac_address[6]);

#endif
