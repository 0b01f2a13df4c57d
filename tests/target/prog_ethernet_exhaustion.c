/* The Ethernet driver with all descriptors taken, received and sent, and afterwards. */
// board: --net slirp --pace fast
#include "ethernet_program.h"

enum { REQUESTS = 40 * ETHERNET_RX_FRAMES /* more than the FIFO of 2 KiB holds besides */ };

static uint32_t ask(void)
{
    uint8_t *frame = device.reserve(device.context);
    CHECK(frame);
    build_arp_request(frame);
    return device.send(device.context, ARP_LENGTH, NULL, 0);
}

static bool has_passed(uint32_t ticket)
{
    return (int32_t)(device.sent(device.context) - ticket) >= 0;
}

static unsigned drain(void)
{
    unsigned count = 0;
    uint8_t *frame;
    while (device.receive(device.context, &frame) != 0) {
        CHECK(frame[12] == 0x08);
        device.release(device.context);
        CHECK(++count <= REQUESTS);
    }
    return count;
}

/* Answers to more requests than there are descriptors, and nobody takes them. */
static void receive_descriptors_taken(void)
{
    struct ethernet_statistics before, after;
    ethernet_statistics(&before);
    for (unsigned i = 0; i < REQUESTS; i++) {
        uint32_t ticket = ask();
        for (unsigned ms = 0; !has_passed(ticket); ms++) {
            CHECK(ms < 100);
            pass_ms(1);
        }
        pass_ms(1);
    }
    pass_ms(100);
    unsigned received = 0, more;
    do { /* the FIFO has some too */
        received += more = drain();
        pass_ms(10);
    } while (more);
    CHECK(ethernet_update(&link_state, now_ms) == ETHERNET_SAME);
    ethernet_statistics(&after);
    CHECK(received >= ETHERNET_RX_FRAMES && received < REQUESTS);
    CHECK(after.frames_in - before.frames_in == received);
    CHECK(after.missed - before.missed == REQUESTS - received);
    CHECK(after.recoveries == before.recoveries);
    find_gateway();
}

/* As many frames as there are places, at once; then a reply that finds none: its frame is given back all the
 * same. */
static void transmit_descriptors_taken(void)
{
    uint32_t ticket = 0;
    unsigned sent = 0;
    while (device.reserve(device.context) && sent < 1000) {
        ticket = ask();
        sent++;
    }
    CHECK(sent >= ETHERNET_TX_FRAMES);
    for (unsigned ms = 0; !has_passed(ticket); ms++) {
        CHECK(ms < 100);
        pass_ms(1);
    }
    CHECK(device.reserve(device.context));
    pass_ms(100);
    (void)drain();
    find_gateway();
}

int main(void)
{
    start_ethernet();
    bring_link_up();
    find_gateway();
    receive_descriptors_taken();
    OK("all receive descriptors taken");
    transmit_descriptors_taken();
    OK("all transmit descriptors taken");
    semihosting_exit(0);
}
