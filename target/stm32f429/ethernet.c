#include "target/stm32f429/ethernet.h"

#include <string.h>

#include "target/stm32f429/ethernet_descriptor.h"
#include "target/stm32f429/memory.h"
#include "target/stm32f429/registers.h"
#include "target/stm32f429/wait.h"

enum {
    RX_BUFFER_SIZE = 1536, /* a frame of 1522 bytes with tag and FCS, in whole bursts */
    FCS_SIZE = 4,
    FRAME_HEADER_SIZE = 14,
    BURST_BEATS = 32,
    NOT_LENT = 0xFF,
    MAC_QUIET_CYCLES = 360, /* four clocks of 2.5 MHz, at 180 MHz and some more (ES0206 2.17.5) */
    RESET_READS = 2000,     /* some 60 us; with REF_CLK the reset takes less than one */
};

/* One frame to send: a second descriptor is linked in between when there is a payload. */
struct tx_slot {
    volatile struct ethernet_descriptor head;
    volatile struct ethernet_descriptor tail;
    uint8_t header[NET_DEVICE_HEADER_MAX];
};

/* All that the DMA touches, besides the payloads lent by the stack. */
static DMA_MEMORY struct {
    volatile struct ethernet_descriptor rx[ETHERNET_RX_FRAMES];
    struct tx_slot tx[ETHERNET_TX_FRAMES];
    uint8_t rx_buffer[ETHERNET_RX_FRAMES][RX_BUFFER_SIZE];
} dma;
static_assert(sizeof dma <= 9 * 1024, "Ethernet: the DMA memory's budget is 9 KB");

static struct {
    uint8_t mac_address[6];
    bool running;
    volatile bool failed; /* set by the interrupt */
    struct ethernet_link link;

    uint8_t rx_next;  /* oldest descriptor that is not known to be the DMA's */
    bool rx_borrowed; /* the stack has rx_next */
    uint32_t rx_lent; /* bit n: descriptor n's buffer is being sent and not yet handed back */

    uint8_t tx_next;   /* slot to be filled */
    uint8_t tx_oldest; /* slot to be sent first */
    uint8_t tx_pending;
    uint8_t tx_lent[ETHERNET_TX_FRAMES]; /* receive descriptor whose buffer the slot sends, or NOT_LENT */
    uint32_t tx_ticket;                  /* of the newest frame accepted */

    uint32_t watch_ticket; /* transmit watchdog: the oldest unsent frame, and since when */
    uint32_t watch_since_ms;
    struct ethernet_statistics statistics;
} eth;

/* The hash table of multicast addresses (RM0090 33.5.3); apart, so that a firmware without them has no trace
 * of it. */
static uint32_t multicast_low, multicast_high;

/* ---- Registers ---- */

enum {
    INTERRUPTS = ETH_DMAIER_RIE | ETH_DMAIER_NISE | ETH_DMAIER_FBEIE | ETH_DMAIER_AISE,
    ACKNOWLEDGED = ETH_DMASR_TS | ETH_DMASR_RS | ETH_DMASR_FBES | ETH_DMASR_NIS | ETH_DMASR_AIS,
};

/*
 * Also forgets whatever the DMA was doing: nothing of the rings is read or
 * written after it. Needs no transmit FIFO flush and so no care for ES0206 2.17.3.
 */
static bool reset_mac(void)
{
    ETH_DMA->DMABMR = ETH_DMABMR_SR;
    return wait_reads(&ETH_DMA->DMABMR, ETH_DMABMR_SR, 0, RESET_READS);
}

static void set_filter(void)
{
    ETH_MAC->MACHTHR = multicast_high;
    ETH_MAC->MACHTLR = multicast_low;
    ETH_MAC->MACFFR = ETH_MACFFR_HM;
}

/*
 * Here and in start_mac each register of the MAC is written once after the
 * reset, since a second write that comes too soon is lost (ES0206 2.17.5).
 */
