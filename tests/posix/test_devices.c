/* The devices of a process, alone and one round the other, between two stacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/udp.h"
#include "target/posix/checksum_device.h"
#include "target/posix/impaired_device.h"
#include "target/posix/linux_device.h"

enum { PORT = 7, LIMIT_MS = 20000, AGAIN_MS = 10 };

#define ADDRESS(n) (0x0A000000u + (n))

static uint32_t now_ms(void)
{
    return (uint32_t)(linux_now_us() / 1000);
}

static uint64_t now_us(void *clock)
{
    (void)clock;
    return linux_now_us();
}

/* ---- Two stacks on one cable ---- */

struct end {
    struct linux_device wire;
    struct impaired_device link;
    struct checksum_device mac;
    const struct net_device *device;
    bool impaired;
    struct net net;
    struct udp_socket udp;
};

enum { IMPAIRED = 1, CHECKSUMS = 2 };

static void open_end(struct end *e, uint32_t number, const char *spec, unsigned layers)
{
    const struct impairment_config bad = {.seed = number,
                                          .loss_ppm = 50000,
                                          .duplicate_ppm = 50000,
                                          .reorder_ppm = 50000,
                                          .corrupt_ppm = 300000,
                                          .delay_us = 300,
                                          .jitter_us = 300};
    struct net_config config = {.mac = {2, 0, 0, 0, 0, (uint8_t)number},
                                .address = ADDRESS(number),
                                .netmask = 0xFFFFFF00u,
                                .seed = {number}};
    char message[NETWORK_MESSAGE] = "";

    memset(e, 0, sizeof *e);
    if (!linux_device_open(&e->wire, spec, linux_now_us, message, sizeof message))
        fail_msg("%s", message);
    e->device = &e->wire.device;
    e->impaired = layers & IMPAIRED;
    if (e->impaired) {
        assert_true(impaired_device_init(&e->link, e->device, &bad, &bad, now_us, NULL));
        e->device = &e->link.device;
    }
    if (layers & CHECKSUMS) {
        checksum_device_init(&e->mac, e->device);
        e->device = &e->mac.device;
    }
    net_init(&e->net, &config, e->device);
    net_link(&e->net, true, now_ms());
    assert_int_equal(udp_open(&e->udp, &e->net, PORT), NET_OK);
}

static void close_end(struct end *e)
{
    if (e->impaired)
        impaired_device_close(&e->link);
    linux_device_close(&e->wire);
}

static void move(struct end *e)
{
    linux_device_wait(&e->wire, 0);
    if (e->impaired)
        impaired_device_run(&e->link);
}

/* Whatever comes goes back to its sender, from memory that stays. */
static void echo(struct end *e)
{
    static uint8_t copy[1472];
    struct udp_datagram datagram;
    bool more;

    do {
        more = net_poll(&e->net, now_ms());
        if (udp_receive(&e->udp, &datagram) && !udp_busy(&e->udp)) {
            memcpy(copy, datagram.data, datagram.length);
            (void)!udp_send(&e->udp, datagram.source, datagram.source_port, copy,
                            datagram.length); /* or lost */
        }
    } while (more);
}

static bool has_come_back(struct end *e, const uint8_t *sent, size_t length)
{
    struct udp_datagram datagram;
    bool more, found = false;

    do {
        more = net_poll(&e->net, now_ms());
        if (!udp_receive(&e->udp, &datagram))
            continue;
        /* A late one of before has another length; what comes at all is whole. */
        for (size_t i = 0; i < datagram.length; i++)
            assert_int_equal(datagram.data[i], sent[i]);
        found |= datagram.length == length;
    } while (more);
    return found;
}

static void round_trip(struct end *a, struct end *b, const uint8_t *bytes, size_t length)
{
    uint32_t start = now_ms(), sent_ms = start - AGAIN_MS;

    do {
        assert_true(now_ms() - start < LIMIT_MS);
        if (now_ms() - sent_ms >= AGAIN_MS && udp_send(&a->udp, ADDRESS(2), PORT, bytes, length) == NET_OK)
            sent_ms = now_ms();
        move(a);
        move(b);
        echo(b);
        move(a);
    } while (!has_come_back(a, bytes, length));
}

