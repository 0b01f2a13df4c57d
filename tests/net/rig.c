#include "rig.h"

#include <stdlib.h>
#include <string.h>

const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 2}, peer_mac[6] = {2, 0, 0, 0, 0, 1},
              everyone[6] = {255, 255, 255, 255, 255, 255};

void put16(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

void put32(uint8_t *to, uint32_t value)
{
    put16(to, value >> 16);
    put16(to + 2, value & 0xFFFF);
}

uint32_t get16(const uint8_t *from)
{
    return (uint32_t)from[0] << 8 | from[1];
}

uint32_t get32(const uint8_t *from)
{
    return get16(from) << 16 | get16(from + 2);
}

uint16_t plain_checksum(uint32_t start, const uint8_t *data, size_t length)
{
    uint32_t sum = start;
    for (size_t i = 0; i < length; i++) {
        sum += (uint32_t)data[i] << (i % 2 ? 0 : 8);
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

static uint32_t pseudo(const uint8_t *ip, size_t length)
{
    uint32_t sum = ip[9] + (uint32_t)length;
    for (int i = 12; i < 20; i += 2) {
        sum += get16(ip + i);
    }
    return sum;
}

/* ---- The device ---- */

static size_t fake_receive(void *context, uint8_t **frame)
{
    struct fake_device *fake = context;
    assert_null(fake->lent);
    if (fake->received_head == fake->received_tail) {
        return 0;
    }
    const struct frame *next = &fake->received[fake->received_tail++ % RIG_QUEUE];
    fake->lent = malloc(next->length ? next->length : 1);
    memcpy(fake->lent, next->bytes, next->length);
    fake->lent_length = next->length;
    fake->lent_total++;
    *frame = fake->lent;
    return next->length;
}

static void give_back(struct fake_device *fake)
{
    assert_non_null(fake->lent);
    free(fake->lent);
    fake->lent = NULL;
    fake->returned_total++;
}

static void fake_release(void *context)
{
    give_back(context);
}

/* What the MAC would insert, or what the stack must have computed. */
static void check_sums(struct fake_device *fake, struct frame *frame)
{
    uint8_t *ip = frame->bytes + 14;
    if (get16(frame->bytes + 12) != 0x0800) {
        return;
    }
    size_t total = get16(ip + 2), header = (ip[0] & 15U) * 4U;
    assert_int_equal(total + 14, frame->length);
    uint8_t *body = ip + header;
    size_t length = total - header;
    size_t at = ip[9] == 6 ? 16 : ip[9] == 17 ? 6 : 2;
    bool offloads = fake->device.capabilities & NET_DEVICE_CHECKSUM_TX;
    if (offloads) {
        assert_int_equal(get16(ip + 10), 0);
    } else {
        assert_int_equal(plain_checksum(0, ip, header), 0);
    }
    if (get16(ip + 6) & 0x3FFF) {
        return; /* a fragment: the whole datagram has one, which no device inserts */
    }
    if (offloads && ip[9] != 2) {
        assert_int_equal(get16(body + at), 0);
    } else {
        assert_int_equal(plain_checksum(ip[9] <= 2 ? 0 : pseudo(ip, length), body, length), 0);
    }
}

static struct frame *next_sent(struct fake_device *fake)
{
    assert_true(fake->sent_head - fake->sent_tail < RIG_QUEUE);
    return &fake->sent[fake->sent_head++ % RIG_QUEUE];
}

static bool fake_bounce(void *context, size_t length)
{
    struct fake_device *fake = context;
    assert_true(length <= fake->lent_length);
    if (!fake->full) {
        struct frame *frame = next_sent(fake);
        memcpy(frame->bytes, fake->lent, length);
        frame->length = length;
        check_sums(fake, frame);
    }
    give_back(fake);
    return !fake->full;
}

static uint8_t *fake_reserve(void *context)
{
    struct fake_device *fake = context;
    if (fake->full) {
        return NULL;
    }
    if (!fake->room) {
        fake->room = malloc(NET_DEVICE_HEADER_MAX);
        memset(fake->room, 0xA5, NET_DEVICE_HEADER_MAX);
    }
    return fake->room;
}

static uint32_t fake_send(void *context, size_t header_length, const void *payload, size_t payload_length)
{
    struct fake_device *fake = context;
    assert_non_null(fake->room);
    assert_true(header_length <= NET_DEVICE_HEADER_MAX && header_length + payload_length <= NET_FRAME_MAX);
    struct frame *frame = next_sent(fake);
    memcpy(frame->bytes, fake->room, header_length);
    if (payload_length) {
        memcpy(frame->bytes + header_length, payload, payload_length);
    }
    frame->length = header_length + payload_length;
    check_sums(fake, frame);
    free(fake->room);
    fake->room = NULL;
    fake->ticket++;
    if (fake->keeps) {
        assert_true(fake->kept < RIG_QUEUE);
        fake->kept_payload[fake->kept] = payload;
        fake->kept_length[fake->kept] = payload_length;
        memcpy(fake->kept_copy[fake->kept++], frame->bytes + header_length, payload_length);
    } else {
        fake->ticket_done = fake->ticket;
    }
    return fake->ticket;
}

static uint32_t fake_sent(void *context)
{
    struct fake_device *fake = context;
    return fake->ticket_done;
}

static void fake_open(struct fake_device *fake, unsigned capabilities)
{
    memset(fake, 0, sizeof *fake);
    fake->ticket = fake->ticket_done = 0xFFFFFFF0; /* wraps early */
    fake->device = (struct net_device){.context = fake,
                                       .capabilities = capabilities,
                                       .receive = fake_receive,
                                       .release = fake_release,
                                       .bounce = fake_bounce,
                                       .reserve = fake_reserve,
                                       .send = fake_send,
                                       .sent = fake_sent};
}

/* ---- The rig ---- */

void rig_open_config(struct rig *rig, const struct net_config *config, size_t tx_size, size_t rx_size,
                     unsigned capabilities)
{
    memset(rig, 0, sizeof *rig);
    rig->now = 0xFFFFF000; /* time wraps during the tests */
    fake_open(&rig->fake, capabilities);
    net_init(&rig->net, config, &rig->fake.device);
    rig->net.now_ms = rig->now;
    rig->tx = malloc(tx_size);
    rig->rx = malloc(rx_size);
    rig->tx_size = tx_size;
    rig->rx_size = rx_size;
    tcp_init(&rig->tcp, &rig->net, rig->tx, tx_size, rig->rx, rx_size);
    net_link(&rig->net, true, rig->now);
    rig_poll(rig);
}

void rig_open(struct rig *rig, size_t tx_size, size_t rx_size, unsigned capabilities)
{
    struct net_config config = {.mac = {2, 0, 0, 0, 0, 2},
                                .address = OURS,
                                .netmask = MASK,
                                .gateway = PEER,
                                .dns_server = PEER,
                                .seed = {1, 2, 3, 4}};
#if NET_WITH_ACD
    config.at_once = true;
#endif
    rig_open_config(rig, &config, tx_size, rx_size, capabilities);
}

void rig_open_dhcp(struct rig *rig)
{
    struct net_config config = {.mac = {2, 0, 0, 0, 0, 2}, .hostname = "mote-000002", .seed = {1, 2, 3, 4}};
#if NET_WITH_ACD
    config.at_once = true;
#endif
    rig_open_config(rig, &config, 256, 256, 0);
}

void rig_close(struct rig *rig)
{
    rig_poll(rig);
    rig_poll(rig);
    assert_int_equal(rig->fake.lent_total, rig->fake.returned_total);
    free(rig->fake.room);
    free(rig->tx);
    free(rig->rx);
}

void rig_poll(struct rig *rig)
{
    (void)net_poll(&rig->net, rig->now);
}

void rig_advance(struct rig *rig, uint32_t ms)
{
    rig->now += ms;
    rig_poll(rig);
}

void rig_run(struct rig *rig, uint32_t ms)
{
    uint32_t end = rig->now + ms;
    while (rig->now != end) {
        uint32_t wait = net_wait_ms(&rig->net, rig->now), left = end - rig->now;
        rig->now += wait < left ? wait : left;
        rig_poll(rig);
        if (wait == 0) {
            rig->now += 1;
        }
    }
    rig_poll(rig);
}

void rig_queue(struct rig *rig, const void *frame, size_t length)
{
    struct fake_device *fake = &rig->fake;
    assert_true(fake->received_head - fake->received_tail < RIG_QUEUE);
    struct frame *next = &fake->received[fake->received_head++ % RIG_QUEUE];
    next->length = length;
    memcpy(next->bytes, frame, length);
}

void rig_receive(struct rig *rig, const void *frame, size_t length)
{
    rig_queue(rig, frame, length);
    rig_poll(rig);
}

const struct frame *rig_sent(struct rig *rig)
{
    struct fake_device *fake = &rig->fake;
    return fake->sent_head == fake->sent_tail ? NULL : &fake->sent[fake->sent_tail++ % RIG_QUEUE];
}

void rig_nothing_sent(struct rig *rig)
{
    assert_int_equal(rig->fake.sent_head - rig->fake.sent_tail, 0);
}

void rig_discard_sent(struct rig *rig)
{
    rig->fake.sent_tail = rig->fake.sent_head;
}

/* ---- Frames ---- */

static void ethernet(uint8_t *frame, const uint8_t *to, const uint8_t *from, uint16_t type)
{
    memcpy(frame, to, 6);
    memcpy(frame + 6, from, 6);
    put16(frame + 12, type);
}

size_t make_arp(uint8_t *frame, uint16_t operation, const uint8_t *mac, uint32_t sender, uint32_t target)
{
    ethernet(frame, operation == 1 ? everyone : our_mac, mac, 0x0806);
    put32(frame + 14, 0x00010800);
    put16(frame + 18, 0x0604);
    put16(frame + 20, operation);
    memcpy(frame + 22, mac, 6);
    put32(frame + 28, sender);
    memcpy(frame + 32, operation == 1 ? (const uint8_t[6]){0} : our_mac, 6);
    put32(frame + 38, target);
    return 42;
}

void fix_ipv4(uint8_t *frame)
{
    put16(frame + 24, 0);
    put16(frame + 24, plain_checksum(0, frame + 14, (frame[14] & 15U) * 4U));
}

size_t make_ipv4(uint8_t *frame, uint32_t source, uint32_t destination, uint8_t protocol, const void *payload,
                 size_t length)
{
    ethernet(frame, our_mac, peer_mac, 0x0800);
    memset(frame + 14, 0, 20);
    frame[14] = 0x45;
    put16(frame + 16, (uint32_t)(20 + length));
    frame[22] = 64;
    frame[23] = protocol;
    put32(frame + 26, source);
    put32(frame + 30, destination);
    if (length) {
        memmove(frame + 34, payload, length);
    }
    fix_ipv4(frame);
    return 34 + length;
}

size_t make_udp(uint8_t *frame, uint32_t source, uint16_t source_port, uint32_t destination,
                uint16_t destination_port, const void *payload, size_t length)
{
    uint8_t udp[1600];
    put16(udp, source_port);
    put16(udp + 2, destination_port);
    put16(udp + 4, (uint32_t)(8 + length));
    put16(udp + 6, 0);
    memcpy(udp + 8, payload, length);
    size_t total = make_ipv4(frame, source, destination, 17, udp, 8 + length);
    uint16_t sum = plain_checksum(pseudo(frame + 14, 8 + length), udp, 8 + length);
    put16(frame + 40, sum ? sum : 0xFFFF);
    return total;
}

size_t make_echo(uint8_t *frame, uint16_t length)
{
    uint8_t icmp[1600] = {8, 0, 0, 0, 0x12, 0x34, 0, 1};
    for (unsigned i = 8; i < length; i++) {
        icmp[i] = (uint8_t)(i * 7);
    }
    put16(icmp + 2, plain_checksum(0, icmp, length));
    return make_ipv4(frame, PEER, OURS, 1, icmp, length);
}

void fix_tcp(uint8_t *frame, size_t length)
{
    put16(frame + 50, 0);
    put16(frame + 50, plain_checksum(pseudo(frame + 14, length - 34), frame + 34, length - 34));
}

size_t make_tcp(struct rig *rig, uint8_t *frame, uint32_t seq, uint32_t ack, uint8_t flags, uint16_t window,
                const void *payload, size_t length)
{
    uint8_t tcp[1600] = {0};
    put16(tcp, BROKER);
    put16(tcp + 2, rig->port);
    put32(tcp + 4, seq);
    put32(tcp + 8, ack);
    tcp[12] = 0x50;
    tcp[13] = flags;
    put16(tcp + 14, window);
    if (length) {
        memcpy(tcp + 20, payload, length);
    }
    size_t total = make_ipv4(frame, PEER, OURS, 6, tcp, 20 + length);
    fix_tcp(frame, total);
    return total;
}

/* ---- Conversations ---- */

void rig_resolve(struct rig *rig)
{
    const struct frame *request = rig_sent(rig);
    assert_non_null(request);
    assert_int_equal(get16(request->bytes + 12), 0x0806);
    assert_int_equal(get16(request->bytes + 20), 1);
    assert_int_equal(get32(request->bytes + 38), PEER);
    uint8_t frame[64];
    rig_receive(rig, frame, make_arp(frame, 2, peer_mac, PEER, OURS));
}

void rig_segment(struct rig *rig, uint32_t seq, uint32_t ack, uint8_t flags, uint16_t window,
                 const void *payload, size_t length)
{
    uint8_t frame[1600];
    rig_receive(rig, frame, make_tcp(rig, frame, seq, ack, flags, window, payload, length));
}

static void decode_options(struct sent_segment *segment, const uint8_t *option, const uint8_t *end)
{
    segment->options = (size_t)(end - option);
    segment->scale = -1;
    for (; option < end && *option != 0; option += *option == 1 ? 1 : option[1]) {
        if (*option == 1) {
            continue;
        }
        assert_true(end - option >= 2 && option[1] >= 2 && option[1] <= end - option);
        switch (option[0] << 8 | option[1]) {
        case 0x0204: segment->mss = (uint16_t)get16(option + 2); break;
        case 0x0303: segment->scale = option[2]; break;
        case 0x0402: segment->sack_permitted = true; break;
        case 0x080A:
            segment->timestamps = true;
            segment->timestamp = get32(option + 2);
            segment->echo = get32(option + 6);
            break;
        default:
            assert_int_equal(option[0], 5);
            segment->sack_blocks = (option[1] - 2U) / 8;
            assert_int_equal(option[1], 2 + 8 * segment->sack_blocks);
            for (unsigned i = 0; i < segment->sack_blocks; i++) {
                segment->sack[i][0] = get32(option + 2 + 8 * i);
                segment->sack[i][1] = get32(option + 6 + 8 * i);
            }
        }
    }
}

static struct sent_segment decode(const struct frame *frame)
{
    const uint8_t *ip = frame->bytes + 14, *tcp = ip + 20;
    assert_memory_equal(frame->bytes, peer_mac, 6);
    assert_memory_equal(frame->bytes + 6, our_mac, 6);
    assert_int_equal(get16(frame->bytes + 12), 0x0800);
    assert_int_equal(ip[9], 6);
    assert_int_equal(get32(ip + 12), OURS);
    assert_int_equal(get32(ip + 16), PEER);
    size_t header = (tcp[12] >> 4) * 4U;
    struct sent_segment segment = {.seq = get32(tcp + 4),
                                   .ack = get32(tcp + 8),
                                   .window = (uint16_t)get16(tcp + 14),
                                   .source_port = (uint16_t)get16(tcp),
                                   .destination_port = (uint16_t)get16(tcp + 2),
                                   .flags = tcp[13],
                                   .length = frame->length - 34 - header};
    decode_options(&segment, tcp + 20, tcp + header);
    memcpy(segment.data, tcp + header, segment.length);
    return segment;
}

struct sent_segment rig_expect_segment(struct rig *rig, uint8_t flags)
{
    const struct frame *frame = rig_sent(rig);
    assert_non_null(frame);
    struct sent_segment segment = decode(frame);
    assert_int_equal(segment.flags, flags);
    return segment;
}

void rig_establish_mss(struct rig *rig, uint16_t mss, uint16_t window)
{
    assert_int_equal(tcp_connect(&rig->tcp, PEER, BROKER, rig->now), NET_OK);
    rig_poll(rig);
    if (get16(rig->fake.sent[rig->fake.sent_tail % RIG_QUEUE].bytes + 12) == 0x0806) {
        rig_resolve(rig);
    }
    struct sent_segment syn = rig_expect_segment(rig, SYN);
    assert_int_equal(syn.mss, 1460);
    assert_int_equal(syn.destination_port, BROKER);
    rig->port = syn.source_port;
    rig->ack = syn.seq + 1;
    rig->seq = 0xFFFFFF00; /* wraps early */
    uint8_t frame[128];
    uint8_t option[4] = {2, 4};
    put16(option + 2, mss);
    size_t length = make_tcp(rig, frame, rig->seq++, rig->ack, SYN | ACK, window, option, 4);
    frame[46] = 0x60;
    fix_tcp(frame, length);
    rig_receive(rig, frame, length);
    struct sent_segment ack = rig_expect_segment(rig, ACK);
    assert_int_equal(ack.seq, rig->ack);
    assert_int_equal(ack.ack, rig->seq);
    assert_int_equal(ack.length, 0);
    assert_int_equal(tcp_state(&rig->tcp), TCP_ESTABLISHED);
}

void rig_connect(struct rig *rig)
{
    rig_establish_mss(rig, 1460, 8192);
}

void rig_write(struct rig *rig, const void *data, size_t length)
{
    struct tcp_span room[2];
    assert_true(tcp_reserve(&rig->tcp, room) >= length);
    size_t first = length < room[0].length ? length : room[0].length;
    memcpy(room[0].data, data, first);
    memcpy(room[1].data, (const uint8_t *)data + first, length - first);
    tcp_commit(&rig->tcp, length);
    rig_poll(rig);
}

void rig_expect_read(struct rig *rig, const void *data, size_t length)
{
    const uint8_t *unread;
    assert_int_equal(tcp_peek(&rig->tcp, &unread), length);
    if (length) {
        assert_memory_equal(unread, data, length);
    }
    tcp_consume(&rig->tcp, length);
}

static void expect_ping(struct rig *rig)
{
    uint8_t frame[128];
    size_t length = make_echo(frame, 40);
    rig_receive(rig, frame, length);
    const struct frame *reply = rig_sent(rig);
    assert_non_null(reply);
    assert_int_equal(reply->length, length);
    assert_memory_equal(reply->bytes, peer_mac, 6);
    assert_int_equal(reply->bytes[34], 0);
    assert_memory_equal(reply->bytes + 38, frame + 38, length - 38);
}

void rig_expect_health(struct rig *rig)
{
    rig_poll(rig);
    rig_discard_sent(rig);
    assert_int_equal(rig->fake.lent_total, rig->fake.returned_total);
    expect_ping(rig);
    if (tcp_state(&rig->tcp) == TCP_CLOSED) {
        rig_connect(rig);
    }
    assert_int_equal(tcp_state(&rig->tcp), TCP_ESTABLISHED);
    rig_segment(rig, rig->seq, rig->ack, ACK | PSH, 8192, "hello", 5);
    rig->seq += 5;
    rig_expect_read(rig, "hello", 5);
    rig_write(rig, "world!", 6);
    struct sent_segment out = rig_expect_segment(rig, ACK | PSH);
    assert_int_equal(out.seq, rig->ack);
    assert_int_equal(out.ack, rig->seq);
    assert_memory_equal(out.data, "world!", 6);
    rig->ack += 6;
    rig_segment(rig, rig->seq, rig->ack, ACK, 8192, NULL, 0);
    rig_nothing_sent(rig);
    assert_int_equal(tcp_queued(&rig->tcp), 0);
}

uint32_t rig_dropped(const struct rig *rig, enum net_drop reason)
{
    return net_statistics(&rig->net)->dropped[reason];
}

void rig_expect_drop(struct rig *rig, const uint8_t *frame, size_t length, enum net_drop reason)
{
    uint32_t before = rig_dropped(rig, reason);
    rig_discard_sent(rig);
    rig_receive(rig, frame, length);
    assert_int_equal(rig_dropped(rig, reason), before + 1);
    rig_nothing_sent(rig);
    rig_expect_health(rig);
}
