/* Transmission: descriptors, FIFO, wire (RM0090 33.6.7, 33.6.8). */
#include <string.h>

#include "ethernet/ethernet.h"

#define TDES0_OWN    BIT(31)
#define TDES0_IC     BIT(30)
#define TDES0_LS     BIT(29)
#define TDES0_FS     BIT(28)
#define TDES0_DC     BIT(27)
#define TDES0_DP     BIT(26)
#define TDES0_TTSE   BIT(25)
#define TDES0_TER    BIT(21)
#define TDES0_TCH    BIT(20)
#define TDES0_ES     BIT(15)
#define TDES0_JT     BIT(14)
#define TDES0_FF     BIT(13)
#define TDES0_NC     BIT(10)
#define TDES0_STATUS 0x0001FFFFu

enum {
    CIC_SHIFT = 22,
    TBS_MASK = 0x1FFF,
    PREAMBLE_BYTES = 8,
    GAP_BITS = 96,
    FETCH_CYCLES = 16, /* arbitration and four words */
    PAUSE_QUANTUM_BITS = 512,
    FLUSH_CLOCKS = 4,
};

static void arm_dma(struct machine *m, struct ethernet *e, size_t bytes_moved)
{
    event_at(m, &e->event[EVENT_TX_DMA], machine_now(m) + ethernet_hclk(m, FETCH_CYCLES + bytes_moved / 4));
}

/* ---- Control ---- */

void transmit_start(struct machine *m, struct ethernet *e)
{
    if (e->s->mac.dma_dead)
        return;
    e->s->tx.phase = TX_FETCHING;
    arm_dma(m, e, 0);
}

static void stop(struct machine *m, struct ethernet *e)
{
    event_cancel(m, &e->event[EVENT_TX_DMA]);
    e->s->tx.phase = TX_STOPPED;
    dma_raise(m, e, DMASR_TPSS);
}

/* A frame that has begun is still completed. */
void transmit_stop(struct machine *m, struct ethernet *e)
{
    if (!e->s->mac.dma_dead && !e->s->tx.gathering)
        stop(m, e);
}

void transmit_poll_demand(struct machine *m, struct ethernet *e)
{
    if (!(e->p->value[DMAOMR] & DMAOMR_ST))
        machine_report(m, REPORT_WARNING, "ETH_DMATPDR written while the transmit DMA is stopped: no effect");
    else if (e->s->tx.phase == TX_SUSPENDED)
        transmit_start(m, e);
}

bool transmit_fifo_empty(const struct ethernet *e)
{
    return e->s->tx.slots == 0 && !e->s->tx.gathering;
}

void transmit_pause(struct machine *m, struct ethernet *e, unsigned quanta)
{
    e->s->tx.paused_until = machine_now(m) + quanta * PAUSE_QUANTUM_BITS * mac_bit_time(e);
}

/* ---- From descriptors into the FIFO ---- */

static bool append(struct machine *m, struct ethernet *e, uint32_t address, uint32_t length)
{
    struct tx_frame *frame = &e->s->tx.frame;
    if (length > FRAME_MAX - frame->length) {
        if (!(frame->status & TDES0_JT))
            machine_report(m, REPORT_WARNING, "ETH: a frame to send is longer than %d bytes: cut (jabber)",
                           FRAME_MAX);
        frame->status |= TDES0_JT;
        length = FRAME_MAX - frame->length;
    }
    if (length > 0 && !dma_read_buffer(m, e, address, frame->data + frame->length, length))
        return false;
    frame->length += length;
    return true;
}

static bool gather(struct machine *m, struct ethernet *e, const uint32_t words[4])
{
    if (!append(m, e, words[2], words[1] & TBS_MASK))
        return false;
    return (words[0] & TDES0_TCH) || append(m, e, words[3], (words[1] >> 16) & TBS_MASK);
}

static void begin_frame(struct machine *m, struct ethernet *e, uint32_t control)
{
    struct tx_state *tx = &e->s->tx;
    if (tx->gathering == ((control & TDES0_FS) != 0))
        machine_report(m, REPORT_WARNING, "ETH: the transmit descriptor 0x%08x %s", tx->current,
                       tx->gathering ? "begins a frame (FS) before the last has ended (LS)"
                                     : "continues a frame (FS = 0), but none has begun");
    if (tx->gathering && !(control & TDES0_FS))
        return;
    tx->gathering = true;
    tx->frame.first_control = control;
    tx->frame.status = 0;
    tx->frame.length = 0;
    if (control & TDES0_TTSE)
        machine_report(m, REPORT_WARNING, "ETH: transmit time stamps (TTSE) are not modelled");
}

