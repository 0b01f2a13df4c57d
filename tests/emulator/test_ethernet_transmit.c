/* Transmission through descriptors, offload, wire time, and what goes wrong with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ethernet_bench.h"

enum { WHOLE = (int)(TDES0_FIRST | TDES0_LAST) };

static void kick(struct bench *b)
{
    bench_write(b, ETH_DMASR, DMASR_TBUS);
    bench_write(b, ETH_DMATPDR, 0);
    bench_wait(b, VTIME_MS(1));
}

static size_t send_ipv4(struct bench *b, uint8_t protocol, size_t payload, uint32_t flags)
{
    uint8_t frame[1600];
    const size_t length = bench_ipv4_frame(frame, protocol, payload);
    if (protocol == PROTOCOL_ICMP)
        memset(frame + 36, 0, 2);
    bench_tx_descriptor(b, 0, (uint32_t)WHOLE | flags, frame, length);
    kick(b);
    return length;
}

static void gathers_two_descriptors_and_inserts_checksums(void **state)
{
    struct bench *b = *state;
    uint8_t frame[256];
    const size_t length = bench_ipv4_frame(frame, PROTOCOL_TCP, 120);
    bench_tx_descriptor(b, 1, TDES0_LAST | TDES0_IRQ, frame + 54, length - 54);
    bench_tx_descriptor(b, 0, TDES0_FIRST | TDES0_CIC(3), frame, 54);
    kick(b);
    assert_int_equal(b->out_count, 1);
    assert_int_equal(b->out[0].length, length);
    assert_true(bench_checksums_good(b->out[0].data));
    bench_fill_checksums(frame);
    assert_memory_equal(b->out[0].data, frame, length);
    assert_int_equal(bench_tx_status(b, 0) & (DESC_OWN | BIT(15)), 0);
    assert_int_equal(bench_tx_status(b, 1) & (DESC_OWN | BIT(15)), 0);
    assert_int_equal(bench_read(b, ETH_DMASR) & (DMASR_TS | DMASR_TBUS), DMASR_TS | DMASR_TBUS);
    assert_int_equal(b->report_count, 0);
}

static void checksums_of_each_protocol(void **state)
{
    static const uint8_t protocols[] = {PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP};
    for (size_t i = 0; i < sizeof protocols; i++) {
        for (size_t payload = 24; payload < 28; payload++) {
            struct bench *b = bench_new();
            bench_start(b, 4, 1536, 0);
            send_ipv4(b, protocols[i], payload, TDES0_CIC(3));
            assert_int_equal(b->out_count, 1);
            assert_true(bench_checksums_good(b->out[0].data));
            bench_free(b);
        }
    }
    (void)state;
}

static void header_only_leaves_the_payload(void **state)
{
    struct bench *b = *state;
    uint8_t frame[256];
    const size_t length = bench_ipv4_frame(frame, PROTOCOL_TCP, 60);
    send_ipv4(b, PROTOCOL_TCP, 60, TDES0_CIC(1));
    assert_memory_equal(b->out[0].data + 34, frame + 34, length - 34);
    assert_memory_not_equal(b->out[0].data + 24, frame + 24, 2);
}

static void nothing_without_cic(void **state)
{
    struct bench *b = *state;
    uint8_t frame[256];
    const size_t length = bench_ipv4_frame(frame, PROTOCOL_UDP, 60);
    send_ipv4(b, PROTOCOL_UDP, 60, 0);
    assert_memory_equal(b->out[0].data, frame, length);
}

static void a_fragment_is_corrupted(void **state)
{
    struct bench *b = *state;
    uint8_t frame[256];
    const size_t length = bench_ipv4_frame(frame, PROTOCOL_TCP, 80);
    frame[20] = 0x20; /* MF */
    bench_tx_descriptor(b, 0, (uint32_t)WHOLE | TDES0_CIC(3), frame, length);
    kick(b);
    assert_memory_not_equal(b->out[0].data + 34, frame + 34, length - 34);
    assert_true(bench_reported(b, "fragment"));
}

