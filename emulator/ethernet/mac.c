/* The MAC's registers, what it needs in order to run, and the management interface (RM0090 33.8.1). */
#include "ethernet/ethernet.h"

enum {
    RCC_AHB1ENR = 0x30,
    ETHMAC_BIT = 25,
    ETHMACTX_BIT = 26,
    ETHMACRX_BIT = 27,
    RMII_AF = 11,
    SMI_BITS = 64, /* preamble 32, then start to data 32 (IEEE 802.3 22.2.4.5) */
    MDC_MAX_HZ = 2500000,
    QUIET_CLOCKS = 4, /* ES0206 2.17.5 */
};

/* ---- Pins and clocks ---- */

static const struct rmii_pin {
    const char *name;
    uint8_t port, pin;
} rmii_pins[] = {
    {"REF_CLK PA1", 0, 1}, {"MDIO PA2", 0, 2},   {"CRS_DV PA7", 0, 7},
    {"MDC PC1", 2, 1},     {"RXD0 PC4", 2, 4},   {"RXD1 PC5", 2, 5},
    {"TX_EN PG11", 6, 11}, {"TXD0 PG13", 6, 13}, {"TXD1 PB13", 1, 13},
};
enum { PIN_REF_CLK, PIN_MDIO, PIN_CRS_DV, PIN_MDC, RMII_PINS = sizeof rmii_pins / sizeof rmii_pins[0] };

static bool routed(const struct machine *m, unsigned pin)
{
    return gpio_is_alternate(m, rmii_pins[pin].port, rmii_pins[pin].pin, RMII_AF);
}

/* All but MDC and MDIO: what frames need. */
static bool data_pins_routed(const struct machine *m)
{
    for (unsigned i = 0; i < RMII_PINS; i++)
        if (i != PIN_MDC && i != PIN_MDIO && !routed(m, i))
            return false;
    return true;
}

bool mac_ref_clock(const struct machine *m, const struct ethernet *e)
{
    return e->s->mac.rmii && routed(m, PIN_REF_CLK) && phy_drives_ref_clock(e);
}

bool mac_tx_clock(const struct machine *m, const struct ethernet *e)
{
    return peripheral_clocked(m, e->p) && rcc_clock_runs(m, RCC_AHB1ENR, ETHMACTX_BIT) && mac_ref_clock(m, e);
}

bool mac_rx_clock(const struct machine *m, const struct ethernet *e)
{
    return peripheral_clocked(m, e->p) && rcc_clock_runs(m, RCC_AHB1ENR, ETHMACRX_BIT) && mac_ref_clock(m, e);
}

static void report_mode(struct machine *m, struct ethernet *e)
{
    if (e->s->mac.rmii)
        return;
    if (syscfg_rmii_selected(m))
        machine_report(m, REPORT_WARNING,
                       "ETH: SYSCFG_PMC.MII_RMII_SEL was set after the MAC's clock was switched on; the MAC "
                       "stays in MII mode, which this board does not wire (RM0090 33.4.4)");
    else
        machine_report(m, REPORT_WARNING,
                       "ETH: MII mode is selected, but this board wires RMII (SYSCFG_PMC.MII_RMII_SEL = 0)");
}

/* Says, once after each reset, why the MAC will not run. */
void mac_report_missing(struct machine *m, struct ethernet *e)
{
    if (e->s->mac.clocks_reported)
        return;
    e->s->mac.clocks_reported = true;
    report_mode(m, e);
    for (unsigned i = 0; i < RMII_PINS; i++)
        if (!routed(m, i))
            machine_report(m, REPORT_WARNING, "ETH: RMII pin %s is not routed to the MAC (AF11)",
                           rmii_pins[i].name);
    if (!rcc_bit(m, RCC_AHB1ENR, ETHMACTX_BIT))
        machine_report(m, REPORT_WARNING, "ETH: the transmit clock is off (RCC_AHB1ENR.ETHMACTXEN)");
    if (!rcc_bit(m, RCC_AHB1ENR, ETHMACRX_BIT))
        machine_report(m, REPORT_WARNING, "ETH: the receive clock is off (RCC_AHB1ENR.ETHMACRXEN)");
    if (!phy_drives_ref_clock(e))
        machine_report(m, REPORT_WARNING, "ETH: no REF_CLK, the PHY is powered down");
}

