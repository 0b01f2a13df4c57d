/*
 * The Ethernet driver against the virtual board and libslirp's 10.0.2.2: link,
 * ARP, echo with a gathered payload, echo by bounce, a full ring, more bounces
 * under way than the ring of receive buffers lets pass.
 */
// board: --net slirp --pace fast --strict
#include "ethernet_program.h"
#include "target/stm32f429/gpio.h"

enum {
    ECHO_HEADER = 42,
    ECHO_PAYLOAD = 1400,
    ICMP_TYPE = 34,
    ICMP_CHECKSUM = 36,
    ECHO_REQUEST = 8,
    ECHO_REPLY = 0,
    BURST = 20,
};

static uint8_t payload[ECHO_PAYLOAD];

/* Checksums are left to the MAC. */
static void build_echo_request(uint8_t *frame, uint16_t sequence)
{
    const uint16_t total = ECHO_HEADER - 14 + ECHO_PAYLOAD;
    memset(frame, 0, ECHO_HEADER);
    memcpy(frame, gateway, 6);
    memcpy(frame + 6, own_mac, 6);
    frame[12] = 0x08;
    frame[14] = 0x45;
    frame[16] = (uint8_t)(total >> 8);
    frame[17] = (uint8_t)total;
    frame[22] = 64;
    frame[23] = 1;
    memcpy(frame + 26, own_ip, 4);
    memcpy(frame + 30, gateway_ip, 4);
    frame[ICMP_TYPE] = ECHO_REQUEST;
    frame[40] = (uint8_t)(sequence >> 8);
    frame[41] = (uint8_t)sequence;
}

static bool is_echo_reply(const uint8_t *frame, size_t length)
{
    return length == ECHO_HEADER + ECHO_PAYLOAD && frame[12] == 0x08 && frame[13] == 0 && frame[23] == 1 &&
           frame[ICMP_TYPE] == ECHO_REPLY && !memcmp(frame + ECHO_HEADER, payload, ECHO_PAYLOAD);
}

static void await_echo_reply(uint8_t **frame)
{
    size_t length;
    while ((length = await_frame(frame)) != 0) {
        if (is_echo_reply(*frame, length))
            return;
        CHECK((*frame)[12] != 0x08 || (*frame)[13] != 0 ||
              (*frame)[ICMP_TYPE] != ECHO_REQUEST); /* one of ours */
        device.release(device.context);
    }
    CHECK(!"an echo reply must have come");
}

static void echo_with_gather(void)
{
    uint8_t *frame = device.reserve(device.context);
    CHECK(frame);
    build_echo_request(frame, 1);
    (void)device.send(device.context, ECHO_HEADER, payload, ECHO_PAYLOAD);
    await_echo_reply(&frame);
}

/* Makes a request of the borrowed reply, in place. */
static bool bounce_back(uint8_t *frame)
{
    memcpy(frame + 6, own_mac, 6);
    memcpy(frame, gateway, 6);
    memcpy(frame + 26, own_ip, 4);
    memcpy(frame + 30, gateway_ip, 4);
    frame[ICMP_TYPE] = ECHO_REQUEST;
    frame[24] = frame[25] = 0;
    frame[ICMP_CHECKSUM] = frame[ICMP_CHECKSUM + 1] = 0;
    return device.bounce(device.context, ECHO_HEADER + ECHO_PAYLOAD);
}

/* Enters and leaves with a reply borrowed. */
static void echo_with_bounce(uint8_t *frame)
{
    for (int i = 0; i < BURST; i++) {
        CHECK(bounce_back(frame));
        await_echo_reply(&frame);
    }
    device.release(device.context);
}

/* More than the ring holds: reserve refuses, and the interrupt at the end of a transmission says when to try
 * again. */