/* ES0206 2.17.1: next header 253 is taken for an extension header that leads to UDP. */
static void ipv6_without_transport_is_corrupted(void **state)
{
    struct bench *b = *state;
    uint8_t frame[14 + 40 + 64] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xDD, 0x60};
    frame[19] = 64;
    frame[20] = 253;
    frame[54] = PROTOCOL_UDP;
    bench_tx_descriptor(b, 0, (uint32_t)WHOLE | TDES0_CIC(3), frame, sizeof frame);
    kick(b);
    assert_int_equal(b->out_count, 1);
    assert_memory_not_equal(b->out[0].data, frame, sizeof frame);
    assert_true(bench_reported(b, "2.17.1"));
}

static void bad_lengths_set_error_bits(void **state)
{
    struct bench *b = *state;
    uint8_t frame[256];
    const size_t length = bench_ipv4_frame(frame, PROTOCOL_TCP, 80);
    frame[17] = 200; /* more than there is */
    bench_tx_descriptor(b, 0, (uint32_t)WHOLE | TDES0_CIC(3), frame, length);
    frame[14] = 0x35; /* version 3 */
    bench_tx_descriptor(b, 1, (uint32_t)WHOLE | TDES0_CIC(3), frame, length);
    kick(b);
    assert_int_equal(bench_tx_status(b, 0) & (BIT(15) | BIT(12) | BIT(16)), BIT(15) | BIT(12));
    assert_int_equal(bench_tx_status(b, 1) & (BIT(15) | BIT(12) | BIT(16)), BIT(15) | BIT(16));
}

static void short_frames_are_padded(void **state)
{
    struct bench *b = *state;
    uint8_t frame[60];
    const size_t length = bench_ipv4_frame(frame, PROTOCOL_UDP, 8);
    send_ipv4(b, PROTOCOL_UDP, 8, 0);
    assert_int_equal(b->out[0].length, 60);
    for (size_t i = length; i < 60; i++)
        assert_int_equal(b->out[0].data[i], 0);
}

/* 8 + 1514 + 4 bytes at 80 ns, 12 bytes of gap in between. */
static void frames_take_their_time_on_the_wire(void **state)
{
    struct bench *b = *state;
    uint8_t frame[1514];
    bench_ipv4_frame(frame, PROTOCOL_UDP, 1480);
    for (unsigned i = 0; i < 3; i++)
        bench_tx_descriptor(b, i, (uint32_t)WHOLE, frame, sizeof frame);
    bench_write(b, ETH_DMAOMR, bench_read(b, ETH_DMAOMR) | DMAOMR_OSF);
    const vtime before = machine_now(b->m);
    kick(b);
    assert_int_equal(b->out_count, 3);
    assert_in_range(b->out[0].at - before, VTIME_NS(1526 * 80), VTIME_NS(1526 * 80 + 30000));
    /* seen at cycles of HCLK, 21 ns */
    assert_in_range(b->out[2].at - b->out[1].at, VTIME_NS((1526 + 12) * 80 - 21),
                    VTIME_NS((1526 + 12) * 80 + 21));
}

/* A register write while a frame is on the wire does not touch the frame. */
static void a_frame_under_way_is_left_alone(void **state)
{
    struct bench *b = *state;
    uint8_t frame[1000] = {2};
    bench_tx_descriptor(b, 0, (uint32_t)WHOLE, frame, sizeof frame);
    const vtime before = machine_now(b->m);
    bench_write(b, ETH_DMATPDR, 0);
    bench_wait(b, VTIME_US(50));
    bench_write(b, ETH_MACCR, bench_read(b, ETH_MACCR));
    bench_wait(b, VTIME_MS(1));
    assert_int_equal(b->out_count, 1);
    assert_in_range(b->out[0].at - before, VTIME_NS(1012 * 80), VTIME_NS(1012 * 80 + 20000));
}

