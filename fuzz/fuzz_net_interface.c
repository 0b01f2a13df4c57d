/*
 * The whole interface: a connection made by us, a listener with two sockets, UDP, ping, a multicast group,
 * DHCP, DNS, mDNS and SNTP. The input is a sequence of steps: frames, raw or made right up to the layer in
 * question, time, and what applications do. After each step what always holds is checked; in the end all
 * falls silent, and then everything has to be at rest, and ping and TCP to work.
 */
#include "fuzz/cable.h"
#include "fuzz/input.h"
#include "net/dns.h"
#include "net/internal.h"
#include "net/ping.h"
#include "net/sntp.h"
#include "net/tcp_listen.h"
#include "net/udp.h"
#include "net/wire/checksum.h"
#include "net/wire/icmp.h"

#include <stdlib.h>
#include <string.h>

enum {
    SOCKETS = 3, /* the first is the client's */
    TX_BYTES = 700,
    RX_BYTES = 1600,
    SERVER_PORT = 80,
    BROKER_PORT = 1883,
    UDP_PORT = 5000,
    STEPS_MAX = 200,
};

static struct cable cable;
static struct net net;
static struct tcp_socket tcp[SOCKETS];
static struct tcp_listener listener;
static struct udp_socket udp, connected;
static struct ping echo;
static uint8_t *tx[SOCKETS], *rx[SOCKETS];
static uint8_t frame[NET_FRAME_MAX + 100], large[3000];
static uint32_t now;

static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 2}, peer_mac[6] = {2, 0, 0, 0, 0, 1};

/* ---- What always holds ---- */

static void check_socket(const struct tcp_socket *s, unsigned i)
{
    MUST(s->tx_used + s->tx_held <= TX_BYTES && s->tx_start < TX_BYTES + (s->tx_used == 0));
    if (tcp_is_open(s)) {
        MUST((int32_t)(s->snd_nxt - s->snd_una) >= 0 && (int32_t)(s->snd_max - s->snd_nxt) >= 0);
        MUST(s->snd_max - s->snd_una <= s->tx_used + 2); /* SYN and FIN */
    }
    if (s->unread_length) {
        bool in_frame = cable.lent && WITHIN(s->unread, s->unread_length, cable.lent, cable.lent_length);
        bool in_whole = net.assembled && WITHIN(s->unread, s->unread_length, net.assembled->memory,
                                                sizeof net.assembled->memory);
        MUST(in_frame || in_whole || WITHIN(s->unread, s->unread_length, rx[i], RX_BYTES));
    }
    bool receiving = s->state >= TCP_ESTABLISHED && s->state <= TCP_FIN_WAIT_2;
    MUST(s->kept_count <= TCP_RANGES && s->sacked_count <= TCP_RANGES);
    for (unsigned k = 0; k < s->kept_count; k++) {
        /* Behind a hole, if not a false peer's FIN has come to lie there. */
        MUST((int32_t)(s->kept[k].start - s->rcv_nxt) >= receiving);
        MUST((int32_t)(s->kept[k].end - s->kept[k].start) > 0);
        MUST(s->kept[k].end - s->rcv_nxt <= RX_BYTES);
    }
    for (unsigned k = 0; k < s->sacked_count; k++) {
        uint32_t least = k ? s->sacked[k - 1].end : s->snd_una;
        MUST((int32_t)(s->sacked[k].start - least) >= 0 && (int32_t)(s->snd_max - s->sacked[k].end) >= 0);
        MUST((int32_t)(s->sacked[k].end - s->sacked[k].start) > 0);
    }
    MUST(s->state == TCP_CLOSED || s->state == TCP_LISTEN || s->error == NET_OK);
}

static void poll(void)
{
    unsigned rounds = 0;
    do {
        MUST(++rounds < 100);
        (void)net_wait_ms(&net, now);
    } while (net_poll(&net, now) && !cable.full);
    for (unsigned i = 0; i < SOCKETS; i++) {
        check_socket(&tcp[i], i);
    }
    MUST(!cable.lent || net.frame_held);
}

static void arrive(size_t length)
{
    cable_arrives(&cable, frame, length);
    (void)net_poll(&net, now);
    for (unsigned i = 0; i < SOCKETS; i++) { /* while the frame is lent */
        check_socket(&tcp[i], i);
    }
}

/* ---- Frames ---- */

