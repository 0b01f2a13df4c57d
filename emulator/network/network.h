/*
 * What the virtual board's Ethernet cable is plugged into.
 *
 * A network is opened from a text, the argument of `--net`:
 *
 *   none                     a switch with nothing else on it
 *   slirp[:OPTION,...]       user-mode network, no privileges needed: the host
 *                            and its loop-back are 10.0.2.2, DHCP gives
 *                            10.0.2.15, DNS is 10.0.2.3. Options:
 *                            hostfwd=tcp:127.0.0.1:8080-:80  (also udp; the
 *                            guest address may be given before its port)
 *   tap:NAME                 a TAP interface of the host
 *   socket:PATH              another virtual board, through a Unix socket: the
 *                            first to come waits for the second
 *
 * The owner of the loop calls network_fill, poll(2), network_dispatch. Frames
 * reach the board only through `deliver`, and that is called only from within
 * network_send (an answer of slirp that needs no host I/O) and
 * network_dispatch: never from a signal or another thread. Frames are Ethernet
 * without preamble and FCS; shorter than 60 bytes is allowed.
 */
#ifndef EMULATOR_NETWORK_H
#define EMULATOR_NETWORK_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NETWORK_FRAME_MAX = 2048, /* longest frame that passes either way, bytes */
    NETWORK_POLLFDS = 64,     /* room that network_fill may need */
    NETWORK_MESSAGE = 256,    /* room for an error text */
};

struct network_user {
    void *context;
    /* A frame for the board; `frame` is valid during the call only. */
    void (*deliver)(void *context, const uint8_t *frame, size_t length);
    /* The board's virtual time in ns, from which slirp's timers run. */
    int64_t (*clock_ns)(void *context);
};

struct network;

/* One kind of network. A new kind is a file with this table and a line in network.c. */
struct network_kind {
    const char *name;
    /* `argument` is what follows the colon, "" if none. NULL: `message` says what is wrong and what to do. */
    struct network *(*open)(const char *argument, const struct network_user *user, char *message,
                            size_t size);
    void (*send)(struct network *n, const uint8_t *frame, size_t length);
    size_t (*fill)(struct network *n, struct pollfd *fds, size_t capacity, int *timeout_ms);
    void (*dispatch)(struct network *n, const struct pollfd *fds, size_t count);
    void (*close)(struct network *n);
};

/* Each kind's own state begins with this. */
struct network {
    const struct network_kind *kind;
    struct network_user user;
};

/* NULL: cannot be opened, and `message` (NETWORK_MESSAGE bytes or more) is one line for the user. */
struct network *network_open(const char *spec, const struct network_user *user, char *message, size_t size)
    __attribute__((warn_unused_result));

/* A frame that left the board. Never blocks: what the other side cannot take is lost, as on a wire. */
void network_send(struct network *n, const uint8_t *frame, size_t length);

/*
 * Adds what to wait for to `fds` and returns how many it added. `*timeout_ms` is lowered to the longest wait
 * the network bears, in virtual time (-1: any).
 */
size_t network_fill(struct network *n, struct pollfd *fds, size_t capacity, int *timeout_ms);

/* After poll(2), also when it timed out: moves frames and delivers them. `fds` as network_fill left them. */
void network_dispatch(struct network *n, const struct pollfd *fds, size_t count);

void network_close(struct network *n); /* NULL is allowed */

extern const struct network_kind network_none, network_slirp, network_tap, network_socket;

/* ---- Recording what is on the wire ---- */

struct pcap;

/* Creates or empties the file. NULL: `message` says why. */
struct pcap *pcap_open(const char *path, char *message, size_t size) __attribute__((warn_unused_result));
/* One frame, either direction; `time_ps` is virtual time. False: the disk refused it. */
bool pcap_write(struct pcap *p, uint64_t time_ps, const uint8_t *frame, size_t length);
void pcap_close(struct pcap *p); /* NULL is allowed */

#endif
