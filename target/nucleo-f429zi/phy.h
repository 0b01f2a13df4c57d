/*
 * The LAN8742A on the Nucleo board, at SMI address 0. Its interrupt pin is not
 * connected, so the link is polled. Uses SMI only (smi.h): no lock, one context.
 */
#ifndef NUCLEO_F429ZI_PHY_H
#define NUCLEO_F429ZI_PHY_H

#include <stdint.h>

#include "target/stm32f429/ethernet.h"

enum phy_error {
    PHY_NO_ANSWER = -1, /* SMI does not work, or nobody answers: JP6, JP7, REF_CLK, power */
    PHY_UNKNOWN = -2,   /* answers, but is not a LAN8742A */
    PHY_RESET_FAILED = -3,
};

struct phy {
    uint8_t state;  /* phy.c's; 0 at first */
    uint8_t checks; /* how often the reset was looked at */
};

enum {
    PHY_POLL_SETTLED_MS = 1000, /* link up, or nothing answers */
    PHY_POLL_WAITING_MS = 100,  /* no link */
    PHY_POLL_RESET_MS = 10,
};

/*
 * One step: reset, wait for its end, identify, start auto-negotiation, then watch the link.
 * Never waits longer than a few SMI accesses (40 us each). Writes *link (down until
 * negotiated) and returns in how many ms to call again, or a phy_error: then call again after
 * PHY_POLL_SETTLED_MS, it starts anew.
 */
int phy_poll(struct phy *phy, struct ethernet_link *link) __attribute__((warn_unused_result));

#endif