static uint32_t our_address(void)
{
    return net_address(&net) ? net_address(&net) : CABLE_OURS;
}

/* Headers of a packet whose payload is in place. */
static size_t finish_packet(uint8_t protocol, uint32_t destination, size_t length)
{
    uint8_t *ip = frame + ETHERNET_HEADER;
    ethernet_build(frame, our_mac, peer_mac, ETHERNET_TYPE_IPV4);
    ipv4_build(ip, CABLE_PEER, destination, protocol, IPV4_HEADER + length, 1);
    ipv4_fill_checksum(ip);
    return ETHERNET_HEADER + IPV4_HEADER + length;
}

static uint8_t *payload_of(size_t header)
{
    return frame + ETHERNET_HEADER + IPV4_HEADER + header;
}

static size_t copy_input(struct input *input, uint8_t *to, size_t most)
{
    size_t length = input_half(input) % (most + 1);
    length = length < input->size ? length : input->size;
    memcpy(to, input->data, length);
    input->data += length;
    input->size -= length;
    return length;
}

static void raw_frame(struct input *input)
{
    size_t length = copy_input(input, frame, NET_FRAME_MAX);
    arrive(length ? length : 1);
}

/* A packet as it comes but for the header's checksum, to our link address or to all. */
static void raw_packet(struct input *input)
{
    uint8_t *ip = frame + ETHERNET_HEADER;
    uint8_t to = input_byte(input);
    size_t length = copy_input(input, ip, ETHERNET_MTU);
    ethernet_build(frame, our_mac, peer_mac, ETHERNET_TYPE_IPV4);
    if (to & 1) {
        memset(frame, 0xFF, 6);
    }
    if (length >= IPV4_HEADER && (ip[0] & 15U) * 4U <= length && (ip[0] & 15U) >= 5) {
        ipv4_fill_checksum(ip);
    }
    arrive(ETHERNET_HEADER + length);
}

static void arp_packet(struct input *input)
{
    uint8_t *arp = frame + ETHERNET_HEADER, shape = input_byte(input);
    ethernet_build(frame, our_mac, peer_mac, ETHERNET_TYPE_ARP);
    (void)input_half(input);
    store_be32(arp, 0x00010800);
    store_be16(arp + 4, 0x0604);
    store_be16(arp + 6, 1 + (shape & 1U));
    memcpy(arp + 8, peer_mac, 6);
    arp[13] = (uint8_t)(shape & 2 ? input_byte(input) : 1);
    store_be32(arp + 14, shape & 4 ? 0x0A000000U + input_byte(input) : CABLE_PEER);
    memcpy(arp + 18, our_mac, 6);
    store_be32(arp + 24, shape & 8 ? 0x0A000000U + input_byte(input) : our_address());
    arrive(ETHERNET_HEADER + 28);
}

static size_t finish_tcp(size_t length)
{
    uint8_t *segment = payload_of(0);
    size_t total = finish_packet(IPV4_PROTOCOL_TCP, our_address(), length);
    store_native16(segment + TCP_CHECKSUM, 0);
    uint32_t sum = ipv4_payload_sum(frame + ETHERNET_HEADER, segment, length, length);
    store_native16(segment + TCP_CHECKSUM, checksum_finish(sum));
    return total;
}

/* What is next in both directions, as the peer on that port sees it. */
static void expected(unsigned peer, uint8_t *ports, uint32_t *seq, uint32_t *ack)
{
    if (peer == 0) {
        store_be16(ports, BROKER_PORT);
        store_be16(ports + 2, tcp_local_port(&tcp[0]));
        *seq = tcp[0].rcv_nxt;
        *ack = tcp[0].snd_max;
        return;
    }
    store_be16(ports, CABLE_PORT + peer - 1);
    store_be16(ports + 2, SERVER_PORT);
    *seq = 1000 * peer;
    *ack = cable.isn[peer - 1] + 1;
    for (unsigned i = 1; i < SOCKETS; i++) {
        if (tcp_state(&tcp[i]) > TCP_LISTEN && tcp_remote_port(&tcp[i]) == CABLE_PORT + peer - 1) {
            *seq = tcp[i].rcv_nxt;
            *ack = tcp[i].snd_max;
        }
    }
}

