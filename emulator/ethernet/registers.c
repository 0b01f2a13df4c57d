/* The registers of RM0090 33.8, resets, creation and the interrupt line. */
#include <string.h>

#include "ethernet/ethernet.h"

enum {
    ETHERNET_BASE = 0x40028000,
    ETHERNET_SIZE = 0x1400,
    ETHERNET_IRQ = 61,
    RCC_AHB1RSTR = 0x10,
    RCC_AHB1ENR = 0x30,
    ETHMAC_BIT = 25,
};

#define REG(index, at, after_reset, writable_bits, reserved_bits, ...)                                       \
    [index] = {.name = #index,                                                                               \
               .offset = (at),                                                                               \
               .widths = WIDTH_ANY,                                                                          \
               .reset = (after_reset),                                                                       \
               .writable = (writable_bits),                                                                  \
               .reserved = (reserved_bits),                                                                  \
               __VA_ARGS__}

static const struct reg registers[ETHERNET_REGISTERS] = {
    /* RM0090 33.8.1 */
    REG(MACCR, 0x000, 0x00008000, 0x02CF7EFC, 0xFD308103, .on_write = mac_maccr_written),
    REG(MACFFR, 0x004, 0, 0x800007FF, 0x7FFFF800, .on_write = mac_written),
    REG(MACHTHR, 0x008, 0, 0xFFFFFFFF, 0, .on_write = mac_written),
    REG(MACHTLR, 0x00C, 0, 0xFFFFFFFF, 0, .on_write = mac_written),
    REG(MACMIIAR, 0x010, 0, 0x0000FFDF, 0xFFFF0020, .on_write = mac_miiar_written),
    REG(MACMIIDR, 0x014, 0, 0x0000FFFF, 0xFFFF0000, .on_write = mac_miidr_written),
    REG(MACFCR, 0x018, 0, 0xFFFF00BF, 0x0000FF40, .on_write = mac_fcr_written),
    REG(MACVLANTR, 0x01C, 0, 0x0001FFFF, 0xFFFE0000, .on_write = mac_written),
    REG(MACRWUFFR, 0x028, 0, 0xFFFFFFFF, 0, .on_write = mac_not_modelled),
    REG(MACPMTCSR, 0x02C, 0, 0x80000207, 0x7FFFFD98, .on_write = mac_not_modelled),
    REG(MACDBGR, 0x034, 0, 0, 0, .on_read = mac_dbgr_read),
    REG(MACSR, 0x038, 0, 0, 0, .on_read = mac_sr_read),
    REG(MACIMR, 0x03C, 0, 0x00000208, 0xFFFFFDF7),
    REG(MACA0HR, 0x040, 0x8000FFFF, 0x0000FFFF, 0x7FFF0000, .on_write = mac_written),
    REG(MACA0LR, 0x044, 0xFFFFFFFF, 0xFFFFFFFF, 0, .on_write = mac_written),
    REG(MACA1HR, 0x048, 0x0000FFFF, 0xFF00FFFF, 0x00FF0000, .on_write = mac_written),
    REG(MACA1LR, 0x04C, 0xFFFFFFFF, 0xFFFFFFFF, 0, .on_write = mac_written),
    REG(MACA2HR, 0x050, 0x0000FFFF, 0xFF00FFFF, 0x00FF0000, .on_write = mac_written),
    REG(MACA2LR, 0x054, 0xFFFFFFFF, 0xFFFFFFFF, 0, .on_write = mac_written),
    REG(MACA3HR, 0x058, 0x0000FFFF, 0xFF00FFFF, 0x00FF0000, .on_write = mac_written),
    REG(MACA3LR, 0x05C, 0xFFFFFFFF, 0xFFFFFFFF, 0, .on_write = mac_written),
    /* 33.8.2 */
    REG(MMCCR, 0x100, 0, 0x0000003F, 0xFFFFFFC0, .on_write = mmc_control_written),
    REG(MMCRIR, 0x104, 0, 0, 0),
    REG(MMCTIR, 0x108, 0, 0, 0),
    REG(MMCRIMR, 0x10C, 0, 0x00020060, 0xFFFDFF9F, .on_write = mmc_mask_written),
    REG(MMCTIMR, 0x110, 0, 0x0020C000, 0xFFDF3FFF, .on_write = mmc_mask_written),
    REG(MMCTGFSCCR, 0x14C, 0, 0, 0, .on_read = mmc_counter_read),
    REG(MMCTGFMSCCR, 0x150, 0, 0, 0, .on_read = mmc_counter_read),
    REG(MMCTGFCR, 0x168, 0, 0, 0, .on_read = mmc_counter_read),
    REG(MMCRFCECR, 0x194, 0, 0, 0, .on_read = mmc_counter_read),
    REG(MMCRFAECR, 0x198, 0, 0, 0, .on_read = mmc_counter_read),
    REG(MMCRGUFCR, 0x1C4, 0, 0, 0, .on_read = mmc_counter_read),
    /* 33.8.3 */
    REG(PTPTSCR, 0x700, 0x00002000, 0x0007FF3F, 0xFFF800C0, .on_write = mac_not_modelled),
    REG(PTPSSIR, 0x704, 0, 0x000000FF, 0xFFFFFF00, .on_write = mac_not_modelled),
    REG(PTPTSHR, 0x708, 0, 0, 0),
    REG(PTPTSLR, 0x70C, 0, 0, 0),
    REG(PTPTSHUR, 0x710, 0, 0xFFFFFFFF, 0, .on_write = mac_not_modelled),
    REG(PTPTSLUR, 0x714, 0, 0xFFFFFFFF, 0, .on_write = mac_not_modelled),
    REG(PTPTSAR, 0x718, 0, 0xFFFFFFFF, 0, .on_write = mac_not_modelled),
    REG(PTPTTHR, 0x71C, 0, 0xFFFFFFFF, 0, .on_write = mac_not_modelled),
    REG(PTPTTLR, 0x720, 0, 0xFFFFFFFF, 0, .on_write = mac_not_modelled),
    REG(PTPTSSR, 0x728, 0, 0, 0),
    REG(PTPPPSCR, 0x72C, 0, 0x0000000F, 0xFFFFFFF0, .on_write = mac_not_modelled),
    /* 33.8.4. After a hardware reset SR reads as one until the clocks have run. */
    REG(DMABMR, 0x1000, 0x00020101, 0x07FFFFFE, 0xF8000000, .on_read = dma_bmr_read,
        .on_write = dma_bmr_written),
    REG(DMATPDR, 0x1004, 0, 0, 0, .on_write = dma_tpdr_written),
    REG(DMARPDR, 0x1008, 0, 0, 0, .on_write = dma_rpdr_written),
    REG(DMARDLAR, 0x100C, 0, 0xFFFFFFFC, 0, .on_write = dma_list_written),
    REG(DMATDLAR, 0x1010, 0, 0xFFFFFFFC, 0, .on_write = dma_list_written),
    REG(DMASR, 0x1014, 0, 0, 0xC4001800, .w1c = 0x0001E7FF, .on_read = dma_sr_read,
        .on_write = dma_sr_written),
    REG(DMAOMR, 0x1018, 0, 0x0731E0DE, 0xF8CE1F21, .on_read = dma_omr_read, .on_write = dma_omr_written),
    REG(DMAIER, 0x101C, 0, 0x0001E7FF, 0xFFFE1800, .on_write = dma_ier_written),
    REG(DMAMFBOCR, 0x1020, 0, 0, 0, .on_read = dma_mfbocr_read),
    REG(DMARSWTR, 0x1024, 0, 0x000000FF, 0xFFFFFF00),
    REG(DMACHTDR, 0x1048, 0, 0, 0, .on_read = dma_current_read),
    REG(DMACHRDR, 0x104C, 0, 0, 0, .on_read = dma_current_read),
    REG(DMACHTBAR, 0x1050, 0, 0, 0),
    REG(DMACHRBAR, 0x1054, 0, 0, 0),
};

