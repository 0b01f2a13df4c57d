#include "cpu_rows.h"

#include <stdio.h>
#include <stdlib.h>

struct name_shape {
    const char *part; /* of the row's name; NULL: all that no line before fits */
    enum cpu_shape shape;
};

static const struct name_shape data_shapes[] = {
    {"CMP", SHAPE_COMPARE},
    {"CMN", SHAPE_COMPARE},
    {"TST", SHAPE_COMPARE},
    {"TEQ", SHAPE_COMPARE},
    {"ADD (register) T2", SHAPE_HIGH},
    {"MOV (register) T1", SHAPE_HIGH},
    {NULL, SHAPE_PLAIN},
};
static const struct name_shape memory_shapes[] = {
    {"LDREX", SHAPE_LOAD_EXCLUSIVE},
    {"STREX", SHAPE_STORE_EXCLUSIVE},
    {"(literal)", SHAPE_LITERAL},
    {"(register)", SHAPE_INDEX},
    {"LDRD", SHAPE_DUAL},
    {"STRD", SHAPE_DUAL},
    {"post-indexed", SHAPE_BASE},
    {"STMDB", SHAPE_DOWN},
    {"LDMDB", SHAPE_DOWN},
    {"PUSH T1", SHAPE_DOWN},
    {"POP", SHAPE_BASE},
    {"LDM", SHAPE_BASE},
    {"STM", SHAPE_BASE},
    {NULL, SHAPE_OFFSET},
};
static const struct name_shape branch_shapes[] = {
    {"BX", SHAPE_BRANCH_REGISTER},
    {"BLX", SHAPE_BRANCH_REGISTER},
    {"CBZ", SHAPE_COMPARE_BRANCH},
    {"CPS", SHAPE_CPS},
    {"BKPT", SHAPE_BREAKPOINT},
    {"NOP", SHAPE_NOTHING},
    {"YIELD", SHAPE_NOTHING},
    {"WFE", SHAPE_WAIT_EVENT},
    {"WFI", SHAPE_WAIT_INTERRUPT},
    {"SEV", SHAPE_NOTHING},
    {"hint", SHAPE_NOTHING},
    {"IT", SHAPE_IT},
    {"UDF", SHAPE_TRAP},
    {"SVC", SHAPE_TRAP},
    {"B T1", SHAPE_BRANCH_NEAR},
    {"B T2", SHAPE_BRANCH_NEAR},
    {"TBB", SHAPE_TABLE_BRANCH},
    {"TBH", SHAPE_TABLE_BRANCH},
    {"MSR", SHAPE_MSR},
    {"MRS", SHAPE_MRS},
    {"CLREX", SHAPE_NOTHING},
    {"DSB", SHAPE_NOTHING},
    {"DMB", SHAPE_NOTHING},
    {"ISB", SHAPE_NOTHING},
    {"B T3", SHAPE_BRANCH_FAR},
    {"B T4", SHAPE_BRANCH_FAR},
    {"BL", SHAPE_BRANCH_FAR},
    {"coprocessor", SHAPE_TRAP},
    {0},
};
static const struct name_shape float_shapes[] = {{NULL, SHAPE_NOTHING}};
static const struct name_shape float_move_shapes[] = {
    {"core register", SHAPE_CORE}, {"scalar", SHAPE_CORE},    {"VMRS", SHAPE_CORE},
    {"VMSR", SHAPE_NOTHING},       {"VLDR", SHAPE_FP_SINGLE}, {"VSTR", SHAPE_FP_SINGLE},
    {"VLDM", SHAPE_FP_LIST},       {"VSTM", SHAPE_FP_LIST},   {0},
};

static const struct table {
    const struct encoding *rows;
    unsigned halfwords;
    const struct name_shape *shapes;
} tables[] = {
    {data16_encodings, 1, data_shapes},     {bits16_encodings, 1, data_shapes},
    {memory16_encodings, 1, memory_shapes}, {branch16_encodings, 1, branch_shapes},
    {memory32_encodings, 2, memory_shapes}, {branch32_encodings, 2, branch_shapes},
    {data32_encodings, 2, data_shapes},     {bits32_encodings, 2, data_shapes},
    {multiply_encodings, 2, data_shapes},   {simd_encodings, 2, data_shapes},
    {float_encodings, 2, float_shapes},     {float_move_encodings, 2, float_move_shapes},
};
enum { TABLES = sizeof tables / sizeof *tables };

static struct cpu_row all[CPU_ROWS_MAX];
static size_t all_count;

static enum cpu_shape shape_of(const struct encoding *encoding, const struct name_shape *shapes)
{
    for (; shapes->part; shapes++) {
        if (strstr(encoding->name, shapes->part))
            return shapes->shape;
    }
    if (shapes->shape == SHAPE_PLAIN &&
        shapes != data_shapes + sizeof data_shapes / sizeof *data_shapes - 1) {
        fprintf(stderr, "no shape for the encoding %s\n", encoding->name);
        abort();
    }
    return shapes->shape;
}

static void collect(void)
{
    for (size_t i = 0; i < TABLES; i++) {
        for (const struct encoding *row = tables[i].rows; row->decode; row++) {
            if (all_count == CPU_ROWS_MAX)
                abort();
            all[all_count++] = (struct cpu_row){row, tables[i].halfwords, shape_of(row, tables[i].shapes)};
        }
    }
}

size_t cpu_rows(const struct cpu_row **rows)
{
    if (all_count == 0)
        collect();
    *rows = all;
    return all_count;
}

const struct cpu_row *cpu_row_of(uint32_t code, unsigned halfwords, uint32_t pc, struct op *op)
{
    const struct cpu_row *rows;
    size_t count = cpu_rows(&rows);

    for (size_t i = 0; i < count; i++) {
        const struct encoding *row = rows[i].encoding;
        if (rows[i].halfwords != halfwords || (code & row->mask) != row->value)
            continue;
        *op = (struct op){.pc = pc, .code = code, .length = (uint8_t)halfwords, .cycles = 1};
        return row->decode(op, code, row) || rows[i].shape == SHAPE_TRAP ? &rows[i] : NULL;
    }
    return NULL;
}
