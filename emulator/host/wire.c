#include "host/wire.h"

#include <stdio.h>
#include <string.h>

static void record(struct wire *w, const uint8_t *frame, size_t length)
{
    if (w->pcap != NULL && !w->pcap_failed) {
        w->pcap_failed = !pcap_write(w->pcap, machine_now(w->machine), frame, length);
    }
}

/* ---- Faults on the way ---- */

bool wire_disturb(struct wire *w, const struct wire_fault *fault)
{
    if (w->fault_count == WIRE_FAULTS) {
        return false;
    }
    w->faults[w->fault_count++] = *fault;
    return true;
}

/* What is to become of a frame: copies of it, their content, their FCS. */
struct fate {
    unsigned copies;
    bool damaged;
    uint8_t bytes[NETWORK_FRAME_MAX];
};

static void strike(struct fate *fate, const struct wire_fault *fault, size_t length)
{
    switch (fault->kind) {
    case WIRE_DROP: fate->copies = 0; break;
    case WIRE_DUPLICATE: fate->copies *= 2; break;
    case WIRE_CORRUPT:
        if (fault->byte < 0) {
            fate->damaged = true;
        } else if ((size_t)fault->byte < length) {
            fate->bytes[fault->byte] ^= 0x10;
        }
        break;
    }
}

/* `fate->bytes` holds the frame. */
static void meet_faults(struct wire *w, bool outward, size_t length, struct fate *fate)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->fault_count; i++) {
        struct wire_fault *fault = &w->faults[i];
        if (fault->outward == outward && --fault->countdown == 0) {
            strike(fate, fault, length);
        } else {
            w->faults[kept++] = *fault;
        }
    }
    w->fault_count = kept;
}

/* ---- Frames ---- */

void wire_frame_in(struct wire *w, const uint8_t *frame, size_t length, bool damaged)
{
    w->frames_in++;
    record(w, frame, length);
    if (w->take != NULL) {
        w->take(w->take_context, frame, length, damaged);
    } else {
        ethernet_receive(w->machine, frame, length);
    }
}

static void deliver(void *context, const uint8_t *frame, size_t length)
{
    struct wire *w = context;
    struct fate fate = {.copies = 1};
    if (w->fault_count == 0 || length > sizeof fate.bytes) {
        wire_frame_in(w, frame, length, false);
        return;
    }
    memcpy(fate.bytes, frame, length);
    meet_faults(w, false, length, &fate);
    for (unsigned i = 0; i < fate.copies; i++) {
        wire_frame_in(w, fate.bytes, length, fate.damaged);
    }
}

static int64_t clock_ns(void *context)
{
    const struct wire *w = context;
    return (int64_t)(machine_now(w->machine) / VTIME_NS(1));
}

static void send_waiting(struct machine *m, void *context)
{
    struct wire *w = context;
    (void)m;
    for (size_t i = 0; i < w->waiting; i++) {
        record(w, w->frames[i].bytes, w->frames[i].length);
        network_send(w->network, w->frames[i].bytes, w->frames[i].length);
    }
    w->waiting = 0;
}

/* The descriptors may have changed with what was sent, so they are asked for anew. */
static void timer_due(struct machine *m, void *context)
{
    struct wire *w = context;
    struct pollfd fds[NETWORK_POLLFDS];
    (void)m;
    size_t count = wire_fill(w, fds, NETWORK_POLLFDS);
    if (poll(fds, count, 0) >= 0) {
        wire_dispatch(w, fds, count);
    }
}

bool wire_open(struct wire *w, struct machine *m, const char *network, const char *pcap, char *error,
               size_t error_size)
{
    memset(w, 0, sizeof *w);
    w->machine = m;
    w->alone = strcmp(network, "none") == 0;
    w->send = (struct event){.name = "wire-send", .fire = send_waiting, .context = w, .outside = true};
    w->timer = (struct event){.name = "wire-timer", .fire = timer_due, .context = w, .outside = true};
    const struct network_user user = {.context = w, .deliver = deliver, .clock_ns = clock_ns};
    w->network = network_open(network, &user, error, error_size);
    if (w->network == NULL) {
        return false;
    }
    if (pcap != NULL) {
        w->pcap = pcap_open(pcap, error, error_size);
    }
    if (pcap != NULL && w->pcap == NULL) {
        wire_close(w);
        return false;
    }
    return true;
}

void wire_close(struct wire *w)
{
    if (w->machine != NULL) {
        event_cancel(w->machine, &w->send);
        event_cancel(w->machine, &w->timer);
    }
    pcap_close(w->pcap);
    network_close(w->network);
    w->pcap = NULL;
    w->network = NULL;
}

static void queue(struct wire *w, const uint8_t *frame, size_t length)
{
    if (w->waiting == WIRE_FRAMES) {
        w->lost++;
        return;
    }
    w->frames[w->waiting].length = length;
    memcpy(w->frames[w->waiting].bytes, frame, length);
    w->waiting++;
    event_at(w->machine, &w->send, machine_now(w->machine));
}

void wire_frame_out(struct wire *w, const uint8_t *frame, size_t length)
{
    if (length > NETWORK_FRAME_MAX) {
        w->lost++;
        return;
    }
    struct fate fate = {.copies = 1};
    memcpy(fate.bytes, frame, length);
    meet_faults(w, true, length, &fate);
    w->frames_out++;
    for (unsigned i = 0; i < fate.copies && !fate.damaged; i++) { /* whoever receives drops a wrong FCS */
        queue(w, fate.bytes, length);
    }
}

size_t wire_fill(struct wire *w, struct pollfd *fds, size_t capacity)
{
    int timeout_ms = -1;
    size_t count = network_fill(w->network, fds, capacity, &timeout_ms);
    if (timeout_ms < 0) {
        event_cancel(w->machine, &w->timer);
    } else if (!w->timer.armed) {
        event_at(w->machine, &w->timer, machine_now(w->machine) + VTIME_MS(timeout_ms > 0 ? timeout_ms : 1));
    }
    return count;
}

void wire_dispatch(struct wire *w, const struct pollfd *fds, size_t count)
{
    event_cancel(w->machine, &w->timer);
    network_dispatch(w->network, fds, count);
}
