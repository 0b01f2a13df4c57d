/* Reception: filter, offload, descriptors, and running out of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ethernet_bench.h"

static const uint8_t *rx_buffer(struct bench *b, unsigned index)
{
    return b->m->sram + (RX_BUFFERS - SRAM_BASE) + 0x800 * index;
}

static bool received(struct bench *b, unsigned index)
{
    return !(bench_rx_status(b, index) & DESC_OWN);
}

static unsigned length_of(struct bench *b, unsigned index)
{
    return bench_rx_status(b, index) >> 16 & 0x3FFF;
}

static void frames_enter_the_ring_in_order(void **state)
{
    struct bench *b = *state;
    uint8_t frame[200];
    for (unsigned i = 0; i < 4; i++) {
        const size_t length = bench_ipv4_frame(frame, PROTOCOL_UDP, 100 + i);
        frame[60] = (uint8_t)i;
        bench_deliver(b, frame, length);
        assert_true(received(b, i));
        assert_int_equal(length_of(b, i), length + 4);
        assert_int_equal(bench_rx_status(b, i) & (RDES0_FIRST | RDES0_LAST | RDES0_ERROR),
                         RDES0_FIRST | RDES0_LAST);
        assert_memory_equal(rx_buffer(b, i), frame, length);
        const uint32_t fcs = ethernet_crc32(frame, length);
        assert_memory_equal(rx_buffer(b, i) + length, &fcs, 4);
    }
    assert_true(bench_read(b, ETH_DMASR) & DMASR_RS);
    assert_int_equal(bench_read(b, ETH_MMCRGUFCR), 4);
    assert_int_equal(b->report_count, 0);
}

static void short_frames_arrive_padded(void **state)
{
    struct bench *b = *state;
    uint8_t frame[42] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 6};
    bench_deliver(b, frame, sizeof frame);
    assert_int_equal(length_of(b, 0), 64);
}

static void a_full_ring_suspends_and_recovers(void **state)
{
    struct bench *b = *state;
    uint8_t frame[100];
    const size_t length = bench_ipv4_frame(frame, PROTOCOL_UDP, 60);
    for (unsigned i = 0; i < 4; i++)
        bench_deliver(b, frame, length);
    assert_true(bench_read(b, ETH_DMASR) & DMASR_RBUS); /* as soon as the next one is missing */
    assert_int_equal(bench_read(b, ETH_DMASR) >> 17 & 7, 4);
    bench_write(b, ETH_DMASR, DMASR_RBUS);
    bench_deliver(b, frame, length);
    bench_deliver(b, frame, length);
    assert_true(bench_read(b, ETH_DMASR) & DMASR_RBUS);
    assert_int_equal(bench_read(b, ETH_DMAMFBOCR), 2);
    assert_int_equal(bench_read(b, ETH_DMAMFBOCR), 0);

    bench_give_rx(b, 0);
    bench_write(b, ETH_DMASR, DMASR_RBUS);
    bench_write(b, ETH_DMARPDR, 0);
    bench_wait(b, VTIME_US(10));
    assert_int_equal(bench_read(b, ETH_DMASR) >> 17 & 7, 3);
    bench_deliver(b, frame, length);
    assert_true(received(b, 0));
}

static void an_arrival_resumes_too(void **state)
{
    struct bench *b = *state;
    uint8_t frame[100];
    const size_t length = bench_ipv4_frame(frame, PROTOCOL_UDP, 60);
    for (unsigned i = 0; i < 4; i++)
        bench_deliver(b, frame, length);
    for (unsigned i = 0; i < 4; i++)
        bench_give_rx(b, i);
    bench_deliver(b, frame, length);
    assert_true(received(b, 0));
}

