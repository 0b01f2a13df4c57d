#include "net/tcp_listen.h"
#include "net/internal.h"

#include <string.h>

#if NET_WITH_TCP_LISTEN

enum {
    SYN_ACK_TRIES = 6,     /* at 0, 1, 3, 7, 15, 31 s; forgotten at 63 s */
    COOKIE_SLOT_BITS = 16, /* a slot of time is 65.5 s; a cookie is good in its own and the next */
    COOKIE_VALID_MS = 2 << COOKIE_SLOT_BITS,
    SYN_ACK_MAX = ETHERNET_HEADER + IPV4_HEADER + TCP_HEADER + TCP_OPTIONS_MAX,
};
_Static_assert((int)SYN_ACK_MAX <= (int)NET_DEVICE_HEADER_MAX, "fits what a device lends");

/* ---- Listeners ---- */

static struct tcp_listener *find_listener(const struct net *net, uint16_t port)
{
    struct tcp_listener *l = net->tcp_listeners;
    while (l && l->port != port) {
        l = l->next;
    }
    return l;
}

struct tcp_listener *tcp_find_listener(const struct net *net, const struct ipv4_packet *ip)
{
    return find_listener(net, load_be16(ip->payload + 2));
}

int tcp_listen(struct tcp_listener *listener, struct net *net, uint16_t port, size_t window)
{
    if (port == 0 || window < TCP_BUFFER_MIN || window > TCP_BUFFER_MAX) {
        return NET_ERROR_ARGUMENT;
    }
    const struct tcp_listener *owner = find_listener(net, port);
    if (owner && owner != listener) {
        return NET_ERROR_PORT_IN_USE;
    }
    listener->net = net;
    tcp_unlisten(listener);
    memset(listener, 0, sizeof *listener);
    listener->net = net;
    listener->port = port;
    listener->window = (uint32_t)window;
#if NET_WITH_TCP_OPTIONS
    listener->options = TCP_OFFER_ALL;
#endif
    listener->next = net->tcp_listeners;
    net->tcp_listeners = listener;
    return NET_OK;
}

#if NET_WITH_TCP_OPTIONS
void tcp_listen_options(struct tcp_listener *listener, unsigned options)
{
    listener->options = (uint8_t)options;
}
#endif

void tcp_unlisten(struct tcp_listener *listener)
{
    struct net *net = listener->net;
    struct tcp_listener **link = &net->tcp_listeners;
    while (*link && *link != listener) {
        link = &(*link)->next;
    }
    if (*link) {
        *link = listener->next;
    }
    for (struct tcp_socket *s = net->tcp_sockets; s; s = s->next) {
        if (s->state == TCP_LISTEN && s->listener == listener) {
            tcp_finish(s, NET_OK);
        }
    }
}

/* The socket that has been offered longest; of those offered at the same time, the first in the list. */
static struct tcp_socket *offered(const struct tcp_listener *l)
{
    struct tcp_socket *oldest = NULL;
    for (struct tcp_socket *s = l->net->tcp_sockets; s; s = s->next) {
        if (s->state == TCP_LISTEN && s->listener == l &&
            (!oldest || tcp_distance(oldest->progress_ms, s->progress_ms) < 0)) {
            oldest = s;
        }
    }
    return oldest;
}

/* ---- From a half-open connection to a socket ---- */

/* As if the socket itself had received the SYN and answered it. */
static void hand_over(const struct tcp_listener *l, const struct tcp_half_open *h, struct tcp_socket *s)
{
    struct tcp_segment syn = {.seq = h->irs, .mss = h->mss};
    s->local_address = h->local_address;
    s->remote_address = h->remote_address;
    s->ports = h->ports;
    tcp_open(s, TCP_SYN_RECEIVED, h->iss);
    s->rcv_adv = tcp_least(l->window, UINT16_MAX);
#if NET_WITH_TCP_OPTIONS
    uint8_t offers = s->offers;
    s->offers = h->options;
    syn.timestamp = h->timestamp;
    syn.syn = (struct tcp_syn_options){h->scale, true, true};
    tcp_take_syn(s, &syn);
    s->offers = offers;
#if NET_WITH_TCP_WINDOW_SCALE
    if (TCP_AGREED(s, TCP_OFFER_WINDOW_SCALE)) {
        s->rcv_scale = tcp_scale_for(l->window);
    }
#endif
#else
    tcp_take_syn(s, &syn);
#endif
    s->snd_nxt = s->snd_max = s->snd_una + 1;
    if (h->tries > 1) {
        s->flags |= TCP_SYN_REPEATED;
    } else if (h->tries == 1) {
        s->rtt_seq = s->snd_max;
        s->rtt_ms = h->sent_ms;
        s->flags |= TCP_RTT_TIMED;
    }
    tcp_begin_congestion_control(s);
    tcp_arm(s);
}

