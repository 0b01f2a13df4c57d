/* Reception: wire, FIFO, descriptors (RM0090 33.6.9, 33.6.10). */
#include <string.h>

#include "ethernet/ethernet.h"

#define RDES0_OWN   BIT(31)
#define RDES0_ES    BIT(15)
#define RDES0_DE    BIT(14)
#define RDES0_LE    BIT(12)
#define RDES0_VLAN  BIT(10)
#define RDES0_FS    BIT(9)
#define RDES0_LS    BIT(8)
#define RDES0_IPHCE BIT(7) /* or a giant frame, without IPCO */
#define RDES0_FT    BIT(5)
#define RDES0_RWT   BIT(4)
#define RDES0_CE    BIT(1)
#define RDES0_PCE   BIT(0)
#define RDES1_DIC   BIT(31)
#define RDES1_RER   BIT(15)
#define RDES1_RCH   BIT(14)

enum {
    RBS_MASK = 0x1FFF,
    FL_SHIFT = 16,
    FETCH_CYCLES = 16,
    WATCHDOG_UNIT_CYCLES = 256,
    GIANT_BYTES = 1518,
    VLAN_TAG_BYTES = 4,
    ETHERTYPE_MIN = 0x600,
    ETHERTYPE_VLAN = 0x8100,
    ETHERTYPE_CONTROL = 0x8808,
    OPCODE_PAUSE = 1,
};

static void arm_dma(struct machine *m, struct ethernet *e, size_t bytes_moved)
{
    event_at(m, &e->event[EVENT_RX_DMA], machine_now(m) + ethernet_hclk(m, FETCH_CYCLES + bytes_moved / 4));
}

static void begin_fetch(struct machine *m, struct ethernet *e)
{
    e->s->rx.phase = RX_FETCHING;
    arm_dma(m, e, 0);
}

/* ---- Control ---- */

void receive_start(struct machine *m, struct ethernet *e)
{
    if (!e->s->mac.dma_dead)
        begin_fetch(m, e);
}

void receive_stop(struct machine *m, struct ethernet *e)
{
    struct rx_state *rx = &e->s->rx;
    if (e->s->mac.dma_dead || (rx->phase == RX_TRANSFERRING && rx->offset > 0))
        return; /* the frame under way is completed first */
    event_cancel(m, &e->event[EVENT_RX_DMA]);
    rx->phase = RX_STOPPED;
    dma_raise(m, e, DMASR_RPSS);
}

void receive_poll_demand(struct machine *m, struct ethernet *e)
{
    if (!(e->p->value[DMAOMR] & DMAOMR_SR))
        machine_report(m, REPORT_WARNING, "ETH_DMARPDR written while the receive DMA is stopped: no effect");
    else if (e->s->rx.phase == RX_SUSPENDED)
        receive_start(m, e);
}

/* ---- From the wire into the FIFO ---- */

static unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static bool is_control(const uint8_t *data)
{
    return get16(data + 12) == ETHERTYPE_CONTROL;
}

/* RM0090 33.5.4; PCF says whether control frames go on to the application. */
static bool keep_control_frame(struct machine *m, struct ethernet *e, const uint8_t *data)
{
    static const uint8_t pause_address[6] = {0x01, 0x80, 0xC2, 0x00, 0x00, 0x01};
    const unsigned pcf = (e->s->mac.effective[MACFFR] >> 6) & 3;
    const bool pause = get16(data + 14) == OPCODE_PAUSE && memcmp(data, pause_address, 6) == 0;
    if (pause && (e->s->mac.effective[MACFCR] & MACFCR_RFCE) && (e->s->mac.effective[MACCR] & MACCR_DM))
        transmit_pause(m, e, get16(data + 16));
    return pcf >= 2 || (pcf == 1 && !pause);
}

static bool vlan_matches(const struct ethernet *e, const uint8_t *data)
{
    const uint32_t vlantr = e->s->mac.effective[MACVLANTR];
    const unsigned mask = vlantr & BIT(16) ? 0xFFF : 0xFFFF, wanted = vlantr & mask;
    return get16(data + 12) == ETHERTYPE_VLAN && (wanted == 0 || (get16(data + 14) & mask) == wanted);
}

/* RDES0's bits from the MAC, `length` without FCS. */
static uint32_t examine(const struct ethernet *e, const uint8_t *data, size_t length, bool bad_fcs)
{
    const uint32_t maccr = e->s->mac.effective[MACCR];
    const unsigned type = get16(data + 12);
    const bool tagged = type == ETHERTYPE_VLAN;
    uint32_t status = 0;
    if (maccr & MACCR_IPCO)
        status |= checksum_verify(data, length);
    else if (type >= ETHERTYPE_MIN)
        status |= RDES0_FT;
    if (!(maccr & MACCR_IPCO) && length + FCS_BYTES > GIANT_BYTES + (tagged ? VLAN_TAG_BYTES : 0u))
        status |= RDES0_IPHCE | RDES0_ES;
    if (type < ETHERTYPE_MIN && type + FRAME_HEADER > length)
        status |= RDES0_LE;
    if (vlan_matches(e, data))
        status |= RDES0_VLAN;
    if (bad_fcs)
        status |= RDES0_CE | RDES0_ES;
    return status;
}