/* With reception stopped the FIFO takes 2 KB, the rest overflows. */
static void fifo_overflow(void **state)
{
    struct bench *b = *state;
    uint8_t frame[1000];
    const size_t length = bench_ipv4_frame(frame, PROTOCOL_UDP, 900);
    bench_write(b, ETH_DMAOMR, bench_read(b, ETH_DMAOMR) & ~DMAOMR_SR);
    for (unsigned i = 0; i < 4; i++)
        bench_deliver(b, frame, length);
    assert_true(bench_read(b, ETH_DMASR) & DMASR_ROS);
    assert_int_equal(bench_read(b, ETH_DMAMFBOCR), 2u << 17);
    bench_write(b, ETH_DMAOMR, bench_read(b, ETH_DMAOMR) | DMAOMR_SR);
    bench_wait(b, VTIME_MS(1));
    assert_true(received(b, 0) && received(b, 1) && !received(b, 2));
}

static void small_buffers_split_a_frame(void **state)
{
    struct bench *b = bench_new();
    uint8_t frame[400];
    const size_t length = bench_ipv4_frame(frame, PROTOCOL_UDP, 300);
    bench_start(b, 4, 128, 0);
    bench_deliver(b, frame, length);
    assert_int_equal(bench_rx_status(b, 0) & (DESC_OWN | RDES0_FIRST | RDES0_LAST), RDES0_FIRST);
    assert_int_equal(bench_rx_status(b, 1) & (DESC_OWN | RDES0_FIRST | RDES0_LAST), 0);
    assert_int_equal(bench_rx_status(b, 2) & (DESC_OWN | RDES0_FIRST | RDES0_LAST), RDES0_LAST);
    assert_int_equal(length_of(b, 2), length + 4);
    assert_memory_equal(rx_buffer(b, 1), frame + 128, 128);
    /* One descriptor is left, which the next frame overflows: cut, with the descriptor error set. */
    bench_deliver(b, frame, length);
    assert_int_equal(bench_rx_status(b, 3) & (DESC_OWN | RDES0_FIRST | RDES0_LAST | RDES0_ERROR | BIT(14)),
                     RDES0_FIRST | RDES0_LAST | RDES0_ERROR | BIT(14));
    assert_true(bench_read(b, ETH_DMASR) & DMASR_RBUS);
    bench_free(b);
    (void)state;
}

/* 8 + 1514 + 4 bytes a frame at 80 ns, 12 bytes of gap between them: the third is there after 368.2 us. */
static void bursts_come_at_line_rate(void **state)
{
    struct bench *b = *state;
    uint8_t frame[1514];
    bench_ipv4_frame(frame, PROTOCOL_UDP, 1480);
    for (unsigned i = 0; i < 3; i++)
        ethernet_receive(b->m, frame, sizeof frame);
    bench_wait(b, VTIME_US(121));
    assert_int_equal(bench_read(b, ETH_MMCRGUFCR), 0);
    bench_wait(b, VTIME_US(2));
    assert_int_equal(bench_read(b, ETH_MMCRGUFCR), 1);
    bench_wait(b, VTIME_NS(244500));
    assert_int_equal(bench_read(b, ETH_MMCRGUFCR), 2);
    bench_wait(b, VTIME_US(1));
    assert_int_equal(bench_read(b, ETH_MMCRGUFCR), 3);
}

/* The switch's buffer is 48 frames; what is more is lost. */
static void the_switch_buffers_so_much(void **state)
{
    struct bench *b = *state;
    uint8_t frame[100];
    bench_ipv4_frame(frame, PROTOCOL_UDP, 60);
    for (unsigned i = 0; i < 60; i++)
        ethernet_receive(b->m, frame, sizeof frame);
    bench_wait(b, VTIME_MS(2));
    assert_int_equal(bench_read(b, ETH_MMCRGUFCR), SWITCH_SLOTS);
}

/* ---- Filter ---- */

static bool passes(struct bench *b, const uint8_t destination[6])
{
    static unsigned index;
    uint8_t frame[100] = {0};
    bench_ipv4_frame(frame, PROTOCOL_UDP, 60);
    memcpy(frame, destination, 6);
    for (index = 0; index < 4; index++)
        bench_give_rx(b, index);
    bench_write(b, ETH_DMARPDR, 0);
    const uint32_t before = bench_read(b, ETH_DMASR) & DMASR_RS;
    assert_int_equal(before, 0);
    bench_deliver(b, frame, sizeof frame);
    const bool came = bench_read(b, ETH_DMASR) & DMASR_RS;
    bench_write(b, ETH_DMASR, DMASR_RS | DMASR_RBUS);
    return came;
}