static void configure_mac(void)
{
    const uint8_t *mac = eth.mac_address;

    ETH_MAC->MACA0HR = ETH_MACA0HR_MO | (uint32_t)mac[5] << 8 | mac[4];
    ETH_MAC->MACA0LR = (uint32_t)mac[3] << 24 | (uint32_t)mac[2] << 16 | (uint32_t)mac[1] << 8 | mac[0];
    if ((multicast_low | multicast_high) != 0)
        set_filter();
    /* No interrupts but the DMA's: counters half full would be one in some years. */
    ETH_MAC->MACIMR = ETH_MACIMR_TSTIM | ETH_MACIMR_PMTIM;
    ETH_MMC->MMCRIMR = ETH_MMCRIMR_ALL;
    ETH_MMC->MMCTIMR = ETH_MMCTIMR_ALL;

    ETH_DMA->DMABMR = ETH_DMABMR_AAL | ETH_DMABMR_FB | ETH_DMABMR_USP | ETH_DMABMR_PBL(BURST_BEATS) |
                      ETH_DMABMR_RDP(BURST_BEATS);
    ETH_DMA->DMARDLAR = (uint32_t)&dma.rx[0];
    ETH_DMA->DMATDLAR = (uint32_t)&dma.tx[0].head;
    ETH_DMA->DMAIER = INTERRUPTS;
}

/*
 * Store and forward both ways: ES0206 2.17.4, and checksums need the whole
 * frame. DFRF: frames that find no buffer wait in the FIFO for the next one to
 * be handed back, instead of being thrown away (RM0090 33.6.9).
 */
static void start_mac(void)
{
    uint32_t maccr = ETH_MACCR_RESERVED_15 | ETH_MACCR_IPCO | ETH_MACCR_TE | ETH_MACCR_RE;
    if (eth.link.fast)
        maccr |= ETH_MACCR_FES;
    if (eth.link.full_duplex)
        maccr |= ETH_MACCR_DM;
    ETH_MAC->MACCR = maccr;
    ETH_DMA->DMAOMR = ETH_DMAOMR_RSF | ETH_DMAOMR_DFRF | ETH_DMAOMR_TSF | ETH_DMAOMR_ST | ETH_DMAOMR_SR;
}

/* ---- Receive ---- */

static void rx_hand_back(uint32_t index)
{
    dma.rx[index].status = DESCRIPTOR_OWN;
    data_synchronization_barrier();
    ETH_DMA->DMASR = ETH_DMASR_RBUS;
    ETH_DMA->DMARPDR = 0;
}

static void rx_advance(void)
{
    eth.rx_next = eth.rx_next + 1 == ETHERNET_RX_FRAMES ? 0 : (uint8_t)(eth.rx_next + 1);
    eth.rx_borrowed = false;
}

/* Length without FCS; 0: not a good frame, whole in its buffer. */
static size_t rx_frame_length(uint32_t status)
{
    size_t length = RDES0_FL(status);
    bool whole = (status & (RDES0_FS | RDES0_LS | RDES0_ES)) == (RDES0_FS | RDES0_LS);
    /* Without FT the other two mean something else (RM0090 table 192). */
    bool checksum_wrong = (status & RDES0_FT) && (status & (RDES0_IPHCE | RDES0_PCE));

    if (!whole || checksum_wrong)
        return 0;
    if (length < FRAME_HEADER_SIZE + FCS_SIZE || length > NET_FRAME_MAX + FCS_SIZE)
        return 0;
    return length - FCS_SIZE;
}

/* ---- Transmit ---- */

/* The one that the DMA closes when the whole frame is on the wire. */
static volatile struct ethernet_descriptor *tx_last_descriptor(struct tx_slot *slot)
{
    return slot->head.next == (uint32_t)&slot->tail ? &slot->tail : &slot->head;
}

static uint32_t tx_sent_ticket(void)
{
    return eth.tx_ticket - eth.tx_pending;
}

/* Takes back what has been sent, and gives lent receive buffers back to reception. */
static void tx_reap(void)
{
    while (eth.tx_pending != 0) {
        uint32_t status = tx_last_descriptor(&dma.tx[eth.tx_oldest])->status;
        uint32_t lent = eth.tx_lent[eth.tx_oldest];
        if (status & DESCRIPTOR_OWN)
            return;
        if (status & TDES0_ES)
            eth.statistics.errors_out++;
        else
            eth.statistics.frames_out++;
        if (lent != NOT_LENT) {
            eth.rx_lent &= ~(1u << lent);
            rx_hand_back(lent);
        }
        eth.tx_oldest = eth.tx_oldest + 1 == ETHERNET_TX_FRAMES ? 0 : (uint8_t)(eth.tx_oldest + 1);
        eth.tx_pending--;
    }
}

