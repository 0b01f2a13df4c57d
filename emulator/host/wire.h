/*
 * The cable from the board's MAC to a network of the host, with its recorder.
 *
 * A frame leaves the MAC while the machine is at work, and a user-mode network
 * may answer on the spot; so frames wait here for the next event of the same
 * instant, in which the machine may be fed.
 */
#ifndef EMULATOR_HOST_WIRE_H
#define EMULATOR_HOST_WIRE_H

#include "machine.h"
#include "network/network.h"

enum { WIRE_FRAMES = 16 };

struct wire {
    struct machine *machine;
    struct network *network;
    struct pcap *pcap;
    struct event send;  /* frames wait to go out */
    struct event timer; /* the network's own timers are due */
    struct {
        size_t length;
        uint8_t bytes[NETWORK_FRAME_MAX];
    } frames[WIRE_FRAMES];
    size_t waiting;
    bool alone; /* network none: nothing ever comes in */

    unsigned long frames_out;
    unsigned long frames_in;
    unsigned long lost; /* more at one instant than WIRE_FRAMES, or too long */
    bool pcap_failed;
};

/* `pcap` may be NULL. False: `error` (NETWORK_MESSAGE bytes) says what is wrong and what to do. The wire must
 * not move. */
bool wire_open(struct wire *w, struct machine *m, const char *network, const char *pcap, char *error,
               size_t error_size) __attribute__((warn_unused_result));
void wire_close(struct wire *w);

/* The MAC put a frame on the wire. */
void wire_frame_out(struct wire *w, const uint8_t *frame, size_t length);

/* What to poll for. */
size_t wire_fill(struct wire *w, struct pollfd *fds, size_t capacity);
/* After poll(), from an event: hands frames to the machine and arms the network's timer. */
void wire_dispatch(struct wire *w, const struct pollfd *fds, size_t count);

#endif
