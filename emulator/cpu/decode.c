/* Operations: where they are kept, decoded on first use, forgotten when code is written. */
#include "engine.h"
#include "peripheral.h"
#include "watch.h"

#include <stdlib.h>

static const struct encoding *const tables16[] = {data16_encodings, bits16_encodings, memory16_encodings,
                                                  branch16_encodings};
static const struct encoding *const tables32[] = {memory32_encodings, branch32_encodings,  data32_encodings,
                                                  bits32_encodings,   multiply_encodings,  simd_encodings,
                                                  float_encodings,    float_move_encodings};

/* Two operations beyond the end catch execution that runs off it. */
static bool region_create(struct code_region *region, uint32_t base, uint32_t size, uint8_t *memory)
{
    region->base = base;
    region->size = size;
    region->memory = memory;
    region->ops = calloc(size / 2 + 2, sizeof *region->ops);
    region->ops_end = region->ops ? region->ops + size / 2 + 2 : NULL;
    region->decoded = calloc(size >> CODE_PAGE_SHIFT, 1);
    return region->ops && region->decoded;
}

bool engine_create(struct machine *m)
{
    struct cpu_engine *e = calloc(1, sizeof *e);

    m->cpu.engine = e;
    return e && region_create(&e->region[REGION_FLASH], FLASH_BASE, FLASH_SIZE, m->flash) &&
           region_create(&e->region[REGION_SRAM], SRAM_BASE, SRAM_SIZE, m->sram) &&
           region_create(&e->region[REGION_ALIAS], 0, FLASH_SIZE, m->flash);
}

void engine_destroy(struct machine *m)
{
    struct cpu_engine *e = m->cpu.engine;

    if (!e)
        return;
    for (size_t i = 0; i < CODE_REGIONS; i++) {
        free(e->region[i].ops);
        free(e->region[i].decoded);
    }
    free(e);
    m->cpu.engine = NULL;
}

static struct code_region *region_of_op(struct cpu_engine *e, const struct op *op)
{
    for (size_t i = 0; i < CODE_REGIONS; i++) {
        struct code_region *region = &e->region[i];
        if (op >= region->ops && op < region->ops_end)
            return region;
    }
    return NULL;
}

uint32_t op_address(const struct machine *m, const struct op *op)
{
    const struct code_region *region = region_of_op(m->cpu.engine, op);

    return region ? region->base + 2u * (uint32_t)(op - region->ops) : op->pc;
}

static const struct op *stray(struct machine *m, uint32_t pc)
{
    struct op *op = &m->cpu.engine->stray;

    op->run = op_fetch;
    op->pc = pc;
    op->length = 1;
    op->cycles = 1;
    return op;
}

const struct op *op_at(struct machine *m, uint32_t pc)
{
    struct cpu_engine *e = m->cpu.engine;

    if (UNLIKELY(!m->cpu.thumb))
        return stray(m, pc);
    if (LIKELY(pc - FLASH_BASE < FLASH_SIZE))
        return e->region[REGION_FLASH].ops + (pc - FLASH_BASE) / 2;
    if (pc - SRAM_BASE < SRAM_SIZE)
        return e->region[REGION_SRAM].ops + (pc - SRAM_BASE) / 2;
    if (pc < e->region[REGION_ALIAS].size)
        return e->region[REGION_ALIAS].ops + pc / 2;
    return stray(m, pc);
}

/* Execute-never: the device and system regions of B3.1. CCM is no code memory either, but the bus says so. */
static bool execute_never(uint32_t address)
{
    return (address >= 0x40000000u && address < 0x60000000u) || address >= 0xA0000000u;
}

const struct op *op_fetch_denied(struct machine *m, const struct op *op)
{
    machine_report(m, REPORT_WARNING, "the MPU forbids execution at 0x%08x", op->pc);
    m->cpu.engine->fault.cfsr = CFSR_IACCVIOL;
    return cpu_fault(m);
}

const struct op *op_fetch(struct machine *m, const struct op *op)
{
    struct fault *fault = &m->cpu.engine->fault;

    if (!m->cpu.thumb)
        return cpu_usage_fault(m, CFSR_INVSTATE);
    if (m->cpu.mpu_guards && !mpu_permits(m, op->pc, privileged(&m->cpu), MPU_EXECUTE))
        return op_fetch_denied(m, op);
    machine_report(m, REPORT_WARNING, "instruction fetch from 0x%08x, which is not code memory", op->pc);
    fault->cfsr = execute_never(op->pc) ? CFSR_IACCVIOL : CFSR_IBUSERR;
    return cpu_fault(m);
}

const struct op *op_undefined(struct machine *m, const struct op *op)
{
    int digits = op->length == 2 ? 8 : 4;

    machine_report(m, REPORT_WARNING, "undefined or unpredictable instruction %0*x", digits, op->code);
    return cpu_usage_fault(m, CFSR_UNDEFINSTR);
}

static const struct encoding *find(const struct encoding *const *tables, size_t count, uint32_t code)
{
    for (size_t i = 0; i < count; i++) {
        for (const struct encoding *row = tables[i]; row->decode; row++) {
            if ((code & row->mask) == row->value)
                return row;
        }
    }
    return NULL;
}

static const struct encoding *find_encoding(uint32_t code, unsigned length)
{
    if (length == 2)
        return find(tables32, sizeof tables32 / sizeof *tables32, code);
    return find(tables16, sizeof tables16 / sizeof *tables16, code);
}

