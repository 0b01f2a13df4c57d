/*
 * One end of a link (sim_link.h) as a network device. A received frame is lent in heap memory that ends where
 * it does, so that a sanitizer sees every step beyond it.
 */
#ifndef TESTS_NET_SIM_DEVICE_H
#define TESTS_NET_SIM_DEVICE_H

#include "net/net.h"
#include "sim_link.h"

struct sim_device {
    struct net_device device; /* give its address to net_init */
    struct link *link;
    unsigned which;
    struct flying *arrived; /* to be received next: its owner's to put there */
    struct flying *lent;    /* to the stack */
    uint32_t ticket, lost;  /* frames sent; of them not arrived as they were */
    uint64_t last_ms;       /* the link's time when it last sent */
    uint8_t head[NET_DEVICE_HEADER_MAX];
};

/* End `which` of the link, 0 or 1. */
void sim_device_init(struct sim_device *d, struct link *link, unsigned which);
/* Frees what it holds. */
void sim_device_clear(struct sim_device *d);

/* Of a host on the link's network: its last byte is the MAC's too. */
struct net_config sim_config(uint32_t address, uint32_t seed);

#endif