int tcp_accept(struct tcp_listener *listener, struct tcp_socket *s, uint32_t now_ms)
{
    struct net *net = listener->net;
    net->now_ms = now_ms;
    if (s->state != TCP_CLOSED && s->state != TCP_TIME_WAIT) {
        return NET_ERROR_STATE;
    }
    if (s->rx_size < listener->window) {
        return NET_ERROR_ARGUMENT;
    }
    tcp_finish(s, NET_OK);
    s->listener = listener;
    s->state = TCP_LISTEN;
    s->local_address = s->remote_address = 0;
    s->unread_length = 0;
    s->progress_ms = now_ms;
    for (struct tcp_half_open *h = listener->queue; h < listener->queue + TCP_SYN_QUEUE; h++) {
        if (h->ports && h->acknowledged && net_is_ours(net, h->local_address)) {
            hand_over(listener, h, s);
            s->snd_nxt = s->snd_una; /* the SYN-ACK once more: its acknowledgement comes anew */
            h->ports = 0;
            break;
        }
    }
    return NET_OK;
}

/* ---- Answering ---- */

#if NET_WITH_TCP_OPTIONS
static uint8_t *put_options(const struct tcp_listener *l, const struct tcp_half_open *h, uint8_t *to)
{
    if (h->options & TCP_OFFER_SACK) {
        to = tcp_put_sack_permitted(to);
    }
    if (h->options & TCP_OFFER_TIMESTAMPS) {
        uint32_t offset = tcp_timestamp_offset(l->net, h->local_address, h->remote_address);
        to = tcp_put_timestamps(to, l->net->now_ms + offset, h->timestamp);
    }
    if (h->options & TCP_OFFER_WINDOW_SCALE) {
        to = tcp_put_scale(to, tcp_scale_for(l->window));
    }
    return to;
}

static size_t finish_header(const struct tcp_listener *l, const struct tcp_half_open *h, uint8_t *tcp)
{
    uint8_t *end = tcp_put_mss(tcp + TCP_HEADER, TCP_MSS);
    return tcp_finish_options(tcp, put_options(l, h, end));
}
#else
static size_t finish_header(const struct tcp_listener *l, const struct tcp_half_open *h, uint8_t *tcp)
{
    (void)l, (void)h;
    tcp_build_mss(tcp, TCP_MSS);
    return TCP_HEADER + TCP_MSS_OPTION;
}
#endif

static void send_syn_ack(const struct tcp_listener *l, const struct tcp_half_open *h)
{
    struct net *net = l->net;
    uint8_t *frame = net_reserve(net);
    if (!frame) {
        return; /* as if lost */
    }
    uint8_t *ip = frame + ETHERNET_HEADER, *tcp = ip + IPV4_HEADER;
    tcp_build(tcp, h->iss, h->irs + 1, TCP_SYN | TCP_ACK, (uint16_t)tcp_least(l->window, UINT16_MAX));
    store_native32(tcp, h->ports << 16 | h->ports >> 16);
    size_t length = finish_header(l, h, tcp);
    ethernet_build(frame, h->mac, net->mac, ETHERNET_TYPE_IPV4);
    ipv4_build(ip, h->local_address, h->remote_address, IPV4_PROTOCOL_TCP, IPV4_HEADER + length, IPV4_ATOMIC);
    ipv4_finish(net, ip, TCP_CHECKSUM, length, NULL, 0);
    (void)net_send(net, ETHERNET_HEADER + IPV4_HEADER + length, NULL, 0);
}

