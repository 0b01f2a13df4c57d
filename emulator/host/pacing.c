#include "host/pacing.h"

static uint64_t real_of(const struct pacing *p, vtime v)
{
    return v <= p->origin ? p->origin_ns : p->origin_ns + (v - p->origin) / VTIME_NS(1);
}

void pacing_start(struct pacing *p, vtime now, uint64_t real_ns)
{
    *p = (struct pacing){.origin = now, .origin_ns = real_ns};
}

void pacing_forgive(struct pacing *p, vtime now, uint64_t real_ns)
{
    uint64_t due = real_of(p, now);
    if (real_ns > due && real_ns - due > PACING_JITTER_NS) {
        p->forgiven_ns += real_ns - due;
        p->origin = now;
        p->origin_ns = real_ns;
    }
}

uint64_t pacing_wait_ns(const struct pacing *p, vtime until, uint64_t real_ns)
{
    uint64_t due = real_of(p, until);
    return due > real_ns ? due - real_ns : 0;
}

vtime pacing_virtual(const struct pacing *p, uint64_t real_ns, vtime low, vtime high)
{
    uint64_t passed_ns = real_ns > p->origin_ns ? real_ns - p->origin_ns : 0;
    if (passed_ns > (VTIME_NEVER - p->origin) / VTIME_NS(1)) {
        return high;
    }
    vtime v = p->origin + VTIME_NS(passed_ns);
    if (v < low) {
        return low;
    }
    return v > high ? high : v;
}
