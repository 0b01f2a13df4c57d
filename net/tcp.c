#include "net/tcp.h"
#include "net/internal.h"
#include "net/wire/tcp.h"

#include <string.h>

void tcp_init(struct tcp_socket *s, struct net *net, void *tx, size_t tx_size, void *rx, size_t rx_size)
{
    struct tcp_socket **link = &net->tcp_sockets;
    while (*link && *link != s) {
        link = &(*link)->next;
    }
    struct tcp_socket *next = *link ? s->next : NULL; /* in the list already, or put at its end */
    memset(s, 0, sizeof *s);
    s->net = net;
    s->tx = tx;
    s->tx_size = (uint32_t)tx_size;
    s->rx = rx;
    s->unread = rx;
    s->rx_size = (uint32_t)rx_size;
    s->window_step = (uint16_t)tcp_least(s->rx_size / 2, TCP_MSS);
    s->user_timeout_ms = TCP_USER_TIMEOUT_MS;
    s->deadline_ms = net->now_ms + NET_FAR_MS;
    s->tx_ticket = net->device->sent(net->device->context);
    s->next = next;
    *link = s;
#if NET_WITH_TCP_OPTIONS
    s->offers = TCP_OFFER_ALL;
#endif
#if NET_WITH_TCP_TTL
    s->ttl = IPV4_TTL;
#endif
#if NET_WITH_TCP_NAGLE
    s->nagle = true;
#endif
}

void tcp_set_timeouts(struct tcp_socket *s, uint32_t user_timeout_ms, uint32_t keep_alive_ms)
{
    if (user_timeout_ms != 0) {
        s->user_timeout_ms = tcp_least(user_timeout_ms, NET_FAR_MS);
    }
    s->keep_alive_ms = tcp_least(keep_alive_ms, NET_FAR_MS);
    s->flags |= TCP_ATTENTION;
}

#if NET_WITH_TCP_OPTIONS
void tcp_set_options(struct tcp_socket *s, unsigned options)
{
    s->offers = (uint8_t)options;
}
#endif

#if NET_WITH_TCP_NAGLE
void tcp_set_nagle(struct tcp_socket *s, bool on)
{
    s->nagle = on;
    s->flags |= TCP_ATTENTION;
}
#endif

/* RFC 6528: a clock of 4 us and a keyed hash of the connection. */
uint32_t tcp_initial_sequence(const struct net *net, uint32_t local, uint32_t remote, uint32_t ports)
{
    uint32_t words[3] = {local, remote, ports};
    return net->now_ms * 250 + net_keyed_hash(net->seed, words, 3);
}

static bool port_taken(const struct net *net, const struct tcp_socket *of, uint32_t ports)
{
    for (const struct tcp_socket *s = net->tcp_sockets; s; s = s->next) {
        /* Its own last port is passed over too: that connection may be in TIME-WAIT on either side. */
        if (s->ports == ports &&
            (s == of || (s->state != TCP_CLOSED && s->remote_address == of->remote_address))) {
            return true;
        }
    }
    return false;
}

static void choose_ports(struct tcp_socket *s, uint16_t remote)
{
    uint32_t ports;
    do { /* ends soon: few of 16384 ports are taken, by sockets in a short list */
        uint16_t local = (uint16_t)(NET_EPHEMERAL_PORT | net_random(s->net));
        ports = (uint32_t)__builtin_bswap16(local) << 16 | __builtin_bswap16(remote);
    } while (port_taken(s->net, s, ports));
    s->ports = ports;
}

#if NET_WITH_TCP_TTL
void tcp_set_ttl(struct tcp_socket *s, uint8_t ttl)
{
    s->ttl = ttl;
    s->header[ETHERNET_HEADER + 8] = ttl;
}

void tcp_set_dscp(struct tcp_socket *s, uint8_t dscp)
{
    s->dscp = dscp;
    s->header[ETHERNET_HEADER + 1] = (uint8_t)(dscp << 2);
}
#endif

/* But for the Ethernet header, which comes with the first look-up of the next hop. */
static void build_template(struct tcp_socket *s)
{
    ipv4_build(s->header + ETHERNET_HEADER, s->local_address, s->remote_address, IPV4_PROTOCOL_TCP, 0, 0);
    store_native32(s->header + ETHERNET_HEADER + IPV4_HEADER, s->ports << 16 | s->ports >> 16);
#if NET_WITH_TCP_TTL
    tcp_set_ttl(s, s->ttl);
    tcp_set_dscp(s, s->dscp);
#endif
    if (NET_WITH_ICMP_ERRORS) {
        store_be16(s->header + ETHERNET_HEADER + IPV4_FRAGMENT_FIELD, IPV4_DO_NOT_FRAGMENT); /* RFC 1191 */
    }
}

