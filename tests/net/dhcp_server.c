#include "dhcp_server.h"

#include <string.h>

struct rig rig;
struct dhcp_seen last;

struct dhcp_seen dhcp_decode(const struct frame *frame)
{
    const uint8_t *dhcp = frame->bytes + 42;
    assert_int_equal(get16(frame->bytes + 34), 68);
    assert_int_equal(get16(frame->bytes + 36), 67);
    assert_true(frame->length >= 42 + 300);
    assert_int_equal(get32(dhcp), 0x01010600);
    assert_memory_equal(dhcp + 28, our_mac, 6);
    assert_int_equal(get32(dhcp + 236), 0x63825363);
    struct dhcp_seen message = {.xid = get32(dhcp + 4), .client = get32(dhcp + 12)};
    message.source = get32(frame->bytes + 26);
    message.broadcast = memcmp(frame->bytes, everyone, 6) == 0;
    message.wants_broadcast = dhcp[10] == 0x80;
    bool parameters = false, name = false;
    size_t at = 240;
    for (; dhcp[at] != 255; at += 2U + dhcp[at + 1]) {
        assert_true(42 + at + 2U + dhcp[at + 1] < frame->length);
        switch (dhcp[at]) {
        case 53: message.type = dhcp[at + 2]; break;
        case 50: message.requested = get32(dhcp + at + 2); break;
        case 54: message.server = get32(dhcp + at + 2); break;
        case 55: parameters = true; break;
        case 12: name = dhcp[at + 1] == 11 && memcmp(dhcp + at + 2, "mote-000002", 11) == 0; break;
        default: fail();
        }
    }
    bool rest = message.type != DECLINE; /* table 5 */
    assert_true(parameters == rest && name == rest);
    assert_int_equal(message.source, message.client); /* 4.1 */
    return message;
}

/* The oldest frame sent that is not of ARP, which may ask for a link-local address meanwhile. */
const struct frame *dhcp_next_message(void)
{
    const struct frame *frame;
    do {
        frame = rig_sent(&rig);
    } while (frame && get16(frame->bytes + 12) == 0x0806);
    return frame;
}

void dhcp_expect(uint8_t type)
{
    const struct frame *frame = dhcp_next_message();
    assert_non_null(frame);
    last = dhcp_decode(frame);
    assert_int_equal(last.type, type);
}

uint32_t dhcp_wait_for(uint8_t type, uint32_t limit)
{
    uint32_t start = rig.now;
    const struct frame *frame;
    while ((frame = dhcp_next_message()) == NULL && rig.now - start <= limit) {
        uint32_t wait = net_wait_ms(&rig.net, rig.now);
        rig_advance(&rig, wait ? wait : 1);
    }
    assert_non_null(frame);
    last = dhcp_decode(frame);
    assert_int_equal(last.type, type);
    return rig.now - start;
}

const uint8_t good_options[GOOD_OPTIONS] = {1, 4, 255, 255, 255, 0, 3,  4, 10, 0, 0,  1,
                                            6, 4, 10,  0,   0,   1, 51, 4, 0,  0, 14, 16};

size_t dhcp_build(uint8_t *dhcp, const struct dhcp_answer *reply)
{
    memset(dhcp, 0, 600);
    put32(dhcp, 0x02010600);
    put32(dhcp + 4, last.xid);
    put32(dhcp + 16, reply->address);
    memcpy(dhcp + 28, our_mac, 6);
    put32(dhcp + 236, 0x63825363);
    size_t at = 240;
    if (reply->type) {
        dhcp[at++] = 53;
        dhcp[at++] = 1;
        dhcp[at++] = reply->type;
    }
    if (reply->server) {
        dhcp[at++] = 54;
        dhcp[at++] = 4;
        put32(dhcp + at, reply->server);
        at += 4;
    }
    memcpy(dhcp + at, reply->options, reply->length);
    at += reply->length;
    dhcp[at++] = 255;
    return at;
}

void dhcp_send_raw(const uint8_t *dhcp, size_t length)
{
    uint8_t frame[1600];
    uint32_t to = last.wants_broadcast ? 0xFFFFFFFF : OURS; /* 4.1 */
    size_t total = make_udp(frame, PEER, 67, to, 68, dhcp, length);
    if (last.wants_broadcast) {
        memcpy(frame, everyone, 6);
    }
    rig_receive(&rig, frame, total);
}

void dhcp_answer_with(uint8_t type, uint32_t address, uint32_t server, const void *options, size_t length)
{
    uint8_t dhcp[800];
    dhcp_send_raw(dhcp, dhcp_build(dhcp, &(struct dhcp_answer){type, address, server, options, length}));
}

void dhcp_answer(uint8_t type)
{
    dhcp_answer_with(type, OURS, PEER, good_options, GOOD_OPTIONS);
}

void dhcp_bind(void)
{
    dhcp_wait_for(DISCOVER, 5000);
    dhcp_answer(OFFER);
    dhcp_expect(REQUEST);
    dhcp_answer(ACKNOWLEDGE);
    assert_true(net_is_up(&rig.net));
}
