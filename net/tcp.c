#include "net/tcp.h"
#include "net/internal.h"
#include "net/wire/tcp.h"

#include <string.h>

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

void tcp_init(struct tcp_socket *s, struct net *net, void *tx, size_t tx_size, void *rx, size_t rx_size)
{
    memset(s, 0, sizeof *s);
    s->net = net;
    s->tx = tx;
    s->tx_size = (uint32_t)tx_size;
    s->rx = rx;
    s->unread = rx;
    s->rx_size = (uint32_t)rx_size;
    s->user_timeout_ms = TCP_USER_TIMEOUT_MS;
    s->deadline_ms = net->now_ms + NET_FAR_MS;
    s->tx_ticket = net->device->sent(net->device->context);
    s->next = net->tcp_sockets;
    net->tcp_sockets = s;
}

void tcp_set_timeouts(struct tcp_socket *s, uint32_t user_timeout_ms, uint32_t keep_alive_ms)
{
    if (user_timeout_ms != 0) {
        s->user_timeout_ms = least(user_timeout_ms, NET_FAR_MS);
    }
    s->keep_alive_ms = least(keep_alive_ms, NET_FAR_MS);
    s->flags |= TCP_ATTENTION;
}

/* RFC 6528: a clock of 4 us and a keyed hash of the connection. */
static uint32_t initial_sequence(const struct tcp_socket *s)
{
    uint32_t words[3] = {s->local_address, s->remote_address, s->ports};
    return s->net->now_ms * 250 + net_keyed_hash(s->net->seed, words, 3);
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

/* But for the Ethernet header, which comes with the first look-up of the next hop. */
static void build_template(struct tcp_socket *s)
{
    ipv4_build(s->header + ETHERNET_HEADER, s->local_address, s->remote_address, IPV4_PROTOCOL_TCP, 0, 0);
    store_native32(s->header + ETHERNET_HEADER + IPV4_HEADER, s->ports << 16 | s->ports >> 16);
}

static void start_sequence(struct tcp_socket *s)
{
    s->snd_una = s->snd_nxt = s->snd_max = initial_sequence(s);
    s->snd_wnd = s->max_wnd = 0;
    if (s->tx_held == 0) {
        s->tx_start = 0;
    }
    s->rcv_nxt = 0;
    s->rcv_adv = s->rx_size;
    s->mss = TCP_MSS_DEFAULT;
    s->rto_ms = TCP_RTO_INITIAL_MS;
    s->ssthresh = UINT32_MAX;
    s->probe_shift = 0;
    s->duplicate_acks = 0;
    s->keep_alive_probes = 0;
    s->challenges = 0;
}

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
    if (port == 0 || !ipv4_is_host(address) || address == net->address || net_is_broadcast(net, address)) {
        return NET_ERROR_ARGUMENT;
    }
    tcp_finish(s, NET_OK);
    s->unread_length = 0;
    s->local_address = net->address;
    s->remote_address = address;
    choose_ports(s, port);
    start_sequence(s);
    build_template(s);
    s->neighbour_epoch = (uint8_t)(net->neighbour_epoch - 1);
    s->state = TCP_SYN_SENT;
    s->progress_ms = s->received_ms = now_ms;
    s->flags = TCP_ATTENTION;
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

/* ---- Receive side ---- */

uint32_t tcp_receive_room(const struct tcp_socket *s)
{
    return s->rx_size - s->unread_length;
}

uint32_t tcp_window_step(const struct tcp_socket *s)
{
    return least(s->rx_size / 2, TCP_MSS);
}

size_t tcp_peek(struct tcp_socket *s, const uint8_t **data)
{
    *data = s->unread;
    return s->unread_length;
}

/* The peer may be waiting for room: tell it at once if it has little and there is much more now. */
static void offer_window(struct tcp_socket *s)
{
    uint32_t offered = s->rcv_adv - s->rcv_nxt, step = tcp_window_step(s);
    if (offered < step && tcp_receive_room(s) - offered >= step) {
        s->flags |= TCP_ACK_NOW | TCP_ATTENTION;
    }
}

void tcp_consume(struct tcp_socket *s, size_t n)
{
    uint32_t taken = least((uint32_t)n, s->unread_length);
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
    if (s->unread_length != 0) {
        memmove(s->rx, s->unread, s->unread_length);
    }
    s->unread = s->rx;
}

/* ---- Transmit side ---- */

static void settle_held(struct tcp_socket *s)
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
    settle_held(s);
}

