/* The DMA's registers, and what both directions do with descriptors (RM0090 33.6, 33.8.4). */
#include <string.h>

#include "bus.h"
#include "ethernet/ethernet.h"

enum {
    DMASR_EBS_SHIFT = 23,
    EBS_TRANSMIT = 1,
    EBS_READ = 2,
    EBS_DESCRIPTOR = 4,
    DESCRIPTOR_BYTES = 16,
    RESET_TIME_US = 2, /* some clocks of the slowest domain, TX_CLK at 10 Mbit/s */
    /* ES0206 2.17.5: the bits of DMAOMR that live in the MAC's clock domains */
    DMAOMR_SLOW = (int)(DMAOMR_DTCEFD | DMAOMR_RSF | DMAOMR_FTF | DMAOMR_FEF | DMAOMR_FUGF | 0x18),
};

/* ---- Bus ---- */

static void bus_error(struct machine *m, struct ethernet *e, bool transmit, bool write, bool descriptor)
{
    const uint32_t bits =
        (transmit ? EBS_TRANSMIT : 0) | (write ? 0 : EBS_READ) | (descriptor ? EBS_DESCRIPTOR : 0);
    machine_report(m, REPORT_WARNING,
                   "ETH: the DMA's bus error stops it until the MAC is reset (DMASR.FBES)");
    e->p->value[DMASR] = (e->p->value[DMASR] & ~(7u << DMASR_EBS_SHIFT)) | bits << DMASR_EBS_SHIFT;
    e->s->mac.dma_dead = true;
    e->s->tx.phase = TX_STOPPED;
    e->s->rx.phase = RX_STOPPED;
    event_cancel(m, &e->event[EVENT_TX_DMA]);
    event_cancel(m, &e->event[EVENT_RX_DMA]);
    dma_raise(m, e, DMASR_FBES);
}

static void check_alignment(struct machine *m, uint32_t address)
{
    if (address & 3)
        machine_report(m, REPORT_WARNING, "ETH: the descriptor address 0x%08x is not a multiple of four",
                       address);
}

bool dma_fetch(struct machine *m, struct ethernet *e, uint32_t address, bool transmit, uint32_t words[4])
{
    check_alignment(m, address);
    const uint8_t *memory = bus_dma(m, address & ~3u, DESCRIPTOR_BYTES, false);
    if (memory == NULL) {
        bus_error(m, e, transmit, false, true);
        return false;
    }
    memcpy(words, memory, DESCRIPTOR_BYTES);
    e->p->value[transmit ? DMACHTBAR : DMACHRBAR] = words[2];
    return true;
}

bool dma_write_word(struct machine *m, struct ethernet *e, uint32_t address, bool transmit, uint32_t word)
{
    uint8_t *memory = bus_dma(m, address & ~3u, sizeof word, true);
    if (memory == NULL) {
        bus_error(m, e, transmit, true, true);
        return false;
    }
    memcpy(memory, &word, sizeof word);
    cpu_code_written(m, address & ~3u, sizeof word);
    return true;
}

bool dma_read_buffer(struct machine *m, struct ethernet *e, uint32_t address, uint8_t *to, size_t length)
{
    const uint8_t *memory = bus_dma(m, address, length, false);
    if (memory == NULL) {
        bus_error(m, e, true, false, false);
        return false;
    }
    memcpy(to, memory, length);
    return true;
}

bool dma_write_buffer(struct machine *m, struct ethernet *e, uint32_t address, const uint8_t *from,
                      size_t length)
{
    uint8_t *memory = bus_dma(m, address, length, true);
    if (memory == NULL) {
        bus_error(m, e, false, true, false);
        return false;
    }
    memcpy(memory, from, length);
    cpu_code_written(m, address, length);
    return true;
}

uint32_t dma_next(const struct ethernet *e, uint32_t address, const uint32_t words[4], bool chained, bool end,
                  uint32_t list)
{
    const uint32_t skip = (e->p->value[DMABMR] >> 2) & 31; /* DSL, words */
    if (end)
        return list;
    return chained ? words[3] : address + DESCRIPTOR_BYTES + 4 * skip;
}

void dma_raise(struct machine *m, struct ethernet *e, uint32_t status_bits)
{
    e->p->value[DMASR] |= status_bits;
    ethernet_update_interrupt(m, e);
}

/* ---- DMABMR: software reset ---- */

void dma_poll_reset(struct machine *m, struct ethernet *e)
{
    struct mac_state *mac = &e->s->mac;
    if (!(e->p->value[DMABMR] & DMABMR_SR))
        return;
    if (!mac_tx_clock(m, e) || !mac_rx_clock(m, e)) {
        mac->reset_done_at = VTIME_NEVER;
        return;
    }
    if (mac->reset_done_at == VTIME_NEVER)
        mac->reset_done_at = machine_now(m) + (mac->software_reset ? VTIME_US(RESET_TIME_US) : 0);
    if (machine_now(m) >= mac->reset_done_at) {
        e->p->value[DMABMR] &= ~DMABMR_SR;
        mac->software_reset = false;
    }
}

void dma_bmr_read(struct machine *m, struct peripheral *p, size_t index)
{
    struct ethernet *e = p->state;
    dma_poll_reset(m, e);
    if ((p->value[index] & DMABMR_SR) && e->s->mac.reset_done_at == VTIME_NEVER &&
        !e->s->mac.reset_reported) {
        e->s->mac.reset_reported = true;
        machine_report(m, REPORT_WARNING, "ETH_DMABMR.SR: the reset does not end without the MAC's clocks");
        mac_report_missing(m, e);
    }
}