static void set_filter(struct bench *b, uint32_t value)
{
    bench_wait(b, VTIME_US(1));
    bench_write(b, ETH_MACFFR, value);
    bench_wait(b, VTIME_US(1));
}

static const uint8_t ours[6] = {2, 0, 0, 0, 0, 1}, other[6] = {2, 0, 0, 0, 0, 9};
static const uint8_t everyone[6] = {255, 255, 255, 255, 255, 255}, group[6] = {1, 0, 0x5E, 0, 0, 0xFB};

static void address_filter(void **state)
{
    struct bench *b = *state;
    assert_true(passes(b, ours));
    assert_false(passes(b, other));
    assert_true(passes(b, everyone));
    assert_false(passes(b, group));
    set_filter(b, MACFFR_PAM);
    assert_true(passes(b, group));
    assert_false(passes(b, other));
    set_filter(b, MACFFR_BFD);
    assert_false(passes(b, everyone));
    set_filter(b, MACFFR_PM);
    assert_true(passes(b, other));
    set_filter(b, MACFFR_DAIF);
    assert_false(passes(b, ours));
    assert_true(passes(b, other));
}

static void receive_all_marks_what_failed(void **state)
{
    struct bench *b = *state;
    uint8_t frame[100];
    bench_ipv4_frame(frame, PROTOCOL_UDP, 60);
    memcpy(frame, other, 6);
    set_filter(b, MACFFR_RA);
    bench_deliver(b, frame, sizeof frame);
    assert_true(received(b, 0));
    assert_true(bench_rx_status(b, 0) & BIT(30));
}

/* 01:00:5E:00:00:FB: the CRC register's upper six bits. */
static void hash_filter(void **state)
{
    struct bench *b = *state;
    uint32_t crc = ~ethernet_crc32(group, 6), reversed = 0;
    for (unsigned i = 0; i < 32; i++)
        reversed |= ((~crc >> i) & 1) << (31 - i);
    const unsigned bit = reversed >> 26;
    bench_write(b, bit & 32 ? ETH_MACHTHR : ETH_MACHTLR, 1u << (bit & 31));
    assert_false(passes(b, group));
    set_filter(b, MACFFR_HM);
    assert_true(passes(b, group));
    assert_false(passes(b, (const uint8_t[6]){1, 0, 0x5E, 0, 0, 1}));
    assert_true(passes(b, ours));
}

static void second_perfect_address(void **state)
{
    struct bench *b = *state;
    bench_write(b, ETH_MACA1LR, 0x00000002);
    bench_write(b, ETH_MACA1HR, 0x0900);
    assert_false(passes(b, other));
    bench_write(b, ETH_MACA1HR, 0x80000900);
    assert_true(passes(b, other));
    bench_wait(b, VTIME_US(1));
    bench_write(b, ETH_MACA1HR, 0xA0000900); /* the last byte does not count */
    assert_true(passes(b, (const uint8_t[6]){2, 0, 0, 0, 0, 77}));
}

/* ---- Errors ---- */

static void damaged_frames_are_dropped_and_counted(void **state)
{
    struct bench *b = *state;
    uint8_t frame[100];
    bench_ipv4_frame(frame, PROTOCOL_UDP, 60);
    ethernet_receive_damaged(b->m, frame, sizeof frame);
    bench_wait(b, VTIME_MS(1));
    assert_false(received(b, 0));
    assert_int_equal(bench_read(b, ETH_MMCRFCECR), 1);
    bench_write(b, ETH_DMAOMR, bench_read(b, ETH_DMAOMR) | DMAOMR_FEF);
    ethernet_receive_damaged(b->m, frame, sizeof frame);
    bench_wait(b, VTIME_MS(1));
    assert_int_equal(bench_rx_status(b, 0) & (DESC_OWN | RDES0_ERROR | 2), RDES0_ERROR | 2);
}

