/* The MAC's functions (target/stm32f429/ethernet.h) over the devices of a process. */
#include "target/stm32f429/ethernet.h"

#include <poll.h>

#include "target/posix/board/board.h"
#include "target/posix/board/options.h"
#include "target/posix/checksum_device.h"
#include "target/posix/impaired_device.h"
#include "target/posix/kernel_port.h"
#include "target/posix/linux_device.h"
#include "target/stm32f429/irq.h"

/* From the wire to the stack: network, impairments, checksums as the MAC does them. */
static struct {
    struct linux_device wire;
    struct impaired_device link;
    struct checksum_device mac;
    bool up;
} ethernet;

static uint64_t clock_us(void *clock)
{
    (void)clock;
    return board_now_us();
}

bool ethernet_open(char *message, uint32_t size)
{
    if (!linux_device_open(&ethernet.wire, options.net, board_now_us, message, size))
        return false;
    if (options.pcap && !(ethernet.wire.pcap = pcap_open(options.pcap, message, size)))
        return false;
    /* The wire has no capabilities, so that any impairment will do. */
    (void)!impaired_device_init(&ethernet.link, &ethernet.wire.device, &options.impairment,
                                &options.impairment, clock_us, NULL);
    checksum_device_init(&ethernet.mac, options.impaired ? &ethernet.link.device : &ethernet.wire.device);
    return true;
}

uint32_t ethernet_fill(struct pollfd *fds, uint32_t capacity, int *timeout_ms)
{
    return (uint32_t)linux_device_fill(&ethernet.wire, fds, capacity, timeout_ms);
}

uint64_t ethernet_due_us(void)
{
    if (linux_device_has_frames(&ethernet.wire)) /* slirp and peer answer while they are sent to */
        return board_now_us();
    return options.impaired ? impaired_device_due_us(&ethernet.link) : UINT64_MAX;
}

static void discard(void)
{
    const struct net_device *device = &ethernet.mac.device;
    uint8_t *frame;

    while (device->receive(device->context, &frame) != 0)
        device->release(device->context);
}

void ethernet_dispatch(const struct pollfd *fds, uint32_t count)
{
    static const struct port_pend interrupt = PORT_PEND(ETH_IRQn);

    linux_device_dispatch(&ethernet.wire, fds, count);
    if (options.impaired)
        impaired_device_run(&ethernet.link);
    if (!ethernet.up)
        discard();
    else if (linux_device_has_frames(&ethernet.wire) ||
             impairment_due_us(&ethernet.link.in) <= board_now_us())
        port_pend(interrupt);
}

void ethernet_plug(bool in)
{
    linux_device_plug(&ethernet.wire, in);
}

/* ---- What the application calls ---- */

int ethernet_init(const uint8_t mac_address[6])
{
    (void)mac_address; /* nothing filters: the stack takes what is its own */
    return 0;
}

void ethernet_device(struct net_device *device)
{
    *device = ethernet.mac.device;
}

uint32_t ethernet_interrupt(void)
{
    return ETHERNET_POLL;
}

/* All groups are let in, as all addresses are. */
void ethernet_multicast(void *context, const uint8_t (*groups)[6], size_t count)
{
    (void)context;
    (void)groups;
    (void)count;
}

int ethernet_update(const struct ethernet_link *link, uint32_t now_ms)
{
    (void)now_ms;
    if (link->up == ethernet.up)
        return ETHERNET_SAME;
    ethernet.up = link->up;
    return link->up ? ETHERNET_UP : ETHERNET_DOWN;
}

void ethernet_statistics(struct ethernet_statistics *statistics)
{
    *statistics = (struct ethernet_statistics){
        .frames_in = ethernet.wire.frames_in,
        .frames_out = ethernet.wire.frames_out,
        .errors_in = ethernet.mac.wrong,
        .missed = ethernet.wire.missed,
    };
}
