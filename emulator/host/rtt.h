/*
 * RTT up-channel 0, read as a debug probe reads it: straight from the target's
 * RAM, with the read index written back. The control block belongs to a program
 * that may be broken, so each pointer, size and index is checked at each poll.
 */
#ifndef EMULATOR_HOST_RTT_H
#define EMULATOR_HOST_RTT_H

#include "host/elf.h"

enum rtt_health {
    RTT_ABSENT, /* not there yet */
    RTT_GOOD,
    RTT_DAMAGED, /* the id is right, channel 0 makes no sense: nothing is read */
};

struct rtt {
    uint32_t address; /* of the control block; 0: not known */
    bool searching;   /* no symbol: found by its id in SRAM */
    vtime search_at;
    enum rtt_health health;
};

/* The block is the symbol _SEGGER_RTT, or what carries the id in SRAM if the ELF has no such symbol. */
void rtt_init(struct rtt *rtt, const struct elf *elf);

/* Hands what channel 0 holds to `sink` (up to twice) and marks it read. */
void rtt_drain(struct rtt *rtt, struct machine *m,
               void (*sink)(void *context, const uint8_t *bytes, size_t length), void *context);

#endif