/* The interface mode is latched when ETHMACEN goes on or the MAC leaves its reset (RM0090 33.4.4). */
void mac_clock_changed(struct machine *m, void *context)
{
    struct ethernet *e = context;
    const bool clocked = peripheral_clocked(m, e->p);
    if (clocked && !e->s->mac.clocked)
        e->s->mac.rmii = syscfg_rmii_selected(m);
    if (!clocked)
        e->s->mac.rmii = false;
    e->s->mac.clocked = clocked;
    dma_poll_reset(m, e);
    transmit_kick(m, e);
}

vtime mac_bit_time(const struct ethernet *e)
{
    return e->s->mac.effective[MACCR] & MACCR_FES ? VTIME_NS(10) : VTIME_NS(100);
}

bool mac_fits_phy(struct machine *m, struct ethernet *e)
{
    const uint32_t maccr = e->s->mac.effective[MACCR];
    const bool fast = maccr & MACCR_FES, full = maccr & MACCR_DM;
    if (!e->s->phy.link || (fast == phy_100_mbit(e) && full == phy_full_duplex(e)))
        return true;
    if (!e->s->mac.mode_reported)
        machine_report(m, REPORT_WARNING,
                       "ETH: MACCR says %s Mbit/s %s duplex, the PHY has negotiated %s Mbit/s %s duplex: "
                       "frames are lost",
                       fast ? "100" : "10", full ? "full" : "half", phy_100_mbit(e) ? "100" : "10",
                       phy_full_duplex(e) ? "full" : "half");
    e->s->mac.mode_reported = true;
    return false;
}

/* ---- Registers ---- */

/*
 * After a hardware reset SR also reads as one while clocks are missing, but the
 * registers, which live on HCLK, take writes: SMI must be able to wake a PHY.
 */
bool mac_in_reset(struct machine *m, struct ethernet *e, size_t index, uint32_t old)
{
    dma_poll_reset(m, e);
    if (!e->s->mac.software_reset)
        return false;
    machine_report(m, REPORT_WARNING, "ETH_%s written while the reset is under way (DMABMR.SR = 1): lost",
                   e->p->regs[index].name);
    e->p->value[index] = old;
    return true;
}

/*
 * ES0206 2.17.5: a write that follows another to the same register within four
 * cycles of TX_CLK or RX_CLK does not reach the MAC, though it reads back.
 */
void mac_take(struct machine *m, struct ethernet *e, size_t index, uint32_t affected)
{
    struct mac_state *mac = &e->s->mac;
    const uint32_t value = e->p->value[index];
    const vtime clock = 4 * mac_bit_time(e); /* the MAC works on nibbles */
    const vtime now = machine_now(m);
    const bool lost = mac->ever_written[index] && now - mac->written_at[index] < QUIET_CLOCKS * clock &&
                      ((value ^ mac->effective[index]) & affected) != 0;
    mac->written_at[index] = now;
    mac->ever_written[index] = true;
    if (lost) {
        machine_report(m, REPORT_WARNING,
                       "ETH_%s written again within four clocks: this write is lost, though it reads back "
                       "(ES0206 2.17.5)",
                       e->p->regs[index].name);
        mac->effective[index] = (mac->effective[index] & affected) | (value & ~affected);
    } else {
        mac->effective[index] = value;
    }
}

void mac_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    (void)written;
    if (!mac_in_reset(m, p->state, index, old))
        mac_take(m, p->state, index, UINT32_MAX);
}

void mac_maccr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    (void)written;
    struct ethernet *e = p->state;
    if (mac_in_reset(m, e, index, old))
        return;
    mac_take(m, e, index, UINT32_MAX);
    if ((old ^ p->value[MACCR]) & (MACCR_FES | MACCR_DM))
        e->s->mac.mode_reported = false;
    if (p->value[MACCR] & ~old & (MACCR_TE | MACCR_RE)) {
        if (!data_pins_routed(m) || !mac_tx_clock(m, e) || !mac_rx_clock(m, e))
            mac_report_missing(m, e);
    }
    transmit_kick(m, e);
}

void mac_fcr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    mac_written(m, p, index, old, written);
    if (written & MACFCR_FCB)
        machine_report(m, REPORT_WARNING, "ETH: sending PAUSE frames and back-pressure are not modelled");
    p->value[MACFCR] &= ~MACFCR_FCB;
}

void mac_not_modelled(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    (void)old;
    if (written != p->regs[index].reset)
        machine_report(m, REPORT_WARNING, "ETH_%s: what this register does is not modelled",
                       p->regs[index].name);
}

