/*
 * TCP servers (RFC 9293 3.10.7.2), with NET_WITH_TCP_LISTEN. For contexts and times see net.h.
 *
 * A listener answers SYNs to its port; a connection whose handshake is complete goes to the socket that was
 * offered first with tcp_accept. Until then it takes one small entry of the listener's queue. When all are
 * taken, as in a flood, further SYNs are answered from a cookie: the initial sequence number then holds,
 * under a keyed hash, all that has to be known when the peer acknowledges it (RFC 4987 3.6), which is the MSS
 * but no other option. So a flood takes neither sockets nor memory, and connections go on being made.
 */
#ifndef NET_TCP_LISTEN_H
#define NET_TCP_LISTEN_H

#include "net/tcp.h"

#if NET_WITH_TCP_LISTEN

enum { TCP_SYN_QUEUE = 8 };

/* Private. */
struct tcp_half_open {
    uint32_t remote_address, local_address;
    uint32_t ports; /* as struct tcp_socket's; 0: free */
    uint32_t irs, iss;
    uint32_t deadline_ms; /* the SYN-ACK is sent again */
    uint32_t sent_ms;     /* its first time */
    uint32_t timestamp;   /* of the SYN */
    uint16_t mss;
    uint8_t mac[6];
    uint8_t scale, options; /* agreed */
    uint8_t tries;
    bool acknowledged; /* but no socket was there to take it */
};

/* Private; placed by the caller. */
struct tcp_listener {
    struct tcp_listener *next;
    struct net *net;
    uint32_t window;
    uint32_t cookie_ms; /* when the last cookie was given, if ever */
    uint16_t port;
    uint8_t options; /* offered */
    bool cookies;
    struct tcp_half_open queue[TCP_SYN_QUEUE];
};

/*
 * Listen on `port` of all our addresses. `window`, in bytes, is what SYNs are answered with: the rx_size of
 * the sockets to be offered, or of the smallest of them. The listener must stay until tcp_unlisten. One that
 * listens already begins anew, as after tcp_unlisten; after an error it goes on as it was.
 * NET_ERROR_ARGUMENT: port 0 or a window out of the range of buffer sizes; NET_ERROR_PORT_IN_USE.
 */
int tcp_listen(struct tcp_listener *listener, struct net *net, uint16_t port, size_t window)
    __attribute__((warn_unused_result));

#if NET_WITH_TCP_OPTIONS
/* Which options to agree to from the next SYN on, as enum tcp_option; all that the build knows by default. */
void tcp_listen_options(struct tcp_listener *listener, unsigned options);
#endif

/* Stop; sockets that are still in LISTEN close, connections live on. */
void tcp_unlisten(struct tcp_listener *listener);

/*
 * Offer a socket in state CLOSED or TIME-WAIT (which is given up) for a connection: it goes to LISTEN, and
 * from there to ESTABLISHED when a peer has connected; tcp_close takes the offer back. After the connection
 * the socket is CLOSED as any other, and can be offered again. An offer is for all our addresses, and
 * outlives them and the link. NET_ERROR_STATE: in use; NET_ERROR_ARGUMENT: its receive buffer is smaller than
 * the window that peers are told.
 */
int tcp_accept(struct tcp_listener *listener, struct tcp_socket *s, uint32_t now_ms)
    __attribute__((warn_unused_result));

#endif

#endif