static void insert_checksums(struct machine *m, struct ethernet *e, struct tx_frame *frame)
{
    const unsigned cic = (frame->first_control >> CIC_SHIFT) & 3;
    if (cic == 0)
        return;
    if (e->p->value[DMAOMR] & DMAOMR_TSF)
        frame->status |= checksum_insert(m, frame->data, frame->length, cic);
    else
        machine_report(m, REPORT_WARNING, "ETH: TDES0.CIC without DMAOMR.TSF: no checksum is inserted");
}

static void hand_over(struct machine *m, struct ethernet *e, uint32_t control)
{
    struct tx_state *tx = &e->s->tx;
    tx->gathering = false;
    tx->frame.last_descriptor = tx->current;
    tx->frame.last_control = control;
    if (tx->frame.length == 0)
        machine_report(m, REPORT_WARNING, "ETH: the transmit descriptor 0x%08x ends an empty frame",
                       tx->current);
    insert_checksums(m, e, &tx->frame);
    tx->slot[tx->slots++] = tx->frame;
    tx->ready_at = machine_now(m) + ethernet_hclk(m, tx->frame.length / 4);
    dma_raise(m, e, DMASR_ETS);
    transmit_kick(m, e);
}

static void suspend(struct machine *m, struct ethernet *e)
{
    const bool mid_frame = e->s->tx.gathering;
    e->s->tx.phase = TX_SUSPENDED;
    if (mid_frame)
        machine_report(m, REPORT_WARNING,
                       "ETH: the descriptor 0x%08x in the middle of a frame is not the DMA's: underflow",
                       e->s->tx.current);
    dma_raise(m, e, mid_frame ? DMASR_TUS | DMASR_TBUS : DMASR_TBUS);
}

static void continue_with(struct machine *m, struct ethernet *e, uint32_t next, uint32_t moved)
{
    struct tx_state *tx = &e->s->tx;
    tx->current = next;
    if (!(e->p->value[DMAOMR] & DMAOMR_ST) && !tx->gathering) {
        stop(m, e);
    } else if (tx->gathering || tx->slots == 0 ||
               (tx->slots < TX_SLOTS && (e->p->value[DMAOMR] & DMAOMR_OSF))) {
        arm_dma(m, e, moved);
    } else {
        tx->phase = TX_FIFO_FULL;
    }
}

void transmit_dma_event(struct machine *m, void *context)
{
    struct ethernet *e = context;
    struct tx_state *tx = &e->s->tx;
    uint32_t words[4];
    if (!dma_fetch(m, e, tx->current, true, words))
        return;
    if (!(words[0] & TDES0_OWN)) {
        suspend(m, e);
        return;
    }
    begin_frame(m, e, words[0]);
    const uint32_t before = tx->frame.length;
    if (!gather(m, e, words))
        return;
    const uint32_t moved = tx->frame.length - before;
    const uint32_t next =
        dma_next(e, tx->current, words, words[0] & TDES0_TCH, words[0] & TDES0_TER, e->p->value[DMATDLAR]);
    if (words[0] & TDES0_LS)
        hand_over(m, e, words[0]);
    else if (!dma_write_word(m, e, tx->current, true, words[0] & ~(TDES0_OWN | TDES0_STATUS)))
        return;
    continue_with(m, e, next, moved);
}

/* ---- From the FIFO onto the wire ---- */

/* What the MAC adds (RM0090 33.5.2): padding unless DP, with it always an FCS, else unless DC. */
static void finish_frame(struct tx_frame *frame)
{
    const bool pad = frame->length < FRAME_MIN && !(frame->first_control & TDES0_DP);
    if (pad) {
        memset(frame->data + frame->length, 0, FRAME_MIN - frame->length);
        frame->length = FRAME_MIN;
    }
    frame->bad_fcs = false;
    if (pad || !(frame->first_control & TDES0_DC))
        return;
    if (frame->length <= FRAME_HEADER + FCS_BYTES) {
        frame->bad_fcs = true;
        return;
    }
    frame->length -= FCS_BYTES;
    const uint32_t fcs = ethernet_crc32(frame->data, frame->length);
    frame->bad_fcs = memcmp(&fcs, frame->data + frame->length, FCS_BYTES) != 0;
}

static vtime latest(vtime a, vtime b)
{
    return a > b ? a : b;
}

static vtime earliest_start(const struct machine *m, const struct tx_state *tx)
{
    const vtime line = latest(tx->wire_free_at, tx->paused_until);
    return latest(machine_now(m), latest(tx->ready_at, line));
}

