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

enum { WIRE_FRAMES = 16, WIRE_FAULTS = 32 };

enum wire_fault_kind { WIRE_DROP, WIRE_DUPLICATE, WIRE_CORRUPT };

/* What happens to a frame on its way. */
struct wire_fault {
    enum wire_fault_kind kind;
    bool outward;       /* one that the board sends */
    unsigned countdown; /* it is the countdown-th from now, from 1 */
    int byte; /* of it a bit is flipped, behind the FCS' back; -1: on the cable, so that the FCS tells */
};

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
    /* Hands a frame that came to the machine; ethernet_receive if it is NULL. */
    void (*take)(void *context, const uint8_t *frame, size_t length, bool damaged);
    void *take_context;

    struct wire_fault faults[WIRE_FAULTS];
    size_t fault_count;

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

/* A frame came: to the capture and to the machine. */
void wire_frame_in(struct wire *w, const uint8_t *frame, size_t length, bool damaged);
/* The MAC put a frame on the wire. */
void wire_frame_out(struct wire *w, const uint8_t *frame, size_t length);

/* False: WIRE_FAULTS wait already. */
bool wire_disturb(struct wire *w, const struct wire_fault *fault) __attribute__((warn_unused_result));

/* What to poll for. */
size_t wire_fill(struct wire *w, struct pollfd *fds, size_t capacity);
/* After poll(), from an event: hands frames to the machine and arms the network's timer. */
void wire_dispatch(struct wire *w, const struct pollfd *fds, size_t count);

#endif