/*
 * Asks for an interrupt at the end of a transmission. If one has ended since
 * the last acknowledgement it comes at once, so that no end is missed.
 */
static void tx_interrupt_wanted(void)
{
    ETH_DMA->DMAIER = INTERRUPTS | ETH_DMAIER_TIE;
}

static bool tx_has_room(void)
{
    if (eth.tx_pending == ETHERNET_TX_FRAMES)
        tx_reap();
    return eth.tx_pending < ETHERNET_TX_FRAMES;
}

/*
 * TDES0.CIC for a frame (RM0090 33.5.5): whole for TCP, UDP and ICMP over IPv4,
 * the header only for fragments, whose payload it would corrupt, and for other
 * protocols, none for what is not IPv4 (ES0206 2.17.1).
 */
static uint32_t checksum_insertion(const uint8_t *frame, size_t length)
{
    enum { IPV4_FRAME_MIN = 34, MF_AND_OFFSET_HIGH = 0x3F, ICMP = 1, TCP = 6, UDP = 17 };

    if (length < IPV4_FRAME_MIN || frame[12] != 0x08 || frame[13] != 0x00)
        return 0;
    if ((frame[20] & MF_AND_OFFSET_HIGH) || frame[21])
        return TDES0_CIC_HEADER;
    uint8_t protocol = frame[23];
    return protocol == TCP || protocol == UDP || protocol == ICMP ? TDES0_CIC_FULL : TDES0_CIC_HEADER;
}

/* Sends `length` bytes at `head`, then the payload, in slot tx_next, which is free. */
static uint32_t tx_submit(const uint8_t *head, size_t length, const void *payload, size_t payload_length)
{
    struct tx_slot *slot = &dma.tx[eth.tx_next];
    uint8_t following = eth.tx_next + 1 == ETHERNET_TX_FRAMES ? 0 : (uint8_t)(eth.tx_next + 1);
    uint32_t next = (uint32_t)&dma.tx[following].head;
    uint32_t first = DESCRIPTOR_OWN | TDES0_TCH | TDES0_FS | checksum_insertion(head, length);
    uint32_t last = TDES0_IC | TDES0_LS;

    slot->head.control = length;
    slot->head.buffer = (uint32_t)head;
    if (payload_length != 0) {
        slot->tail.control = payload_length;
        slot->tail.buffer = (uint32_t)payload;
        slot->tail.next = next;
        slot->tail.status = DESCRIPTOR_OWN | TDES0_TCH | last;
        slot->head.next = (uint32_t)&slot->tail;
    } else {
        slot->head.next = next;
        first |= last;
    }
    /* What the frame consists of is in memory before the DMA may take it, and OWN before the demand. */
    data_synchronization_barrier();
    slot->head.status = first;
    data_synchronization_barrier();
    ETH_DMA->DMASR = ETH_DMASR_TBUS;
    ETH_DMA->DMATPDR = 0;

    eth.tx_next = following;
    eth.tx_pending++;
    return ++eth.tx_ticket;
}

/* ---- Start and stop ---- */

static void init_rings(void)
{
    for (uint32_t i = 0; i < ETHERNET_RX_FRAMES; i++) {
        volatile struct ethernet_descriptor *rx = &dma.rx[i];
        rx->control = RDES1_RCH | RX_BUFFER_SIZE;
        rx->buffer = (uint32_t)dma.rx_buffer[i];
        rx->next = (uint32_t)&dma.rx[i + 1 == ETHERNET_RX_FRAMES ? 0 : i + 1];
        rx->status = DESCRIPTOR_OWN;
    }
    for (uint32_t i = 0; i < ETHERNET_TX_FRAMES; i++)
        dma.tx[i].head.status = 0;
    eth.rx_next = 0;
    eth.rx_borrowed = false;
    eth.rx_lent = 0;
    eth.tx_next = 0;
    eth.tx_oldest = 0;
    eth.tx_pending = 0;
    data_synchronization_barrier();
}