/* RM0090 33.8.1, ETH_MACDBGR */
void mac_dbgr_read(struct machine *m, struct peripheral *p, size_t index)
{
    (void)m;
    enum {
        TFNE = 24,
        MTP = 19,
        MTFCS = 17,
        MMTEA = 16,
        RFFL = 8,
        SENDING = 3,
        ABOVE = 2,
        TFWA = 22,
        TFRS = 20
    };
    const struct ethernet *e = p->state;
    uint32_t value = 0;
    if (!transmit_fifo_empty(e))
        value |= BIT(TFNE);
    if (e->s->tx.gathering)
        value |= BIT(TFWA);
    if (e->s->tx.on_wire)
        value |= BIT(MMTEA) | SENDING << MTFCS | 1u << TFRS;
    if (machine_now(m) < e->s->tx.paused_until)
        value |= BIT(MTP);
    if (e->s->rx.fifo_count > 0)
        value |= (e->s->rx.fifo_bytes > RX_FIFO_BYTES / 2 ? ABOVE : 1u) << RFFL;
    if (e->s->line.arriving && (e->s->mac.effective[MACCR] & MACCR_RE))
        value |= 1u;
    p->value[index] = value;
}

void mac_sr_read(struct machine *m, struct peripheral *p, size_t index)
{
    (void)m;
    enum { MMCS = 4, MMCRS = 5, MMCTS = 6 };
    const uint32_t receive = p->value[MMCRIR] & ~p->value[MMCRIMR];
    const uint32_t transmit = p->value[MMCTIR] & ~p->value[MMCTIMR];
    p->value[index] =
        (receive ? BIT(MMCRS) : 0) | (transmit ? BIT(MMCTS) : 0) | (receive || transmit ? BIT(MMCS) : 0);
}

/* ---- Station management (RM0090 33.4.1) ---- */

/* MACMIIAR.CR; 0: reserved */
static unsigned mdc_divider(uint32_t miiar)
{
    static const uint8_t dividers[8] = {42, 62, 16, 26, 102};
    return dividers[(miiar >> 2) & 7];
}

static void check_mdc(struct machine *m, unsigned divider)
{
    const uint32_t hclk = rcc_hclk_hz(m);
    if (hclk / divider > MDC_MAX_HZ)
        machine_report(m, REPORT_WARNING,
                       "ETH_MACMIIAR: with HCLK %u Hz divided by %u, MDC runs at %u Hz; 2.5 MHz is the most",
                       hclk, divider, hclk / divider);
}

void mac_miiar_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    struct ethernet *e = p->state;
    if (mac_in_reset(m, e, index, old))
        return;
    if (old & MACMIIAR_MB) {
        machine_report(m, REPORT_WARNING, "ETH_MACMIIAR written while MB is set: ignored");
        p->value[index] = old;
        return;
    }
    const unsigned divider = mdc_divider(p->value[index]);
    if (!(written & MACMIIAR_MB))
        return;
    if (divider == 0) {
        machine_report(m, REPORT_WARNING, "ETH_MACMIIAR.CR has a reserved value: no access is made");
        p->value[index] &= ~MACMIIAR_MB;
        return;
    }
    check_mdc(m, divider);
    e->s->mac.smi_access = p->value[index];
    event_at(m, &e->event[EVENT_SMI], machine_now(m) + ethernet_hclk(m, (uint64_t)SMI_BITS * divider));
}

void mac_miidr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    (void)written;
    if (p->value[MACMIIAR] & MACMIIAR_MB) {
        machine_report(m, REPORT_WARNING, "ETH_MACMIIDR written while MACMIIAR.MB is set");
        p->value[index] = old;
    }
}

void mac_smi_done(struct machine *m, void *context)
{
    struct ethernet *e = context;
    const uint32_t access = e->s->mac.smi_access;
    const unsigned phy = (access >> 11) & 31, reg = (access >> 6) & 31;
    const bool reachable = routed(m, PIN_MDC) && routed(m, PIN_MDIO);
    e->p->value[MACMIIAR] &= ~MACMIIAR_MB;
    if (!reachable) {
        machine_report(m, REPORT_WARNING,
                       "ETH: SMI access, but MDC (PC1) and MDIO (PA2) are not both routed to the MAC (AF11)");
        e->p->value[MACMIIDR] = 0xFFFF;
    } else if (access & MACMIIAR_MW) {
        phy_write(m, e, phy, reg, (uint16_t)e->p->value[MACMIIDR]);
    } else {
        e->p->value[MACMIIDR] = phy_read(m, e, phy, reg);
    }
}
