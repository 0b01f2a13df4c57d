/*
 * The Ethernet controller and its PHY (RM0090 chapter 33, LAN8742A), for the
 * files of this folder and for tests. From outside, the board's end of the
 * cable is ethernet_receive and ethernet_cable (machine.h).
 *
 *   registers.c  the register table, resets, creation, the interrupt line
 *   mac.c        MAC registers, what the MAC needs in order to run, SMI
 *   filter.c     which addresses the MAC receives
 *   transmit.c   transmit DMA and the frame's way through the FIFO to the wire
 *   receive.c    the frame's way from the wire through the FIFO, receive DMA
 *   dma.c        DMA registers and what both directions share
 *   checksum.c   checksum offload, both ways
 *   mmc.c        counters
 *   phy.c        LAN8742A: registers, auto-negotiation
 *   cable.c      the cable and the switch's buffer at its other end
 */
#ifndef EMULATOR_ETHERNET_H
#define EMULATOR_ETHERNET_H

#include "machine.h"
#include "peripheral.h"

enum {
    FRAME_MAX = 2048, /* the watchdog and jabber timers cut what is longer */
    FRAME_HEADER = 14,
    FRAME_MIN = 60, /* without FCS */
    FCS_BYTES = 4,
    TX_FIFO_BYTES = 2048,
    RX_FIFO_BYTES = 2048,
    TX_SLOTS = 2, /* frames in the TX FIFO: the one on the wire and, with OSF, the next */
    RX_SLOTS = 32,
    SWITCH_SLOTS = 48, /* frames that the switch buffers for the board */
    PHY_REGISTERS = 32,
};

/* Indices into the register table. */
enum {
    MACCR,
    MACFFR,
    MACHTHR,
    MACHTLR,
    MACMIIAR,
    MACMIIDR,
    MACFCR,
    MACVLANTR,
    MACRWUFFR,
    MACPMTCSR,
    MACDBGR,
    MACSR,
    MACIMR,
    MACA0HR,
    MACA0LR,
    MACA1HR,
    MACA1LR,
    MACA2HR,
    MACA2LR,
    MACA3HR,
    MACA3LR,
    MMCCR,
    MMCRIR,
    MMCTIR,
    MMCRIMR,
    MMCTIMR,
    MMCTGFSCCR,
    MMCTGFMSCCR,
    MMCTGFCR,
    MMCRFCECR,
    MMCRFAECR,
    MMCRGUFCR,
    PTPTSCR,
    PTPSSIR,
    PTPTSHR,
    PTPTSLR,
    PTPTSHUR,
    PTPTSLUR,
    PTPTSAR,
    PTPTTHR,
    PTPTTLR,
    PTPTSSR,
    PTPPPSCR,
    DMABMR,
    DMATPDR,
    DMARPDR,
    DMARDLAR,
    DMATDLAR,
    DMASR,
    DMAOMR,
    DMAIER,
    DMAMFBOCR,
    DMARSWTR,
    DMACHTDR,
    DMACHRDR,
    DMACHTBAR,
    DMACHRBAR,
    ETHERNET_REGISTERS,
};

#define BIT(n) (1u << (n))

