/*
 * Ethernet MAC and DMA of the STM32F42x (RM0090 33; ES0206 2.17), as a device
 * for the network stack. The PHY is the board's (target/nucleo-f429zi/phy.h).
 *
 * Three groups of functions by the context that may call them:
 *
 *   network   what the stack calls through struct net_device, ethernet_update,
 *             ethernet_statistics: under the lock that guards the stack
 *   interrupt ethernet_interrupt: in the handler of ETH_IRQn, no lock needed
 *   boot      ethernet_init: once
 *
 * Nothing here waits for the wire. When the stack finds the transmit ring full
 * (reserve gives NULL) or a received frame's buffer still being sent by
 * bounce, the driver asks for an interrupt at the end of the transmission, and
 * ethernet_interrupt then tells to poll the stack.
 *
 * Received IPv6 frames carry a checksum status that is not to be trusted
 * (ES0206 2.17.2): the stack must verify or drop them.
 */
#ifndef STM32F429_ETHERNET_H
#define STM32F429_ETHERNET_H

#include <stdbool.h>
#include <stdint.h>

#include "net/device.h"

enum {
    ETHERNET_RX_FRAMES = 5,      /* descriptors with a buffer each; bounce keeps one until it is sent */
    ETHERNET_TX_FRAMES = 6,      /* frames under way at once */
    ETHERNET_TX_STUCK_MS = 2000, /* a frame unsent for so long: the MAC is set up anew */
};

enum ethernet_error {
    /* The MAC's reset does not end: no REF_CLK from the PHY. Tried again by ethernet_update. */
    ETHERNET_NO_CLOCK = -1,
};

/* What the PHY has found. */
struct ethernet_link {
    bool up;
    bool fast;        /* 100 Mbit/s, else 10 */
    bool full_duplex; /* else half */
};

/* What became of ethernet_update. */
enum ethernet_change {
    ETHERNET_SAME = 0,
    ETHERNET_UP = 1,        /* frames flow from now on: poll the stack */
    ETHERNET_DOWN = 2,      /* none do; what was being sent is lost, its tickets have passed */
    ETHERNET_RECOVERED = 3, /* as after DOWN and UP, after a bus error or a stuck transmission */
};

/* What ethernet_interrupt has seen; bits. */
enum ethernet_event {
    ETHERNET_POLL = 1 << 0,   /* poll the stack: frames have come, or there is room again */
    ETHERNET_FAILED = 1 << 1, /* bus error, the DMA stands still: call ethernet_update soon */
};

struct ethernet_statistics {
    uint32_t frames_in;
    uint32_t frames_out;
    uint32_t errors_in;  /* damaged, cut, checksum wrong or too long */
    uint32_t errors_out; /* collisions, no carrier; sent while the link was down */
    uint32_t missed;     /* arrived when there was no buffer */
    uint32_t recoveries;
};

/*
 * Clocks of MAC and SYSCFG, RMII, and the reset of the MAC; pins are the board's and come before.
 * 0, or ETHERNET_NO_CLOCK, which is not final. Enable ETH_IRQn afterwards in either case.
 */
int ethernet_init(const uint8_t mac_address[6]) __attribute__((warn_unused_result));

/* Fills what the stack needs. */
void ethernet_device(struct net_device *device);

/*
 * Group network: for net_config.multicast_filter. Receive these multicast addresses, and those few that fall
 * on the same of 64 bits, besides our own and broadcast. At most 4 us.
 */
void ethernet_multicast(void *context, const uint8_t (*groups)[6], size_t count);

/* Acknowledges and tells what happened: bits of enum ethernet_event. */
uint32_t ethernet_interrupt(void);

/*
 * About once a second, and after ETHERNET_FAILED, from the context that polls the PHY (it may reset
 * the MAC, which a PHY access under way does not survive). Starts, stops or restarts
 * the MAC as `link` and its own state require; waits some microseconds at most when REF_CLK runs,
 * 100 us otherwise. An ethernet_change, or ETHERNET_NO_CLOCK: it stays down until a later call
 * gives ETHERNET_UP. `now_ms` may wrap.
 */
int ethernet_update(const struct ethernet_link *link, uint32_t now_ms) __attribute__((warn_unused_result));

/* The counters so far. */
void ethernet_statistics(struct ethernet_statistics *statistics);

#endif
