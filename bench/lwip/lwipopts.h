/*
 * lwIP as a client of one broker has it: what `net` does in its standard build, and nothing more; each choice
 * that is left is lwIP's faster or smaller one.
 */
#ifndef BENCH_LWIP_LWIPOPTS_H
#define BENCH_LWIP_LWIPOPTS_H

/* The raw interface, one context. */
#define NO_SYS               1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN         0
#define LWIP_SOCKET          0
#define LWIP_TIMERS          1
#define LWIP_SINGLE_NETIF    1

/* The same protocols. */
#define LWIP_ARP              1
#define LWIP_ICMP             1
#define LWIP_UDP              1
#define LWIP_TCP              1
#define LWIP_DHCP             1
#define LWIP_DNS              1
#define DNS_MAX_SERVERS       1
#define DNS_TABLE_SIZE        1
#define DNS_MAX_NAME_LENGTH   181
#define LWIP_NETIF_HOSTNAME   1
#define DHCP_DOES_ARP_CHECK   0
#define LWIP_DHCP_BOOTP_FILE  0
#define LWIP_DHCP_GET_NTP_SRV 0
#define LWIP_RAW              0
#define LWIP_IPV6             0
#define LWIP_IGMP             0
#define LWIP_AUTOIP           0
#define IP_REASSEMBLY         0
#define IP_FRAG               0
#define IP_FORWARD            0
#define ARP_QUEUEING          0
#define ARP_TABLE_SIZE        4
#define TCP_QUEUE_OOSEQ       0
#define LWIP_TCP_SACK_OUT     0
#define LWIP_TCP_TIMESTAMPS   0
#define LWIP_WND_SCALE        0
#define LWIP_TCP_KEEPALIVE    1

/* The same window and the same room to send. */
#define TCP_MSS          1460
#define TCP_WND          (8 * TCP_MSS)
#define TCP_SND_BUF      (8 * TCP_MSS)
#define TCP_SND_QUEUELEN 16

/* No more memory than that takes. The driver has pbufs of its own for what is received. */
#define MEM_ALIGNMENT            4
#define MEM_USE_POOLS            1 /* faster and smaller than its heap */
#define MEMP_USE_CUSTOM_POOLS    1
#define MEMP_NUM_TCP_PCB         1
#define MEMP_NUM_TCP_PCB_LISTEN  1
#define MEMP_NUM_TCP_SEG         TCP_SND_QUEUELEN
#define MEMP_NUM_UDP_PCB         3 /* DHCP, DNS and one more */
#define MEMP_NUM_PBUF            TCP_SND_QUEUELEN
#define PBUF_POOL_SIZE           0
#define LWIP_SUPPORT_CUSTOM_PBUF 1

/* Replies to echo requests go out from where the frame lies. */
#define LWIP_ICMP_ECHO_CHECK_INPUT_PBUF_LEN 0

/* Nothing that only watches. */
#define LWIP_DEBUG                 0
#define LWIP_NOASSERT              1
#define LWIP_STATS                 0
#define MIB2_STATS                 0
#define LWIP_NETIF_API             0
#define LWIP_NETIF_STATUS_CALLBACK 0
#define LWIP_NETIF_LINK_CALLBACK   0

/* BENCH_SOFTWARE_CHECKSUMS is 0 or 1. */
#define CHECKSUM_GEN_IP       BENCH_SOFTWARE_CHECKSUMS
#define CHECKSUM_GEN_UDP      BENCH_SOFTWARE_CHECKSUMS
#define CHECKSUM_GEN_TCP      BENCH_SOFTWARE_CHECKSUMS
#define CHECKSUM_GEN_ICMP     BENCH_SOFTWARE_CHECKSUMS
#define CHECKSUM_CHECK_IP     BENCH_SOFTWARE_CHECKSUMS
#define CHECKSUM_CHECK_UDP    BENCH_SOFTWARE_CHECKSUMS
#define CHECKSUM_CHECK_TCP    BENCH_SOFTWARE_CHECKSUMS
#define CHECKSUM_CHECK_ICMP   BENCH_SOFTWARE_CHECKSUMS
#define LWIP_CHKSUM_ALGORITHM 3 /* the fastest of the three here */

#endif
