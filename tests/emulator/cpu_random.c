#include "cpu_random.h"

#include "cpu_random_driver.h"

enum { VECTORS = 16, SVCALL = 11, SYSTICK = 15, RARE = 64, GUARDED_ONE_IN = 400, BX_LR = 0x4770 };

/* ---- Values ---- */

/* Often one at which something happens. */
static uint32_t interesting_word(uint64_t *state)
{
    static const uint32_t special[] = {
        0,          1,          0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x00008000, 0xFFFF8000, 0x7FFF7FFF,
        0x80008000, 0x80808080, 0x7F7F7F7F, 0x00FF00FF, 0x3F800000, 0xBF800000, 0x7F800000, 0xFF800000,
        0x7FC00000, 0x7F800001, 0xFFC12345, 0x00000001, 0x807FFFFF, 0x00800000, 0x7F7FFFFF, 0x4F000000,
        0xCF000000, 0x4F800000, 0x33800000, 0x3F000000, 0x477FE000, 0x38800000, 0x3F7FFFFF, 0x00FFFFFF};
    uint32_t word = (uint32_t)shape_random(state);

    switch (shape_below(state, 4)) {
    case 0: return special[shape_below(state, sizeof special / sizeof *special)];
    case 1: return (word & 0x803FFFFF) | (0x7Cu + shape_below(state, 8)) << 23; /* a float of moderate size */
    case 2: return word & 0xFF;
    default: return word;
    }
}

static void put_word(uint8_t *image, uint32_t at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        image[at + i] = (uint8_t)(value >> 8 * i);
}

static void put_values(uint8_t *image, uint64_t *random)
{
    static const uint32_t modes[16] = {0,        0,        0,        0,         0,        0x10,
                                       0x9F,     1u << 22, 2u << 22, 3u << 22,  1u << 24, 1u << 25,
                                       1u << 26, 3u << 24, 7u << 24, 0xF7C0009F};

    for (uint32_t i = 0; i < DRIVER_POOL_WORDS; i++)
        put_word(image, DRIVER_POOL + 4 * i, interesting_word(random));
    for (uint32_t i = 0; i < 16; i++)
        put_word(image, DRIVER_MODES + 4 * i, modes[i]);
}

/* Faults with handlers of their own or as HardFaults */
static void put_parameters(const struct cpu_random *r)
{
    put_word(r->image, DRIVER_PARAMETERS, r->iterations);
    put_word(r->image, DRIVER_PARAMETERS + 4, (r->seed & 7) << 16);
    put_word(r->image, DRIVER_PARAMETERS + 8, CCR_STKALIGN);
    put_word(r->image, DRIVER_PARAMETERS + 12, r->only_block < CPU_RANDOM_BLOCKS);
}

static void put_driver(uint8_t *image)
{
    put_word(image, 0, SHAPE_STACK_TOP);
    put_word(image, 4, CODE_BASE + DRIVER_START + 1);
    for (uint32_t i = 2; i < VECTORS; i++) {
        uint32_t handler = i == SVCALL ? DRIVER_SUPERVISOR : i == SYSTICK ? DRIVER_TICK : DRIVER_FAULT;
        put_word(image, 4 * i, CODE_BASE + handler + 1);
    }
    for (size_t i = 0; i < sizeof driver_code / sizeof *driver_code; i++) {
        image[DRIVER_AT + 2 * i] = (uint8_t)driver_code[i];
        image[DRIVER_AT + 2 * i + 1] = (uint8_t)(driver_code[i] >> 8);
    }
}

/* ---- Blocks ---- */

/* WFI waits, so it comes seldom. */
static size_t choose_row(uint64_t *random, const struct cpu_row *rows, size_t count)
{
    for (;;) {
        size_t index = shape_below(random, (uint32_t)count);
        if (rows[index].shape != SHAPE_WAIT_INTERRUPT || shape_below(random, RARE) == 0)
            return index;
    }
}

static uint64_t block_seed(uint64_t seed, unsigned block)
{
    uint64_t state = seed * 0x100000001B3u + block;
    return shape_random(&state);
}

/* A pad stands where the next block would run over its place. */
static void keep_pads(struct code *out)
{
    const size_t room = (CPU_RANDOM_TESTS + 1) * SHAPE_BYTES_MAX + SHAPE_GUARDED_BYTES_MAX;
    size_t pad = (out->length + SHAPE_PAD_STEP - 1) / SHAPE_PAD_STEP * SHAPE_PAD_STEP;

    if (pad - out->length >= room)
        return;
    while (out->length < pad)
        code_half(out, 0xBF00);
    code_half(out, BX_LR);
    code_half(out, 0xBF00);
}

static void blank(struct code *out, uint32_t from)
{
    struct code part = *out;

    for (part.length = from - CODE_BASE; part.length < out->length;)
        code_half(&part, 0xBF00);
}

static void emit_block(struct cpu_random *r, struct code *out, unsigned block)
{
    const struct cpu_row *rows;
    size_t count = cpu_rows(&rows);
    uint64_t random = block_seed(r->seed, block);
    bool wanted = block == r->only_block, guarded_already = false;

    for (unsigned i = 0; i < CPU_RANDOM_TESTS; i++) {
        bool guarded = shape_below(&random, GUARDED_ONE_IN) == 0 && !guarded_already;
        size_t row = guarded ? CPU_RANDOM_GUARDED : choose_row(&random, rows, count);
        if (wanted)
            r->test[i] = (struct cpu_random_test){code_here(out), (uint32_t)row};
        guarded_already |= guarded;
        if (guarded)
            shape_emit_guarded(out, &random);
        else
            shape_emit(out, &random, rows, count, row);
    }
    if (wanted) {
        r->test[CPU_RANDOM_TESTS].address = code_here(out);
        blank(out, r->test[r->only_tests].address);
    }
    code_wide(out, code_branch(code_here(out), CODE_BASE + DRIVER_END, false));
    code_align(out, 4);
}

static void put_table_entry(struct cpu_random *r, uint32_t *at, uint32_t address, unsigned block)
{
    if (r->only_block < CPU_RANDOM_BLOCKS && r->only_block != block)
        return;
    put_word(r->image, *at, address);
    put_word(r->image, *at + 4, (uint32_t)block_seed(~r->seed, block));
    *at += 8;
}

static void emit_pads(struct code *out)
{
    for (uint32_t i = 1; i < SHAPE_PADS; i++) {
        out->bytes[i * SHAPE_PAD_STEP] = BX_LR & 0xFF;
        out->bytes[i * SHAPE_PAD_STEP + 1] = BX_LR >> 8;
    }
}

void cpu_random_program(struct cpu_random *r)
{
    struct code out = {.bytes = r->image,
                       .size = CPU_RANDOM_IMAGE,
                       .length = SHAPE_PAD_STEP,
                       .marks = r->marks,
                       .mark_max = r->mark_max};
    uint64_t random = r->seed;
    uint32_t table = DRIVER_TABLE;

    memset(r->image, 0xFF, CPU_RANDOM_IMAGE);
    put_driver(r->image);
    put_parameters(r);
    put_values(r->image, &random);
    emit_pads(&out);
    for (r->blocks = 0; r->blocks < CPU_RANDOM_BLOCKS; r->blocks++) {
        keep_pads(&out);
        if (out.length + SHAPE_PAD_STEP > out.size)
            break;
        put_table_entry(r, &table, code_here(&out), r->blocks);
        emit_block(r, &out, r->blocks);
    }
    put_word(r->image, table, 0);
    put_word(r->image, table + 4, 0);
    r->mark_count = out.mark_count;
}
