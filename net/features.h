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

/* 0: every device has both capabilities for checksums; one that lacks them is not used. */
#ifndef NET_WITH_SOFTWARE_CHECKSUMS
#define NET_WITH_SOFTWARE_CHECKSUMS 1
#endif

#endif