static uint32_t send_room(const struct tcp_socket *s)
{
    bool may_send = !(s->flags & TCP_FIN_QUEUED) &&
                    ((s->state >= TCP_SYN_SENT && s->state <= TCP_ESTABLISHED) || s->state == TCP_CLOSE_WAIT);
    return may_send ? s->tx_size - s->tx_used - s->tx_held : 0;
}

size_t tcp_reserve(struct tcp_socket *s, struct tcp_span room[2])
{
    settle_held(s);
    uint32_t free = send_room(s);
    uint32_t at = s->tx_start + s->tx_used;
    at = at >= s->tx_size ? at - s->tx_size : at;
    uint32_t first = least(free, s->tx_size - at);
    room[0] = (struct tcp_span){s->tx + at, first};
    room[1] = (struct tcp_span){s->tx, free - first};
    return free;
}

void tcp_commit(struct tcp_socket *s, size_t n)
{
    if (s->tx_used == 0) {
        s->flags |= TCP_BEGINS; /* the time known here may be that of a poll long ago */
    }
    s->tx_used += least((uint32_t)n, send_room(s));
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
    tcp_release(s, s->tx_used);
}

void tcp_give_up(struct tcp_socket *s, enum net_error reason)
{
    if (s->state != TCP_SYN_SENT && s->state != TCP_TIME_WAIT && s->state != TCP_CLOSED) {
        tcp_send_bare(s, s->snd_max, TCP_RST | TCP_ACK);
    }
    tcp_finish(s, reason);
}

