/* What tests have that need a net below its sockets: one at a static address, anew for each, where it is
 * included. */
#ifndef TESTS_NET_RIG_CASE_H
#define TESTS_NET_RIG_CASE_H

#include "rig.h"

static struct rig rig;

static int setup(void **state)
{
    (void)state;
    rig_open(&rig, 512, 512, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_close(&rig);
    return 0;
}

#endif
