#include "app/crash_storm.h"

enum { CHECK = 0x53544F52 };

static void set(struct crash_storm *storm, uint32_t crashes)
{
    storm->crashes = crashes;
    storm->check = crashes ^ CHECK;
}

uint32_t crash_storm_begin(struct crash_storm *storm, bool crashed)
{
    bool known = storm->check == (storm->crashes ^ CHECK) && storm->crashes < UINT32_MAX;

    set(storm, !crashed ? 0 : known ? storm->crashes + 1 : 1);
    if (storm->crashes <= CRASH_STORM_FREE)
        return 0;
    uint32_t doublings = storm->crashes - CRASH_STORM_FREE;
    return doublings < 6 ? 1u << doublings : CRASH_STORM_PAUSE_MAX_S;
}

void crash_storm_end(struct crash_storm *storm)
{
    set(storm, 0);
}