static void suspends_and_resumes_on_demand(void **state)
{
    struct bench *b = *state;
    uint8_t frame[100] = {2};
    assert_int_equal(bench_read(b, ETH_DMASR) >> 20 & 7, 6);
    assert_true(bench_read(b, ETH_DMASR) & DMASR_TBUS);
    bench_tx_descriptor(b, 0, (uint32_t)WHOLE, frame, sizeof frame);
    bench_wait(b, VTIME_MS(10));
    assert_int_equal(b->out_count, 0);
    kick(b);
    assert_int_equal(b->out_count, 1);
}

static void interrupt_needs_enables_and_summary(void **state)
{
    struct bench *b = *state;
    uint8_t frame[100] = {2};
    bench_write(b, ETH_DMASR, 0x1E7FF);
    bench_tx_descriptor(b, 0, (uint32_t)WHOLE | TDES0_IRQ, frame, sizeof frame);
    kick(b);
    assert_false(bench_irq(b));
    bench_write(b, ETH_DMAIER, DMASR_TS);
    assert_true(bench_read(b, ETH_DMASR) & DMASR_NIS);
    assert_false(bench_irq(b));
    bench_write(b, ETH_DMAIER, DMASR_TS | DMASR_NIS);
    assert_true(bench_irq(b));
    bench_write(b, ETH_DMASR, DMASR_TS);
    assert_true(bench_irq(b)); /* the summary is sticky */
    bench_write(b, ETH_DMASR, DMASR_NIS);
    assert_false(bench_irq(b));
}

static void without_ic_there_is_no_ts(void **state)
{
    struct bench *b = *state;
    uint8_t frame[100] = {2};
    bench_write(b, ETH_DMASR, 0x1E7FF);
    bench_tx_descriptor(b, 0, (uint32_t)WHOLE, frame, sizeof frame);
    kick(b);
    assert_int_equal(b->out_count, 1);
    assert_int_equal(bench_read(b, ETH_DMASR) & DMASR_TS, 0);
}

static void ccm_is_a_fatal_bus_error(void **state)
{
    struct bench *b = *state;
    uint8_t frame[100] = {2};
    bench_tx_descriptor(b, 0, (uint32_t)WHOLE, frame, sizeof frame);
    bench_write(b, TX_RING + 8, CCM_BASE);
    bench_write(b, ETH_DMAIER, DMASR_FBES | DMASR_AIS);
    kick(b);
    assert_true(bench_read(b, ETH_DMASR) & DMASR_FBES);
    assert_int_equal(bench_read(b, ETH_DMASR) >> 23 & 7, 3); /* read of data by the transmit DMA */
    assert_true(bench_irq(b));
    assert_true(bench_reported(b, "CCM"));
    bench_write(b, TX_RING + 8, TX_BUFFERS);
    bench_write(b, ETH_DMASR, 0x1E7FF);
    kick(b);
    bench_write(b, ETH_DMAOMR, bench_read(b, ETH_DMAOMR) & ~(DMAOMR_ST | DMAOMR_SR));
    bench_write(b, ETH_DMAOMR, bench_read(b, ETH_DMAOMR) | DMAOMR_ST | DMAOMR_SR);
    kick(b);
    assert_int_equal(b->out_count, 0);
    ethernet_receive(b->m, frame, sizeof frame);
    bench_wait(b, VTIME_MS(1));
    assert_true(bench_rx_status(b, 0) & DESC_OWN);
    assert_true(bench_soft_reset(b));
    assert_int_equal(bench_read(b, ETH_DMASR) & DMASR_FBES, 0);
}

