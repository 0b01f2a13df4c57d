/*
 * The multicast filter: what the hash table lets in, before the link is up and after, through the MAC's
 * loopback.
 */
// board: --net slirp --pace fast --strict
#include "ethernet_program.h"

#define MACCR_LM (1u << 12)

static const uint8_t mdns[6] = {0x01, 0x00, 0x5E, 0x00, 0x00, 0xFB};
static const uint8_t all_systems[6] = {0x01, 0x00, 0x5E, 0x00, 0x00, 0x01};
static const uint8_t ssdp[6] = {0x01, 0x00, 0x5E, 0x7F, 0xFF, 0xFA};

static void loop_back(void)
{
    wait_cycles(CYCLES_PER_MS / 10);
    ETH_MAC->MACCR |= MACCR_LM;
    pass_ms(1);
}

static bool arrives(const uint8_t address[6])
{
    uint8_t *frame = device.reserve(device.context);
    CHECK(frame);
    memset(frame, 0, 60);
    memcpy(frame, address, 6);
    memcpy(frame + 6, own_mac, 6);
    frame[12] = 0x88;
    frame[13] = 0xB5; /* for experiments (IEEE 802) */
    (void)device.send(device.context, 60, NULL, 0);
    pass_ms(1);
    size_t length = device.receive(device.context, &frame);
    if (length == 0)
        return false;
    CHECK(length == 60 && memcmp(frame, address, 6) == 0);
    device.release(device.context);
    return true;
}

int main(void)
{
    static const uint8_t everyone[6] = {255, 255, 255, 255, 255, 255};
    uint8_t groups[2][6];
    uint8_t *frame;

    start_ethernet();
    memcpy(groups[0], mdns, 6);
    ethernet_multicast(NULL, (const uint8_t(*)[6])groups, 1);
    bring_link_up();
    find_gateway(); /* our own address and broadcast still come in */
    loop_back();
    while (device.receive(device.context, &frame) != 0)
        device.release(device.context);
    CHECK(arrives(own_mac));
    CHECK(arrives(everyone));
    CHECK(arrives(mdns));
    CHECK(!arrives(all_systems));
    CHECK(!arrives(ssdp));
    OK("set before the link is up");

    memcpy(groups[1], ssdp, 6);
    ethernet_multicast(NULL, (const uint8_t(*)[6])groups, 2);
    CHECK(arrives(mdns));
    CHECK(!arrives(all_systems));
    CHECK(arrives(ssdp));
    OK("changed while frames flow");

    ethernet_multicast(NULL, NULL, 0);
    CHECK(!arrives(mdns));
    CHECK(!arrives(ssdp));
    CHECK(arrives(own_mac));
    semihosting_exit(0);
}