void tcp_close(struct tcp_socket *s)
{
    switch (s->state) {
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

/* ---- Timers ---- */

void tcp_at_most(struct tcp_socket *s, uint32_t deadline_ms)
{
    if ((int32_t)(deadline_ms - s->deadline_ms) < 0) {
        s->deadline_ms = deadline_ms;
    }
}

static bool synchronized(const struct tcp_socket *s)
{
    return s->state >= TCP_ESTABLISHED;
}

/* Something of ours is yet to be acknowledged. */
static bool has_work(const struct tcp_socket *s)
{
    return s->state != TCP_CLOSED &&
           (s->tx_used != 0 || s->snd_max != s->snd_una || (s->flags & TCP_FIN_QUEUED) || !synchronized(s));
}

/*
 * When our patience with the peer ends: the user timeout while it owes us an
 * acknowledgement, else FIN-WAIT-2, TIME-WAIT or keep-alive. False: never.
 */
static bool patience(const struct tcp_socket *s, uint32_t *deadline_ms)
{
    if (has_work(s)) {
        *deadline_ms = s->progress_ms + s->user_timeout_ms;
        return true;
    }
    if (s->state == TCP_TIME_WAIT || s->state == TCP_FIN_WAIT_2) {
        _Static_assert((int)TCP_TIME_WAIT_MS == (int)TCP_FIN_WAIT_2_MS, "both wait as long");
        *deadline_ms = s->received_ms + TCP_TIME_WAIT_MS;
        return true;
    }
    *deadline_ms = s->received_ms + s->keep_alive_ms + s->keep_alive_probes * (s->keep_alive_ms / 4);
    return s->keep_alive_ms != 0 && s->state != TCP_CLOSED;
}

/* It has ended. False: so has the connection. */
static bool out_of_patience(struct tcp_socket *s)
{
    if (s->state == TCP_TIME_WAIT) {
        tcp_finish(s, NET_OK);
        return false;
    }
    if (has_work(s) || s->state == TCP_FIN_WAIT_2 || s->keep_alive_probes == TCP_KEEP_ALIVE_PROBES) {
        tcp_give_up(s, NET_ERROR_TIMEOUT);
        return false;
    }
    s->keep_alive_probes++; /* RFC 9293 3.8.4: an empty segment before the window, which must be answered */
    tcp_send_bare(s, s->snd_una - 1, TCP_ACK);
    return true;
}

void tcp_halve(struct tcp_socket *s)
{
    uint32_t half = (s->snd_max - s->snd_una) / 2, least_threshold = 2U * s->mss;
    s->ssthresh = half > least_threshold ? half : least_threshold;
}

static void back_to_first(struct tcp_socket *s)
{
    s->snd_nxt = s->snd_una;
    s->flags &= ~(uint32_t)(TCP_RTT_TIMED | TCP_RECOVERY); /* Karn: what is sent twice is not timed */
}

/* RFC 6298 5.4 to 5.7, RFC 5681 3.1; with a closed window, RFC 9293 3.8.6.1. */
static void retransmission_timeout(struct tcp_socket *s)
{
    s->flags &= ~(uint32_t)TCP_RTX_ARMED;
    s->flags |= TCP_FORCE; /* whatever the window, lest a shrunk one hold the segment back for ever */
    if (synchronized(s) && (s->snd_wnd == 0 || s->snd_max == s->snd_una)) {
        s->probe_shift = (uint8_t)(s->probe_shift + (s->probe_shift < 6));
        back_to_first(s);
        return;
    }
    tcp_halve(s);
    s->cwnd = s->mss;
    s->rto_ms = least(s->rto_ms * 2, TCP_RTO_MAX_MS);
    if (!synchronized(s)) {
        s->flags |= TCP_SYN_REPEATED;
    }
    back_to_first(s);
}

/* False: the connection has ended. */
static bool run_timers(struct tcp_socket *s)
{
    struct net *net = s->net;
    uint32_t deadline_ms;
    if (patience(s, &deadline_ms) && net_due(net, deadline_ms) && !out_of_patience(s)) {
        return false;
    }
    if ((s->flags & TCP_RTX_ARMED) && net_due(net, s->rtx_ms)) {
        retransmission_timeout(s);
    }
    if ((s->flags & TCP_ACK_DELAYED) && net_due(net, s->ack_ms)) {
        /* No timer any more: if it cannot go out now, it waits for what lets it. */
        s->flags = (s->flags | TCP_ACK_NOW) & ~(uint32_t)TCP_ACK_DELAYED;
    }
    return true;
}

static void schedule(struct tcp_socket *s)
{
    uint32_t now = s->net->now_ms, deadline_ms;
    s->deadline_ms = now + NET_FAR_MS;
    if (s->flags & TCP_RTX_ARMED) {
        tcp_at_most(s, s->rtx_ms);
    }
    if (s->flags & TCP_ACK_DELAYED) {
        tcp_at_most(s, s->ack_ms);
    }
    if (patience(s, &deadline_ms)) {
        tcp_at_most(s, deadline_ms);
    }
    if ((s->flags & TCP_WAITS_ROOM) || s->tx_held) {
        tcp_at_most(s, now + 1);
    }
    if (s->flags & TCP_WAITS_NEIGHBOUR) {
        tcp_at_most(s, now + 1000);
    }
}

void tcp_service(struct tcp_socket *s)
{
    s->flags &= ~(uint32_t)(TCP_ATTENTION | TCP_WAITS_ROOM | TCP_WAITS_NEIGHBOUR);
    settle_held(s);
    if (s->flags & TCP_BEGINS) {
        s->flags &= ~(uint32_t)TCP_BEGINS;
        s->progress_ms = s->net->now_ms;
    }
    if (s->state != TCP_CLOSED && (!net_due(s->net, s->deadline_ms) || run_timers(s))) {
        tcp_output(s);
    }
    schedule(s);
}
