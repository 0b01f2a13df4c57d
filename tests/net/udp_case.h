/* What tests with one UDP socket share: it is open at port 5000 of a net without any neighbour (rig.h). */
#ifndef TESTS_NET_UDP_CASE_H
#define TESTS_NET_UDP_CASE_H

#include "rig.h"

extern struct rig udp_rig;
extern struct udp_socket udp;

int udp_setup(void **state);
int udp_teardown(void **state);

#define TEST(name) cmocka_unit_test_setup_teardown(name, udp_setup, udp_teardown)

#endif