static void send_again_at(struct tcp_listener *l, struct tcp_half_open *h)
{
    h->deadline_ms = l->net->now_ms + ((uint32_t)TCP_RTO_INITIAL_MS << h->tries);
    h->tries++;
    net_timer_at(l->net, h->deadline_ms);
}

static void timer(struct tcp_listener *l, struct tcp_half_open *h)
{
    if (!net_due(l->net, h->deadline_ms)) {
        net_timer_at(l->net, h->deadline_ms);
    } else if (h->tries == SYN_ACK_TRIES || !net_is_ours(l->net, h->local_address)) {
        h->ports = 0;
    } else {
        send_syn_ack(l, h);
        send_again_at(l, h);
    }
}

void tcp_listen_timers(struct net *net)
{
    for (struct tcp_listener *l = net->tcp_listeners; l; l = l->next) {
        for (struct tcp_half_open *h = l->queue; h < l->queue + TCP_SYN_QUEUE; h++) {
            if (h->ports) {
                timer(l, h);
            }
        }
    }
}

/* ---- Cookies: 5 bits of time, 2 of the MSS, 25 of a keyed hash of these and the connection ---- */

static const uint16_t cookie_mss[4] = {256, TCP_MSS_DEFAULT, 1220, TCP_MSS};

static uint32_t make_cookie(const struct net *net, const struct tcp_half_open *h, uint32_t time_and_mss)
{
    uint32_t words[5] = {h->local_address, h->remote_address, h->ports, h->irs, time_and_mss};
    return time_and_mss << 25 | (net_keyed_hash(net->seed, words, 5) & 0x1FFFFFF);
}

static uint32_t time_slot(const struct net *net)
{
    return net->now_ms >> COOKIE_SLOT_BITS & 31;
}

/* Answer a SYN without remembering it. */
static void give_cookie(struct tcp_listener *l, struct tcp_half_open *h)
{
    uint32_t index = 3;
    while (index > 0 && cookie_mss[index] > h->mss) {
        index--;
    }
    if (cookie_mss[index] > h->mss) {
        return; /* nobody's but an attacker's */
    }
    h->options = 0;
    h->iss = make_cookie(l->net, h, time_slot(l->net) << 2 | index);
    l->cookies = true;
    l->cookie_ms = l->net->now_ms;
    send_syn_ack(l, h);
}

/* Does the segment acknowledge a cookie of ours? Then `h`, which has the addresses, gets the rest. */
static bool take_cookie(struct tcp_listener *l, const struct tcp_segment *segment, struct tcp_half_open *h)
{
    struct net *net = l->net;
    if (!l->cookies || net->now_ms - l->cookie_ms >= (uint32_t)COOKIE_VALID_MS) {
        l->cookies = false; /* also lest the clock come round to it */
        return false;
    }
    h->iss = segment->ack - 1;
    h->irs = segment->seq - 1;
    h->mss = cookie_mss[h->iss >> 25 & 3];
    uint32_t age = (time_slot(net) - (h->iss >> 27)) & 31;
    return age <= 1 && make_cookie(net, h, h->iss >> 25) == h->iss;
}

/* ---- Arriving segments ---- */

static struct tcp_half_open from_packet(const struct ipv4_packet *ip)
{
    struct tcp_half_open h = {
        .remote_address = ip->source, .local_address = ip->destination, .ports = load_native32(ip->payload)};
    __builtin_memcpy(h.mac, ip->header - 8, sizeof h.mac); /* the frame's source */
    return h;
}

static struct tcp_half_open *find_half_open(struct tcp_listener *l, const struct tcp_half_open *like)
{
    for (struct tcp_half_open *h = l->queue; h < l->queue + TCP_SYN_QUEUE; h++) {
        if (h->ports == like->ports && h->remote_address == like->remote_address &&
            h->local_address == like->local_address) {
            return h;
        }
    }
    return NULL;
}

static struct tcp_half_open *free_entry(struct tcp_listener *l)
{
    for (struct tcp_half_open *h = l->queue; h < l->queue + TCP_SYN_QUEUE; h++) {
        if (!h->ports) {
            return h;
        }
    }
    return NULL;
}