static void exchange(unsigned layers_a, unsigned layers_b, unsigned step)
{
    static struct end a, b;
    static uint8_t bytes[1472];
    char spec[64];

    (void)snprintf(spec, sizeof spec, "socket:/tmp/mote-devices-%d", (int)getpid());
    open_end(&a, 1, spec, layers_a);
    open_end(&b, 2, spec, layers_b);
    move(&a); /* the cable's ends meet */
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 256);
    for (size_t length = 1; length <= sizeof bytes; length += step)
        round_trip(&a, &b, bytes, length);
    round_trip(&a, &b, bytes, sizeof bytes);
    if (layers_a & IMPAIRED)
        assert_true(a.mac.wrong > 0);
    close_end(&a);
    close_end(&b);
}

static void plain(void **state)
{
    (void)state;
    exchange(0, 0, 37);
}

/* The other end computes and verifies by itself, so that a wrong one would be noticed either way. */
static void checksums_as_the_mac_does_them(void **state)
{
    (void)state;
    exchange(CHECKSUMS, 0, 13);
    exchange(0, CHECKSUMS, 13);
}

static void a_bad_link_damages_nothing_unseen(void **state)
{
    (void)state;
    exchange(CHECKSUMS | IMPAIRED, 0, 300);
}

/* ---- An impaired device over one that is slow and at times full ---- */

struct fake {
    struct net_device device;
    uint8_t room[NET_DEVICE_HEADER_MAX];
    const uint8_t *payload;
    size_t header_length, payload_length;
    uint32_t ticket, done;
    bool full;
    uint8_t received[60];
    size_t received_length;
};

static size_t fake_receive(void *context, uint8_t **frame)
{
    struct fake *f = context;
    *frame = f->received;
    return f->received_length;
}

static void fake_release(void *context)
{
    ((struct fake *)context)->received_length = 0;
}

static uint8_t *fake_reserve(void *context)
{
    struct fake *f = context;
    return f->full ? NULL : f->room;
}

static uint32_t fake_send(void *context, size_t header_length, const void *payload, size_t payload_length)
{
    struct fake *f = context;
    f->header_length = header_length;
    f->payload = payload;
    f->payload_length = payload_length;
    return ++f->ticket;
}

static uint32_t fake_sent(void *context)
{
    return ((struct fake *)context)->done;
}

static uint64_t virtual_us;

static uint64_t virtual_now(void *clock)
{
    (void)clock;
    return virtual_us;
}

static void fake_open(struct fake *f)
{
    *f = (struct fake){.device = {.context = f,
                                  .receive = fake_receive,
                                  .release = fake_release,
                                  .reserve = fake_reserve,
                                  .send = fake_send,
                                  .sent = fake_sent}};
    virtual_us = 0;
}

static void gathers_waits_and_keeps_memory(void **state)
{
    (void)state;
    const struct impairment_config late = {.delay_us = 1000};
    struct impaired_device d;
    struct fake fake;
    uint8_t payload[300];

    fake_open(&fake);
    assert_true(impaired_device_init(&d, &fake.device, &late, &late, virtual_now, NULL));
    memset(d.device.reserve(&d), 1, 54);
    memset(payload, 2, sizeof payload);
    uint32_t ticket = d.device.send(&d, 54, payload, sizeof payload);
    assert_int_equal(d.device.sent(&d), ticket);
    memset(payload, 9, sizeof payload); /* ours again */
    assert_int_equal(impaired_device_due_us(&d), 1000);
    impaired_device_run(&d);
    assert_int_equal(fake.ticket, 0);

    virtual_us = 1000;
    fake.full = true;
    impaired_device_run(&d);
    assert_int_equal(fake.ticket, 0);
    fake.full = false;
    impaired_device_run(&d);
    assert_int_equal(fake.ticket, 1);
    assert_int_equal(fake.header_length + fake.payload_length, 354);
    assert_int_equal(fake.room[53], 1);
    assert_int_equal(fake.room[54], 2);

    /* The next one waits until the device has let go of the first, whose memory stays. */
    memset(d.device.reserve(&d), 3, 60);
    d.device.send(&d, 60, NULL, 0);
    virtual_us = 2000;
    impaired_device_run(&d);
    assert_int_equal(fake.ticket, 1);
    for (size_t i = 0; i < fake.payload_length; i++)
        assert_int_equal(fake.payload[i], 2);
    fake.done = 1;
    impaired_device_run(&d);
    assert_int_equal(fake.ticket, 2);
    impaired_device_close(&d);
}

