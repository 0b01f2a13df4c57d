/* What a plain driver leaves alone: rings with two buffers, interrupt delay, PAUSE, half duplex, own FCS. */
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
    bench_write(b, ETH_DMATPDR, 0);
    bench_wait(b, VTIME_MS(1));
}

static void stop_dma(struct bench *b)
{
    bench_write(b, ETH_DMAOMR, DMAOMR_RSF | DMAOMR_TSF);
    bench_wait(b, VTIME_US(10));
}

static void start_dma(struct bench *b)
{
    bench_write(b, ETH_DMAOMR, DMAOMR_RSF | DMAOMR_TSF | DMAOMR_ST | DMAOMR_SR);
    bench_wait(b, VTIME_US(10));
}

static void ring_of_two_buffers_sends(void **state)
{
    struct bench *b = *state;
    uint8_t frame[200];
    const size_t length = bench_ipv4_frame(frame, PROTOCOL_UDP, 100);
    stop_dma(b);
    bench_write(b, ETH_DMATDLAR, TX_RING);
    for (unsigned i = 0; i < 3; i++) { /* two descriptors, so that the third frame comes from the first */
        const uint32_t d = TX_RING + 16 * (i % 2);
        memcpy(b->m->sram + (TX_BUFFERS - SRAM_BASE), frame, length);
        bench_write(b, d + 4, (uint32_t)(length - 34) << 16 | 34);
        bench_write(b, d + 8, TX_BUFFERS);
        bench_write(b, d + 12, TX_BUFFERS + 34);
        bench_write(b, d, DESC_OWN | (uint32_t)WHOLE | (i % 2 ? BIT(21) : 0));
        start_dma(b);
        kick(b);
        assert_int_equal(b->out_count, i + 1);
        assert_memory_equal(b->out[i].data, frame, length);
    }
}

static void ring_of_two_buffers_receives(void **state)
{
    struct bench *b = *state;
    uint8_t frame[200];
    const size_t length = bench_ipv4_frame(frame, PROTOCOL_UDP, 100);
    stop_dma(b);
    for (unsigned i = 0; i < 2; i++) {
        const uint32_t d = RX_RING + 16 * i;
        bench_write(b, d, DESC_OWN);
        bench_write(b, d + 4, 1024 << 16 | 64 | (i ? BIT(15) : 0));
        bench_write(b, d + 8, RX_BUFFERS);
        bench_write(b, d + 12, RX_BUFFERS + 0x1000);
    }
    bench_write(b, ETH_DMARDLAR, RX_RING);
    start_dma(b);
    for (unsigned i = 0; i < 4; i++) {
        bench_deliver(b, frame, length);
        assert_int_equal(bench_rx_status(b, i % 2) & (DESC_OWN | RDES0_FIRST | RDES0_LAST),
                         RDES0_FIRST | RDES0_LAST);
        assert_memory_equal(b->m->sram + (RX_BUFFERS + 0x1000 - SRAM_BASE), frame + 64, length - 64);
        bench_give_rx(b, i % 2);
        bench_write(b, ETH_DMARPDR, 0);
        bench_wait(b, VTIME_US(10));
    }
}

/* DIC holds RS back; DMARSWTR brings it after 256 cycles a step. */
static void receive_interrupt_can_wait(void **state)
{
    struct bench *b = *state;
    uint8_t frame[100] = {2, 0, 0, 0, 0, 1};
    stop_dma(b);
    bench_write(b, RX_RING + 4, bench_read(b, RX_RING + 4) | BIT(31));
    start_dma(b);
    bench_write(b, 0x40029024, 250); /* 1333 us at 48 MHz */
    bench_deliver(b, frame, sizeof frame);
    assert_false(bench_rx_status(b, 0) & DESC_OWN);
    assert_false(bench_read(b, ETH_DMASR) & DMASR_RS);
    bench_wait(b, VTIME_MS(1));
    assert_true(bench_read(b, ETH_DMASR) & DMASR_RS);
}

