#include "cpu_random.h"

#include <stdio.h>
#include <string.h>

/*
 * Encodings as in the manual. n, d, m, a: a register, of 3 bits (r0-r7) or 4
 * (r0-r9, r12); I: the index register r7, of 3 or 4 bits; x: any bit.
 */
static const char *const plain_encodings[] = {
    /* 16-bit data processing */
    "000xxxxxxxmmmddd",
    "000110xmmmnnnddd",
    "000111xxxxnnnddd",
    "001xxdddxxxxxxxx",
    "010000xxxxmmmddd",
    "01000100xmmmmddd",
    "01000101xmmmmddd",
    "01000110xmmmmddd",
    "10110010xxmmmddd",
    "10111010xxmmmddd",
    "10100dddxxxxxxxx",
    /* 32-bit data processing */
    "11110x00000xnnnn0xxxddddxxxxxxxx",
    "11110x0xxxxxnnnn0xxxddddxxxxxxxx",
    "11110x00010x11110xxxddddxxxxxxxx",
    "11110x00011x11110xxxddddxxxxxxxx",
    "11110x0xxxx1nnnn0xxx1111xxxxxxxx",
    "11110x1xxxxxnnnn0xxxddddxxxxxxxx",
    "11110x10x100xxxx0xxxddddxxxxxxxx",
    "11110011xxx0nnnn0xxxddddxx0xxxxx",
    "1110101xxxxxnnnn0xxxddddxxxxmmmm",
    "11101010010x11110xxxddddxxxxmmmm",
    "11101010011x11110xxxddddxxxxmmmm",
    "1110101xxxx1nnnn0xxx1111xxxxmmmm",
    "111110100xxxnnnn1111dddd0000mmmm",
    "111110100xxxnnnn1111dddd10xxmmmm",
    "111110100xxx11111111dddd10xxmmmm",
    "111110101xxxnnnn1111dddd0xxxmmmm",
    "111110101xxxnnnn1111dddd0xxxmmmm",
    "111110101xxxnnnn1111dddd10xxmmmm",
    "111110101001mmmm1111dddd10xxmmmm",
    "111110101011mmmm1111dddd1000mmmm",
    "1111101010x0nnnn1111dddd10xxmmmm",
    /* multiplication and division */
    "111110110xxxnnnnaaaadddd00xxmmmm",
    "111110110xxxnnnn1111dddd00xxmmmm",
    "111110111xxxnnnnaaaaddddxxxxmmmm",
    "111110111x00nnnnaaaadddd1xxxmmmm",
    "1111101110x1nnnn1111dddd1111mmmm",
    /* flags */
    "111100111000nnnn1000xx0000000000",
    "11110011111011111000dddd00000000",
    /* floating point: any registers */
    "111011100xxxxxxxxxxx1010xxx0xxxx",
    "11101110xx11xxxxxxxx1010xxx0xxxx",
    "111011101x0xxxxxxxxx1010xxx0xxxx",
    "111011101x11xxxxxxxx1010x1x0xxxx",
    "111011101x111010xxxx1010x1x0xxxx",
    "111011101x111x1xxxxx1010x1x0xxxx",
    "11101110000xxxxxdddd1010x0010000",
    "1110111000xxxxxxdddd1011x0010000",
    "111011101x10xxxxxxxx1010xxx0xxxx",
    "11101100010xnnnndddd101x00x1xxxx",
    "1110111011110001dddd101000010000",
    "11101110111100011111101000010000",
};

/* Base r10, or r6 for 16 bits, in the middle of 64 words; offsets below 128, or the index r7 below 16. */
static const char *const memory_encodings[] = {
    "111110001xxx1010dddd00000xxxxx00",
    "111110001xxx1010dddd00000xxxxxxx",
    "111110011xx11010dddd00000xxxxxxx",
    "111110000xxx1010dddd11x00xxxxx00",
    "111110010xx11010dddd11x00xxxxxxx",
    "111110000xxx1010dddd1xx10xxxxx00",
    "111110010xx11010dddd1xx10xxxxx00",
    "111110000xxx1010dddd0000000xIIII",
    "1111100100x11010dddd0000000xIIII",
    "1110100xx1xx1010ddddaaaa000xxxxx",
    "111011011x0x1010xxxx101x000xxxxx",
    "11101100100x1010xxxx101x00001xxx",
    "11101000100x1010000x00xxxxxxxxxx",
    "11101001000x1010000x00xxxxxxxxxx",
    "11101101001x1010xxxx101x00001xxx",
    "0110xxxxxx110ddd",
    "0111xxxxxx110ddd",
    "1000xxxxxx110ddd",
    "0101xxxIII110ddd",
    "1100x110x0xxxxxx",
    "01001ddd000xxxxx",
    "1111100xxxx11111dddd00000xxxxxxx",
};