/* Tickets of what was under way pass: it has left the device's hands. */
static int stop(void)
{
    bool clocked = reset_mac();
    eth.running = false;
    eth.statistics.errors_out += eth.tx_pending;
    eth.tx_pending = 0;
    eth.rx_borrowed = false;
    return clocked ? 0 : ETHERNET_NO_CLOCK;
}

static int start(const struct ethernet_link *link)
{
    int error = stop();
    if (error)
        return error;
    eth.link = *link;
    eth.failed = false;
    configure_mac();
    init_rings();
    eth.running = true;
    start_mac();
    return 0;
}

int ethernet_init(const uint8_t mac_address[6])
{
    const uint32_t clocks = RCC_AHB1_ETHMAC | RCC_AHB1_ETHMACTX | RCC_AHB1_ETHMACRX;

    memcpy(eth.mac_address, mac_address, sizeof eth.mac_address);
    /* RMII before the MAC's clocks (RM0090 33.4.4). */
    RCC->APB2ENR |= RCC_APB2_SYSCFG;
    (void)RCC->APB2ENR; /* ES0206, delay after enabling a clock: the read takes it */
    SYSCFG->PMC |= SYSCFG_PMC_MII_RMII_SEL;
    RCC->AHB1ENR |= clocks;
    (void)RCC->AHB1ENR;
    return stop();
}

/* A frame that does not leave within the time: the PHY or REF_CLK went away meanwhile. */
static bool transmission_is_stuck(uint32_t now_ms)
{
    tx_reap();
    uint32_t sent = tx_sent_ticket();
    if (eth.tx_pending == 0 || sent != eth.watch_ticket) {
        eth.watch_ticket = sent;
        eth.watch_since_ms = now_ms;
        return false;
    }
    return now_ms - eth.watch_since_ms >= ETHERNET_TX_STUCK_MS;
}

static void count_missed(void)
{
    uint32_t missed = ETH_DMA->DMAMFBOCR; /* clears by reading */
    eth.statistics.missed += ETH_DMAMFBOCR_MFC(missed) + ETH_DMAMFBOCR_MFA(missed);
}

static bool needs_restart(const struct ethernet_link *link, uint32_t now_ms)
{
    return eth.failed || link->fast != eth.link.fast || link->full_duplex != eth.link.full_duplex ||
           transmission_is_stuck(now_ms);
}

int ethernet_update(const struct ethernet_link *link, uint32_t now_ms)
{
    bool was_running = eth.running;

    if (was_running) {
        count_missed();
        if (!link->up) {
            (void)stop(); /* start resets again, and tells */
            return ETHERNET_DOWN;
        }
        if (!needs_restart(link, now_ms))
            return ETHERNET_SAME;
        eth.statistics.recoveries++;
    } else if (!link->up) {
        return ETHERNET_SAME;
    }
    int error = start(link);
    eth.watch_since_ms = now_ms;
    if (error)
        return was_running ? ETHERNET_DOWN : error;
    return was_running ? ETHERNET_RECOVERED : ETHERNET_UP;
}

uint32_t ethernet_interrupt(void)
{
    uint32_t status = ETH_DMA->DMASR;
    uint32_t events = 0;

    /* The summary bits with those that they sum. */
    ETH_DMA->DMASR = status & ACKNOWLEDGED;
    if (status & ETH_DMASR_TS)
        ETH_DMA->DMAIER = INTERRUPTS; /* no more of these until somebody waits again */
    if (status & (ETH_DMASR_RS | ETH_DMASR_TS))
        events |= ETHERNET_POLL;
    if (status & ETH_DMASR_FBES) {
        eth.failed = true;
        events |= ETHERNET_FAILED;
    }
    data_synchronization_barrier(); /* the acknowledgement arrives before the handler returns */
    return events;
}

void ethernet_statistics(struct ethernet_statistics *statistics)
{
    *statistics = eth.statistics;
}