static void fill_the_ring(void)
{
    uint32_t refused = 0;
    uint32_t ticket = 0;
    for (uint16_t i = 0; i < BURST; i++) {
        uint8_t *frame = device.reserve(device.context);
        if (!frame) {
            refused++;
            while (!(events & ETHERNET_POLL))
                continue;
            events = 0;
            frame = device.reserve(device.context);
        }
        CHECK(frame);
        build_echo_request(frame, i);
        frame[ICMP_TYPE] = ECHO_REPLY; /* that nobody answers */
        ticket = device.send(device.context, ECHO_HEADER, payload, ECHO_PAYLOAD);
        events = 0;
    }
    CHECK(refused >= BURST - ETHERNET_TX_FRAMES - 1);
    CHECK((int32_t)(device.sent(device.context) - ticket) < 0);
    pass_ms(10);
    CHECK((int32_t)(device.sent(device.context) - ticket) >= 0);
}

/* Several replies are sent back at once and each comes again: no buffer is lost or reused too early. */
static void bounce_many(void)
{
    uint8_t *frame;
    for (uint16_t i = 0; i < 3; i++) {
        frame = device.reserve(device.context);
        CHECK(frame);
        build_echo_request(frame, i);
        (void)device.send(device.context, ECHO_HEADER, payload, ECHO_PAYLOAD);
    }
    for (int i = 0; i < BURST; i++) {
        await_echo_reply(&frame);
        CHECK(bounce_back(frame));
    }
    for (int i = 0; i < 3; i++) {
        await_echo_reply(&frame);
        device.release(device.context);
    }
}

/* More than there are buffers come before anybody looks: the rest waits in the FIFO, and comes without
 * further traffic. */
static void answer_late(void)
{
    enum { REQUESTS = ETHERNET_RX_FRAMES + 3, SMALL = 64 };
    uint8_t *frame;
    uint32_t replies = 0;

    for (uint16_t i = 0; i < REQUESTS; i++) {
        while (!(frame = device.reserve(device.context)))
            continue;
        build_echo_request(frame, i);
        frame[16] = 0;
        frame[17] = ECHO_HEADER - 14 + SMALL;
        (void)device.send(device.context, ECHO_HEADER, payload, SMALL);
    }
    pass_ms(20);
    for (uint32_t i = 0; i < REQUESTS; i++) {
        size_t length = await_frame(&frame);
        replies += length == ECHO_HEADER + SMALL && frame[ICMP_TYPE] == ECHO_REPLY && frame[41] == i;
        device.release(device.context);
    }
    CHECK(replies == REQUESTS);
}

/* The PHY's link goes and comes: tickets pass, nothing is sent, then all works again. */
static void lose_the_link(void)
{
    const struct ethernet_link down = {0};
    uint8_t *frame = device.reserve(device.context);
    CHECK(frame);
    build_echo_request(frame, 1);
    uint32_t ticket = device.send(device.context, ECHO_HEADER, payload, ECHO_PAYLOAD);
    CHECK(ethernet_update(&down, now_ms) == ETHERNET_DOWN);
    CHECK((int32_t)(device.sent(device.context) - ticket) >= 0);
    CHECK(device.reserve(device.context) == NULL);
    CHECK(device.receive(device.context, &frame) == 0);
    CHECK(ethernet_update(&down, now_ms) == ETHERNET_SAME);
    bring_link_up();
    echo_with_gather();
    device.release(device.context);
}

int main(void)
{
    struct ethernet_statistics statistics;

    for (uint32_t i = 0; i < ECHO_PAYLOAD; i++)
        payload[i] = (uint8_t)(i * 7);
    start_ethernet();
    /* What leaves at 50 MHz needs the fast edges (DS9405, I/O AC characteristics). */
    CHECK((gpio_port(GPIO_PIN('G', 11))->OSPEEDR >> 22 & 3) == 3);
    bring_link_up();
    OK("link comes up");
    find_gateway();
    OK("ARP request is answered");
    uint8_t *reply;
    echo_with_gather();
    OK("echo with a gathered payload");
    CHECK(device.receive(device.context, &reply) != 0); /* the borrowed one again */
    echo_with_bounce(reply);
    OK("echo by bounce");
    fill_the_ring();
    OK("full ring is back-pressure");
    bounce_many();
    OK("many bounces under way");
    answer_late();
    OK("frames that find no buffer wait");
    lose_the_link();
    OK("link lost and back");

    ethernet_statistics(&statistics);
    CHECK(statistics.errors_in == 0);
    CHECK(statistics.missed == 0);
    CHECK(statistics.recoveries == 0);
    semihosting_exit(0);
}