struct ethernet *ethernet_of(const struct machine *m)
{
    return peripheral_find(m, ETHERNET_BASE)->state;
}

vtime ethernet_hclk(const struct machine *m, uint64_t cycles)
{
    return cycles * VTIME_S(1) / rcc_hclk_hz(m);
}

/* ---- Interrupt (RM0090 33.7.1, figure 375) ---- */

enum {
    NORMAL_SOURCES = DMASR_TS | DMASR_TBUS | DMASR_RS | DMASR_ERS,
    ABNORMAL_SOURCES = DMASR_TPSS | DMASR_TJTS | DMASR_ROS | DMASR_TUS | DMASR_RBUS | DMASR_RPSS |
                       DMASR_RWTS | DMASR_ETS | DMASR_FBES,
};

/*
 * A summary bit is sticky and comes again at once while an enabled source
 * stands: whoever acknowledges one without the other keeps the interrupt.
 */
void ethernet_update_interrupt(struct machine *m, struct ethernet *e)
{
    uint32_t *value = e->p->value;
    const uint32_t enabled = value[DMASR] & value[DMAIER];
    if (enabled & NORMAL_SOURCES)
        value[DMASR] |= DMASR_NIS;
    if (enabled & ABNORMAL_SOURCES)
        value[DMASR] |= DMASR_AIS;
    value[DMASR] = (value[DMASR] & ~DMASR_MMCS) | (mmc_interrupt(e) ? DMASR_MMCS : 0);
    const uint32_t line =
        (value[DMASR] & value[DMAIER] & (DMASR_NIS | DMASR_AIS)) | (value[DMASR] & DMASR_MMCS);
    cpu_set_irq(m, ETHERNET_IRQ, line != 0);
}

