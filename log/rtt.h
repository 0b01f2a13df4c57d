/*
 * SEGGER RTT, the target's side: a block in RAM that a debug probe finds by its
 * id and reads while the core runs. One channel up, none down.
 */
#ifndef LOG_RTT_H
#define LOG_RTT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RTT_RING_SIZE = 1024 /* a power of two; one byte of it stays free */ };

struct rtt_channel {
    const char *name;
    char *buffer;
    uint32_t size;
    uint32_t write;          /* ours */
    volatile uint32_t read;  /* the probe's: masked before use */
    volatile uint32_t flags; /* the probe's wish for blocking; ignored */
};

struct rtt_control_block {
    char id[16];
    int32_t up_channels;
    int32_t down_channels;
    struct rtt_channel up;
};

extern struct rtt_control_block _SEGGER_RTT;

/* Empties the channel; the id is written last. */
void rtt_init(void);

/* All `length` bytes or none (false). From any context. */
bool rtt_write(const char *bytes, size_t length) __attribute__((warn_unused_result));

#endif