static void a_descriptor_in_ccm_too(void **state)
{
    struct bench *b = *state;
    bench_write(b, ETH_DMAOMR, bench_read(b, ETH_DMAOMR) & ~DMAOMR_ST);
    bench_write(b, ETH_DMATDLAR, CCM_BASE + 0x100);
    bench_write(b, ETH_DMAOMR, bench_read(b, ETH_DMAOMR) | DMAOMR_ST);
    bench_wait(b, VTIME_US(10));
    assert_true(bench_read(b, ETH_DMASR) & DMASR_FBES);
    assert_int_equal(bench_read(b, ETH_DMASR) >> 23 & 7, 7);
}

static void wrong_speed_is_reported_and_loses_frames(void **state)
{
    struct bench *b = *state;
    uint8_t frame[100] = {2};
    bench_write(b, ETH_MACCR, bench_read(b, ETH_MACCR) & ~MACCR_FES);
    bench_tx_descriptor(b, 0, (uint32_t)WHOLE, frame, sizeof frame);
    kick(b);
    assert_int_equal(b->out_count, 0);
    assert_int_equal(bench_tx_status(b, 0) & DESC_OWN, 0);
    assert_true(bench_reported(b, "MACCR says 10 Mbit/s"));
}

static void a_frame_without_link_is_lost(void **state)
{
    struct bench *b = *state;
    uint8_t frame[100] = {2};
    ethernet_cable(b->m, false);
    bench_tx_descriptor(b, 0, (uint32_t)WHOLE, frame, sizeof frame);
    kick(b);
    assert_int_equal(b->out_count, 0);
    assert_int_equal(bench_tx_status(b, 0) & DESC_OWN, 0);
}

static void without_ref_clock_a_frame_stays_unfinished(void **state)
{
    struct bench *b = *state;
    uint8_t frame[100] = {2};
    bench_smi_write(b, 0, 0, 0x3800);
    bench_tx_descriptor(b, 0, (uint32_t)WHOLE, frame, sizeof frame);
    kick(b);
    bench_wait(b, VTIME_S(1));
    assert_true(bench_tx_status(b, 0) & DESC_OWN);
    assert_true(bench_read(b, ETH_MACDBGR) & BIT(24));
}

/* ES0206 2.17.5 */
static void a_second_write_too_soon_is_lost(void **state)
{
    struct bench *b = *state;
    uint8_t frame[100] = {4};
    bench_wait(b, VTIME_US(1));
    bench_write(b, ETH_MACFFR, 0);
    bench_write(b, ETH_MACFFR, MACFFR_PM);
    assert_true(bench_reported(b, "2.17.5"));
    assert_int_equal(bench_read(b, ETH_MACFFR), MACFFR_PM);
    ethernet_receive(b->m, frame, sizeof frame);
    bench_wait(b, VTIME_MS(1));
    assert_true(bench_rx_status(b, 0) & DESC_OWN);
    bench_write(b, ETH_MACFFR, MACFFR_PM);
    ethernet_receive(b->m, frame, sizeof frame);
    bench_wait(b, VTIME_MS(1));
    assert_false(bench_rx_status(b, 0) & DESC_OWN);
}

static void threshold_mode_is_reported(void **state)
{
    struct bench *b = *state;
    bench_write(b, ETH_DMAOMR, DMAOMR_RSF | DMAOMR_SR);
    bench_wait(b, VTIME_US(10));
    bench_write(b, ETH_DMAOMR, DMAOMR_RSF | DMAOMR_SR | DMAOMR_ST);
    assert_true(bench_reported(b, "2.17.4"));
    send_ipv4(b, PROTOCOL_UDP, 60, TDES0_CIC(3));
    assert_true(bench_reported(b, "no checksum is inserted"));
    assert_int_equal(b->out_count, 1);
    assert_false(bench_checksums_good(b->out[0].data));
}