/* Store and forward drops frames with errors, unless FEF or, for checksums, DTCEFD is set. */
static bool dropped_for_errors(const struct ethernet *e, uint32_t status)
{
    const uint32_t omr = e->s->mac.effective[DMAOMR];
    const bool checksum = (e->s->mac.effective[MACCR] & MACCR_IPCO) && (status & RDES0_FT) &&
                          (status & (RDES0_IPHCE | RDES0_PCE));
    if (omr & DMAOMR_FEF)
        return false;
    return (status & (RDES0_CE | RDES0_RWT)) || (checksum && !(omr & DMAOMR_DTCEFD));
}

static size_t delivered_length(const struct ethernet *e, const uint8_t *data, size_t length)
{
    const uint32_t maccr = e->s->mac.effective[MACCR];
    const unsigned type = get16(data + 12);
    const bool stripped = type >= ETHERTYPE_MIN ? maccr & MACCR_CSTF : maccr & MACCR_APCS;
    if (!stripped)
        return length + FCS_BYTES;
    return type < ETHERTYPE_MIN && type + FRAME_HEADER < length ? type + FRAME_HEADER : length;
}

static void enter_fifo(struct machine *m, struct ethernet *e, const uint8_t *data, size_t length,
                       uint32_t status)
{
    struct rx_state *rx = &e->s->rx;
    const size_t stored = delivered_length(e, data, length);
    if (rx->fifo_count == RX_SLOTS || rx->fifo_bytes + stored > RX_FIFO_BYTES) {
        rx->missed_fifo++;
        dma_raise(m, e, DMASR_ROS);
        return;
    }
    struct rx_frame *frame = &rx->fifo[(rx->fifo_head + rx->fifo_count++) % RX_SLOTS];
    const uint32_t fcs = status & RDES0_CE ? ~ethernet_crc32(data, length) : ethernet_crc32(data, length);
    frame->status = status;
    frame->length = (uint32_t)stored;
    memcpy(frame->data, data, length);
    memcpy(frame->data + length, &fcs, FCS_BYTES);
    rx->fifo_bytes += (uint32_t)stored;
}

static void wake_dma(struct machine *m, struct ethernet *e)
{
    struct rx_state *rx = &e->s->rx;
    if (rx->phase == RX_WAITING && rx->fifo_count > 0) {
        rx->phase = RX_TRANSFERRING;
        arm_dma(m, e, rx->fifo[rx->fifo_head].length);
    } else if (rx->phase == RX_SUSPENDED) {
        rx->arrived_suspended = true;
        begin_fetch(m, e);
    }
}

static void count_received(struct machine *m, struct ethernet *e, const uint8_t *data, uint32_t status)
{
    if (status & RDES0_CE)
        mmc_count(m, e, MMCRFCECR);
    else if (!(data[0] & 1))
        mmc_count(m, e, MMCRGUFCR);
}

void receive_frame(struct machine *m, struct ethernet *e, const uint8_t *data, size_t length, bool bad_fcs)
{
    uint32_t status = 0;
    if (!(e->s->mac.effective[MACCR] & MACCR_RE) || !mac_rx_clock(m, e))
        return;
    if (!filter_accepts(e, data, &status))
        return;
    if (length > FRAME_MAX - FCS_BYTES) {
        length = FRAME_MAX - FCS_BYTES;
        status |= RDES0_RWT | RDES0_ES;
        dma_raise(m, e, DMASR_RWTS);
    }
    status |= examine(e, data, length, bad_fcs);
    count_received(m, e, data, status);
    if (dropped_for_errors(e, status) || (is_control(data) && !keep_control_frame(m, e, data)))
        return;
    const uint32_t before = e->s->rx.fifo_count;
    enter_fifo(m, e, data, length, status);
    if (e->s->rx.fifo_count != before)
        wake_dma(m, e);
}

/* ---- From the FIFO into descriptors ---- */

static void drop_head(struct rx_state *rx)
{
    rx->fifo_bytes -= rx->fifo[rx->fifo_head].length;
    rx->fifo_head = (rx->fifo_head + 1) % RX_SLOTS;
    rx->fifo_count--;
    rx->offset = 0;
}

/*
 * No descriptor. Frames that were there before are kept; when another arrives
 * and there still is none, all are discarded, unless DFRF (RM0090 33.6.9).
 */
static void suspend(struct machine *m, struct ethernet *e)
{
    struct rx_state *rx = &e->s->rx;
    const bool discard = rx->arrived_suspended && !(e->p->value[DMAOMR] & DMAOMR_DFRF);
    rx->phase = RX_SUSPENDED;
    rx->arrived_suspended = false;
    while (discard && rx->fifo_count > 0) {
        drop_head(rx);
        rx->missed_no_buffer++;
    }
    dma_raise(m, e, DMASR_RBUS);
}

