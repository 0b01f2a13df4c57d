/*
 * USART3, the ST-LINK's virtual COM port (RM0090 30.6; UM1974 6.9):
 * asynchronous, 8 data bits, by register; no DMA, no other modes.
 */
#include "cpu/cpu.h"
#include "peripheral.h"

enum { USART_SR, USART_DR, USART_BRR, USART_CR1, USART_CR2, USART_CR3, USART_GTPR, USART_REGISTERS };
enum {
    USART3_BASE = 0x40004800,
    IRQ_USART3 = 39,
    PORT_D = 3,
    PIN_TX = 8,
    PIN_RX = 9,
    AF_USART3 = 7,
    SR_ORE = 1 << 3,
    SR_RXNE = 1 << 5,
    SR_TC = 1 << 6,
    SR_TXE = 1 << 7,
    SR_ERRORS = 0x1F, /* PE, FE, NF, ORE, IDLE: cleared by reading SR, then DR */
    CR1_RE = 1 << 2,
    CR1_TE = 1 << 3,
    CR1_RXNEIE = 1 << 5,
    CR1_TCIE = 1 << 6,
    CR1_TXEIE = 1 << 7,
    CR1_UE = 1 << 13,
    CR1_OVER8 = 1 << 15,
    CR1_BEYOND = 0x1502, /* M, PCE, PEIE, RWU … */
    CR2_STOP = 3 << 12,
};

struct usart_state {
    uint8_t shifting; /* the character on the wire */
    uint8_t next;     /* the one that waits in TDR, while TXE is 0 */
    uint8_t received; /* RDR */
    bool busy;        /* the shift register sends */
    bool errors_read; /* SR was read with these errors up: reading DR clears them */
};

static bool enabled(const struct machine *m, const struct peripheral *p, uint32_t direction)
{
    return peripheral_clocked(m, p) && (p->value[USART_CR1] & (CR1_UE | direction)) == (CR1_UE | direction);
}

/* Core cycles of a character: start, 8 data and stop bits (30.3.4). */
static uint64_t character_cycles(const struct machine *m, const struct peripheral *p)
{
    uint32_t brr = p->value[USART_BRR];
    uint32_t bit = p->value[USART_CR1] & CR1_OVER8 ? (brr >> 4) * 8 + (brr & 7) : brr;
    unsigned bits = p->value[USART_CR2] & CR2_STOP ? 11 : 10;

    return (uint64_t)bit * bits * rcc_hclk_per_pclk1(m);
}

static void update_interrupt(struct machine *m, const struct peripheral *p)
{
    uint32_t status = p->value[USART_SR];

    if (status & SR_ORE)
        status |= SR_RXNE; /* RXNEIE covers both (30.6.4) */
    cpu_set_irq(m, IRQ_USART3, p->value[USART_CR1] & status & (CR1_RXNEIE | CR1_TCIE | CR1_TXEIE));
}

/* ---- Transmit (30.3.2) ---- */

static void send(struct machine *m, struct peripheral *p, uint8_t character)
{
    struct usart_state *s = p->state;
    uint64_t cycles = character_cycles(m, p);

    if (cycles == 0) {
        machine_report(m, REPORT_WARNING, "USART3 sends with USART_BRR = 0: nothing leaves");
        return;
    }
    s->shifting = character;
    s->busy = true;
    event_at(m, &p->events[0].event, machine_time_at(m, m->cycles + cycles));
}

static void emit(struct machine *m, const struct peripheral *p)
{
    const struct usart_state *s = p->state;

    if (!gpio_is_alternate(m, PORT_D, PIN_TX, AF_USART3))
        machine_report(m, REPORT_WARNING, "USART3 sends, but PD8 is not set to AF7: the character is lost");
    else if (m->host.console)
        m->host.console(m->host.context, m, s->shifting);
}

static void sent(struct machine *m, struct peripheral *p, size_t index)
{
    struct usart_state *s = p->state;
    (void)index;

    emit(m, p);
    s->busy = false;
    if (p->value[USART_SR] & SR_TXE) {
        p->value[USART_SR] |= SR_TC;
    } else {
        p->value[USART_SR] |= SR_TXE;
        send(m, p, s->next);
    }
    update_interrupt(m, p);
}

