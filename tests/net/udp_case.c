#include "udp_case.h"

struct rig udp_rig;
struct udp_socket udp;

int udp_setup(void **state)
{
    (void)state;
    rig_open(&udp_rig, 256, 256, 0);
    assert_int_equal(udp_open(&udp, &udp_rig.net, 5000), NET_OK);
    return 0;
}

int udp_teardown(void **state)
{
    (void)state;
    udp_close(&udp);
    rig_discard_sent(&udp_rig);
    rig_close(&udp_rig);
    return 0;
}
