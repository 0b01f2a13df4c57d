/* As much of a server as an iperf3 client needs: one TCP stream either way, one test at a time. */
#ifndef TESTS_NET_HOST_IPERF3_H
#define TESTS_NET_HOST_IPERF3_H

#include "tests/net/host/services.h"

void serve_iperf3(struct service *service, struct connection *connection);

#endif
