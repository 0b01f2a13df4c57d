/*
 * A network with a second stack of our own on it, in the same process and time:
 * 10.0.2.2/24. It answers ARP and echo, and refuses connections. Nothing of it
 * depends on anything but the frames and their times.
 */
#ifndef TARGET_POSIX_PEER_NETWORK_H
#define TARGET_POSIX_PEER_NETWORK_H

#include "network/network.h"

#define PEER_NETWORK_ADDRESS 0x0A000202u

/* As network_open's. NULL: `message` says why. */
struct network *peer_network_open(const struct network_user *user, char *message, size_t size)
    __attribute__((warn_unused_result));

#endif
