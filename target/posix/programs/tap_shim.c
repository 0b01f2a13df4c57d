/*
 * A bad cable between two networks (linux_device.h says which there are), for what
 * knows nothing of it: two TAP interfaces in two namespaces, a TAP and a virtual
 * board. Linux's netem is not everywhere, and does not repeat itself.
 *
 *   tap-shim NETWORK NETWORK [IMPAIRMENTS]       both directions alike
 *
 * Ends with SIGINT or SIGTERM and then says what it has done.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "target/posix/impairment.h"
#include "target/posix/linux_device.h"

static volatile sig_atomic_t ended;

struct side {
    struct network *network;
    struct side *other;
    struct impairment link; /* to the other side */
};

static void on_end(int signal_number)
{
    (void)signal_number;
    ended = 1;
}

static void deliver(void *context, const uint8_t *frame, size_t length)
{
    struct side *side = context;

    impairment_push(&side->link, linux_now_us(), frame, length, NULL, 0);
}

static int64_t clock_ns(void *context)
{
    (void)context;
    return (int64_t)(linux_now_us() * 1000);
}

static void pass(struct side *side)
{
    struct impaired_frame *frame;

    while ((frame = impairment_pop(&side->link, linux_now_us())) != NULL) {
        network_send(side->other->network, frame->bytes, frame->length);
        free(frame);
    }
}

/* Until the next frame is due or a network wants its turn; a second at most, for a signal that came just
 * before. */
static struct timespec time_left(const struct side sides[2], int timeout_ms)
{
    uint64_t now_us = linux_now_us();
    uint64_t left_us = timeout_ms >= 0 && timeout_ms < 1000 ? (uint64_t)timeout_ms * 1000 : 1000000;

    for (unsigned i = 0; i < 2; i++) {
        uint64_t due_us = impairment_due_us(&sides[i].link);
        uint64_t ahead_us = due_us > now_us ? due_us - now_us : 0;
        if (ahead_us < left_us)
            left_us = ahead_us;
    }
    return (struct timespec){.tv_sec = (time_t)(left_us / 1000000),
                             .tv_nsec = (long)(left_us % 1000000 * 1000)};
}

static void turn(struct side sides[2])
{
    struct pollfd fds[2 * NETWORK_POLLFDS];
    size_t counts[2];
    int timeout_ms = -1;

    counts[0] = network_fill(sides[0].network, fds, NETWORK_POLLFDS, &timeout_ms);
    counts[1] = network_fill(sides[1].network, fds + counts[0], NETWORK_POLLFDS, &timeout_ms);
    struct timespec left = time_left(sides, timeout_ms);
    if (ppoll(fds, counts[0] + counts[1], &left, NULL) < 0)
        return; /* a signal */
    network_dispatch(sides[0].network, fds, counts[0]);
    network_dispatch(sides[1].network, fds + counts[0], counts[1]);
    pass(&sides[0]);
    pass(&sides[1]);
}

static void report(const char *from, const char *to, const struct impairment_statistics *s)
{
    (void)printf("%s to %s: %" PRIu64 " frames, %" PRIu64 " lost, %" PRIu64 " did not fit, %" PRIu64
                 " doubled, %" PRIu64 " held back, %" PRIu64 " damaged\n",
                 from, to, s->taken, s->lost, s->overflowed, s->duplicated, s->reordered, s->corrupted);
}

int main(int argc, char **argv)
{
    static struct side sides[2];
    const struct sigaction end = {.sa_handler = on_end};
    struct impairment_config config = {0};
    char message[NETWORK_MESSAGE];

    if (argc < 3 || argc > 4) {
        (void)fputs(
            "usage: tap-shim NETWORK NETWORK [loss=1,dup=1,reorder=1,corrupt=1,delay=20,jitter=5,hold=10,"
            "rate=10000,queue=50,seed=7]\n",
            stderr);
        return 2;
    }
    if (argc == 4 && !impairment_parse(argv[3], &config, message, sizeof message)) {
        (void)fprintf(stderr, "tap-shim: %s\n", message);
        return 2;
    }
    for (unsigned i = 0; i < 2; i++) {
        const struct network_user user = {.context = &sides[i], .deliver = deliver, .clock_ns = clock_ns};
        sides[i].other = &sides[1 - i];
        impairment_init(&sides[i].link, &config);
        config.seed = ~config.seed; /* the other way has its own luck */
        sides[i].network = network_open(argv[1 + i], &user, message, sizeof message);
        if (!sides[i].network) {
            (void)fprintf(stderr, "tap-shim: %s\n", message);
            return EXIT_FAILURE;
        }
    }
    (void)sigaction(SIGINT, &end, NULL);
    (void)sigaction(SIGTERM, &end, NULL);
    (void)puts("tap-shim: up");
    (void)fflush(stdout);
    while (!ended)
        turn(sides);
    for (unsigned i = 0; i < 2; i++) {
        report(argv[1 + i], argv[2 - i], &sides[i].link.statistics);
        impairment_clear(&sides[i].link);
        network_close(sides[i].network);
    }
    return EXIT_SUCCESS;
}