static void flush_with_data_is_reported_and_closes_descriptors(void **state)
{
    struct bench *b = *state;
    uint8_t frame[1000] = {2};
    bench_tx_descriptor(b, 0, (uint32_t)WHOLE, frame, sizeof frame);
    bench_write(b, ETH_DMATPDR, 0);
    bench_wait(b, VTIME_US(20));
    assert_true(bench_read(b, ETH_MACDBGR) & BIT(24));
    bench_write(b, ETH_DMAOMR, bench_read(b, ETH_DMAOMR) | DMAOMR_FTF);
    assert_true(bench_read(b, ETH_DMAOMR) & DMAOMR_FTF);
    assert_true(bench_reported(b, "2.17.3"));
    bench_wait(b, VTIME_US(2));
    assert_false(bench_read(b, ETH_DMAOMR) & DMAOMR_FTF);
    assert_int_equal(bench_tx_status(b, 0) & (DESC_OWN | BIT(15) | BIT(13)), BIT(15) | BIT(13));
    assert_int_equal(b->out_count, 0);
}

static void flush_at_the_wrong_clock_sticks_the_mac(void **state)
{
    struct bench *b = *state;
    uint8_t frame[100] = {2};
    bench_tx_descriptor(b, 0, (uint32_t)WHOLE, frame, sizeof frame);
    bench_write(b, ETH_DMATPDR, 0);
    while (b->out_count == 0)
        bench_wait(b, VTIME_NS(20));
    bench_write(b, ETH_DMAOMR, bench_read(b, ETH_DMAOMR) | DMAOMR_FTF);
    assert_true(bench_reported(b, "stuck"));
    bench_tx_descriptor(b, 1, (uint32_t)WHOLE, frame, sizeof frame);
    kick(b);
    assert_int_equal(b->out_count, 1);
    assert_true(bench_tx_status(b, 1) & DESC_OWN);
}

static void counts_good_frames(void **state)
{
    struct bench *b = *state;
    send_ipv4(b, PROTOCOL_UDP, 60, 0);
    assert_int_equal(bench_read(b, ETH_MMCTGFCR), 1);
    assert_int_equal(bench_read(b, ETH_MMCTGFCR), 1);
    bench_write(b, ETH_MMCCR, MMCCR_ROR);
    assert_int_equal(bench_read(b, ETH_MMCTGFCR), 1);
    assert_int_equal(bench_read(b, ETH_MMCTGFCR), 0);
}

static void eight_word_descriptors_stop_the_run(void **state)
{
    struct bench *b = *state;
    bench_write(b, ETH_DMABMR, bench_read(b, ETH_DMABMR) | DMABMR_EDFE);
    assert_true(bench_reported(b, "EDFE"));
    assert_int_equal(b->m->stop, STOP_ERROR);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, bench_set_up, bench_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(gathers_two_descriptors_and_inserts_checksums),
        cmocka_unit_test(checksums_of_each_protocol),
        TEST(header_only_leaves_the_payload),
        TEST(nothing_without_cic),
        TEST(a_fragment_is_corrupted),
        TEST(ipv6_without_transport_is_corrupted),
        TEST(bad_lengths_set_error_bits),
        TEST(short_frames_are_padded),
        TEST(frames_take_their_time_on_the_wire),
        TEST(a_frame_under_way_is_left_alone),
        TEST(suspends_and_resumes_on_demand),
        TEST(interrupt_needs_enables_and_summary),
        TEST(without_ic_there_is_no_ts),
        TEST(ccm_is_a_fatal_bus_error),
        TEST(a_descriptor_in_ccm_too),
        TEST(wrong_speed_is_reported_and_loses_frames),
        TEST(a_frame_without_link_is_lost),
        TEST(without_ref_clock_a_frame_stays_unfinished),
        TEST(a_second_write_too_soon_is_lost),
        TEST(threshold_mode_is_reported),
        TEST(flush_with_data_is_reported_and_closes_descriptors),
        TEST(flush_at_the_wrong_clock_sticks_the_mac),
        TEST(counts_good_frames),
        TEST(eight_word_descriptors_stop_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
