/*
 * Virtual time held to real time: arithmetic only, the clock is the caller's.
 *
 * Virtual time never runs ahead of real time by more than a wait that the
 * caller did not make. When it falls behind (a slow or suspended host), a small
 * lag, the jitter of the host's sleep, is caught up; a larger one is forgiven,
 * so that the network and the firmware's timers do not see a burst.
 */
#ifndef EMULATOR_HOST_PACING_H
#define EMULATOR_HOST_PACING_H

#include "machine.h"

enum { PACING_JITTER_NS = 5000000 };

struct pacing {
    vtime origin;         /* virtual time that belongs to … */
    uint64_t origin_ns;   /* … this real time */
    uint64_t forgiven_ns; /* sum of the lags forgiven */
};

void pacing_start(struct pacing *p, vtime now, uint64_t real_ns);
/* Forgives a lag larger than PACING_JITTER_NS at virtual time `now`. */
void pacing_forgive(struct pacing *p, vtime now, uint64_t real_ns);
/* Real time still to pass before virtual time `until`; 0: it is due. */
uint64_t pacing_wait_ns(const struct pacing *p, vtime until, uint64_t real_ns);
/* The virtual time that belongs to `real_ns`, held between `low` and `high`. */
vtime pacing_virtual(const struct pacing *p, uint64_t real_ns, vtime low, vtime high);

#endif
