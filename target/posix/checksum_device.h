/*
 * What a MAC with checksum offload does, round any device: inserts the
 * checksums of IPv4 and of TCP, UDP and ICMP in frames that are not fragments,
 * and drops received frames whose checksums are wrong. The stack above computes none, as
 * on the chip.
 *
 * Gathered payload stays where it is: the fields lie in the frame's head.
 */
#ifndef TARGET_POSIX_CHECKSUM_DEVICE_H
#define TARGET_POSIX_CHECKSUM_DEVICE_H

#include "net/device.h"

struct checksum_device {
    struct net_device device; /* give its address to net_init */
    const struct net_device *inner;
    uint8_t *lent;
    uint8_t *room;
    uint32_t wrong; /* received and dropped */
};

/* `inner` must outlive it. What `inner` inserts itself, it inserts again. */
void checksum_device_init(struct checksum_device *d, const struct net_device *inner);

#endif