static struct bench *bench_with_offload(uint32_t omr)
{
    struct bench *b = bench_new();
    bench_start(b, 4, 1536, MACCR_IPCO);
    bench_write(b, ETH_DMAOMR, bench_read(b, ETH_DMAOMR) | omr);
    return b;
}

static uint32_t offload_bits(struct bench *b, unsigned index)
{
    return bench_rx_status(b, index) & (BIT(7) | BIT(5) | BIT(0));
}

static void offload_drops_bad_checksums(void **state)
{
    struct bench *b = bench_with_offload(0);
    uint8_t frame[100];
    (void)state;
    bench_ipv4_frame(frame, PROTOCOL_TCP, 60);
    bench_deliver(b, frame, 94);
    assert_false(received(b, 0));
    bench_fill_checksums(frame);
    frame[80] ^= 1;
    bench_deliver(b, frame, 94);
    assert_false(received(b, 0));
    frame[80] ^= 1;
    bench_deliver(b, frame, 94);
    assert_true(received(b, 0));
    assert_int_equal(offload_bits(b, 0), BIT(5));
    bench_free(b);
}

static void offload_marks_bad_checksums(void **state)
{
    struct bench *b = bench_with_offload(DMAOMR_DTCEFD);
    uint8_t frame[100];
    (void)state;
    bench_ipv4_frame(frame, PROTOCOL_ICMP, 60);
    bench_fill_checksums(frame);
    frame[80] ^= 1;
    bench_deliver(b, frame, 94);
    assert_int_equal(offload_bits(b, 0), BIT(5) | BIT(0));
    frame[22] ^= 1; /* TTL */
    bench_deliver(b, frame, 94);
    assert_int_equal(offload_bits(b, 1), BIT(5) | BIT(7));
    bench_ipv4_frame(frame, 89, 60); /* OSPF: not looked into */
    bench_fill_checksums(frame);
    bench_deliver(b, frame, 94);
    assert_int_equal(offload_bits(b, 2), BIT(0));
    frame[12] = 0x88; /* neither IPv4 nor IPv6 */
    bench_deliver(b, frame, 94);
    assert_int_equal(offload_bits(b, 3), BIT(7) | BIT(0));
    bench_free(b);
}

/* hostile input: lengths that lie must not lead the offload out of the frame (ASan watches). */
static void offload_bears_lying_lengths(void **state)
{
    struct bench *b = bench_with_offload(DMAOMR_DTCEFD);
    uint8_t frame[60];
    (void)state;
    for (unsigned value = 0; value < 256; value++) {
        bench_ipv4_frame(frame, PROTOCOL_UDP, 26);
        frame[12] = value & 1 ? 0x86 : 0x08;
        frame[13] = value & 1 ? 0xDD : 0x00;
        frame[14] = (uint8_t)value;
        frame[16] = frame[18] = (uint8_t)(value * 5);
        frame[17] = frame[19] = (uint8_t)~value;
        frame[20] = (uint8_t)(value & 1 ? 0 : frame[20]);
        bench_deliver(b, frame, sizeof frame);
        bench_give_rx(b, value % 4);
        bench_write(b, ETH_DMARPDR, 0);
    }
    bench_free(b);
}

static void no_link_no_frames(void **state)
{
    struct bench *b = *state;
    uint8_t frame[100];
    bench_ipv4_frame(frame, PROTOCOL_UDP, 60);
    ethernet_receive(b->m, frame, sizeof frame);
    ethernet_cable(b->m, false);
    bench_wait(b, VTIME_MS(1));
    bench_deliver(b, frame, sizeof frame);
    assert_false(received(b, 0));
}