/* Register fields, by their names in RM0090 33.8. */
#define MACCR_CSTF    BIT(25)
#define MACCR_WD      BIT(23)
#define MACCR_JD      BIT(22)
#define MACCR_FES     BIT(14)
#define MACCR_ROD     BIT(13)
#define MACCR_LM      BIT(12)
#define MACCR_DM      BIT(11)
#define MACCR_IPCO    BIT(10)
#define MACCR_APCS    BIT(7)
#define MACCR_TE      BIT(3)
#define MACCR_RE      BIT(2)
#define MACFFR_RA     BIT(31)
#define MACFFR_HPF    BIT(10)
#define MACFFR_SAF    BIT(9)
#define MACFFR_SAIF   BIT(8)
#define MACFFR_BFD    BIT(5)
#define MACFFR_PAM    BIT(4)
#define MACFFR_DAIF   BIT(3)
#define MACFFR_HM     BIT(2)
#define MACFFR_HU     BIT(1)
#define MACFFR_PM     BIT(0)
#define MACMIIAR_MW   BIT(1)
#define MACMIIAR_MB   BIT(0)
#define MACFCR_UPFD   BIT(3)
#define MACFCR_RFCE   BIT(2)
#define MACFCR_FCB    BIT(0)
#define MACA_AE       BIT(31)
#define MACA_SA       BIT(30)
#define MMCCR_MCF     BIT(3)
#define MMCCR_ROR     BIT(2)
#define MMCCR_CSR     BIT(1)
#define MMCCR_CR      BIT(0)
#define DMABMR_EDFE   BIT(7)
#define DMABMR_DA     BIT(1)
#define DMABMR_SR     BIT(0)
#define DMASR_TSTS    BIT(29)
#define DMASR_PMTS    BIT(28)
#define DMASR_MMCS    BIT(27)
#define DMASR_NIS     BIT(16)
#define DMASR_AIS     BIT(15)
#define DMASR_ERS     BIT(14)
#define DMASR_FBES    BIT(13)
#define DMASR_ETS     BIT(10)
#define DMASR_RWTS    BIT(9)
#define DMASR_RPSS    BIT(8)
#define DMASR_RBUS    BIT(7)
#define DMASR_RS      BIT(6)
#define DMASR_TUS     BIT(5)
#define DMASR_ROS     BIT(4)
#define DMASR_TJTS    BIT(3)
#define DMASR_TBUS    BIT(2)
#define DMASR_TPSS    BIT(1)
#define DMASR_TS      BIT(0)
#define DMAOMR_DTCEFD BIT(26)
#define DMAOMR_RSF    BIT(25)
#define DMAOMR_DFRF   BIT(24)
#define DMAOMR_TSF    BIT(21)
#define DMAOMR_FTF    BIT(20)
#define DMAOMR_ST     BIT(13)
#define DMAOMR_FEF    BIT(7)
#define DMAOMR_FUGF   BIT(6)
#define DMAOMR_OSF    BIT(2)
#define DMAOMR_SR     BIT(1)

/* What auto-negotiation can end in, by rank (IEEE 802.3 28B.3). */
enum phy_resolution {
    PHY_10_HALF,
    PHY_10_FULL,
    PHY_100_HALF,
    PHY_100_FULL,
};

struct tx_frame {
    uint32_t last_descriptor; /* where the status goes */
    uint32_t first_control;   /* TDES0 of the first: CIC, DC, DP */
    uint32_t last_control;    /* TDES0 of the last: IC, written back without OWN */
    uint32_t status;          /* error bits so far */
    uint32_t length;
    bool bad_fcs;
    uint8_t data[FRAME_MAX];
};

enum tx_phase {
    TX_STOPPED,
    TX_FETCHING,  /* a descriptor and its buffers, then the next */
    TX_FIFO_FULL, /* waits until a frame has left the FIFO */
    TX_SUSPENDED,
};

struct tx_state {
    enum tx_phase phase;
    uint32_t current;      /* descriptor to be fetched */
    bool gathering;        /* between FS and LS */
    struct tx_frame frame; /* being gathered */
    struct tx_frame slot[TX_SLOTS];
    uint32_t slots;     /* in use, from slot[0] */
    vtime ready_at;     /* slot[slots - 1] is complete in the FIFO */
    bool on_wire;       /* slot[0] is being sent */
    bool stuck;         /* ES0206 2.17.3 has struck */
    vtime wire_free_at; /* end of the interframe gap */
    vtime paused_until; /* by a received PAUSE frame */
    vtime ended_at;     /* when the last transmission ended */
    vtime flush_done_at;
};

enum rx_phase {
    RX_STOPPED,
    RX_FETCHING,
    RX_WAITING, /* holds a descriptor */
    RX_TRANSFERRING,
    RX_SUSPENDED,
};

struct rx_frame {
    uint32_t status; /* RDES0 bits found by the MAC */
    uint32_t length; /* with FCS, if not stripped */
    uint8_t data[FRAME_MAX + FCS_BYTES];
};

struct rx_state {
    enum rx_phase phase;
    uint32_t current;       /* address of the descriptor held */
    uint32_t descriptor[4]; /* as fetched */
    uint32_t offset;        /* bytes of the head frame already transferred */
    struct rx_frame fifo[RX_SLOTS];
    uint32_t fifo_head;
    uint32_t fifo_count;
    uint32_t fifo_bytes;
    bool arrived_suspended; /* the descriptor is being fetched because a frame has come */
    uint32_t missed_no_buffer;
    uint32_t missed_fifo;
};

struct wire_frame {
    uint32_t length;
    bool bad_fcs;
    uint8_t data[FRAME_MAX];
};

struct switch_state {
    bool cable;
    uint16_t partner; /* the switch's abilities, as in register 5; 0: it does not negotiate */
    enum phy_resolution partner_forced; /* then it does this */
    struct wire_frame queue[SWITCH_SLOTS];
    uint32_t head;
    uint32_t count;
    bool arriving;    /* the head is on the wire */
    vtime free_at;    /* end of the gap after it */
    uint64_t dropped; /* no link, or the switch's buffer was full */
};