enum { IT_CHANCE = 6, MEMORY_CHANCE = 5, SKIP_CHANCE = 12, BASE = 10, INDEX = 7 };

#define STATE         0x20010000u
#define DUMP_AT       0x20012000u
#define WINDOW        (STATE + 4 * 47)
#define WINDOW_MIDDLE (WINDOW + 128)

/* ---- Randomness ---- */

static uint64_t random64(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static uint32_t below(uint64_t *state, uint32_t limit)
{
    return (uint32_t)(random64(state) >> 32) % limit;
}

/* Often a value at which something happens. */
static uint32_t interesting_word(uint64_t *state)
{
    static const uint32_t special[] = {
        0,          1,          0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x00008000, 0xFFFF8000, 0x7FFF7FFF,
        0x80008000, 0x80808080, 0x7F7F7F7F, 0x00FF00FF, 0x3F800000, 0xBF800000, 0x7F800000, 0xFF800000,
        0x7FC00000, 0x7F800001, 0xFFC12345, 0x00000001, 0x807FFFFF, 0x00800000, 0x7F7FFFFF, 0x4F000000,
        0xCF000000, 0x4F800000, 0x33800000, 0x3F000000, 0x477FE000, 0x38800000, 0x3F7FFFFF, 0x00FFFFFF};
    uint32_t word = (uint32_t)random64(state);

    switch (below(state, 4)) {
    case 0: return special[below(state, sizeof special / sizeof *special)];
    case 1: return (word & 0x803FFFFF) | (0x7Cu + below(state, 8)) << 23; /* a float of moderate size */
    case 2: return word & 0xFF;
    default: return word;
    }
}

static uint32_t random_register(uint64_t *state, unsigned bits)
{
    static const uint8_t usable[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12};
    return bits == 3 ? below(state, 8) : usable[below(state, sizeof usable)];
}

/* ---- Instructions ---- */

static unsigned run_length(const char *pattern, char letter)
{
    unsigned count = 0;

    while (pattern[count] == letter)
        count++;
    return count;
}

/* The same letter again is the same register. */
static uint32_t fill_pattern(const char *pattern, uint64_t *state)
{
    int chosen[128];
    uint32_t code = 0;

    memset(chosen, -1, sizeof chosen);
    while (*pattern) {
        char letter = *pattern;
        unsigned count = run_length(pattern, letter);
        if (strchr("nmda", letter) && count >= 3) {
            count = count > 4 ? 4 : count;
            if (chosen[(unsigned char)letter] < 0)
                chosen[(unsigned char)letter] = (int)random_register(state, count);
            code = code << count | (uint32_t)chosen[(unsigned char)letter];
        } else if (letter == 'I') {
            code = code << count | INDEX;
        } else {
            count = 1;
            code = code << 1 | (letter == '0' || letter == '1' ? (uint32_t)(letter - '0') : below(state, 2));
        }
        pattern += count;
    }
    return code;
}

struct instruction {
    uint32_t code;
    unsigned halfwords;
    bool writes_base;
    bool uses_index;
    bool uses_low_base;
};

static bool touches_high_registers(uint32_t code, unsigned halfwords)
{
    unsigned d = (code & 7) | (code >> 4 & 8), m = code >> 3 & 15;

    if (halfwords != 1 || code >> 10 != 0x11)
        return false;
    return (d >= 10 && d != 12) || (m >= 10 && m != 12);
}

/* 16-bit shifts by nothing are UNPREDICTABLE in an IT block. */
static bool suits_it(const struct instruction *i)
{
    return i->halfwords == 2 || i->code >> 6 != 0;
}

static struct instruction random_instruction(uint64_t *state, const char *const *patterns, size_t count,
                                             cpu_random_filter *valid)
{
    struct instruction i = {0};

    do {
        const char *pattern = patterns[below(state, (uint32_t)count)];
        i.halfwords = strlen(pattern) > 16 ? 2 : 1;
        i.code = fill_pattern(pattern, state);
        i.uses_index = strchr(pattern, 'I') != NULL;
    } while (!valid(i.code, i.halfwords) || touches_high_registers(i.code, i.halfwords));
    return i;
}

static struct instruction plain_instruction(uint64_t *state, cpu_random_filter *valid)
{
    return random_instruction(state, plain_encodings, sizeof plain_encodings / sizeof *plain_encodings,
                              valid);
}

/* Bit 21 of LDRD, STRD, VPUSH and bit 8 of the 8-bit offset forms write r10 back. */
static struct instruction memory_instruction(uint64_t *state, cpu_random_filter *valid)
{
    struct instruction i = random_instruction(state, memory_encodings,
                                              sizeof memory_encodings / sizeof *memory_encodings, valid);

    i.uses_low_base = i.halfwords == 1 && i.code >> 11 != 9;
    if (i.code >> 25 == 0x74 || i.code >> 24 == 0xED)
        i.writes_base = i.code >> 21 & 1;
    else
        i.writes_base = (i.code & 0xFE000900u) == 0xF8000900u && (i.code >> 16 & 15) == BASE;
    return i;
}

/* ---- Code ---- */

struct code {
    uint8_t *bytes;
    size_t size;
    size_t length;
    bool overflow;
};

static void halfword(struct code *out, uint32_t value)
{
    if (out->length + 2 > out->size) {
        out->overflow = true;
        return;
    }
    out->bytes[out->length++] = (uint8_t)value;
    out->bytes[out->length++] = (uint8_t)(value >> 8);
}

static void word(struct code *out, uint32_t value)
{
    halfword(out, value & 0xFFFF);
    halfword(out, value >> 16);
}

static void wide(struct code *out, uint32_t code)
{
    halfword(out, code >> 16);
    halfword(out, code & 0xFFFF);
}

static uint32_t move_wide(uint32_t opcode, unsigned d, uint32_t imm16)
{
    return opcode | (imm16 >> 12 & 15) << 16 | (imm16 >> 11 & 1) << 26 | (imm16 >> 8 & 7) << 12 | d << 8 |
           (imm16 & 0xFF);
}

static void load_constant(struct code *out, unsigned d, uint32_t value)
{
    wide(out, move_wide(0xF2400000, d, value & 0xFFFF)); /* movw */
    wide(out, move_wide(0xF2C00000, d, value >> 16));    /* movt */
}

static void emit(struct code *out, const struct instruction *i)
{
    if (i->uses_index)
        wide(out, 0xF007070F); /* and r7, r7, #15 */
    if (i->uses_low_base)
        halfword(out, 0x4656); /* mov r6, r10 */
    if (i->halfwords == 2)
        wide(out, i->code);
    else
        halfword(out, i->code);
    if (i->writes_base) {
        wide(out, 0xEA88080A); /* eor r8, r8, r10 */
        load_constant(out, BASE, WINDOW_MIDDLE);
    }
}

/* A random mask and condition; AL has no `else`. */
static unsigned emit_it(struct code *out, uint64_t *state)
{
    unsigned count = 1 + below(state, 4), condition = below(state, 14);
    uint32_t mask = (below(state, 16) & (0xFu << (5 - count) & 0xF)) | 1u << (4 - count);

    halfword(out, 0xBF00 | condition << 4 | mask);
    return count;
}

static void emit_it_block(struct code *out, uint64_t *state, cpu_random_filter *valid)
{
    unsigned left = emit_it(out, state);

    while (left) {
        struct instruction i = plain_instruction(state, valid);
        if (!suits_it(&i))
            continue;
        emit(out, &i);
        left--;
    }
}

/* A branch over one 32-bit instruction. */
static void emit_skip(struct code *out, uint64_t *state, cpu_random_filter *valid)
{
    struct instruction i = plain_instruction(state, valid);

    switch (below(state, 3)) {
    case 0: halfword(out, 0xD001 | below(state, 14) << 8); break;                   /* B T1 */
    case 1: halfword(out, 0xB108 | below(state, 2) << 11 | below(state, 8)); break; /* CBZ, CBNZ */
    default: wide(out, 0xF0008002u | below(state, 14) << 22); break;                /* B T3 */
    }
    while (i.halfwords != 2)
        i = plain_instruction(state, valid);
    emit(out, &i);
}

static void emit_body(struct code *out, uint64_t *state, cpu_random_filter *valid)
{
    for (unsigned n = 0; n < CPU_RANDOM_INSTRUCTIONS;) {
        struct instruction i;
        if (below(state, IT_CHANCE) == 0) {
            emit_it_block(out, state, valid);
            n += 4;
            continue;
        }
        if (below(state, SKIP_CHANCE) == 0) {
            emit_skip(out, state, valid);
            n += 2;
            continue;
        }
        i = below(state, MEMORY_CHANCE) == 0 ? memory_instruction(state, valid)
                                             : plain_instruction(state, valid);
        emit(out, &i);
        n++;
    }
}

/*
 * Registers are stored at r11, dumped to the console as 8 letters a word, A to
 * P, and then execution goes on at SP.
 */
static void emit_dump(struct code *out)
{
    static const uint16_t code[] = {
        0xE8AB,
        0x07FF, /* stmia r11!, {r0-r10} */
        0xF84B,
        0xCB04, /* str r12, [r11], #4 */
        0xF84B,
        0xEB04, /* str lr, [r11], #4 */
        0xF3EF,
        0x8000, /* mrs r0, apsr */
        0xF84B,
        0x0B04, /* str r0, [r11], #4 */
        0xEEF1,
        0x0A10, /* vmrs r0, fpscr */
        0xF84B,
        0x0B04, /* str r0, [r11], #4 */
        0xECAB,
        0x0A20, /* vstmia r11!, {s0-s31} */
        0x4C0C, /* ldr r4, =STATE */
        0x4D0D, /* ldr r5, =DUMP_AT */
        0x2600 | CPU_RANDOM_WORDS,
        0x6820, /* 1: ldr r0, [r4] */
        0x3404, /* adds r4, #4 */
        0x2108, /* movs r1, #8 */
        0x0F02, /* 2: lsrs r2, r0, #28 */
        0x3241, /* adds r2, #'A' */
        0x702A, /* strb r2, [r5] */
        0x3501, /* adds r5, #1 */
        0x0100, /* lsls r0, r0, #4 */
        0x3901, /* subs r1, #1 */
        0xD1F8, /* bne 2b */
        0x3E01, /* subs r6, #1 */
        0xD1F3, /* bne 1b */
        0x220A, /* movs r2, #'\n' */
        0x702A, /* strb r2, [r5] */
        0x2200, /* movs r2, #0 */
        0x706A, /* strb r2, [r5, #1] */
        0x2004, /* movs r0, #SYS_WRITE0 */
        0x4903, /* ldr r1, =DUMP_AT */
        0xBEAB, /* bkpt 0xab */
        0xF10D,
        0x0801, /* add r8, sp, #1 */
        0x4740, /* bx r8 */
    };

    for (size_t i = 0; i < sizeof code / sizeof *code; i++)
        halfword(out, code[i]);
}

static void align(struct code *out)
{
    if (out->length & 2)
        halfword(out, 0xBF00);
}

static void patch(struct code *out, size_t at, const struct code *with)
{
    if (!out->overflow)
        memcpy(out->bytes + at, with->bytes, with->length);
}

/* Loads a constant that is not known yet: returns where. */
static size_t reserve_constant(struct code *out)
{
    size_t at = out->length;

    wide(out, 0);
    wide(out, 0);
    return at;
}

static void fix_constant(struct code *out, size_t at, unsigned d, uint32_t value)
{
    uint8_t bytes[8];
    struct code fixed = {.bytes = bytes, .size = sizeof bytes};

    load_constant(&fixed, d, value);
    patch(out, at, &fixed);
}

static uint32_t address_of(size_t offset)
{
    return 0x08000000u + (uint32_t)offset;
}

/* The registers' first values: s0-s31, FPSCR, APSR, r12, lr, r0-r9 */
static void emit_values(struct code *out, uint64_t *state)
{
    static const uint32_t fp_modes[] = {0,        0,        0,        0x10,     1u << 22,
                                        2u << 22, 3u << 22, 1u << 24, 1u << 25, 1u << 26};

    for (unsigned i = 0; i < 32; i++)
        word(out, interesting_word(state));
    word(out, fp_modes[below(state, sizeof fp_modes / sizeof *fp_modes)]);
    word(out, (uint32_t)random64(state) & 0xF80F0000u);
    for (unsigned i = 0; i < 12; i++)
        word(out, interesting_word(state));
}

static void emit_block(struct code *out, uint64_t seed, uint32_t dump, cpu_random_filter *valid)
{
    static const uint32_t load[] = {
        0xECBB0A20, /* vldmia r11!, {s0-s31} */
        0xF85B0B04, /* ldr r0, [r11], #4 */
        0xEEE10A10, /* vmsr fpscr, r0 */
        0xF85B0B04, /* ldr r0, [r11], #4 */
        0xF3808C00, /* msr apsr_nzcvqg, r0 */
        0xF85BCB04, /* ldr r12, [r11], #4 */
        0xF85BEB04, /* ldr lr, [r11], #4 */
        0xE89B03FF, /* ldmia r11, {r0-r9} */
    };
    size_t values = reserve_constant(out), end;

    end = reserve_constant(out);
    halfword(out, 0x46E5); /* mov sp, r12 */
    for (size_t i = 0; i < sizeof load / sizeof *load; i++)
        wide(out, load[i]);
    load_constant(out, BASE, WINDOW_MIDDLE);
    emit_body(out, &seed, valid);
    load_constant(out, 11, STATE);
    align(out);
    /* ldr pc, [pc, #0]: the dump */
    wide(out, 0xF8DFF000);
    word(out, dump | 1);
    fix_constant(out, values, 11, address_of(out->length));
    emit_values(out, &seed);
    fix_constant(out, end, 12, address_of(out->length));
}

static void emit_exit(struct code *out)
{
    halfword(out, 0x2018); /* movs r0, #SYS_EXIT */
    load_constant(out, 1, 0x20026);
    halfword(out, 0xBEAB);
    halfword(out, 0xE7FE);
}

static uint64_t block_seed(uint64_t seed, unsigned block)
{
    uint64_t state = seed * 0x100000001B3u + block;
    return random64(&state);
}

/* Any fault ends the program with a status of its own. */
static void emit_start(struct code *out)
{
    enum { VECTORS = 16, FAULT = 4 * VECTORS, START = FAULT + 12 };

    word(out, 0x20018000);
    word(out, address_of(START) | 1);
    for (unsigned i = 2; i < VECTORS; i++)
        word(out, address_of(FAULT) | 1);
    halfword(out, 0x2018); /* movs r0, #SYS_EXIT */
    halfword(out, 0x2100); /* movs r1, #0 */
    halfword(out, 0xBEAB);
    halfword(out, 0xE7FE);
    word(out, 0);
    load_constant(out, 0, 0xE000ED88); /* CPACR: FPU on */
    wide(out, 0xF44F0170);             /* mov r1, #0xF00000 */
    halfword(out, 0x6001);             /* str r1, [r0] */
    wide(out, 0xF3BF8F4F);
    wide(out, 0xF3BF8F6F);
    load_constant(out, 0, WINDOW); /* clear the memory */
    halfword(out, 0x2100);
    halfword(out, 0x2248);
    halfword(out, 0xC002); /* 1: stmia r0!, {r1} */
    halfword(out, 0x3A01);
    halfword(out, 0xD1FC);
}

size_t cpu_random_program(uint8_t *image, size_t size, uint64_t seed, unsigned blocks,
                          cpu_random_filter *valid)
{
    struct code out = {.bytes = image, .size = size};
    uint32_t dump;
    size_t skip;

    emit_start(&out);
    skip = reserve_constant(&out);
    halfword(&out, 0x4700); /* bx r0 */
    align(&out);
    dump = address_of(out.length);
    emit_dump(&out);
    halfword(&out, 0xBF00);
    word(&out, STATE);
    word(&out, DUMP_AT);
    fix_constant(&out, skip, 0, address_of(out.length) | 1);
    for (unsigned i = 0; i < blocks; i++)
        emit_block(&out, block_seed(seed, i), dump, valid);
    emit_exit(&out);
    return out.overflow ? 0 : out.length;
}

void cpu_random_describe(uint64_t seed, unsigned block, cpu_random_filter *valid, char *text, size_t size)
{
    uint8_t bytes[1024];
    struct code out = {.bytes = bytes, .size = sizeof bytes};
    uint64_t state = block_seed(seed, block);
    size_t used = 0;

    emit_body(&out, &state, valid);
    text[0] = '\0';
    for (size_t i = 0; i + 1 < out.length && used + 6 < size; i += 2)
        used += (size_t)snprintf(text + used, size - used, "%02x%02x ", bytes[i + 1], bytes[i]);
}
