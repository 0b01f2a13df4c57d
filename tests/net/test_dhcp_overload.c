/* DHCP: options in the fields of file and server name (RFC 2131 4.1, RFC 2132 9.3), and transactions. */
#include "dhcp_server.h"

#include <string.h>

enum { AT_SNAME = 44, AT_FILE = 108, FILE_ROOM = 128, SNAME_ROOM = 64, ON_FILE = 1, ON_SNAME = 2 };

static int setup(void **state)
{
    (void)state;
    rig_open_dhcp(&rig);
    dhcp_expect(DISCOVER);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_discard_sent(&rig);
    rig_close(&rig);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const uint8_t lease[] = {51, 4, 0, 0, 14, 16};

/* An offer whose options say that others are in these fields, which hold what is given. */
static void offer(uint8_t overload, const void *file, size_t file_length, const void *sname,
                  size_t sname_length)
{
    uint8_t dhcp[800], option[] = {52, 1, overload};
    struct dhcp_answer reply = {OFFER, OURS, PEER, option, sizeof option};
    size_t length = dhcp_build(dhcp, &reply);
    memcpy(dhcp + AT_FILE, file, file_length);
    memcpy(dhcp + AT_SNAME, sname, sname_length);
    dhcp_send_raw(dhcp, length);
}

static void expect_taken(bool taken)
{
    const struct frame *answer = rig_sent(&rig);
    assert_int_equal(answer != NULL, taken);
    if (answer) {
        last = dhcp_decode(answer);
        assert_int_equal(last.type, REQUEST);
    }
}

static void lease_in_file(void **state)
{
    (void)state;
    offer(ON_SNAME, lease, sizeof lease, "", 0);
    expect_taken(false);
    offer(ON_FILE, lease, sizeof lease, "", 0);
    expect_taken(true);
}

static void lease_in_server_name(void **state)
{
    (void)state;
    offer(ON_FILE, "", 0, lease, sizeof lease);
    expect_taken(false);
    offer(ON_SNAME, "", 0, lease, sizeof lease);
    expect_taken(true);
}

static void lease_in_one_of_both(void **state)
{
    (void)state;
    offer(ON_FILE | ON_SNAME, "", 0, lease, sizeof lease);
    expect_taken(true);
}

/* Only the options' own field can say so. */
static void overload_in_the_overload(void **state)
{
    (void)state;
    static const uint8_t more[] = {52, 1, ON_FILE | ON_SNAME};
    offer(ON_FILE, more, sizeof more, lease, sizeof lease);
    expect_taken(false);
}

/* They end with their field, and what reaches beyond makes the message malformed. */
static void beyond_the_field(void **state)
{
    (void)state;
    uint8_t file[FILE_ROOM] = {0}, sname[SNAME_ROOM] = {0};
    memcpy(file + FILE_ROOM - 6, lease, 6); /* to its very last byte */
    offer(ON_FILE, file, sizeof file, "", 0);
    expect_taken(true);
    memcpy(file + FILE_ROOM - 5, lease, 5);
    rig_run(&rig, 60000);
    rig_discard_sent(&rig);
    net_link(&rig.net, false, rig.now);
    net_link(&rig.net, true, rig.now);
    rig_poll(&rig);
    dhcp_wait_for(DISCOVER, 1000);
    memset(file, 0, sizeof file);
    memcpy(file + FILE_ROOM - 5, lease, 5);
    offer(ON_FILE, file, sizeof file, "", 0);
    expect_taken(false);
    memcpy(sname + SNAME_ROOM - 5, lease, 5); /* which would go on in `file` */
    offer(ON_SNAME, "\x10", 1, sname, sizeof sname);
    expect_taken(false);
}

/* ---- 4.1: each transaction has an id of its own ---- */

static void renewal_is_a_transaction(void **state)
{
    (void)state;
    dhcp_answer(OFFER);
    dhcp_expect(REQUEST);
    uint32_t first = last.xid;
    dhcp_answer(ACKNOWLEDGE);
    rig_run(&rig, 1799000);
    uint8_t frame[64];
    rig_receive(&rig, frame, make_arp(frame, 1, peer_mac, PEER, OURS));
    rig_discard_sent(&rig);
    dhcp_wait_for(REQUEST, 2000);
    uint32_t renewal = last.xid;
    assert_int_not_equal(renewal, first);
    dhcp_answer(ACKNOWLEDGE);
    net_link(&rig.net, false, rig.now);
    net_link(&rig.net, true, rig.now);
    rig_poll(&rig);
    dhcp_expect(REQUEST);
    assert_int_not_equal(last.xid, renewal);
    dhcp_answer_with(NAK, 0, PEER, "", 0);
    uint32_t reboot = last.xid;
    dhcp_wait_for(DISCOVER, 3000);
    assert_int_not_equal(last.xid, reboot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lease_in_file),        TEST(lease_in_server_name),
        TEST(lease_in_one_of_both), TEST(overload_in_the_overload),
        TEST(beyond_the_field),     TEST(renewal_is_a_transaction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