struct phy_state {
    uint16_t value[PHY_REGISTERS];
    bool resetting;
    bool negotiating;
    bool link;
    bool link_failed; /* latched low for register 1 */
    enum phy_resolution resolution;
};

struct mac_state {
    uint32_t effective[ETHERNET_REGISTERS]; /* what has reached the MAC, see ES0206 2.17.5 */
    vtime written_at[ETHERNET_REGISTERS];
    bool ever_written[ETHERNET_REGISTERS];
    bool rmii;           /* the interface latched when the clock was switched on */
    bool clocked;        /* ETHMACEN as last seen */
    bool software_reset; /* DMABMR.SR was written, and what it does is not over */
    bool reset_reported;
    bool clocks_reported;
    bool mode_reported;
    vtime reset_done_at; /* VTIME_NEVER: waits for clocks */
    bool dma_dead;       /* after a bus error, until a reset */
    uint32_t mmc_read;   /* counters read under ROR, from MMCTGFSCCR on */
    uint32_t smi_access; /* MACMIIAR of the access under way */
};

struct ethernet_state {
    struct mac_state mac;
    struct tx_state tx;
    struct rx_state rx;
    struct phy_state phy;
    struct switch_state line;
};

enum {
    EVENT_SMI,
    EVENT_TX_DMA,
    EVENT_TX_WIRE,
    EVENT_RX_DMA,
    EVENT_RX_WIRE,
    EVENT_RX_WATCHDOG,
    EVENT_PHY,
    ETHERNET_EVENTS,
};

struct ethernet {
    struct peripheral *p;
    struct ethernet_state *s;
    struct event event[ETHERNET_EVENTS];
};

/* ---- registers.c ---- */

struct ethernet *ethernet_of(const struct machine *m);
/* Drives IRQ 61 and the summary bits from the status and enable registers. */
void ethernet_update_interrupt(struct machine *m, struct ethernet *e);
/* Software or hardware reset of MAC and DMA: registers to their reset values, engines idle. */
void ethernet_reset_core(struct machine *m, struct ethernet *e);
/* The time that `cycles` of HCLK take. */
vtime ethernet_hclk(const struct machine *m, uint64_t cycles);

/* ---- mac.c ---- */

bool mac_ref_clock(const struct machine *m, const struct ethernet *e);
bool mac_tx_clock(const struct machine *m, const struct ethernet *e);
bool mac_rx_clock(const struct machine *m, const struct ethernet *e);
vtime mac_bit_time(const struct ethernet *e);
/* Do speed and duplex fit the PHY's? Reports if not. */
bool mac_fits_phy(struct machine *m, struct ethernet *e);
void mac_report_missing(struct machine *m, struct ethernet *e);
void mac_clock_changed(struct machine *m, void *context);
void mac_smi_done(struct machine *m, void *context);
void mac_maccr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written);
void mac_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written);
/* A software reset of MAC and DMA is not over: a write now is lost, and reported. */
bool mac_in_reset(struct machine *m, struct ethernet *e, size_t index, uint32_t old);
/* Takes over the bits of `affected` if the register was not written just before (ES0206 2.17.5). */
void mac_take(struct machine *m, struct ethernet *e, size_t index, uint32_t affected);
void mac_miiar_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written);
void mac_miidr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written);
void mac_fcr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written);
void mac_not_modelled(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written);
void mac_dbgr_read(struct machine *m, struct peripheral *p, size_t index);
void mac_sr_read(struct machine *m, struct peripheral *p, size_t index);

/* ---- filter.c ---- */

uint32_t ethernet_crc32(const uint8_t *data, size_t length);
/* Shall the frame be received? `*status` gets AFM and SAF where it failed and passes all the same. */
bool filter_accepts(const struct ethernet *e, const uint8_t *frame, uint32_t *status);

/* ---- checksum.c ---- */

/* RDES0 bits of the receive offload: FT, IPHCE, PCE as RM0090 table 188 encodes them. */
uint32_t checksum_verify(const uint8_t *frame, size_t length);
/* Inserts as TDES0.CIC says; returns TDES0 error bits (IHE, IPE). */
uint32_t checksum_insert(struct machine *m, uint8_t *frame, size_t length, unsigned cic);

/* ---- mmc.c ---- */

void mmc_count(struct machine *m, struct ethernet *e, size_t counter);
void mmc_control_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old,
                         uint32_t written);
