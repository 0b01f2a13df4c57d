/* A build that leaves all checksums to the device takes no device that does not compute them. */
#define NET_WITH_SOFTWARE_CHECKSUMS 0
#include "rig.h"

#include <stdlib.h>

#include "net/net.c" /* NOLINT: in this build; the rest of the library is as it is */

static bool comes_up(unsigned capabilities)
{
    struct rig *rig = calloc(1, sizeof *rig);
    rig_open(rig, 1024, 1024, capabilities);
    bool up = net_is_up(&rig->net);
    rig_discard_sent(rig);
    rig_close(rig);
    free(rig);
    return up;
}

static void only_devices_with_both_capabilities_are_used(void **state)
{
    (void)state;
    assert_false(comes_up(0));
    assert_false(comes_up(NET_DEVICE_CHECKSUM_RX));
    assert_false(comes_up(NET_DEVICE_CHECKSUM_TX));
    assert_true(comes_up(NET_DEVICE_CHECKSUM_RX | NET_DEVICE_CHECKSUM_TX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(only_devices_with_both_capabilities_are_used)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