static void tcp_segment(struct input *input)
{
    uint8_t *segment = payload_of(0), shape = input_byte(input);
    uint32_t seq, ack;
    expected(shape % (CABLE_PORTS + 1), segment, &seq, &ack);
    uint8_t flags = input_byte(input);
    int16_t ahead = (int16_t)input_half(input), beyond = (int8_t)input_byte(input);
    uint16_t window = input_half(input);
    size_t options = input_byte(input) % 11 * 4U, length = input_half(input) % 1461;
    memset(segment + TCP_HEADER, 0, options);
    for (size_t i = 0; i < options && input->size; i++) {
        segment[TCP_HEADER + i] = input_byte(input);
    }
    memset(segment + TCP_HEADER + options, 'd', length);
    length = length < 1460 - options ? length : 1460 - options;
    tcp_build(segment, seq + (uint32_t)ahead, ack + (uint32_t)beyond, flags, window);
    segment[12] = (uint8_t)((TCP_HEADER + options) << 2);
    arrive(finish_tcp(TCP_HEADER + options + length));
}

static void put_dhcp(uint8_t *message)
{
    static const uint8_t magic[4] = {99, 130, 83, 99};
    message[0] = 2;
    message[1] = 1;
    message[2] = 6;
    store_be32(message + 4, cable.dhcp_xid);
    memcpy(message + 28, our_mac, 6);
    memcpy(message + 236, magic, 4);
}

enum service { SERVICE_DNS, SERVICE_DHCP, SERVICE_SNTP, SERVICE_MDNS, SERVICE_ANY, SERVICES };

static void finish_udp(uint16_t from, uint16_t to, uint32_t destination, size_t length)
{
    uint8_t *header = payload_of(0);
    store_be16(header, from);
    store_be16(header + 2, to);
    store_be16(header + 4, 8 + (uint32_t)length);
    store_be16(header + 6, 0); /* none */
    size_t total = finish_packet(IPV4_PROTOCOL_UDP, destination, 8 + length);
    if (ipv4_is_multicast(destination)) {
        igmp_link_address(frame, destination);
    }
    arrive(total);
}

static void datagram(struct input *input)
{
    uint8_t *message = payload_of(8);
    enum service service = (enum service)(input_byte(input) % SERVICES);
    memset(message, 0, 300);
    size_t head = service == SERVICE_DHCP ? 240 : 0;
    size_t length = head + copy_input(input, message + head, 1400 - head);
    switch (service) {
    case SERVICE_DNS:
        store_be16(message, cable.dns_id);
        finish_udp(53, cable.dns_port, our_address(), length);
        break;
    case SERVICE_DHCP:
        put_dhcp(message);
        store_be32(message + 16, 0x0A000000U + input_byte(input));
        finish_udp(67, 68, input_byte(input) & 1 ? IPV4_BROADCAST : our_address(), length);
        break;
    case SERVICE_SNTP:
        memcpy(message + 24, cable.sntp_cookie, 8);
        finish_udp(123, cable.sntp_port, our_address(), length);
        break;
    case SERVICE_MDNS: finish_udp(5353, 5353, 0xE00000FB, length); break;
    default:
        finish_udp(7, input_byte(input) & 1 ? UDP_PORT : input_half(input), our_address(), length);
        break;
    }
}

static void icmp_error(struct input *input)
{
    uint8_t *icmp = payload_of(0);
    icmp[0] = input_byte(input);
    icmp[1] = input_byte(input);
    store_be32(icmp + 2, 0);
    store_be16(icmp + 6, input_half(input));
    memcpy(icmp + 8, cable.tcp, sizeof cable.tcp);
    if (input_byte(input) & 1) {
        icmp[8 + input_byte(input) % sizeof cable.tcp] ^= input_byte(input);
    }
    store_native16(icmp + 2, checksum_finish(checksum_add(0, icmp, 36)));
    arrive(finish_packet(IPV4_PROTOCOL_ICMP, our_address(), 36));
}

/* Of one of four datagrams. */
static void fragment(struct input *input)
{
    uint8_t id = input_byte(input), protocol = (uint8_t)(id & 4 ? IPV4_PROTOCOL_ICMP : IPV4_PROTOCOL_UDP);
    uint16_t field = input_half(input);
    size_t length = copy_input(input, payload_of(0), 1480);
    size_t total = finish_packet(protocol, our_address(), length);
    uint8_t *ip = frame + ETHERNET_HEADER;
    store_be16(ip + 4, id & 3);
    store_be16(ip + 6, field & 0x20FF); /* within 2 KiB or so, that they may meet */
    ipv4_fill_checksum(ip);
    arrive(total);
}