void transmit_kick(struct machine *m, struct ethernet *e)
{
    struct tx_state *tx = &e->s->tx;
    const uint32_t maccr = e->s->mac.effective[MACCR];
    if (tx->slots == 0 || tx->on_wire || tx->stuck || !(maccr & MACCR_TE) || !mac_tx_clock(m, e))
        return;
    if (!(maccr & MACCR_DM) && e->s->line.arriving)
        return; /* defers to the carrier; kicked again when it is gone */
    finish_frame(&tx->slot[0]);
    const uint32_t bytes = PREAMBLE_BYTES + tx->slot[0].length + FCS_BYTES;
    tx->on_wire = true;
    event_at(m, &e->event[EVENT_TX_WIRE], earliest_start(m, tx) + (vtime)bytes * 8 * mac_bit_time(e));
}

static void release_slot(struct tx_state *tx)
{
    tx->slots--;
    memmove(&tx->slot[0], &tx->slot[1], tx->slots * sizeof tx->slot[0]);
}

static bool write_status(struct machine *m, struct ethernet *e, const struct tx_frame *frame)
{
    uint32_t status = frame->last_control & ~(TDES0_OWN | TDES0_STATUS);
    status |= frame->status;
    if (frame->status != 0)
        status |= TDES0_ES;
    return e->s->mac.dma_dead || dma_write_word(m, e, frame->last_descriptor, true, status);
}

static void put_on_wire(struct machine *m, struct ethernet *e, struct tx_frame *frame)
{
    const bool full = e->s->mac.effective[MACCR] & MACCR_DM;
    const bool loopback = (e->s->mac.effective[MACCR] & MACCR_LM) || phy_loopback(e);
    if (!e->s->phy.link && !full && !loopback)
        frame->status |= TDES0_NC;
    const bool whole = !(frame->status & (TDES0_JT | TDES0_NC));
    if (!whole)
        return;
    mmc_count(m, e, MMCTGFCR);
    if (loopback)
        receive_frame(m, e, frame->data, frame->length, frame->bad_fcs);
    else if (mac_fits_phy(m, e) && !frame->bad_fcs)
        cable_send(m, e, frame->data, frame->length);
}

static unsigned gap_bits(const struct ethernet *e)
{
    return GAP_BITS - 8 * ((e->s->mac.effective[MACCR] >> 17) & 7);
}

void transmit_wire_event(struct machine *m, void *context)
{
    struct ethernet *e = context;
    struct tx_state *tx = &e->s->tx;
    tx->on_wire = false;
    if (!mac_tx_clock(m, e))
        return;                                /* the clock went away: the frame stays unfinished */
    tx->ended_at = e->event[EVENT_TX_WIRE].at; /* not now: the line does not run on HCLK */
    tx->wire_free_at = tx->ended_at + gap_bits(e) * mac_bit_time(e);
    put_on_wire(m, e, &tx->slot[0]);
    const struct tx_frame *frame = &tx->slot[0];
    const uint32_t raised =
        (frame->last_control & TDES0_IC ? DMASR_TS : 0) | (frame->status & TDES0_JT ? DMASR_TJTS : 0);
    if (!write_status(m, e, frame))
        return;
    release_slot(tx);
    dma_raise(m, e, raised);
    if (tx->phase == TX_FIFO_FULL)
        transmit_start(m, e);
    transmit_kick(m, e);
    cable_next_arrival(m, e);
}

/* ---- Flush (DMAOMR.FTF) ---- */

static void check_flush(struct machine *m, struct ethernet *e)
{
    struct tx_state *tx = &e->s->tx;
    const vtime clock = 4 * mac_bit_time(e);
    if (!transmit_fifo_empty(e))
        machine_report(
            m, REPORT_WARNING,
            "ETH_DMAOMR.FTF while the transmit FIFO holds data (MACDBGR.TFNE = 1): should the flush "
            "meet the end of a transmission, the MAC sticks (ES0206 2.17.3)");
    if (tx->ended_at != 0 && machine_now(m) - tx->ended_at <= clock) {
        tx->stuck = true;
        machine_report(
            m, REPORT_WARNING,
            "ETH_DMAOMR.FTF one clock after a transmission has ended: the MAC is stuck (ES0206 2.17.3)");
    }
}

void transmit_flush(struct machine *m, struct ethernet *e)
{
    struct tx_state *tx = &e->s->tx;
    check_flush(m, e);
    event_cancel(m, &e->event[EVENT_TX_WIRE]);
    while (tx->slots > 0) {
        tx->slot[0].status |= TDES0_FF;
        if (!write_status(m, e, &tx->slot[0]))
            return;
        release_slot(tx);
    }
    tx->on_wire = false;
    tx->gathering = false;
    if (tx->phase == TX_FIFO_FULL)
        transmit_start(m, e);
    tx->flush_done_at =
        mac_tx_clock(m, e) ? machine_now(m) + FLUSH_CLOCKS * 4 * mac_bit_time(e) : VTIME_NEVER;
}