static void start_sequence(struct tcp_socket *s, uint32_t iss)
{
    s->snd_una = s->snd_nxt = s->snd_max = s->recover = iss;
    s->snd_wnd = s->max_wnd = 0;
    if (s->tx_held == 0) {
        s->tx_start = 0;
    }
    s->rcv_nxt = 0;
    s->rcv_adv = NET_WITH_TCP_WINDOW_SCALE ? tcp_least(s->rx_size, UINT16_MAX) : s->rx_size;
    s->mss = TCP_MSS_DEFAULT;
    s->rto_ms = TCP_RTO_INITIAL_MS;
    s->ssthresh = UINT32_MAX;
    s->probe_shift = 0;
    s->duplicate_acks = 0;
    s->keep_alive_probes = 0;
    s->challenges = 0;
#if NET_WITH_TCP_OPTIONS
    tcp_start_options(s);
#endif
#if NET_WITH_ICMP_ERRORS
    s->soft_error = NET_OK;
    s->timeouts = 0;
#endif
#if NET_WITH_TCP_PROBING
    s->mss_agreed = s->probe_size = 0;
#endif
}

void tcp_open(struct tcp_socket *s, enum tcp_state state, uint32_t iss)
{
    s->unread_length = 0;
    start_sequence(s, iss);
    build_template(s);
    s->neighbour_epoch = (uint8_t)(s->net->neighbour_epoch - 1);
    s->state = (uint8_t)state;
    s->progress_ms = s->received_ms = s->net->now_ms;
    s->flags = TCP_ATTENTION;
}

#if NET_WITH_ROUTES
int tcp_bind(struct tcp_socket *s, uint32_t address)
{
    if (address != 0 && !ipv4_is_host(address)) {
        return NET_ERROR_ARGUMENT;
    }
    s->bound_address = address;
    return NET_OK;
}
#endif

int tcp_connect(struct tcp_socket *s, uint32_t address, uint16_t port, uint32_t now_ms)
{
    struct net *net = s->net;
    net->now_ms = now_ms;
    if (s->state != TCP_CLOSED && s->state != TCP_TIME_WAIT) {
        return NET_ERROR_STATE;
    }
    if (!net_is_up(net)) {
        return NET_ERROR_DOWN;
    }
    if (port == 0 || !ipv4_is_host(address) || net_is_ours(net, address) || net_is_broadcast(net, address)) {
        return NET_ERROR_ARGUMENT;
    }
    uint32_t source = net_source(net, address);
#if NET_WITH_ROUTES
    if (s->bound_address != 0 && !net_is_ours(net, s->bound_address)) {
        return NET_ERROR_ADDRESS;
    }
    source = s->bound_address ? s->bound_address : source;
    if (source == 0) {
        return NET_ERROR_DOWN; /* no first address, and none of the others' networks is it in */
    }
#endif
    tcp_finish(s, NET_OK);
    s->local_address = source;
    s->remote_address = address;
    choose_ports(s, port);
    tcp_open(s, TCP_SYN_SENT, tcp_initial_sequence(s->net, s->local_address, s->remote_address, s->ports));
    return NET_OK;
}

enum tcp_state tcp_state(const struct tcp_socket *s)
{
    return (enum tcp_state)s->state;
}

int tcp_error(const struct tcp_socket *s)
{
    return s->error;
}

uint32_t tcp_remote_address(const struct tcp_socket *s)
{
    return s->remote_address;
}

uint16_t tcp_remote_port(const struct tcp_socket *s)
{
    return __builtin_bswap16((uint16_t)s->ports);
}

uint16_t tcp_local_port(const struct tcp_socket *s)
{
    return __builtin_bswap16((uint16_t)(s->ports >> 16));
}

/* ---- Receive side ---- */

uint32_t tcp_receive_room(const struct tcp_socket *s)
{
    uint32_t room = s->rx_size - s->unread_length;
#if NET_WITH_TCP_WINDOW_SCALE
    room = tcp_least(room, (uint32_t)UINT16_MAX << s->rcv_scale);
#endif
    return room;
}

size_t tcp_peek(struct tcp_socket *s, const uint8_t **data)
{
    *data = s->unread;
    return s->unread_length;
}

/* The peer may be waiting for room: tell it at once if it has little and there is much more now. */
static void offer_window(struct tcp_socket *s)
{
    uint32_t offered = s->rcv_adv - s->rcv_nxt, step = s->window_step;
    if (offered < step && tcp_receive_room(s) - offered >= step) {
        s->flags |= TCP_ACK_NOW | TCP_ATTENTION;
    }
}