void dma_bmr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    struct ethernet *e = p->state;
    if (written & DMABMR_SR) {
        ethernet_reset_core(m, e);
        e->s->mac.software_reset = true;
        dma_poll_reset(m, e);
        return;
    }
    if (mac_in_reset(m, e, index, old))
        return;
    if (p->value[index] & ~old & DMABMR_EDFE)
        machine_report(m, REPORT_ERROR, "ETH_DMABMR.EDFE: descriptors of eight words are not modelled");
}

/* ---- Lists, demands, modes ---- */

void dma_list_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    (void)written;
    struct ethernet *e = p->state;
    const bool transmit = index == DMATDLAR;
    if (mac_in_reset(m, e, index, old))
        return;
    if (p->value[DMAOMR] & (transmit ? DMAOMR_ST : DMAOMR_SR)) {
        machine_report(m, REPORT_WARNING, "ETH_%s written while its DMA runs: ignored", p->regs[index].name);
        p->value[index] = old;
        return;
    }
    if (transmit)
        e->s->tx.current = p->value[index];
    else
        e->s->rx.current = p->value[index];
}

void dma_tpdr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    (void)written;
    if (!mac_in_reset(m, p->state, index, old))
        transmit_poll_demand(m, p->state);
}

void dma_rpdr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    (void)written;
    if (!mac_in_reset(m, p->state, index, old))
        receive_poll_demand(m, p->state);
}

static void check_modes(struct machine *m, uint32_t old, uint32_t value)
{
    const uint32_t running = (old & DMAOMR_ST ? DMAOMR_TSF : 0) | (old & DMAOMR_SR ? DMAOMR_RSF : 0);
    if ((value & DMAOMR_ST) && !(value & DMAOMR_TSF))
        machine_report(m, REPORT_WARNING,
                       "ETH_DMAOMR: TSF = 0, frames may leave corrupted with a valid FCS (ES0206 2.17.4)");
    if ((old ^ value) & running)
        machine_report(m, REPORT_WARNING,
                       "ETH_DMAOMR: TSF and RSF may change only while their DMA is stopped");
}

void dma_omr_read(struct machine *m, struct peripheral *p, size_t index)
{
    const struct ethernet *e = p->state;
    if ((p->value[index] & DMAOMR_FTF) && machine_now(m) >= e->s->tx.flush_done_at)
        p->value[index] &= ~DMAOMR_FTF;
}

void dma_omr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    struct ethernet *e = p->state;
    if (mac_in_reset(m, e, index, old))
        return;
    mac_take(m, e, index, DMAOMR_SLOW);
    check_modes(m, old, p->value[index]);
    if (written & e->s->mac.effective[index] & DMAOMR_FTF)
        transmit_flush(m, e);
    e->s->mac.effective[index] &= ~DMAOMR_FTF;
    const uint32_t started = p->value[index] & ~old, stopped = old & ~p->value[index];
    if (started & DMAOMR_ST)
        transmit_start(m, e);
    if (stopped & DMAOMR_ST)
        transmit_stop(m, e);
    if (started & DMAOMR_SR)
        receive_start(m, e);
    if (stopped & DMAOMR_SR)
        receive_stop(m, e);
}

/* ---- Status ---- */

/* RM0090 33.8.4, TPS and RPS */
static uint32_t process_states(const struct ethernet *e)
{
    static const uint8_t transmit[] = {
        [TX_STOPPED] = 0, [TX_FETCHING] = 1, [TX_FIFO_FULL] = 2, [TX_SUSPENDED] = 6};
    static const uint8_t receive[] = {
        [RX_STOPPED] = 0, [RX_FETCHING] = 1, [RX_WAITING] = 3, [RX_TRANSFERRING] = 7, [RX_SUSPENDED] = 4};
    return (uint32_t)transmit[e->s->tx.phase] << 20 | (uint32_t)receive[e->s->rx.phase] << 17;
}

void dma_sr_read(struct machine *m, struct peripheral *p, size_t index)
{
    (void)m;
    p->value[index] = (p->value[index] & ~(0x3Fu << 17)) | process_states(p->state);
}

void dma_sr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    (void)index;
    (void)old;
    (void)written;
    ethernet_update_interrupt(m, p->state);
}

void dma_ier_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    (void)written;
    if (!mac_in_reset(m, p->state, index, old))
        ethernet_update_interrupt(m, p->state);
}

static uint32_t saturated(uint32_t count, unsigned bits)
{
    const uint32_t limit = BIT(bits);
    return count < limit ? count
                         : limit | (count & (limit - 1)); /* the overflow bit stands above the counter */
}

void dma_mfbocr_read(struct machine *m, struct peripheral *p, size_t index)
{
    (void)m;
    struct ethernet *e = p->state;
    p->value[index] = saturated(e->s->rx.missed_no_buffer, 16) | saturated(e->s->rx.missed_fifo, 11) << 17;
    e->s->rx.missed_no_buffer = 0;
    e->s->rx.missed_fifo = 0;
}

void dma_current_read(struct machine *m, struct peripheral *p, size_t index)
{
    (void)m;
    const struct ethernet *e = p->state;
    p->value[index] = index == DMACHTDR ? e->s->tx.current : e->s->rx.current;
}
