/*
 * Multicast DNS (RFC 6762), with NET_WITH_MDNS. For contexts and times see net.h.
 *
 * With net_config.mdns_name the device answers for NAME.local: it probes for the name when it has an address,
 * announces it, and takes NAME-2.local and so on if another host has it. Names in .local given to dns_start
 * are asked for by multicast.
 */
#ifndef NET_MDNS_H
#define NET_MDNS_H

#include "net/net.h"

#define MDNS_GROUP 0xE00000FBU /* 224.0.0.251 */

enum {
    MDNS_PORT = 5353,
    MDNS_TEXT_MAX = 40, /* "mote-000002-2.local" */
};

#if NET_WITH_MDNS

/* Writes the name as text; an empty one if there is none. True: it is ours, probed for and announced. */
bool mdns_name(const struct net *net, char text[MDNS_TEXT_MAX + 1]);

#endif

/* Is it a name of multicast DNS: does it end in ".local"? */
bool mdns_is_local(const char *name);

#endif