void tcp_consume(struct tcp_socket *s, size_t n)
{
    uint32_t taken = tcp_least((uint32_t)n, s->unread_length);
    s->unread += taken;
    s->unread_length -= taken;
    offer_window(s);
}

void tcp_append(struct tcp_socket *s, const uint8_t *data, uint32_t length)
{
    size_t start = (size_t)(s->unread - s->rx);
    if (start + s->unread_length + length > s->rx_size) {
        tcp_settle(s);
        start = 0;
    }
    memcpy(s->rx + start + s->unread_length, data, length);
    s->unread_length += length;
}

void tcp_settle(struct tcp_socket *s)
{
    uint32_t length = s->unread_length;
#if NET_WITH_TCP_REASSEMBLY
    if (s->kept_count != 0) {
        length += tcp_kept_reach(s);
    }
#endif
    if (length != 0) {
        memmove(s->rx, s->unread, length);
    }
    s->unread = s->rx;
}

/* ---- Transmit side ---- */

void tcp_settle_held(struct tcp_socket *s)
{
    if (s->tx_held && net_ticket_done(s->net, s->tx_ticket)) {
        s->tx_held = 0;
    }
}

void tcp_release(struct tcp_socket *s, uint32_t n)
{
    s->tx_start += n;
    if (s->tx_start >= s->tx_size) {
        s->tx_start -= s->tx_size;
    }
    s->tx_used -= n;
    s->tx_held += n;
    tcp_settle_held(s);
}

/* Before and in a connection; in the states after it the FIN is queued already. */
static bool may_send(const struct tcp_socket *s)
{
    return s->state == TCP_ESTABLISHED || s->state == TCP_CLOSE_WAIT ||
           ((s->state == TCP_SYN_SENT || s->state == TCP_SYN_RECEIVED) && !(s->flags & TCP_FIN_QUEUED));
}

static uint32_t send_room(const struct tcp_socket *s)
{
    return may_send(s) ? s->tx_size - s->tx_used - s->tx_held : 0;
}

size_t tcp_reserve(struct tcp_socket *s, struct tcp_span room[2])
{
    tcp_settle_held(s);
    uint32_t free = send_room(s);
    uint32_t at = s->tx_start + s->tx_used;
    at = at >= s->tx_size ? at - s->tx_size : at;
    uint32_t first = tcp_least(free, s->tx_size - at);
    room[0] = (struct tcp_span){s->tx + at, first};
    room[1] = (struct tcp_span){s->tx, free - first};
    return free;
}

void tcp_commit(struct tcp_socket *s, size_t n)
{
    uint32_t taken = tcp_least((uint32_t)n, send_room(s));
    if (s->tx_used == 0 && taken != 0) {
        s->flags |= TCP_BEGINS; /* the time known here may be that of a poll long ago */
    }
    s->tx_used += taken;
    s->flags |= TCP_ATTENTION;
}

size_t tcp_queued(const struct tcp_socket *s)
{
    return s->tx_used;
}

/* ---- Ending ---- */

void tcp_finish(struct tcp_socket *s, enum net_error reason)
{
    s->state = TCP_CLOSED;
    s->error = (int8_t)reason;
    s->flags = 0;
    s->deadline_ms = s->net->now_ms + NET_FAR_MS;
#if NET_WITH_TCP_REASSEMBLY
    s->kept_count = 0;
#endif
    tcp_release(s, s->tx_used);
}

void tcp_give_up(struct tcp_socket *s, enum net_error reason)
{
    if (s->state > TCP_SYN_SENT && s->state < TCP_CLOSING) { /* 3.10.5: both have closed by then */
        tcp_send_bare(s, tcp_bare_number(s), TCP_RST | TCP_ACK);
    }
    tcp_finish(s, reason);
}

void tcp_close(struct tcp_socket *s)
{
    switch (s->state) {
#if NET_WITH_TCP_LISTEN
    case TCP_LISTEN:
#endif
    case TCP_SYN_SENT: tcp_finish(s, NET_OK); return;
    case TCP_SYN_RECEIVED: break; /* goes to FIN-WAIT-1 when established */
    case TCP_ESTABLISHED: s->state = TCP_FIN_WAIT_1; break;
    case TCP_CLOSE_WAIT: s->state = TCP_LAST_ACK; break;
    default: return;
    }
    if (s->tx_used == 0) {
        s->flags |= TCP_BEGINS;
    }
    s->flags |= TCP_FIN_QUEUED | TCP_ATTENTION;
}

void tcp_abort(struct tcp_socket *s)
{
    s->unread_length = 0;
    if (s->state != TCP_CLOSED) {
        tcp_give_up(s, NET_ERROR_ABORTED);
    }
}
