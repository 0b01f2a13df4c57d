/*
 * A virtual board whose core sleeps, for tests that program the Ethernet
 * controller over the bus as a driver would.
 */
#ifndef TESTS_ETHERNET_BENCH_H
#define TESTS_ETHERNET_BENCH_H

#include "bus.h"
#include "ethernet/ethernet.h"
#include "machine.h"

enum {
    /* RM0090 33.8, as a driver writes them down */
    ETH_MACCR = 0x40028000,
    ETH_MACFFR = 0x40028004,
    ETH_MACHTHR = 0x40028008,
    ETH_MACHTLR = 0x4002800C,
    ETH_MACMIIAR = 0x40028010,
    ETH_MACMIIDR = 0x40028014,
    ETH_MACFCR = 0x40028018,
    ETH_MACDBGR = 0x40028034,
    ETH_MACA0HR = 0x40028040,
    ETH_MACA0LR = 0x40028044,
    ETH_MACA1HR = 0x40028048,
    ETH_MACA1LR = 0x4002804C,
    ETH_MMCCR = 0x40028100,
    ETH_MMCTGFCR = 0x40028168,
    ETH_MMCRFCECR = 0x40028194,
    ETH_MMCRGUFCR = 0x400281C4,
    ETH_DMABMR = 0x40029000,
    ETH_DMATPDR = 0x40029004,
    ETH_DMARPDR = 0x40029008,
    ETH_DMARDLAR = 0x4002900C,
    ETH_DMATDLAR = 0x40029010,
    ETH_DMASR = 0x40029014,
    ETH_DMAOMR = 0x40029018,
    ETH_DMAIER = 0x4002901C,
    ETH_DMAMFBOCR = 0x40029020,

    RCC_AHB1RSTR_ADDRESS = 0x40023810,
    RCC_AHB1ENR_ADDRESS = 0x40023830,
    RCC_APB2ENR_ADDRESS = 0x40023844,
    SYSCFG_PMC_ADDRESS = 0x40013804,

    /* where the tests put descriptors and buffers */
    TX_RING = 0x20001000,
    RX_RING = 0x20002000,
    TX_BUFFERS = 0x20004000,
    RX_BUFFERS = 0x20010000,
};

#define DESC_OWN     BIT(31)
#define TDES0_FIRST  BIT(28)
#define TDES0_LAST   BIT(29)
#define TDES0_IRQ    BIT(30)
#define TDES0_CHAIN  BIT(20)
#define TDES0_CIC(n) ((uint32_t)(n) << 22)
#define RDES1_CHAIN  BIT(14)
#define RDES0_FIRST  BIT(9)
#define RDES0_LAST   BIT(8)
#define RDES0_ERROR  BIT(15)

enum { PROTOCOL_ICMP = 1, PROTOCOL_TCP = 6, PROTOCOL_UDP = 17 };

enum { BENCH_FRAMES = 64, BENCH_REPORTS = 64, BENCH_REPORT_SIZE = 200 };

struct bench {
    struct machine *m;
    struct {
        uint8_t data[FRAME_MAX];
        size_t length;
        vtime at;
    } out[BENCH_FRAMES];
    size_t out_count;
    char report[BENCH_REPORTS][BENCH_REPORT_SIZE]; /* warnings and errors, notes left out */
    size_t report_count;
    void (*frame_out)(struct bench *b, const uint8_t *frame, size_t length); /* also called, if set */
    void *user;
};

struct bench *bench_new(void);
void bench_free(struct bench *b);

/* For cmocka_unit_test_setup_teardown: started with four descriptors of 1536 bytes, and no report yet. */
int bench_set_up(void **state);
int bench_tear_down(void **state);

uint32_t bench_read(struct bench *b, uint32_t address);
void bench_write(struct bench *b, uint32_t address, uint32_t value);
void bench_wait(struct bench *b, vtime time);
/* Is there a report that contains the text? */
bool bench_reported(const struct bench *b, const char *text);
/* The level of IRQ 61. */
bool bench_irq(const struct bench *b);

void bench_enable_clocks(struct bench *b);
void bench_route_pins(struct bench *b);
void bench_select_rmii(struct bench *b);
/* DMABMR.SR, waited for. False: it did not end within 10 ms. */
bool bench_soft_reset(struct bench *b);
/* RMII, pins, clocks, software reset, station address 02:00:00:00:00:01. */
void bench_bring_up(struct bench *b);
/* All of that, link up at 100 Mbit/s full duplex, rings of `rx` chained descriptors, both DMAs started. */
void bench_start(struct bench *b, unsigned rx, uint32_t rx_buffer_bytes, uint32_t maccr);

uint16_t bench_smi_read(struct bench *b, unsigned phy, unsigned reg);
void bench_smi_write(struct bench *b, unsigned phy, unsigned reg, uint16_t value);
/* Polls register 1 each 10 ms; false: no link within the time. */
bool bench_wait_link(struct bench *b, vtime limit);

void bench_tx_descriptor(struct bench *b, unsigned index, uint32_t flags, const void *data, size_t length);
uint32_t bench_tx_status(struct bench *b, unsigned index);
uint32_t bench_rx_status(struct bench *b, unsigned index);
void bench_give_rx(struct bench *b, unsigned index);
/* A frame comes from the wire, and has time to be dealt with. */
void bench_deliver(struct bench *b, const uint8_t *frame, size_t length);

/* An IPv4 frame to 02:00:00:00:00:01 with `payload` bytes after the IP header; no checksums. Its length. */
size_t bench_ipv4_frame(uint8_t *frame, uint8_t protocol, size_t payload);
/* Fills in the IP header checksum and that of TCP, UDP or ICMP. */
void bench_fill_checksums(uint8_t *frame);
/* The one's complement sum of the IP header is right, and that of the payload with its pseudo header. */
bool bench_checksums_good(const uint8_t *frame);

#endif
