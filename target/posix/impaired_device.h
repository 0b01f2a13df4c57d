/*
 * A device round another one, with a bad link in between: one impairment for
 * each direction. Any struct net_device will do beneath it.
 *
 * The stack uses `device`. Its owner calls impaired_device_run before
 * net_poll, and again when impaired_device_due_us has come. What is sent is copied,
 * so its ticket has passed at once.
 *
 * Damage is done beneath the checksums only if the device beneath does not
 * compute them: with corrupt_ppm, `inner` has no capabilities, and
 * checksum_device, where one is wanted, goes above.
 */
#ifndef TARGET_POSIX_IMPAIRED_DEVICE_H
#define TARGET_POSIX_IMPAIRED_DEVICE_H

#include "net/device.h"
#include "target/posix/impairment.h"

struct impaired_device {
    struct net_device device; /* give its address to net_init */
    const struct net_device *inner;
    uint64_t (*now_us)(void *clock);
    void *clock;
    struct impairment out, in;
    struct impaired_frame *lent;  /* to the stack */
    struct impaired_frame *under; /* being sent by the device beneath; its ticket: */
    uint32_t under_ticket;
    uint32_t ticket;
    uint8_t room[NET_DEVICE_HEADER_MAX];
};

/*
 * `inner` and `clock` must outlive it; the clock never goes back. False: damage is wanted over a device that
 * computes checksums. The two directions draw from streams of their own though their seeds be equal.
 */
bool impaired_device_init(struct impaired_device *d, const struct net_device *inner,
                          const struct impairment_config *out, const struct impairment_config *in,
                          uint64_t (*now_us)(void *clock), void *clock) __attribute__((warn_unused_result));
/* Drops what is under way and gives borrowed memory back. */
void impaired_device_close(struct impaired_device *d);

/* Takes in what the device beneath has received, and hands down what is due. */
void impaired_device_run(struct impaired_device *d);

/* When a frame comes out of either direction; UINT64_MAX: none is under way. A time that has passed: the
 * device beneath had no room, so try again soon. */
uint64_t impaired_device_due_us(const struct impaired_device *d);

#endif
