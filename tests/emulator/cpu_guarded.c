#include "cpu_shapes.h"

/*
 * Loads and stores under a random MPU: small regions over the window, in which
 * the stack and what handlers touch do not lie; aligned accesses, privileged,
 * unprivileged, or by unprivileged code.
 */

enum {
    MPU_CTRL = 0xE000ED94,
    MPU_RBAR = 0xE000ED9C,
    REGIONS = 8,
    ACCESSES = 5,
    AP_FULL = 3 << 24,
    AP_READ_ONLY = 6 << 24,
    RBAR_VALID = 1 << 4,
};
#define MSR_CONTROL_R0 0xF3808814u
#define ISB            0xF3BF8F6Fu

static uint32_t size_of(unsigned bits)
{
    return (bits - 1) << 1 | 1;
}

/* r0 points to RBAR, RASR */
static void emit_region(struct code *out, unsigned number, uint32_t base, uint32_t attributes)
{
    code_constant(out, 1, base | RBAR_VALID | number);
    code_constant(out, 2, attributes);
    code_half(out, 0x6001); /* str r1, [r0] */
    code_half(out, 0x6042); /* str r2, [r0, #4] */
}

/* AP 4 is UNPREDICTABLE, and so are sub-regions below 256 bytes. */
static void emit_random_region(struct code *out, uint64_t *random, unsigned number)
{
    static const struct {
        uint32_t base;
        unsigned bits;
    } places[] = {{SHAPE_WINDOW, 5},       {SHAPE_WINDOW, 6},      {SHAPE_WINDOW + 32, 5},
                  {SHAPE_WINDOW + 64, 5},  {SHAPE_WINDOW + 64, 6}, {SHAPE_WINDOW + 96, 5},
                  {SHAPE_STATE + 0x80, 7}, {SHAPE_STATE, 8}};
    static const uint8_t permissions[] = {0, 1, 2, 3, 5, 6, 7};
    unsigned place = shape_below(random, sizeof places / sizeof *places);
    uint32_t attributes = size_of(places[place].bits) | shape_below(random, 2) << 28;

    attributes |= (uint32_t)permissions[shape_below(random, sizeof permissions)] << 24;
    if (places[place].bits >= 8)
        attributes |= shape_below(random, 256) << 8;
    if (shape_below(random, 8) == 0)
        attributes &= ~1u; /* off */
    emit_region(out, number, places[place].base, attributes);
}

/* ENABLE with either of HFNMIENA, PRIVDEFENA, or 0 */
static void emit_control(struct code *out, uint32_t value)
{
    code_constant(out, 0, MPU_CTRL);
    code_constant(out, 1, value);
    code_half(out, 0x6001);
    code_wide(out, ISB);
}

/* LDR, STR and the like, LDRT, STRT: [r1] */
static void emit_access(struct code *out, uint64_t *random)
{
    unsigned size = shape_below(random, 3), target = 2 + shape_below(random, 8);
    uint32_t address = SHAPE_WINDOW + (shape_below(random, 4 * SHAPE_WINDOW_WORDS) & (0xFFu << size));
    uint32_t load = shape_below(random, 2) << 20,
             is_signed = load && size < 2 ? shape_below(random, 2) << 24 : 0;
    uint32_t form = shape_below(random, 2) ? 0xE00 : 0xC00;

    code_constant(out, 1, address);
    code_wide(out, 0xF8010000u | size << 21 | load | is_signed | target << 12 | form);
}

void shape_emit_guarded(struct code *out, uint64_t *random)
{
    uint32_t unprivileged = shape_below(random, 2);

    code_constant(out, 0, MPU_RBAR);
    emit_region(out, 0, CODE_BASE, AP_READ_ONLY | size_of(20));
    emit_region(out, 1, 0x20000000, AP_FULL | size_of(17));
    /* Nobody comes there, but QEMU no longer takes the rest of the page for one piece. */
    emit_region(out, 2, SHAPE_STATE, AP_FULL | size_of(5));
    for (unsigned i = 3; i < REGIONS; i++)
        emit_random_region(out, random, i);
    emit_control(out, 1 | shape_below(random, 4) << 1);
    code_constant(out, 0, 4 | unprivileged);
    code_wide(out, MSR_CONTROL_R0);
    code_wide(out, ISB);
    for (unsigned i = 0; i < ACCESSES; i++)
        emit_access(out, random);
    code_half(out, 0xDF00); /* svc: privileged again */
    emit_control(out, 0);
}
