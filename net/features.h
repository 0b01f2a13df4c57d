/*
 * What the stack is built with. A switch that is 0 costs no code and no RAM. NET_FULL=1 turns on all
 * that is not set by itself; without it the stack is what a client of one broker needs.
 */
#ifndef NET_FEATURES_H
#define NET_FEATURES_H

#ifndef NET_FULL
#define NET_FULL 0
#endif

#ifndef NET_WITH_DHCP
#define NET_WITH_DHCP 1
#endif
#ifndef NET_WITH_DNS
#define NET_WITH_DNS 1
#endif

/* RFC 3927: an address of our own choice while no DHCP server answers. Needs NET_WITH_ACD. */
#ifndef NET_WITH_LINK_LOCAL
#define NET_WITH_LINK_LOCAL (NET_WITH_DHCP && NET_WITH_ACD)
#endif
/* Name servers that are kept and asked in turn, 1 to 3. */
#ifndef NET_DNS_SERVERS
#if NET_FULL
#define NET_DNS_SERVERS 3
#else
#define NET_DNS_SERVERS 1
#endif
#endif
/* A name without a dot is looked for in the domain that DHCP names. Needs NET_WITH_DHCP and NET_WITH_DNS. */
#ifndef NET_WITH_DNS_SEARCH
#define NET_WITH_DNS_SEARCH (NET_FULL && NET_WITH_DHCP && NET_WITH_DNS)
#endif
/* Answers of DNS are kept for their time to live. */
#ifndef NET_WITH_DNS_CACHE
#define NET_WITH_DNS_CACHE NET_FULL
#endif
/* Aliases (CNAME) that lead out of an answer are asked for. Needs NET_WITH_DNS. */
#ifndef NET_WITH_DNS_ALIASES
#define NET_WITH_DNS_ALIASES (NET_FULL && NET_WITH_DNS)
#endif
/*
 * RFC 6762: names in .local are asked for by multicast, and our own is answered for.
 * Needs NET_WITH_DNS, _IGMP and _UDP_OPTIONS.
 */
#ifndef NET_WITH_MDNS
#define NET_WITH_MDNS NET_FULL
#endif
/* net/sntp.h. Needs NET_WITH_DNS. */
#ifndef NET_WITH_SNTP
#define NET_WITH_SNTP NET_FULL
#endif
/* Time servers that are kept of those that DHCP names. */
#define NET_NTP_SERVERS 2

/* 0: every device has both capabilities for checksums; one that lacks them is not used. */
#ifndef NET_WITH_SOFTWARE_CHECKSUMS
#define NET_WITH_SOFTWARE_CHECKSUMS 1
#endif

/* RFC 5227: an address is probed for before it is used, announced and defended. */
#ifndef NET_WITH_ACD
#define NET_WITH_ACD NET_FULL
#endif
/* Further addresses, routes besides the one through the gateway. */
#ifndef NET_WITH_ROUTES
#define NET_WITH_ROUTES NET_FULL
#endif
/* Datagrams larger than one frame, both ways. */
#ifndef NET_WITH_FRAGMENTS
#define NET_WITH_FRAGMENTS NET_FULL
#endif
/* Multicast: net_join, net_leave and IGMPv2. */
#ifndef NET_WITH_IGMP
#define NET_WITH_IGMP NET_FULL
#endif
/* Received ICMP errors reach the connection or socket that they are about. */
#ifndef NET_WITH_ICMP_ERRORS
#define NET_WITH_ICMP_ERRORS NET_FULL
#endif
/* net/ping.h */
#ifndef NET_WITH_PING
#define NET_WITH_PING NET_FULL
#endif
/* UDP sockets can be connected, and choose TTL and DSCP. */
#ifndef NET_WITH_UDP_OPTIONS
#define NET_WITH_UDP_OPTIONS NET_FULL
#endif

/* TCP: data that overtook others are kept (tcp_reassembly.c). */
#ifndef NET_WITH_TCP_REASSEMBLY
#define NET_WITH_TCP_REASSEMBLY NET_FULL
#endif
/* Selective acknowledgements, both ways (RFC 2018, 6675); needs NET_WITH_TCP_REASSEMBLY. */
#ifndef NET_WITH_TCP_SACK
#define NET_WITH_TCP_SACK NET_FULL
#endif
/* RFC 7323: windows, and so buffers, above 65535 bytes; timestamps. */
#ifndef NET_WITH_TCP_WINDOW_SCALE
#define NET_WITH_TCP_WINDOW_SCALE NET_FULL
#endif
#ifndef NET_WITH_TCP_TIMESTAMPS
#define NET_WITH_TCP_TIMESTAMPS NET_FULL
#endif
#define NET_WITH_TCP_OPTIONS (NET_WITH_TCP_SACK || NET_WITH_TCP_WINDOW_SCALE || NET_WITH_TCP_TIMESTAMPS)
/* CUBIC by choice (RFC 9438), limited transmit, window inflation, restart after idleness (tcp_congestion.c).
 */
#ifndef NET_WITH_TCP_CONGESTION
#define NET_WITH_TCP_CONGESTION NET_FULL
#endif
/* Segments that a narrow path has made smaller grow again (RFC 4821). Needs NET_WITH_ICMP_ERRORS. */
#ifndef NET_WITH_TCP_PROBING
#define NET_WITH_TCP_PROBING (NET_FULL && NET_WITH_ICMP_ERRORS)
#endif
/* Nagle's algorithm, which each socket can turn off. */
#ifndef NET_WITH_TCP_NAGLE
#define NET_WITH_TCP_NAGLE NET_FULL
#endif
/* What we have closed stays open for what the peer sends, until that has been silent for the user timeout,
 * not 60 s. */
#ifndef NET_WITH_TCP_HALF_CLOSE
#define NET_WITH_TCP_HALF_CLOSE NET_FULL
#endif
/* Servers: tcp_listen.h. */
#ifndef NET_WITH_TCP_LISTEN
#define NET_WITH_TCP_LISTEN NET_FULL
#endif
/* TTL and DSCP of each TCP socket. */
#ifndef NET_WITH_TCP_TTL
#define NET_WITH_TCP_TTL NET_FULL
#endif

#endif
