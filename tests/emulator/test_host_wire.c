/* Frames between the machine and a network of the host, and their record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "host/wire.h"
#include "host_tiny_elf.h"

enum { PCAP_HEADER = 24, PCAP_RECORD = 16, ARP_BYTES = 42 };

static struct machine *m;
static struct wire wire;
static char error[NETWORK_MESSAGE];

static int setup(void **state)
{
    (void)state;
    const struct host host = {0};
    struct tiny_elf tiny;
    tiny_init(&tiny); /* sleeps at once */
    struct elf elf = tiny_open(&tiny);
    m = machine_create(&host, 1);
    bool loaded = m != NULL && elf_load(&elf, m, error, sizeof error);
    elf_close(&elf);
    if (!loaded) {
        return 1;
    }
    machine_power_on(m);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    wire_close(&wire);
    machine_destroy(m);
    return 0;
}

/* Who has 10.0.2.2? */
static const uint8_t arp_request[ARP_BYTES] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0,  0, 0, 0,  1, 8, 6, 0, 1, 8, 0,  6, 4, 0,
    1,    2,    0,    0,    0,    0,    1, 10, 0, 2, 15, 0, 0, 0, 0, 0, 0, 10, 0, 2, 2,
};

static void gateway_answers_at_the_same_instant(void **state)
{
    (void)state;
    char path[] = "/tmp/virtual-board-pcap-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_true(wire_open(&wire, m, "slirp", path, error, sizeof error));
    assert_false(wire.alone);
    wire_frame_out(&wire, arp_request, sizeof arp_request);
    assert_int_equal(wire.frames_in, 0); /* not from within: the machine may be at work */
    machine_run(m, VTIME_US(1));
    assert_int_equal(wire.frames_out, 1);
    assert_int_equal(wire.frames_in, 1);

    uint8_t record[PCAP_HEADER + 2 * PCAP_RECORD + ARP_BYTES + 64];
    ssize_t length = read(fd, record, sizeof record);
    assert_true(length >= PCAP_HEADER + 2 * PCAP_RECORD + 2 * ARP_BYTES);
    assert_memory_equal(record + PCAP_HEADER + PCAP_RECORD, arp_request, ARP_BYTES);
    const uint8_t *reply = record + PCAP_HEADER + 2 * PCAP_RECORD + ARP_BYTES;
    assert_memory_equal(reply, arp_request + 6, 6);
    assert_int_equal(reply[21], 2); /* ARP reply */
    close(fd);
    unlink(path);
}

static void burst_beyond_the_room_is_counted(void **state)
{
    (void)state;
    assert_true(wire_open(&wire, m, "none", NULL, error, sizeof error));
    assert_true(wire.alone);
    for (unsigned i = 0; i < WIRE_FRAMES + 3; i++) {
        wire_frame_out(&wire, arp_request, sizeof arp_request);
    }
    static uint8_t giant[NETWORK_FRAME_MAX + 1];
    wire_frame_out(&wire, giant, sizeof giant);
    assert_int_equal(wire.lost, 4);
    machine_run(m, VTIME_US(1));
    assert_int_equal(wire.waiting, 0);
    wire_frame_out(&wire, arp_request, sizeof arp_request);
    assert_int_equal(wire.lost, 4);
}

static void full_disk_is_noticed(void **state)
{
    (void)state;
    assert_false(wire_open(&wire, m, "none", "/dev/full", error, sizeof error));
    assert_non_null(strstr(error, "/dev/full"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gateway_answers_at_the_same_instant, setup, teardown),
        cmocka_unit_test_setup_teardown(burst_beyond_the_room_is_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(full_disk_is_noticed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