static void own_fcs(void **state)
{
    struct bench *b = *state;
    uint8_t frame[104];
    bench_ipv4_frame(frame, PROTOCOL_UDP, 66);
    const uint32_t fcs = ethernet_crc32(frame, 100);
    memcpy(frame + 100, &fcs, 4);
    bench_tx_descriptor(b, 0, (uint32_t)WHOLE | BIT(27), frame, sizeof frame);
    kick(b);
    assert_int_equal(b->out_count, 1);
    assert_int_equal(b->out[0].length, 100);
    frame[50] ^= 1; /* the switch drops what its FCS does not fit */
    bench_tx_descriptor(b, 1, (uint32_t)WHOLE | BIT(27), frame, sizeof frame);
    kick(b);
    assert_int_equal(b->out_count, 1);
}

/* IEEE 802.3 annex 31B: 100 quanta of 512 bits are 512 us. */
static void pause_holds_transmission(void **state)
{
    static const uint8_t pause[60] = {0x01, 0x80, 0xC2, 0, 0, 1, 2, 0, 0, 0, 0, 9, 0x88, 0x08, 0, 1, 0, 100};
    struct bench *b = *state;
    uint8_t frame[100] = {2};
    bench_write(b, ETH_MACFFR, MACFFR_PAM);
    bench_write(b, ETH_MACFCR, MACFCR_RFCE);
    ethernet_receive(b->m, pause, sizeof pause);
    bench_wait(b, VTIME_US(10));
    assert_true(bench_rx_status(b, 0) & DESC_OWN); /* not for the application */
    bench_tx_descriptor(b, 0, (uint32_t)WHOLE, frame, sizeof frame);
    bench_write(b, ETH_DMATPDR, 0);
    bench_wait(b, VTIME_US(490));
    assert_int_equal(b->out_count, 0);
    bench_wait(b, VTIME_US(50));
    assert_int_equal(b->out_count, 1);
}

static void half_duplex_without_carrier(void **state)
{
    struct bench *b = *state;
    uint8_t frame[100] = {2};
    bench_write(b, ETH_MACCR, bench_read(b, ETH_MACCR) & ~MACCR_DM);
    ethernet_cable(b->m, false);
    bench_tx_descriptor(b, 0, (uint32_t)WHOLE, frame, sizeof frame);
    kick(b);
    assert_int_equal(bench_tx_status(b, 0) & (DESC_OWN | BIT(15) | BIT(10)), BIT(15) | BIT(10));
}

static void half_duplex_works_when_agreed(void **state)
{
    struct bench *b = *state;
    uint8_t frame[1000];
    bench_ipv4_frame(frame, PROTOCOL_UDP, 900);
    ethernet_partner(b->m, 0x0021);
    bench_write(b, ETH_MACCR, bench_read(b, ETH_MACCR) & ~(MACCR_DM | MACCR_FES));
    assert_true(bench_wait_link(b, VTIME_S(4)));
    b->report_count = 0;
    ethernet_receive(b->m, frame, sizeof frame); /* 0.8 ms at 10 Mbit/s, in which the MAC defers */
    bench_tx_descriptor(b, 0, (uint32_t)WHOLE, frame, sizeof frame);
    kick(b);
    assert_int_equal(b->out_count, 0);
    assert_false(bench_rx_status(b, 0) & DESC_OWN);
    bench_wait(b, VTIME_MS(1));
    assert_int_equal(b->out_count, 1);
    assert_int_equal(b->report_count, 0);
}

static void too_long_a_frame_is_jabber(void **state)
{
    struct bench *b = *state;
    static uint8_t half[1500] = {2};
    bench_tx_descriptor(b, 1, TDES0_LAST, half, sizeof half);
    bench_tx_descriptor(b, 0, TDES0_FIRST, half, sizeof half);
    kick(b);
    assert_int_equal(b->out_count, 0);
    assert_true(bench_read(b, ETH_DMASR) & DMASR_TJTS);
    assert_int_equal(bench_tx_status(b, 1) & (DESC_OWN | BIT(15) | BIT(14)), BIT(15) | BIT(14));
}

static void a_frame_cut_off_is_underflow(void **state)
{
    struct bench *b = *state;
    uint8_t frame[100] = {2};
    bench_tx_descriptor(b, 0, TDES0_FIRST, frame, sizeof frame);
    kick(b);
    assert_true(bench_read(b, ETH_DMASR) & DMASR_TUS);
    assert_true(bench_reported(b, "underflow"));
    bench_tx_descriptor(b, 1, TDES0_LAST, frame, sizeof frame);
    kick(b);
    assert_int_equal(b->out_count, 1);
    assert_int_equal(b->out[0].length, 200);
}