static void take_options(const struct tcp_listener *l, struct tcp_half_open *h, const struct tcp_segment *syn)
{
    (void)l;
    h->irs = syn->seq;
    h->mss = syn->mss ? syn->mss : TCP_MSS_DEFAULT;
#if NET_WITH_TCP_OPTIONS
    h->options = (uint8_t)(l->options & tcp_options_in(syn));
    h->scale = syn->syn.scale;
    h->timestamp = syn->timestamp;
#endif
}

/* Third in 3.10.7.2. `least_iss`: of the connection that this one follows on, if `follows`. */
static enum frame_fate syn_arrives(struct tcp_listener *l, struct tcp_half_open *like,
                                   const struct tcp_segment *syn, const uint32_t *least_iss)
{
    struct net *net = l->net;
    take_options(l, like, syn);
    struct tcp_half_open *h = free_entry(l);
    if (!h) {
        give_cookie(l, like);
        return FRAME_DONE;
    }
    like->iss = tcp_initial_sequence(net, like->local_address, like->remote_address, like->ports);
    if (least_iss && tcp_distance(*least_iss, like->iss) < 0) {
        like->iss = *least_iss;
    }
    like->sent_ms = net->now_ms;
    *h = *like;
    send_syn_ack(l, h);
    send_again_at(l, h);
    return FRAME_DONE;
}

/* In the window that the SYN-ACK told, or an ACK at its edge? */
static bool in_window(const struct tcp_listener *l, const struct tcp_half_open *h, uint32_t seq)
{
    return seq - (h->irs + 1) <= tcp_least(l->window, UINT16_MAX);
}

/* The handshake is complete, if there is a socket for it. */
static enum frame_fate complete(struct tcp_listener *l, struct tcp_half_open *h, const struct ipv4_packet *ip,
                                struct tcp_segment *segment)
{
    struct tcp_socket *s = offered(l);
    if (!s) {
        h->acknowledged = true;
        return net_dropped(NET_DROP_TCP_SEGMENT);
    }
    hand_over(l, h, s);
    h->ports = 0;
    return tcp_segment_arrives(s, ip, segment);
}

/* 3.10.7.4 for SYN-RECEIVED. */
static enum frame_fate half_open_arrives(struct tcp_listener *l, struct tcp_half_open *h,
                                         const struct ipv4_packet *ip, struct tcp_segment *segment)
{
    if (segment->flags & TCP_RST) {
        if (segment->seq != h->irs + 1) { /* RFC 5961 3.2; without the challenge, which the timer sends */
            return net_dropped(NET_DROP_TCP_SEGMENT);
        }
        h->ports = 0;
        return FRAME_DONE;
    }
    if (segment->flags & TCP_SYN) {
        send_syn_ack(
            l, h); /* ours was lost; or the peer has rebooted, and will reset what it knows nothing of */
        return FRAME_DONE;
    }
    if (!(segment->flags & TCP_ACK)) {
        return net_dropped(NET_DROP_TCP_SEGMENT);
    }
    if (segment->ack != h->iss + 1) {
        return tcp_reset(l->net, ip, segment, NET_DROP_TCP_SEGMENT);
    }
    if (!in_window(l, h, segment->seq)) {
        return net_dropped(NET_DROP_TCP_SEGMENT);
    }
    return complete(l, h, ip, segment);
}

enum frame_fate tcp_listen_input(struct tcp_listener *l, const struct ipv4_packet *ip,
                                 struct tcp_segment *segment, const uint32_t *least_iss)
{
    struct tcp_half_open like = from_packet(ip);
    struct tcp_half_open *h = find_half_open(l, &like);
    if (h) {
        return half_open_arrives(l, h, ip, segment);
    }
    if (segment->flags & TCP_RST) {
        return net_dropped(NET_DROP_TCP_PORT);
    }
    if (segment->flags & TCP_ACK) {
        bool good = !(segment->flags & TCP_SYN) && take_cookie(l, segment, &like);
        return good ? complete(l, &like, ip, segment) : tcp_reset(l->net, ip, segment, NET_DROP_TCP_PORT);
    }
    if (!(segment->flags & TCP_SYN)) {
        return net_dropped(NET_DROP_TCP_PORT);
    }
    return syn_arrives(l, &like, segment, least_iss);
}

#endif
