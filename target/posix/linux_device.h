/*
 * A network device in a Linux process, over what the virtual board's cable can be
 * plugged into as well (emulator/network/network.h):
 *
 *   tap:NAME            a TAP interface of the kernel
 *   slirp[:OPTION,...]  user-mode network within the process, no privileges needed
 *   socket:PATH         a virtual board, or another such process
 *   peer                peer_network.h: a second stack of ours, in the process
 *   none                nobody
 *
 * Frames are sent at once and whole, so a ticket has passed when send returns.
 * A received frame is lent in memory of its exact length, so that a sanitizer
 * sees every step beyond it. No capabilities: checksum_device.h adds them,
 * impaired_device.h makes the link a bad one.
 *
 * The loop of a host program:
 *
 *     for (;;) {
 *         while (net_poll(&net, now_ms()))
 *             ;
 *         …                                       what the program does with its sockets
 *         net_flush(&net, now_ms());
 *         linux_device_wait(&device, net_wait_ms(&net, now_ms()));
 *     }
 */
#ifndef TARGET_POSIX_LINUX_DEVICE_H
#define TARGET_POSIX_LINUX_DEVICE_H

#include <poll.h>

#include "net/device.h"
#include "network/network.h"

enum {
    LINUX_DEVICE_RX_FRAMES = 256,
    /* No more are fetched while so many wait: TAP and socket hold the others back, slirp its senders. */
    LINUX_DEVICE_RX_ENOUGH = 128,
};

struct linux_frame;

struct linux_device {
    struct net_device device; /* give its address to net_init */
    struct network *network;
    struct pcap *pcap;        /* NULL, or the caller's record of all frames */
    uint64_t (*now_us)(void); /* for slirp's timers and the record */
    bool unplugged;           /* no frame passes either way */
    struct linux_frame *rx[LINUX_DEVICE_RX_FRAMES];
    unsigned rx_head, rx_count;
    struct linux_frame *lent;
    uint32_t ticket;
    uint32_t frames_in, frames_out;
    uint32_t missed; /* came when all places were taken, or memory was out */
    uint8_t *room;   /* NET_DEVICE_HEADER_MAX bytes */
};

/*
 * `spec` as above; `now_us` gives microseconds that never go back. False: `message` (NETWORK_MESSAGE bytes or
 * more) is one line for the user, and nothing needs to be closed.
 */
bool linux_device_open(struct linux_device *d, const char *spec, uint64_t (*now_us)(void), char *message,
                       size_t size) __attribute__((warn_unused_result));
void linux_device_close(struct linux_device *d);

/* Plugs the cable in or out. Out: what waits to be received is lost. */
void linux_device_plug(struct linux_device *d, bool in);

/* Is there a frame for device.receive? */
bool linux_device_has_frames(const struct linux_device *d);

/* Sleeps until a frame may have come, at most `timeout_ms`; UINT32_MAX: as long as it takes. */
void linux_device_wait(struct linux_device *d, uint32_t timeout_ms);

/* The same in pieces, for a loop that waits for more: network.h says how. */
size_t linux_device_fill(struct linux_device *d, struct pollfd *fds, size_t capacity, int *timeout_ms);
void linux_device_dispatch(struct linux_device *d, const struct pollfd *fds, size_t count);

/* Microseconds of CLOCK_MONOTONIC since the first call: real time for `now_us`. */
uint64_t linux_now_us(void);

#endif