static void source_address_filter(void **state)
{
    struct bench *b = *state;
    uint8_t frame[100];
    bench_ipv4_frame(frame, PROTOCOL_UDP, 60);
    bench_write(b, ETH_MACA1LR, 0x00000002); /* the frame's source, 02:00:00:00:00:02 */
    bench_write(b, ETH_MACA1HR, 0xC0000200);
    bench_write(b, ETH_MACFFR, MACFFR_SAF);
    bench_deliver(b, frame, sizeof frame);
    assert_false(bench_rx_status(b, 0) & DESC_OWN);
    frame[11] = 3;
    bench_deliver(b, frame, sizeof frame);
    assert_true(bench_rx_status(b, 1) & DESC_OWN);
    frame[5] = frame[11] = 2; /* as a destination that address does not count */
    bench_deliver(b, frame, sizeof frame);
    assert_true(bench_rx_status(b, 1) & DESC_OWN);
}

static void vlan_frames_are_marked(void **state)
{
    struct bench *b = *state;
    uint8_t frame[100] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x81, 0x00, 0x20, 0x05, 8, 0};
    bench_write(b, 0x4002801C, BIT(16) | 5); /* MACVLANTR: the 12 bits of the identifier */
    bench_deliver(b, frame, sizeof frame);
    assert_true(bench_rx_status(b, 0) & BIT(10));
    frame[15] = 6;
    bench_deliver(b, frame, sizeof frame);
    assert_false(bench_rx_status(b, 1) & BIT(10));
}

static void fcs_can_be_stripped(void **state)
{
    struct bench *b = bench_new();
    uint8_t frame[100];
    (void)state;
    bench_start(b, 4, 1536, MACCR_CSTF);
    bench_ipv4_frame(frame, PROTOCOL_UDP, 66);
    bench_deliver(b, frame, sizeof frame);
    assert_int_equal(bench_rx_status(b, 0) >> 16 & 0x3FFF, sizeof frame);
    bench_free(b);
}

/* Nothing that a wild driver puts into a ring may harm the board (ASan watches). */
static void random_descriptors_do_no_harm(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 40; round++) {
        struct bench *b = bench_new();
        uint8_t frame[600];
        bench_start(b, 4, 1536, MACCR_IPCO);
        bench_ipv4_frame(frame, PROTOCOL_UDP, sizeof frame - 34);
        for (unsigned i = 0; i < 4; i++) {
            const uint64_t random = machine_random(b->m);
            bench_write(b, TX_RING + 16 * i, (uint32_t)random | DESC_OWN);
            bench_write(b, TX_RING + 16 * i + 4, (uint32_t)(random >> 32));
            bench_write(b, TX_RING + 16 * i + 8, SRAM_BASE + (uint32_t)(random >> 40) % SRAM_SIZE);
            bench_write(b, RX_RING + 16 * i + 4, (uint32_t)(random >> 16));
            bench_write(b, RX_RING + 16 * i + 8, SRAM_BASE + (uint32_t)(random >> 20) % SRAM_SIZE);
        }
        for (unsigned i = 0; i < 6; i++) {
            bench_deliver(b, frame, sizeof frame);
            kick(b);
        }
        assert_int_equal(b->m->stop, STOP_NONE);
        bench_free(b);
    }
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, bench_set_up, bench_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(ring_of_two_buffers_sends),
        TEST(ring_of_two_buffers_receives),
        TEST(receive_interrupt_can_wait),
        TEST(own_fcs),
        TEST(pause_holds_transmission),
        TEST(half_duplex_without_carrier),
        TEST(half_duplex_works_when_agreed),
        TEST(too_long_a_frame_is_jabber),
        TEST(a_frame_cut_off_is_underflow),
        TEST(source_address_filter),
        TEST(vlan_frames_are_marked),
        cmocka_unit_test(fcs_can_be_stripped),
        cmocka_unit_test(random_descriptors_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