/* ---- Applications ---- */

static void write_some(struct tcp_socket *s, size_t most)
{
    struct tcp_span room[2];
    size_t length = tcp_reserve(s, room);
    MUST(length <= TX_BYTES && room[0].length + (length ? room[1].length : 0) >= length);
    length = length < most ? length : most;
    for (size_t i = 0; i < length; i++) {
        *(i < room[0].length ? room[0].data + i : room[1].data + i - room[0].length) = 'w';
    }
    if (length) {
        tcp_commit(s, length);
    }
}

static void read_some(struct tcp_socket *s, size_t most)
{
    const uint8_t *data;
    size_t length = tcp_peek(s, &data);
    volatile uint8_t sum = 0;
    for (size_t i = 0; i < length; i++) {
        sum = (uint8_t)(sum + data[i]);
    }
    tcp_consume(s, most);
}

static void fetch(void)
{
    struct udp_datagram received;
    struct ping_answer answer;
    if (udp_receive(&udp, &received)) {
        free(exact_copy(received.data, received.length));
    }
    (void)udp_receive(&connected, &received);
    (void)ping_receive(&echo, &answer);
    (void)udp_error(&connected);
}

static void on_socket(struct input *input, uint8_t what)
{
    struct tcp_socket *s = &tcp[input_byte(input) % SOCKETS];
    uint16_t amount = input_half(input);
    switch (what) {
    case 0: write_some(s, amount % 800); break;
    case 1: read_some(s, amount % 2000); break;
    case 2: tcp_close(s); break;
    case 3: tcp_abort(s); break;
    case 4: tcp_set_congestion_control(s, amount & 1 ? TCP_CUBIC : TCP_NEW_RENO); break;
    case 5: tcp_set_nagle(s, amount & 1); break;
    case 6: tcp_set_timeouts(s, amount * 16U, (amount & 0xFFU) * 100U); break;
    default:
        if (s == tcp) {
            (void)!tcp_connect(s, CABLE_PEER, BROKER_PORT, now);
        } else {
            (void)!tcp_accept(&listener, s, now);
        }
        break;
    }
}

static void on_others(struct input *input, uint8_t what)
{
    static const char *const names[] = {"broker.example", "peer.local"};
    size_t length = input_half(input) % sizeof large;
    uint32_t address = 0x0A000000U + input_byte(input) % 16;
    switch (what) {
    case 0: (void)!udp_send(&udp, address, 9, large, udp_busy(&udp) ? 0 : length); break;
    case 1: (void)!ping_send(&echo, address, large, ping_busy(&echo) ? 0 : length, now); break;
    case 2: (void)!dns_start(&net, names[address & 1], now); break;
    case 3: net_link(&net, address & 1, now); break;
    case 4: cable.full = address & 1; break;
    case 5: cable.slow = address & 1; break;
    case 6: (void)!net_join(&net, 0xE0000100U + address); break;
    default: (void)net_leave(&net, 0xE0000100U + address); break;
    }
    if (!cable.slow) {
        cable_lets_go(&cable);
    }
}

/* ---- A run ---- */

static void step(struct input *input)
{
    uint8_t kind = input_byte(input);
    switch (kind % 12) {
    case 0: raw_frame(input); break;
    case 1: raw_packet(input); break;
    case 2: arp_packet(input); break;
    case 3:
    case 4:
    case 5: tcp_segment(input); break;
    case 6: datagram(input); break;
    case 7: icmp_error(input); break;
    case 8: fragment(input); break;
    case 9: now += kind & 0x80 ? input_half(input) * 16U : input_half(input) % 2000U; break;
    case 10: on_socket(input, kind / 12 % 8); break;
    default: on_others(input, kind / 12 % 8); break;
    }
    fetch();
    poll();
}

static void peer_is_known(void)
{
    struct input nothing = {NULL, 0};
    (void)input_byte(&nothing);
    arp_packet(&nothing);
}

/* The client's connection, its handshake by the book. */
static void establish(void)
{
    static const uint8_t options[] = {2, 4, 5, 0xB4, 4, 2, 1, 1};
    peer_is_known();
    if (tcp_connect(&tcp[0], CABLE_PEER, BROKER_PORT, now) != NET_OK) {
        return;
    }
    poll();
    peer_is_known(); /* if it was asked for only now */
    poll();
    uint8_t *segment = payload_of(0);
    store_be16(segment, BROKER_PORT);
    store_be16(segment + 2, tcp_local_port(&tcp[0]));
    tcp_build(segment, 77, tcp[0].snd_max, TCP_SYN | TCP_ACK, 8192);
    segment[12] = 7 << 4;
    memcpy(segment + TCP_HEADER, options, sizeof options);
    arrive(finish_tcp(TCP_HEADER + sizeof options));
    poll();
}