static void wrong_duplex_loses_frames(void **state)
{
    struct bench *b = *state;
    uint8_t frame[100];
    bench_ipv4_frame(frame, PROTOCOL_UDP, 60);
    bench_write(b, ETH_MACCR, bench_read(b, ETH_MACCR) & ~MACCR_DM);
    bench_deliver(b, frame, sizeof frame);
    assert_false(received(b, 0));
    assert_true(bench_reported(b, "half duplex"));
}

static void interrupt_on_reception(void **state)
{
    struct bench *b = *state;
    uint8_t frame[100];
    bench_ipv4_frame(frame, PROTOCOL_UDP, 60);
    bench_write(b, ETH_DMASR, 0x1E7FF);
    bench_write(b, ETH_DMAIER, DMASR_RS | DMASR_NIS);
    bench_deliver(b, frame, sizeof frame);
    assert_true(bench_irq(b));
    bench_write(b, ETH_DMASR, DMASR_RS | DMASR_NIS);
    assert_false(bench_irq(b));
}

static void receive_buffer_in_ccm(void **state)
{
    struct bench *b = bench_new();
    uint8_t frame[100];
    (void)state;
    bench_start(b, 1, 1536, 0);
    bench_write(b, ETH_DMAOMR, bench_read(b, ETH_DMAOMR) & ~DMAOMR_SR);
    bench_write(b, RX_RING + 8, CCM_BASE);
    bench_write(b, ETH_DMAOMR, bench_read(b, ETH_DMAOMR) | DMAOMR_SR);
    bench_ipv4_frame(frame, PROTOCOL_UDP, 60);
    bench_deliver(b, frame, sizeof frame);
    assert_true(bench_read(b, ETH_DMASR) & DMASR_FBES);
    assert_int_equal(bench_read(b, ETH_DMASR) >> 23 & 7, 0); /* write of data by the receive DMA */
    bench_free(b);
}

static void loopback_returns_what_is_sent(void **state)
{
    struct bench *b = bench_new();
    uint8_t frame[100];
    (void)state;
    bench_start(b, 4, 1536, MACCR_LM);
    const size_t length = bench_ipv4_frame(frame, PROTOCOL_UDP, 60);
    bench_tx_descriptor(b, 0, TDES0_FIRST | TDES0_LAST, frame, length);
    bench_write(b, ETH_DMATPDR, 0);
    bench_wait(b, VTIME_MS(1));
    assert_int_equal(b->out_count, 0);
    assert_memory_equal(rx_buffer(b, 0), frame, length);
    bench_free(b);
}

static void two_runs_are_the_same(void **state)
{
    uint64_t hash[2];
    uint8_t frame[100];
    (void)state;
    for (unsigned run = 0; run < 2; run++) {
        struct bench *b = bench_new();
        bench_start(b, 4, 1536, MACCR_IPCO);
        bench_ipv4_frame(frame, PROTOCOL_UDP, 60);
        bench_deliver(b, frame, sizeof frame);
        hash[run] = machine_hash(b->m);
        bench_free(b);
    }
    assert_true(hash[0] == hash[1]);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, bench_set_up, bench_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(frames_enter_the_ring_in_order),
        TEST(short_frames_arrive_padded),
        TEST(a_full_ring_suspends_and_recovers),
        TEST(an_arrival_resumes_too),
        TEST(fifo_overflow),
        cmocka_unit_test(small_buffers_split_a_frame),
        TEST(bursts_come_at_line_rate),
        TEST(the_switch_buffers_so_much),
        TEST(address_filter),
        TEST(receive_all_marks_what_failed),
        TEST(hash_filter),
        TEST(second_perfect_address),
        TEST(damaged_frames_are_dropped_and_counted),
        cmocka_unit_test(offload_drops_bad_checksums),
        cmocka_unit_test(offload_marks_bad_checksums),
        cmocka_unit_test(offload_bears_lying_lengths),
        TEST(no_link_no_frames),
        TEST(wrong_duplex_loses_frames),
        TEST(interrupt_on_reception),
        cmocka_unit_test(receive_buffer_in_ccm),
        cmocka_unit_test(loopback_returns_what_is_sent),
        cmocka_unit_test(two_runs_are_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
