#include "host/leds.h"

enum { PORT_B = 1 };

static const struct {
    unsigned pin;
    const char *name;
    enum colour colour;
    bool steady;
} wiring[LEDS] = {
    {0, "LD1 (green)", COLOUR_GREEN, true},
    {7, "LD2 (blue)", COLOUR_BLUE, false},
    {14, "LD3 (red)", COLOUR_RED, true},
};

static const char *state(bool lit)
{
    return lit ? "on" : "off";
}

void leds_pin(struct leds *leds, struct console *c, vtime now, unsigned port, unsigned pin, bool level)
{
    for (size_t i = 0; i < LEDS; i++) {
        if (port != PORT_B || pin != wiring[i].pin || leds->lit[i] == level) {
            continue;
        }
        leds->lit[i] = level;
        leds->changes[i]++;
        if (leds->shown == LEDS_ALL || (leds->shown == LEDS_STEADY && wiring[i].steady)) {
            console_remark(c, now, wiring[i].colour, "%s %s", wiring[i].name, state(level));
        }
    }
}

void leds_summary(const struct leds *leds, struct console *c, vtime now)
{
    console_remark(c, now, COLOUR_PLAIN, "LD1 %s (%lu changes), LD2 %s (%lu changes), LD3 %s (%lu changes)",
                   state(leds->lit[0]), leds->changes[0], state(leds->lit[1]), leds->changes[1],
                   state(leds->lit[2]), leds->changes[2]);
}