/* ---- The device ---- */

static size_t receive(void *context, uint8_t **frame)
{
    (void)context;
    if (!eth.running)
        return 0;
    /* Each descriptor at most once: a flood of bad frames does not keep us here. */
    for (uint32_t seen = 0; seen < ETHERNET_RX_FRAMES; seen++) {
        uint32_t index = eth.rx_next;
        if (eth.rx_lent != 0)
            tx_reap(); /* early: the DMA may want these buffers before we come round to them */
        if (eth.rx_lent >> index & 1u) {
            tx_interrupt_wanted();
            return 0;
        }
        uint32_t status = dma.rx[index].status;
        if (status & DESCRIPTOR_OWN)
            return 0;
        size_t length = rx_frame_length(status);
        if (length != 0) {
            *frame = dma.rx_buffer[index];
            eth.statistics.frames_in += !eth.rx_borrowed;
            eth.rx_borrowed = true;
            return length;
        }
        eth.statistics.errors_in++;
        rx_hand_back(index);
        rx_advance();
    }
    return 0;
}

static void release(void *context)
{
    (void)context;
    if (!eth.rx_borrowed)
        return;
    rx_hand_back(eth.rx_next);
    rx_advance();
}

static bool bounce(void *context, size_t length)
{
    if (!eth.rx_borrowed)
        return false;
    if (!tx_has_room()) {
        release(context);
        return false;
    }
    uint8_t index = eth.rx_next;
    eth.tx_lent[eth.tx_next] = index;
    eth.rx_lent |= 1u << index;
    rx_advance();
    (void)tx_submit(dma.rx_buffer[index], length, NULL, 0);
    return true;
}

static uint8_t *reserve(void *context)
{
    (void)context;
    if (!eth.running)
        return NULL;
    if (!tx_has_room()) {
        tx_interrupt_wanted();
        return NULL;
    }
    return dma.tx[eth.tx_next].header;
}

static uint32_t send(void *context, size_t header_length, const void *payload, size_t payload_length)
{
    (void)context;
    /* The link may have gone since reserve: the frame counts as sent and lost. */
    if (!eth.running) {
        eth.statistics.errors_out++;
        return ++eth.tx_ticket;
    }
    eth.tx_lent[eth.tx_next] = NOT_LENT;
    return tx_submit(dma.tx[eth.tx_next].header, header_length, payload, payload_length);
}

static uint32_t sent(void *context)
{
    (void)context;
    tx_reap();
    return tx_sent_ticket();
}

/* Which bit of the hash table: the upper six of the address's CRC, as it goes over the wire. */
static uint32_t hash_index(const uint8_t address[6])
{
    uint32_t crc = UINT32_MAX;
    for (uint32_t bit = 0; bit < 48; bit++) {
        uint32_t low = (crc ^ (uint32_t)address[bit / 8] >> bit % 8) & 1u;
        crc = crc >> 1 ^ (low ? 0xEDB88320u : 0);
    }
    uint32_t index = 0;
    for (uint32_t bit = 0; bit < 6; bit++)
        index = index << 1 | (~crc >> bit & 1u);
    return index;
}

void ethernet_multicast(void *context, const uint8_t (*groups)[6], size_t count)
{
    uint32_t low = 0, high = 0;

    (void)context;
    for (size_t i = 0; i < count; i++) {
        uint32_t index = hash_index(groups[i]);
        if (index < 32)
            low |= 1u << index;
        else
            high |= 1u << (index - 32);
    }
    if (low == multicast_low && high == multicast_high)
        return;
    multicast_low = low;
    multicast_high = high;
    if (!eth.running)
        return; /* start sets it */
    wait_cycles(MAC_QUIET_CYCLES);
    set_filter();
    wait_cycles(MAC_QUIET_CYCLES);
}

void ethernet_device(struct net_device *device)
{
    *device = (struct net_device){
        .capabilities = NET_DEVICE_CHECKSUM_TX | NET_DEVICE_CHECKSUM_RX,
        .receive = receive,
        .release = release,
        .bounce = bounce,
        .reserve = reserve,
        .send = send,
        .sent = sent,
    };
}
