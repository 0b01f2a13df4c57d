/*
 * What wait states cost, as an estimate (RM0090 3.5): flash answers lines of
 * 128 bits; behind the ART accelerator lie 64 lines for instructions, 8 for
 * data and one that is fetched ahead. Used only while m->bus.flash_timing is
 * set. Left out: that the prefetch, data and DMA compete for the array.
 */
#include "bus.h"
#include "peripheral.h"

enum { LINE_SHIFT = 4, CODE_LINES = 64, DATA_LINES = 8, NO_LINE = 0 /* a line's number, plus one */ };

struct cache_line {
    uint32_t number; /* of the 128 bits, plus one */
    uint32_t used;   /* the later, the greater */
};

struct flash_timing {
    struct cache_line code[CODE_LINES];
    struct cache_line data[DATA_LINES];
    uint32_t uses;
    uint32_t current; /* line that the core takes instructions from */
    uint32_t ahead;   /* line being fetched, or fetched, ahead of need */
    uint64_t ahead_at;
};

static bool in_flash(uint32_t address)
{
    return address < FLASH_SIZE || address - FLASH_BASE < FLASH_SIZE;
}

static uint32_t line_of(uint32_t address)
{
    return ((address & (FLASH_SIZE - 1)) >> LINE_SHIFT) + 1;
}

/* True: it was there. Otherwise it takes the place of the one not used for longest. */
static bool look_up(struct flash_timing *t, struct cache_line *lines, size_t count, uint32_t number)
{
    struct cache_line *oldest = &lines[0];

    t->uses++;
    for (size_t i = 0; i < count; i++) {
        if (lines[i].number == number) {
            lines[i].used = t->uses;
            return true;
        }
        if (lines[i].used < oldest->used)
            oldest = &lines[i];
    }
    *oldest = (struct cache_line){.number = number, .used = t->uses};
    return false;
}

static uint64_t code_wait(struct machine *m, struct flash_timing *t, uint32_t number)
{
    if (flash_caches_instructions(m) && look_up(t, t->code, CODE_LINES, number))
        return 0;
    if (flash_prefetches(m) && number == t->ahead)
        return t->ahead_at > m->cycles ? t->ahead_at - m->cycles : 0;
    return flash_wait_states(m);
}

void flash_time_fetch(struct machine *m, uint32_t address)
{
    struct flash_timing *t = m->flash_timing;
    uint32_t number = line_of(address);

    if (!in_flash(address) || number == t->current)
        return;
    t->current = number;
    m->cycles += code_wait(m, t, number);
    if (flash_prefetches(m) && t->ahead != number + 1) {
        t->ahead = number + 1;
        t->ahead_at = m->cycles + flash_wait_states(m) + 1;
    }
}

void flash_time_data(struct machine *m, uint32_t address)
{
    struct flash_timing *t = m->flash_timing;

    if (!in_flash(address))
        return;
    if (flash_caches_data(m) && look_up(t, t->data, DATA_LINES, line_of(address)))
        return;
    m->cycles += flash_wait_states(m);
}

void flash_forget_lines(struct machine *m, bool data)
{
    struct flash_timing *t = m->flash_timing;
    struct cache_line *lines = data ? t->data : t->code;

    for (size_t i = 0; i < (data ? DATA_LINES : CODE_LINES); i++)
        lines[i] = (struct cache_line){.number = NO_LINE};
    if (!data)
        t->current = t->ahead = NO_LINE;
}

void flash_timing_create(struct machine *m)
{
    m->flash_timing = machine_allocate(m, sizeof *m->flash_timing);
    machine_register_state(m, "flash lines", m->flash_timing, sizeof *m->flash_timing);
}