static void check_descriptor(struct machine *m, const struct ethernet *e)
{
    const uint32_t *d = e->s->rx.descriptor;
    const bool chained = d[1] & RDES1_RCH;
    if ((d[1] & 3) != 0 || (!chained && ((d[1] >> 16) & 3) != 0))
        machine_report(
            m, REPORT_WARNING,
            "ETH: the receive descriptor 0x%08x gives a buffer size that is not a multiple of four",
            e->s->rx.current);
}

static void fetch(struct machine *m, struct ethernet *e)
{
    struct rx_state *rx = &e->s->rx;
    if (!dma_fetch(m, e, rx->current, false, rx->descriptor))
        return;
    if (!(rx->descriptor[0] & RDES0_OWN)) {
        suspend(m, e);
        return;
    }
    check_descriptor(m, e);
    rx->arrived_suspended = false;
    rx->phase = RX_WAITING;
    wake_dma(m, e);
}

/* Writes as much of the head frame as one buffer takes. */
static bool fill_buffer(struct machine *m, struct ethernet *e, uint32_t address, uint32_t size)
{
    struct rx_state *rx = &e->s->rx;
    const struct rx_frame *frame = &rx->fifo[rx->fifo_head];
    const uint32_t rest = frame->length - rx->offset, length = rest < size ? rest : size;
    if (length > 0 && !dma_write_buffer(m, e, address, frame->data + rx->offset, length))
        return false;
    rx->offset += length;
    return true;
}

static bool fill_descriptor(struct machine *m, struct ethernet *e)
{
    const uint32_t *d = e->s->rx.descriptor;
    if (!fill_buffer(m, e, d[2], d[1] & RBS_MASK))
        return false;
    return (d[1] & RDES1_RCH) || fill_buffer(m, e, d[3], (d[1] >> 16) & RBS_MASK);
}

static bool close_descriptor(struct machine *m, struct ethernet *e, uint32_t status)
{
    return dma_write_word(m, e, e->s->rx.current, false, status | e->s->rx.offset << FL_SHIFT);
}

static uint32_t next_descriptor(const struct ethernet *e)
{
    const uint32_t *d = e->s->rx.descriptor;
    return dma_next(e, e->s->rx.current, d, d[1] & RDES1_RCH, d[1] & RDES1_RER, e->p->value[DMARDLAR]);
}

static void announce(struct machine *m, struct ethernet *e)
{
    const uint32_t watchdog = e->p->value[DMARSWTR];
    e->p->value[DMASR] &= ~DMASR_ERS;
    if (!(e->s->rx.descriptor[1] & RDES1_DIC))
        dma_raise(m, e, DMASR_RS);
    else if (watchdog != 0)
        event_at(m, &e->event[EVENT_RX_WATCHDOG],
                 machine_now(m) + ethernet_hclk(m, (uint64_t)watchdog * WATCHDOG_UNIT_CYCLES));
}

void receive_watchdog_event(struct machine *m, void *context)
{
    dma_raise(m, context, DMASR_RS);
}

static void finish_frame(struct machine *m, struct ethernet *e, uint32_t status)
{
    struct rx_state *rx = &e->s->rx;
    if (!close_descriptor(m, e, status | RDES0_LS))
        return;
    rx->current = next_descriptor(e);
    drop_head(rx);
    announce(m, e);
    if (e->p->value[DMAOMR] & DMAOMR_SR)
        begin_fetch(m, e);
    else
        receive_stop(m, e);
}

/* The frame goes on: the present descriptor is closed when it is known whether there is another. */
static void continue_frame(struct machine *m, struct ethernet *e, uint32_t status)
{
    struct rx_state *rx = &e->s->rx;
    const uint32_t next = next_descriptor(e);
    uint32_t words[4];
    if (!dma_fetch(m, e, next, false, words))
        return;
    if (!(words[0] & RDES0_OWN)) {
        if (!close_descriptor(m, e, status | rx->fifo[rx->fifo_head].status | RDES0_LS | RDES0_DE | RDES0_ES))
            return;
        rx->current = next;
        drop_head(rx);
        announce(m, e);
        suspend(m, e);
        return;
    }
    if (!close_descriptor(m, e, status))
        return;
    rx->current = next;
    memcpy(rx->descriptor, words, sizeof words);
    check_descriptor(m, e);
    if (status & RDES0_FS)
        dma_raise(m, e, DMASR_ERS);
    arm_dma(m, e, 0);
}

static void transfer(struct machine *m, struct ethernet *e)
{
    struct rx_state *rx = &e->s->rx;
    const struct rx_frame *frame = &rx->fifo[rx->fifo_head];
    const uint32_t first = rx->offset == 0 ? RDES0_FS : 0;
    if (!fill_descriptor(m, e))
        return;
    if (rx->offset == frame->length)
        finish_frame(m, e, first | frame->status);
    else
        continue_frame(m, e, first);
}

void receive_dma_event(struct machine *m, void *context)
{
    struct ethernet *e = context;
    if (e->s->rx.phase == RX_FETCHING)
        fetch(m, e);
    else if (e->s->rx.phase == RX_TRANSFERRING)
        transfer(m, e);
}