static void dr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    struct usart_state *s = p->state;
    (void)index;
    (void)old;

    if (!enabled(m, p, CR1_TE)) {
        machine_report(m, REPORT_WARNING, "USART3_DR written while UE or TE is 0: nothing is sent");
        return;
    }
    if (!(p->value[USART_SR] & SR_TXE))
        machine_report(m, REPORT_WARNING, "USART3_DR written while TXE is 0: the character before is lost");
    p->value[USART_SR] &= ~(uint32_t)SR_TC;
    if (s->busy) {
        s->next = (uint8_t)written;
        p->value[USART_SR] &= ~(uint32_t)SR_TXE;
    } else {
        send(m, p, (uint8_t)written);
    }
    update_interrupt(m, p);
}

/* ---- Receive (30.3.3) ---- */

void usart_receive(struct machine *m, uint8_t byte)
{
    struct peripheral *p = peripheral_find(m, USART3_BASE);
    struct usart_state *s = p->state;

    if (!enabled(m, p, CR1_RE) || !gpio_is_alternate(m, PORT_D, PIN_RX, AF_USART3))
        return;
    if (p->value[USART_SR] & SR_RXNE) {
        p->value[USART_SR] |= SR_ORE; /* RDR keeps what it has */
    } else {
        s->received = byte;
        p->value[USART_SR] |= SR_RXNE;
    }
    update_interrupt(m, p);
}

static void sr_read(struct machine *m, struct peripheral *p, size_t index)
{
    struct usart_state *s = p->state;
    (void)m;

    s->errors_read = p->value[index] & SR_ERRORS;
}

static void dr_read(struct machine *m, struct peripheral *p, size_t index)
{
    struct usart_state *s = p->state;

    p->value[index] = s->received;
    p->value[USART_SR] &= ~(uint32_t)SR_RXNE;
    if (s->errors_read)
        p->value[USART_SR] &= ~(uint32_t)SR_ERRORS;
    s->errors_read = false;
    update_interrupt(m, p);
}

/* ---- Registers ---- */

static void control_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old,
                            uint32_t written)
{
    (void)old;
    if (index == USART_CR1 ? written & CR1_BEYOND : index != USART_CR2 && p->value[index])
        machine_report(m, REPORT_ERROR, "USART3_%s = 0x%x: beyond plain 8N1 by register, not modelled",
                       p->regs[index].name, written);
    update_interrupt(m, p);
}

static void sr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    (void)index;
    (void)old;
    (void)written;
    update_interrupt(m, p);
}

/* RM0090 30.6.1 to 30.6.7 */
static const struct reg registers[USART_REGISTERS] = {
    [USART_SR] = {"SR", 0x00, WIDTH_16 | WIDTH_32, SR_TXE | SR_TC, 0, 0, 0x0360, sr_read, sr_written, 0},
    [USART_DR] = {"DR", 0x04, WIDTH_16 | WIDTH_32, 0, 0, 0, 0, dr_read, dr_written, 0},
    [USART_BRR] = {"BRR", 0x08, WIDTH_16 | WIDTH_32, 0, 0xFFFF, 0, 0, NULL, NULL, 0xFFFF0000},
    [USART_CR1] = {"CR1", 0x0C, WIDTH_16 | WIDTH_32, 0, 0xBFFF, 0, 0, NULL, control_written, 0xFFFF4000},
    [USART_CR2] = {"CR2", 0x10, WIDTH_16 | WIDTH_32, 0, 0x7F6F, 0, 0, NULL, control_written, 0xFFFF8090},
    [USART_CR3] = {"CR3", 0x14, WIDTH_16 | WIDTH_32, 0, 0x0FFF, 0, 0, NULL, control_written, 0xFFFFF000},
    [USART_GTPR] = {"GTPR", 0x18, WIDTH_16 | WIDTH_32, 0, 0xFFFF, 0, 0, NULL, control_written, 0xFFFF0000},
};

static void reset(struct machine *m, struct peripheral *p)
{
    struct usart_state *s = p->state;

    event_cancel(m, &p->events[0].event);
    *s = (struct usart_state){0};
    update_interrupt(m, p);
}

void usart_create(struct machine *m)
{
    static const char *const event_names[] = {"USART3 character"};
    static const struct peripheral usart = {.name = "USART3",
                                            .base = USART3_BASE,
                                            .size = 0x400,
                                            .gate = {0x40, 18, 0x20, 18},
                                            .regs = registers,
                                            .reg_count = USART_REGISTERS,
                                            .reset = reset};
    struct peripheral *p = peripheral_new(m, &usart, sizeof(struct usart_state));

    peripheral_events(m, p, event_names, 1, sent);
}
