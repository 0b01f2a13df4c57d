/* LD1 to LD3 of the Nucleo-F429ZI (UM1974 6.5): PB0, PB7 and PB14, lit when high. */
#ifndef EMULATOR_HOST_LEDS_H
#define EMULATOR_HOST_LEDS_H

#include "host/console.h"
#include "host/options.h"

enum { LEDS = 3 };

struct leds {
    enum leds_shown shown;
    bool lit[LEDS];
    unsigned long changes[LEDS];
};

/* An output pin changed; pins that carry no LED are ignored. */
void leds_pin(struct leds *leds, struct console *c, vtime now, unsigned port, unsigned pin, bool level);
/* One line with the state of all three and how often each changed. */
void leds_summary(const struct leds *leds, struct console *c, vtime now);

#endif
