/* Which neighbours are remembered when there is not room for all, and which way packets go when that changes.
 */
#include "net/internal.h"
#include "udp_case.h"

#include <string.h>

#define HOST      0x0A000020U /* and upwards: neighbours */
#define ELSEWHERE 0xC0A80901U /* 192.168.9.1 */

static void arp(uint16_t operation, uint32_t sender)
{
    uint8_t frame[64], mac[6] = {2, 0, 0, 1, (uint8_t)(sender >> 8), (uint8_t)sender};
    rig_receive(&udp_rig, frame, make_arp(frame, operation, mac, sender, OURS));
}

/* Can a datagram go there at once? */
static bool known(uint32_t address)
{
    int result = udp_send(&udp, address, 9, "x", 1);
    assert_true(result == NET_OK || result == NET_ERROR_NEIGHBOUR);
    return result == NET_OK;
}

/* Have it asked for and answered, so that it is known and used; `hop` is who answers. */
static void use_by(uint32_t address, uint32_t hop)
{
    if (!known(address)) {
        arp(2, hop);
        assert_true(known(address));
    }
    rig_advance(&udp_rig, 1);
    rig_discard_sent(&udp_rig);
}

static void use(uint32_t address)
{
    use_by(address, address);
}

static void use_many(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        use(HOST + i);
    }
}

static void the_longest_known_gives_way(void **state)
{
    (void)state;
    use_many(NET_NEIGHBOURS + 1);
    for (unsigned i = NET_NEIGHBOURS; i > 0; i--) {
        assert_true(known(HOST + i));
    }
    assert_false(known(HOST));
}

static void the_gateway_is_kept(void **state) /* without any connection through it */
{
    (void)state;
    use_by(ELSEWHERE, PEER);
    use_many(2 * NET_NEIGHBOURS);
    assert_true(known(ELSEWHERE));
    assert_true(known(PEER));
}

static void what_is_told_unasked_takes_nothing_in_use(void **state)
{
    (void)state;
    use_many(NET_NEIGHBOURS);
    for (unsigned i = 0; i < 100; i++) {
        arp(1, HOST + 50 + i);
        rig_discard_sent(&udp_rig);
    }
    for (unsigned i = 0; i < NET_NEIGHBOURS; i++) {
        assert_true(known(HOST + i));
    }
}

/* Five minutes later nothing of it is in use any more. */
static void what_has_aged_gives_way_to_what_is_told(void **state)
{
    (void)state;
    use_many(NET_NEIGHBOURS);
    rig_run(&udp_rig, 301000);
    rig_discard_sent(&udp_rig);
    arp(1, HOST + 50);
    rig_discard_sent(&udp_rig);
    assert_true(known(HOST + 50));
}

/* Nobody is asked who is no neighbour, so nobody is remembered either. */
static void strangers_are_not_remembered(void **state)
{
    (void)state;
    arp(1, ELSEWHERE);
    for (unsigned i = 0; i < NET_NEIGHBOURS; i++) {
        assert_int_equal(udp_rig.net.neighbours[i].state, NEIGHBOUR_FREE);
    }
}

#if NET_WITH_ROUTES

static void connect_to(uint32_t address)
{
    assert_int_equal(tcp_connect(&udp_rig.tcp, address, BROKER, udp_rig.now), NET_OK);
    rig_poll(&udp_rig);
}

static void the_peer_of_a_connection_is_kept(void **state)
{
    (void)state;
    use(HOST + 100);
    connect_to(HOST + 100);
    use_many(2 * NET_NEIGHBOURS);
    assert_true(known(HOST + 100));
    tcp_abort(&udp_rig.tcp);
    use_many(2 * NET_NEIGHBOURS);
    assert_false(known(HOST + 100));
}

static void the_next_hop_of_a_connection_is_kept(void **state)
{
    (void)state;
    assert_int_equal(net_add_route(&udp_rig.net, ELSEWHERE & MASK, MASK, HOST + 100), NET_OK);
    use_by(ELSEWHERE + 1, HOST + 100);
    connect_to(ELSEWHERE);
    use_many(2 * NET_NEIGHBOURS);
    assert_true(known(HOST + 100));
    tcp_abort(&udp_rig.tcp);
}

/* Without its route a connection goes by the gateway, at once. */
static void route_is_removed(void **state)
{
    (void)state;
    use(PEER);
    assert_int_equal(net_add_route(&udp_rig.net, ELSEWHERE & MASK, MASK, HOST + 100), NET_OK);
    use_by(ELSEWHERE + 1, HOST + 100);
    connect_to(ELSEWHERE);
    assert_int_equal(get32(rig_sent(&udp_rig)->bytes + 2), 0x00010084); /* HOST + 100 */
    assert_int_equal(net_remove_route(&udp_rig.net, ELSEWHERE & MASK, MASK), NET_OK);
    rig_run(&udp_rig, 1000);
    const struct frame *again = rig_sent(&udp_rig);
    assert_non_null(again);
    assert_int_equal(get32(again->bytes + 2), 0x00010001); /* PEER */
    tcp_abort(&udp_rig.tcp);
}

static void masks_are_contiguous(void **state) /* RFC 4632 3.1 */
{
    (void)state;
    assert_int_equal(net_add_address(&udp_rig.net, ELSEWHERE, 0xFF00FF00), NET_ERROR_ARGUMENT);
    assert_int_equal(net_add_address(&udp_rig.net, ELSEWHERE, 0x00FFFFFF), NET_ERROR_ARGUMENT);
    assert_int_equal(net_add_route(&udp_rig.net, 0xC0000900, 0xFF00FF00, PEER), NET_ERROR_ARGUMENT);
    assert_int_equal(net_add_address(&udp_rig.net, ELSEWHERE, 0xFFFFFFFE), NET_OK);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_longest_known_gives_way),
        TEST(the_gateway_is_kept),
        TEST(what_is_told_unasked_takes_nothing_in_use),
        TEST(what_has_aged_gives_way_to_what_is_told),
        TEST(strangers_are_not_remembered),
#if NET_WITH_ROUTES
        TEST(the_peer_of_a_connection_is_kept),
        TEST(the_next_hop_of_a_connection_is_kept),
        TEST(route_is_removed),
        TEST(masks_are_contiguous),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
