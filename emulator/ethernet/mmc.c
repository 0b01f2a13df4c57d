/* MAC management counters (RM0090 33.5.6). Those of collisions and alignment errors stay at 0: the cable has
 * none. */
#include "ethernet/ethernet.h"

static const struct {
    uint8_t counter, interrupt, bit;
} sources[] = {
    {MMCTGFSCCR, MMCTIR, 14}, {MMCTGFMSCCR, MMCTIR, 15}, {MMCTGFCR, MMCTIR, 21},
    {MMCRFCECR, MMCRIR, 5},   {MMCRFAECR, MMCRIR, 6},    {MMCRGUFCR, MMCRIR, 17},
};
enum { MMC_COUNTERS = sizeof sources / sizeof sources[0] };

bool mmc_interrupt(const struct ethernet *e)
{
    const uint32_t *value = e->p->value;
    return (value[MMCRIR] & ~value[MMCRIMR]) != 0 || (value[MMCTIR] & ~value[MMCTIMR]) != 0;
}

/* A counter that was read under ROR starts anew. */
static void clear_if_read(struct ethernet *e, size_t counter)
{
    const uint32_t bit = BIT(counter - MMCTGFSCCR);
    if (e->s->mac.mmc_read & bit)
        e->p->value[counter] = 0;
    e->s->mac.mmc_read &= ~bit;
}

static void raise_interrupt(struct ethernet *e, size_t counter)
{
    for (size_t i = 0; i < MMC_COUNTERS; i++)
        if (sources[i].counter == counter)
            e->p->value[sources[i].interrupt] |= BIT(sources[i].bit);
}

void mmc_count(struct machine *m, struct ethernet *e, size_t counter)
{
    const uint32_t control = e->p->value[MMCCR];
    if (control & MMCCR_MCF)
        return;
    clear_if_read(e, counter);
    if (e->p->value[counter] == UINT32_MAX && (control & MMCCR_CSR))
        return;
    const uint32_t count = ++e->p->value[counter];
    if (count == BIT(31) || count == UINT32_MAX)
        raise_interrupt(e, counter);
    ethernet_update_interrupt(m, e);
}

void mmc_control_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old,
                         uint32_t written)
{
    (void)m;
    (void)old;
    enum { MCP = 4, MCFHP = 5 };
    const bool preset = written & BIT(MCP);
    const uint32_t preset_value = written & BIT(MCFHP) ? 0xFFFFFFF0 : 0x7FFFFFF0;
    for (size_t i = 0; i < MMC_COUNTERS; i++) {
        if (written & MMCCR_CR)
            p->value[sources[i].counter] = 0;
        else if (preset)
            p->value[sources[i].counter] = preset_value;
    }
    p->value[index] &= ~(MMCCR_CR | BIT(MCP));
}

/* The bus still gets the count; a reset on read shows from the next read or frame on. */
void mmc_counter_read(struct machine *m, struct peripheral *p, size_t index)
{
    struct ethernet *e = p->state;
    clear_if_read(e, index);
    if (p->value[MMCCR] & MMCCR_ROR)
        e->s->mac.mmc_read |= BIT(index - MMCTGFSCCR);
    for (size_t i = 0; i < MMC_COUNTERS; i++)
        if (sources[i].counter == index)
            p->value[sources[i].interrupt] &= ~BIT(sources[i].bit);
    ethernet_update_interrupt(m, e);
}

void mmc_mask_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    (void)index;
    (void)old;
    (void)written;
    ethernet_update_interrupt(m, p->state);
}