/* ---- Reset ---- */

static void take_reset_values(struct ethernet *e)
{
    for (size_t i = 0; i < ETHERNET_REGISTERS; i++) {
        e->p->value[i] = registers[i].reset;
        e->s->mac.effective[i] = registers[i].reset;
        e->s->mac.ever_written[i] = false;
    }
}

void ethernet_reset_core(struct machine *m, struct ethernet *e)
{
    static const unsigned of_the_core[] = {EVENT_SMI, EVENT_TX_DMA, EVENT_TX_WIRE, EVENT_RX_DMA,
                                           EVENT_RX_WATCHDOG};
    for (size_t i = 0; i < sizeof of_the_core / sizeof of_the_core[0]; i++)
        event_cancel(m, &e->event[of_the_core[i]]);
    take_reset_values(e);
    memset(&e->s->tx, 0, sizeof e->s->tx);
    memset(&e->s->rx, 0, sizeof e->s->rx);
    e->s->mac.dma_dead = false;
    e->s->mac.mmc_read = 0;
    e->s->mac.software_reset = false;
    e->s->mac.reset_reported = false;
    e->s->mac.clocks_reported = false;
    e->s->mac.mode_reported = false;
    e->s->mac.reset_done_at = VTIME_NEVER;
    ethernet_update_interrupt(m, e);
}

static void hardware_reset(struct machine *m, struct peripheral *p)
{
    struct ethernet *e = p->state;
    ethernet_reset_core(m, e);
    e->s->mac.clocked = false;
    mac_clock_changed(m, e);
}

/* ---- Creation ---- */

static void create_events(struct machine *m, struct ethernet *e)
{
    static const struct event events[ETHERNET_EVENTS] = {
        [EVENT_SMI] = {.name = "SMI access", .fire = mac_smi_done},
        [EVENT_TX_DMA] = {.name = "transmit DMA", .fire = transmit_dma_event},
        [EVENT_TX_WIRE] = {.name = "frame sent", .fire = transmit_wire_event},
        [EVENT_RX_DMA] = {.name = "receive DMA", .fire = receive_dma_event},
        [EVENT_RX_WIRE] = {.name = "frame arrived", .fire = cable_arrival_event},
        [EVENT_RX_WATCHDOG] = {.name = "receive status watchdog", .fire = receive_watchdog_event},
        [EVENT_PHY] = {.name = "PHY", .fire = phy_event},
    };
    for (size_t i = 0; i < ETHERNET_EVENTS; i++) {
        e->event[i] = events[i];
        e->event[i].context = e;
        machine_register_event(m, &e->event[i]);
    }
}

void ethernet_create(struct machine *m)
{
    const struct peripheral template = {
        .name = "ETH",
        .base = ETHERNET_BASE,
        .size = ETHERNET_SIZE,
        .gate = {RCC_AHB1ENR, ETHMAC_BIT, RCC_AHB1RSTR, ETHMAC_BIT},
        .regs = registers,
        .reg_count = ETHERNET_REGISTERS,
        .reset = hardware_reset,
    };
    struct ethernet *e = machine_allocate(m, sizeof *e);
    e->s = machine_allocate(m, sizeof *e->s);
    machine_register_state(m, "ETH state", e->s, sizeof *e->s);
    e->p = peripheral_new(m, &template, 0);
    e->p->state = e;
    create_events(m, e);
    cable_create(e);
    phy_create(m);
    machine_on_clock(m, mac_clock_changed, e);
}
