/* Whom we tell that a datagram was not completed in time: a single other host, or nobody (RFC 1122 3.2.2). */
#include "rig.h"

#if NET_WITH_FRAGMENTS

#include "net/internal.h"

#include <string.h>

#include "rig_case.h"

static void first_fragment(uint32_t source, uint32_t destination, uint8_t protocol)
{
    uint8_t frame[256], data[64] = {1, 2, 3, 4};
    size_t length = make_ipv4(frame, source, destination, protocol, data, sizeof data);
    put16(frame + 20, 0x2000);
    fix_ipv4(frame);
    rig_receive(&rig, frame, length);
}

static void expect_time_exceeded(uint32_t source)
{
    const struct frame *sent = rig_sent(&rig);
    assert_non_null(sent);
    assert_int_equal(get32(sent->bytes + 30), source);
    assert_int_equal(get16(sent->bytes + 34), 0x0B01);
}

static void nobody_in_particular(void **state)
{
    (void)state;
    static const uint32_t sources[] = {0xFFFFFFFF, 0xE0000001, 0xF0000001, 0x0A0000FF, 0, 0x7F000001, OURS};
    static const uint8_t protocols[] = {6, 17, 1, 99};
    for (unsigned i = 0; i < sizeof sources / sizeof *sources; i++) {
        for (unsigned k = 0; k < sizeof protocols; k++) {
            first_fragment(sources[i], OURS, protocols[k]);
            rig_run(&rig, 61000);
            rig_nothing_sent(&rig);
        }
    }
    rig_expect_health(&rig);
}

static void a_host(void **state)
{
    (void)state;
    first_fragment(PEER, OURS, 6);
    rig_run(&rig, 61000);
    expect_time_exceeded(PEER);
    rig_nothing_sent(&rig);
}

/* What was a host has become our own address, or that of all, meanwhile. */
static void no_host_any_more(void **state)
{
    (void)state;
    first_fragment(0x0A00000F, OURS, 6);
    rig_run(&rig, 30000);
    rig.net.netmask = 0xFFFFFFF0;
    rig_run(&rig, 31000);
    rig_nothing_sent(&rig);
    rig_expect_health(&rig);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(nobody_in_particular),
        TEST(a_host),
        TEST(no_host_any_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 0;
}

#endif