static void open_net(uint8_t mode)
{
    struct net_config config = {.mac = {2, 0, 0, 0, 0, 2},
                                .address = mode & 1 ? 0 : CABLE_OURS,
                                .netmask = 0xFFFFFF00,
                                .gateway = CABLE_PEER,
                                .dns_server = CABLE_PEER,
                                .hostname = "mote-000002",
                                .mdns_name = "mote-000002",
                                .ntp_server = mode & 4 ? 0 : CABLE_PEER,
                                .ntp_name = "time.example",
                                .seed = {1, 2, 3, 4},
                                .at_once = !(mode & 2)};
    now = 0xFFFFF000; /* wraps soon */
    cable_open(&cable);
    net_init(&net, &config, &cable.device);
    net.now_ms = now;
    for (unsigned i = 0; i < SOCKETS; i++) {
        tx[i] = malloc(TX_BYTES);
        rx[i] = malloc(RX_BYTES);
        memset(&tcp[i], 0, sizeof tcp[i]);
        tcp_init(&tcp[i], &net, tx[i], TX_BYTES, rx[i], RX_BYTES);
    }
    ping_open(&echo, &net);
    MUST(udp_open(&udp, &net, UDP_PORT) == NET_OK && udp_open(&connected, &net, 0) == NET_OK);
    MUST(udp_connect(&connected, CABLE_PEER, 9) == NET_OK);
    MUST(tcp_listen(&listener, &net, SERVER_PORT, RX_BYTES) == NET_OK);
    net_link(&net, true, now);
    poll();
}

static void silence(uint32_t ms)
{
    for (uint32_t end = now + ms; now != end;) {
        uint32_t wait = net_wait_ms(&net, now), left = end - now;
        wait = wait ? wait : 1;
        now += wait < left ? wait : left;
        poll();
    }
}

static void expect_echo(void)
{
    uint8_t *icmp = payload_of(0);
    memset(icmp, 0, 40);
    icmp[0] = ICMP_ECHO;
    store_native16(icmp + 2, checksum_finish(checksum_add(0, icmp, 40)));
    unsigned before = cable.echo_replies;
    arrive(finish_packet(IPV4_PROTOCOL_ICMP, net_address(&net), 40));
    poll();
    MUST(cable.echo_replies == before + 1);
}

/* All falls silent: nothing may stay taken, and everything has to work as at first. */
static void judge(void)
{
    cable.full = cable.slow = false;
    cable_lets_go(&cable);
    net_link(&net, true, now);
    for (unsigned i = 0; i < SOCKETS; i++) {
        tcp_abort(&tcp[i]);
    }
    silence(130000);
    MUST(!cable.lent);
    for (unsigned i = 0; i < NET_FRAGMENT_SLOTS; i++) {
        MUST(net.datagrams[i].state == 0);
    }
    for (unsigned i = 0; i < TCP_SYN_QUEUE; i++) {
        MUST(listener.queue[i].ports == 0);
    }
    /* A server may have leased an address, a mask or a gateway with which the peer is none. */
    if (net_is_up(&net) && net_address(&net) != CABLE_PEER && !net_is_broadcast(&net, CABLE_PEER)) {
        expect_echo();
        establish();
        MUST(tcp_state(&tcp[0]) == TCP_ESTABLISHED || net_hop(&net, CABLE_PEER) != CABLE_PEER);
    }
}

static void close_net(void)
{
    cable_close(&cable);
    for (unsigned i = 0; i < SOCKETS; i++) {
        free(tx[i]);
        free(rx[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    open_net(input_byte(&input));
    MUST(tcp_accept(&listener, &tcp[1], now) == NET_OK && tcp_accept(&listener, &tcp[2], now) == NET_OK);
    establish();
    (void)!dns_start(&net, "broker.example", now);
    poll();
    for (unsigned steps = 0; input.size && steps < STEPS_MAX; steps++) {
        step(&input);
    }
    judge();
    close_net();
    return 0;
}
