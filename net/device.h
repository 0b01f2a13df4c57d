/*
 * What a network device does for the stack: lend received frames, send frames
 * gathered from two places. All buffers are the device's; nothing is copied.
 *
 * Calls come from one context at a time, the one that calls net_poll.
 * A frame is an Ethernet frame from the destination address on, without FCS.
 */
#ifndef NET_DEVICE_H
#define NET_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NET_FRAME_MAX = 1514,        /* 14 + 1500, no FCS */
    NET_DEVICE_HEADER_MAX = 128, /* what reserve() lends at least */
    NET_DEVICE_FRAMES = 256,     /* that a device may have in its hands to be sent, at most */
};

enum net_device_capability {
    /* The device inserts the checksums of IPv4 headers, and those of TCP, UDP and ICMP where they are no
       fragments: the stack leaves these fields 0. */
    NET_DEVICE_CHECKSUM_TX = 1 << 0,
    /* The device has checked the same on reception and drops what is wrong. */
    NET_DEVICE_CHECKSUM_RX = 1 << 1,
};

struct net_device {
    void *context;
    unsigned capabilities;

    /*
     * Borrow the oldest received frame: returns its length, 0 when there is
     * none. The frame may be changed in place. Valid until release or bounce.
     * Frames with errors never come here; the device has counted them.
     */
    size_t (*receive)(void *context, uint8_t **frame);
    /* Give the borrowed frame back. */
    void (*release)(void *context);
    /*
     * Instead of release: send the borrowed frame back out from where it lies,
     * `length` bytes of it; the device takes it back when it is on the wire.
     * False: no room to send; the frame is released, nothing is sent.
     */
    bool (*bounce)(void *context, size_t length);

    /*
     * Borrow room for a frame's head, NET_DEVICE_HEADER_MAX bytes at least, aligned
     * to a word. NULL: the transmit ring is full; try again at a later poll.
     * Reserving twice without sending returns the same room.
     */
    uint8_t *(*reserve)(void *context);
    /*
     * Send `header_length` bytes of the reserved room followed by `payload_length`
     * bytes at `payload` (0: none), which must stay unchanged in memory that the
     * device can reach until sent() passes the returned ticket.
     */
    uint32_t (*send)(void *context, size_t header_length, const void *payload, size_t payload_length);
    /* Ticket of the newest frame that has left the device's hands, which at most NET_DEVICE_FRAMES are in. */
    uint32_t (*sent)(void *context);
};

#endif