void mmc_counter_read(struct machine *m, struct peripheral *p, size_t index);
void mmc_mask_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written);
bool mmc_interrupt(const struct ethernet *e);

/* ---- dma.c ---- */

/* Four words of a descriptor; false: bus error, both engines have stopped. */
bool dma_fetch(struct machine *m, struct ethernet *e, uint32_t address, bool transmit, uint32_t words[4]);
bool dma_write_word(struct machine *m, struct ethernet *e, uint32_t address, bool transmit, uint32_t word);
bool dma_read_buffer(struct machine *m, struct ethernet *e, uint32_t address, uint8_t *to, size_t length);
bool dma_write_buffer(struct machine *m, struct ethernet *e, uint32_t address, const uint8_t *from,
                      size_t length);
/* The next descriptor in a ring: `chained` follows word 3, `end` goes back to `list`. */
uint32_t dma_next(const struct ethernet *e, uint32_t address, const uint32_t words[4], bool chained, bool end,
                  uint32_t list);
void dma_raise(struct machine *m, struct ethernet *e, uint32_t status_bits);
/* Ends a reset if its clocks have run. */
void dma_poll_reset(struct machine *m, struct ethernet *e);
void dma_bmr_read(struct machine *m, struct peripheral *p, size_t index);
void dma_bmr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written);
void dma_tpdr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written);
void dma_rpdr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written);
void dma_list_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written);
void dma_sr_read(struct machine *m, struct peripheral *p, size_t index);
void dma_sr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written);
void dma_omr_read(struct machine *m, struct peripheral *p, size_t index);
void dma_omr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written);
void dma_ier_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written);
void dma_mfbocr_read(struct machine *m, struct peripheral *p, size_t index);
void dma_current_read(struct machine *m, struct peripheral *p, size_t index);

/* ---- transmit.c ---- */

void transmit_start(struct machine *m, struct ethernet *e);
void transmit_stop(struct machine *m, struct ethernet *e);
void transmit_poll_demand(struct machine *m, struct ethernet *e);
void transmit_flush(struct machine *m, struct ethernet *e);
/* Something that transmission waits for may have come: clock, TE, link. */
void transmit_kick(struct machine *m, struct ethernet *e);
void transmit_pause(struct machine *m, struct ethernet *e, unsigned quanta);
bool transmit_fifo_empty(const struct ethernet *e);
void transmit_dma_event(struct machine *m, void *context);
void transmit_wire_event(struct machine *m, void *context);

/* ---- receive.c ---- */

void receive_start(struct machine *m, struct ethernet *e);
void receive_stop(struct machine *m, struct ethernet *e);
void receive_poll_demand(struct machine *m, struct ethernet *e);
/* The whole of a frame has come in from the wire (or looped back). */
void receive_frame(struct machine *m, struct ethernet *e, const uint8_t *data, size_t length, bool bad_fcs);
void receive_dma_event(struct machine *m, void *context);
void receive_watchdog_event(struct machine *m, void *context);

/* ---- phy.c ---- */

void phy_create(struct machine *m);
uint16_t phy_read(struct machine *m, struct ethernet *e, unsigned phy, unsigned reg);
void phy_write(struct machine *m, struct ethernet *e, unsigned phy, unsigned reg, uint16_t value);
/* Cable or partner changed. */
void phy_line_changed(struct machine *m, struct ethernet *e);
bool phy_drives_ref_clock(const struct ethernet *e);
bool phy_full_duplex(const struct ethernet *e);
bool phy_100_mbit(const struct ethernet *e);
bool phy_loopback(const struct ethernet *e);
void phy_event(struct machine *m, void *context);

/* ---- cable.c ---- */

void cable_create(struct ethernet *e);
/* The frame leaves for the switch. */
void cable_send(struct machine *m, struct ethernet *e, const uint8_t *frame, size_t length);
/* Starts the next arrival, if there is a frame and a link. */
void cable_next_arrival(struct machine *m, struct ethernet *e);
void cable_link_lost(struct machine *m, struct ethernet *e);
void cable_arrival_event(struct machine *m, void *context);

/* ---- For tests and fault scripts ---- */

/* As ethernet_receive, but the FCS does not fit. */
void ethernet_receive_damaged(struct machine *m, const uint8_t *frame, size_t length);
/* What the switch advertises (IEEE 802.3 28.2.1.2, as in register 5; 0x01E1: all). */
void ethernet_partner(struct machine *m, uint16_t abilities);
/* A switch that does not negotiate: the PHY finds its speed and takes half duplex. */
void ethernet_partner_forced(struct machine *m, enum phy_resolution resolution);

#endif