static uint32_t halfword_at(const struct code_region *region, size_t index)
{
    uint16_t half;

    memcpy(&half, region->memory + 2 * index, 2);
    return half;
}

static void mark_decoded(uint8_t *decoded, size_t index, unsigned length)
{
    size_t last = 2 * (index + length - 1);

    decoded[2 * index >> CODE_PAGE_SHIFT] = 1;
    decoded[last >> CODE_PAGE_SHIFT] = 1;
}

static void decode_at(struct code_region *region, size_t index, struct op *op)
{
    uint32_t code = halfword_at(region, index);
    unsigned length = code >= 0xE800 ? 2 : 1; /* A5.1 */
    const struct encoding *row;

    memset(op, 0, sizeof *op);
    op->pc = region->base + 2 * (uint32_t)index;
    if (2 * (index + length) > region->size) {
        op->run = op_fetch;
        return;
    }
    if (length == 2)
        code = code << 16 | halfword_at(region, index + 1);
    op->code = code;
    op->length = (uint8_t)length;
    op->cycles = 1;
    row = find_encoding(code, length);
    if (!row || !row->decode(op, code, row))
        op->run = op_undefined;
    mark_decoded(region->decoded, index, length);
}

/* ---- Functions that the watch is told of ---- */

static bool is_entry(const struct cpu_watch *watch, uint32_t pc)
{
    for (size_t i = 0; i < watch->entry_count && watch->entries[i] <= pc; i++) {
        if (watch->entries[i] == pc)
            return true;
    }
    return false;
}

/* The operation itself is decoded again, beside its place; where it leads depends on that in one case. */
const struct op *op_entry(struct machine *m, const struct op *op)
{
    const struct cpu_watch *watch = m->cpu.engine->watch;
    const struct encoding *row = find_encoding(op->code, op->length);
    struct op itself = *op;
    const struct op *after;

    if (watch)
        watch->entered(watch->context, m, op->pc);
    if (!row || !row->decode(&itself, op->code, row))
        itself.run = op_undefined;
    after = itself.run(m, &itself);
    return after == next(&itself) ? next(op) : after;
}

const struct op *op_decode(struct machine *m, const struct op *op)
{
    struct cpu_engine *e = m->cpu.engine;
    struct code_region *region = region_of_op(e, op);
    size_t index = (size_t)(op - region->ops);

    if (2 * index >= region->size)
        return stray(m, region->base + 2 * (uint32_t)index);
    decode_at(region, index, &region->ops[index]);
    if (UNLIKELY(e->watch) && is_entry(e->watch, op->pc))
        region->ops[index].run = op_entry;
    if (region->memory == m->sram) /* under either address, a store there must be noticed */
        mark_decoded(e->region[REGION_SRAM].decoded, index, 2 * index + 2 < region->size ? 2 : 1);
    if (m->bus.flash_direct < FLASH_SIZE)
        flash_fetch(m, op->pc);
    return op;
}

/*
 * Only `run` is cleared: the operation that is executing may be among those
 * forgotten, and still needs its length.
 */
static void forget_page(struct code_region *region, size_t page)
{
    size_t first = page << (CODE_PAGE_SHIFT - 1);
    size_t end = (page + 1) << (CODE_PAGE_SHIFT - 1);

    for (size_t i = first ? first - 1 : 0; i < end; i++)
        region->ops[i].run = NULL;
    region->decoded[page] = 0;
}

/* RM0090 2.4: flash, system memory or SRAM answers at address 0. */
void engine_map_alias(struct machine *m)
{
    enum { FROM_FLASH = 0, FROM_SYSTEM_MEMORY = 1, FROM_SRAM = 3 };
    struct code_region *region = &m->cpu.engine->region[REGION_ALIAS];

    switch (syscfg_memory_mode(m)) {
    case FROM_SYSTEM_MEMORY:
        region->memory = m->system_memory;
        region->size = SYSTEM_MEMORY_SIZE;
        break;
    case FROM_SRAM:
        region->memory = m->sram;
        region->size = SRAM_SIZE;
        break;
    case FROM_FLASH:
    default:
        region->memory = m->flash;
        region->size = FLASH_SIZE;
        break;
    }
    for (size_t page = 0; page < FLASH_PAGES; page++) {
        if (region->decoded[page])
            forget_page(region, page);
    }
}

static void region_written(struct code_region *region, uint32_t address, size_t length)
{
    uint64_t first = address, last = address + (uint64_t)length - 1;
    uint64_t end = region->base + (uint64_t)region->size - 1;

    if (length == 0 || last < region->base || first > end)
        return;
    first = first < region->base ? 0 : first - region->base;
    last = (last > end ? end : last) - region->base;
    for (uint64_t page = first >> CODE_PAGE_SHIFT; page <= last >> CODE_PAGE_SHIFT; page++) {
        if (region->decoded[page])
            forget_page(region, page);
    }
}

void cpu_code_written(struct machine *m, uint32_t address, size_t length)
{
    struct cpu_engine *e = m->cpu.engine;

    region_written(&e->region[REGION_FLASH], address, length);
    region_written(&e->region[REGION_SRAM], address, length);
    if (e->region[REGION_ALIAS].memory == m->sram && address >= SRAM_BASE)
        region_written(&e->region[REGION_ALIAS], address - SRAM_BASE, length);
    else if (address >= FLASH_BASE && address - FLASH_BASE < FLASH_SIZE)
        region_written(&e->region[REGION_ALIAS], address - FLASH_BASE, length);
    else if (address < FLASH_SIZE)
        engine_map_alias(m);
}