static void receives_late_and_bounces(void **state)
{
    (void)state;
    const struct impairment_config late = {.delay_us = 1000}, none = {0};
    struct impaired_device d;
    struct fake fake;
    uint8_t *frame;

    fake_open(&fake);
    assert_true(impaired_device_init(&d, &fake.device, &none, &late, virtual_now, NULL));
    memset(fake.received, 5, fake.received_length = sizeof fake.received);
    assert_int_equal(d.device.receive(&d, &frame), 0);
    assert_int_equal(fake.received_length, 0); /* released at once */
    virtual_us = 1000;
    assert_int_equal(d.device.receive(&d, &frame), sizeof fake.received);
    frame[0] = 6;
    assert_true(d.device.bounce(&d, 50));
    assert_int_equal(fake.header_length + fake.payload_length, 50);
    assert_int_equal(fake.room[0], 6);
    assert_int_equal(d.device.receive(&d, &frame), 0);
    impaired_device_close(&d);
}

static void damage_needs_checksums_above(void **state)
{
    (void)state;
    const struct impairment_config bad = {.corrupt_ppm = 1}, none = {0};
    struct impaired_device d;
    struct fake fake;

    fake_open(&fake);
    fake.device.capabilities = NET_DEVICE_CHECKSUM_TX;
    assert_false(impaired_device_init(&d, &fake.device, &bad, &none, virtual_now, NULL));
    assert_false(impaired_device_init(&d, &fake.device, &none, &bad, virtual_now, NULL));
    assert_true(impaired_device_init(&d, &fake.device, &none, &none, virtual_now, NULL));
}

/* ---- User mode ---- */

static void an_address_from_slirp(void **state)
{
    (void)state;
    static struct linux_device wire;
    static struct net net;
    const struct net_config config = {.mac = {2, 0, 0, 0, 0, 1}, .seed = {1}};
    char message[NETWORK_MESSAGE] = "";
    uint32_t start = now_ms();

    if (!linux_device_open(&wire, "slirp", linux_now_us, message, sizeof message))
        fail_msg("%s", message);
    net_init(&net, &config, &wire.device);
    net_link(&net, true, now_ms());
    while (!net_is_up(&net) && now_ms() - start < LIMIT_MS) {
        while (net_poll(&net, now_ms())) {
        }
        linux_device_wait(&wire, net_wait_ms(&net, now_ms()));
    }
    assert_int_equal(net_address(&net), 0x0A00020F);
    linux_device_close(&wire);
}

static void networks_that_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",        "tapp",  "tap:", "tap:name-that-is-much-too-long",
                                        "slirp:x", "peer:x"};
    static struct linux_device wire;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char message[NETWORK_MESSAGE] = "";
        assert_false(linux_device_open(&wire, wrong[i], linux_now_us, message, sizeof message));
        assert_true(strlen(message) > 10);
    }
}

static void a_pulled_cable_carries_nothing(void **state)
{
    (void)state;
    static struct linux_device wire;
    char message[NETWORK_MESSAGE] = "";
    uint8_t *frame;

    if (!linux_device_open(&wire, "peer", linux_now_us, message, sizeof message))
        fail_msg("%s", message);
    /* An ARP request for the peer (RFC 826), from 10.0.2.15. */
    static const uint8_t request[42] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2, 0, 0, 0, 0,  1, 8, 6,
                                        0,    1,    8,    0,    6,    4,    0, 1, 2, 0, 0,  0, 0, 1,
                                        10,   0,    2,    15,   0,    0,    0, 0, 0, 0, 10, 0, 2, 2};
    memcpy(wire.device.reserve(&wire), request, sizeof request);
    linux_device_plug(&wire, false);
    (void)wire.device.send(&wire, sizeof request, NULL, 0);
    linux_device_wait(&wire, 1);
    assert_int_equal(wire.device.receive(&wire, &frame), 0);
    linux_device_plug(&wire, true);
    (void)wire.device.send(&wire, sizeof request, NULL, 0);
    linux_device_wait(&wire, 1);
    assert_true(linux_device_has_frames(&wire));
    linux_device_plug(&wire, false);
    assert_false(linux_device_has_frames(&wire));
    linux_device_plug(&wire, true);
    (void)wire.device.send(&wire, sizeof request, NULL, 0);
    linux_device_wait(&wire, 1);
    assert_true(wire.device.receive(&wire, &frame) >= sizeof request);
    assert_int_equal(frame[21], 2); /* a reply */
    linux_device_close(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),
        cmocka_unit_test(checksums_as_the_mac_does_them),
        cmocka_unit_test(a_bad_link_damages_nothing_unseen),
        cmocka_unit_test(gathers_waits_and_keeps_memory),
        cmocka_unit_test(receives_late_and_bounces),
        cmocka_unit_test(damage_needs_checksums_above),
        cmocka_unit_test(an_address_from_slirp),
        cmocka_unit_test(networks_that_are_refused),
        cmocka_unit_test(a_pulled_cable_carries_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
