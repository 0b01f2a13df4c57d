/*
 * Inside the CPU: decoded operations and what the files of this folder share.
 *
 * An operation is a function and its operands, decoded from one encoding. The
 * function carries the instruction out and returns the operation that comes
 * next, which is its neighbour, or wherever a branch or an exception leads.
 */
#ifndef EMULATOR_CPU_ENGINE_H
#define EMULATOR_CPU_ENGINE_H

#include "bus.h"
#include "machine.h"

#include <string.h>

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

struct op;
typedef const struct op *op_run(struct machine *m, const struct op *op);

enum {
    OP_QUIET_IN_IT = 1,   /* a 16-bit encoding that leaves the flags alone inside an IT block */
    OP_UNCONDITIONAL = 2, /* in an IT block too: BKPT (A7.7.17) */
};

/* 32 bytes. All zero: not decoded yet. */
struct op {
    op_run *run;
    uint32_t pc;
    uint32_t imm;
    uint32_t code; /* the encoding; a 32-bit one has its first halfword on top */
    uint8_t d;     /* Rd, Rt; VFP: register number of single size */
    uint8_t n;
    uint8_t m;
    uint8_t a;      /* Ra, Rt2, or a detail of the encoding */
    uint8_t length; /* halfwords */
    uint8_t cycles;
    uint8_t flags; /* OP_* */
};

/*
 * One row of the decode table. The first row that fits an encoding decodes it;
 * `decode` returns false when the encoding is UNPREDICTABLE. `run` are the
 * variants that the decoder chooses from.
 */
struct encoding {
    const char *name;
    uint32_t mask;
    uint32_t value;
    bool (*decode)(struct op *op, uint32_t code, const struct encoding *row);
    op_run *run[4];
};

/* Tables end with a row without a decoder. 16-bit tables and 32-bit tables are apart. */
extern const struct encoding data16_encodings[];
extern const struct encoding memory16_encodings[];
extern const struct encoding branch16_encodings[];
extern const struct encoding data32_encodings[];
extern const struct encoding bits16_encodings[];
extern const struct encoding bits32_encodings[];
extern const struct encoding memory32_encodings[];
extern const struct encoding branch32_encodings[];
extern const struct encoding multiply_encodings[];
extern const struct encoding simd_encodings[];
extern const struct encoding float_encodings[];
extern const struct encoding float_move_encodings[];

enum {
    CODE_PAGE_SHIFT = 10,
    CODE_PAGE_SIZE = 1 << CODE_PAGE_SHIFT,
    FLASH_PAGES = FLASH_SIZE >> CODE_PAGE_SHIFT,
    SRAM_PAGES = SRAM_SIZE >> CODE_PAGE_SHIFT,
    CYCLES_EXCEPTION = 12,
    CYCLES_TAIL_CHAIN = 6,
    CYCLES_BRANCH = 2, /* refill, on top of the instruction's own */
};

/* Executable memory, decoded: one operation a halfword, and two for what runs off the end. */
struct code_region {
    uint32_t base;
    uint32_t size; /* of the memory that is there now */
    uint8_t *memory;
    struct op *ops;
    struct op *ops_end;
    uint8_t *decoded; /* one byte a page: something in it is decoded */
};

enum { REGION_FLASH, REGION_SRAM, REGION_ALIAS, CODE_REGIONS };

/* Why the last memory access failed; read by cpu_fault. */
struct fault {
    uint32_t cfsr; /* bits to set */
    uint32_t address;
};

enum { MPU_REGIONS = 8, MPU_GRANULE_SHIFT = 5, MPU_CACHE = 256, DWT_COMPARATORS = 4 };

/* What the MPU allows in 32 bytes, the smallest piece that it tells apart. */
struct mpu_cache {
    uint32_t tag;   /* granule + 1; 0: nothing */
    uint8_t rights; /* MPU_* */
};

struct cpu_engine {
    struct code_region region[CODE_REGIONS];
    struct mpu_cache mpu_cache[MPU_CACHE];
    bool mpu_spares_memories; /* whatever it forbids privileged code lies outside of flash and SRAM */
    struct event dwt;         /* CYCCNT reaches comparator 0 */
    struct op stray;          /* stands for whatever cannot be fetched */
    struct fault fault;
    struct cpu_fault_note note;
    uint8_t it_executing; /* ITSTATE of the instruction being executed */
    struct event systick;
    const struct cpu_observer *observer; /* NULL: nobody watches */
    struct cpu_watch *watch;             /* the same, of SRAM */
};

/* ---- CFSR, HFSR, CCR… bits (ARMv7-M B3.2) ---- */

enum {
    CFSR_IACCVIOL = 1 << 0,
    CFSR_DACCVIOL = 1 << 1,
    CFSR_MUNSTKERR = 1 << 3,
    CFSR_MSTKERR = 1 << 4,
    CFSR_MLSPERR = 1 << 5,
    CFSR_MMARVALID = 1 << 7,
    CFSR_IBUSERR = 1 << 8,
    CFSR_PRECISERR = 1 << 9,
    CFSR_UNSTKERR = 1 << 11,
    CFSR_STKERR = 1 << 12,
    CFSR_LSPERR = 1 << 13,
    CFSR_BFARVALID = 1 << 15,
    CFSR_UNDEFINSTR = 1 << 16,
    CFSR_INVSTATE = 1 << 17,
    CFSR_INVPC = 1 << 18,
    CFSR_NOCP = 1 << 19,
    CFSR_UNALIGNED = 1 << 24,
    CFSR_DIVBYZERO = 1 << 25,
    CFSR_MEMMANAGE = 0xFF,
    CFSR_BUSFAULT = 0xFF00,

    HFSR_VECTTBL = 1 << 1,
    HFSR_FORCED = 1 << 30,

    DFSR_BKPT = 1 << 1,
    DFSR_DWTTRAP = 1 << 2,

    CCR_NONBASETHRDENA = 1 << 0,
    CCR_USERSETMPEND = 1 << 1,
    CCR_UNALIGN_TRP = 1 << 3,
    CCR_DIV_0_TRP = 1 << 4,
    CCR_BFHFNMIGN = 1 << 8,
    CCR_STKALIGN = 1 << 9,

    SCR_SLEEPONEXIT = 1 << 1,
    SCR_SEVONPEND = 1 << 4,

    DEMCR_MON_EN = 1 << 16,
    DEMCR_TRCENA = 1 << 24,

    CONTROL_NPRIV = 1 << 0,
    CONTROL_SPSEL = 1 << 1,
    CONTROL_FPCA = 1 << 2,

    FPCCR_LSPACT = 1 << 0,
    FPCCR_USER = 1 << 1,
    FPCCR_THREAD = 1 << 3,
    FPCCR_HFRDY = 1 << 4,
    FPCCR_MMRDY = 1 << 5,
    FPCCR_BFRDY = 1 << 6,
    FPCCR_MONRDY = 1 << 8,
    FPCCR_LSPEN = 1 << 30,
};
#define HFSR_DEBUGEVT 0x80000000u
#define FPCCR_ASPEN   0x80000000u

/* ---- decode.c ---- */

const struct op *op_decode(struct machine *m, const struct op *op);
/* The operation at an address, or one that raises what fetching from there raises. */
const struct op *op_at(struct machine *m, uint32_t pc);
uint32_t op_address(const struct machine *m, const struct op *op);
op_run op_undefined;
op_run op_fetch;
/* Stands for the first instruction of a function that the watch wants to hear of. */
op_run op_entry;
/* Raises what the MPU's refusal of a fetch raises. */
const struct op *op_fetch_denied(struct machine *m, const struct op *op);
/* Address 0 may stand for another memory now (SYSCFG_MEMRMP). */
void engine_map_alias(struct machine *m);
bool engine_create(struct machine *m);
void engine_destroy(struct machine *m);

/* ---- notes.c: what is kept and told of faults ---- */

/* Before anything is stacked or escalated. Exceptions that are no faults are not noted. */
void note_fault(struct machine *m, unsigned exception, uint32_t pc);
/* Stacking failed; `sp` is that before it. Keeps what was noted of the exception being entered. */
void note_stacking(struct machine *m, uint32_t sp, uint32_t pc);
/* `pc` is the instruction that returned, or where it returned to. */
void note_return(struct machine *m, unsigned exception, uint32_t exc_return, uint32_t pc);
/* The exception has been entered; EXCEPTION_NONE: the core has locked up. Tells the host of faults. */
void note_taken(struct machine *m, unsigned exception);

/* ---- exception.c, nvic.c ---- */

/*
 * A synchronous exception of the instruction executing: escalates if it must,
 * stacks with the given return address and goes to the handler.
 */
const struct op *cpu_raise(struct machine *m, unsigned exception, uint32_t return_address);
/* The exception that engine->fault names, to return to the instruction executing. */
const struct op *cpu_fault(struct machine *m);
const struct op *cpu_usage_fault(struct machine *m, uint32_t cfsr);
const struct op *cpu_debug_event(struct machine *m);
/* Takes the best pending exception if it preempts; NULL: none does. */
const struct op *exception_take_pending(struct machine *m, uint32_t return_address);
/* EXC_RETURN was written to the PC in Handler mode. */
const struct op *exception_return(struct machine *m, uint32_t value);

int exception_group(const struct cpu *c, unsigned exception);
int exception_execution_priority(const struct cpu *c);
/* The best pending and enabled exception above `priority`; 0: none. */
unsigned exception_pending_above(const struct cpu *c, int priority);
bool exception_wakes(const struct cpu *c);
bool exception_is_enabled(const struct cpu *c, unsigned exception);
void exception_set_pending(struct machine *m, unsigned exception);
void exception_clear_pending(struct cpu *c, unsigned exception);
void exception_activate(struct cpu *c, unsigned exception);
void exception_deactivate(struct machine *m, unsigned exception);
bool exception_is_active(const struct cpu *c, unsigned exception);
unsigned exception_active_count(const struct cpu *c);
uint32_t exception_shcsr(const struct cpu *c);
void exception_set_shcsr(struct cpu *c, uint32_t value);

/* ---- registers.c ---- */

void cpu_set_apsr(struct cpu *c, uint32_t value);
uint32_t cpu_special_read(struct cpu *c, unsigned number);
void cpu_special_write(struct machine *m, unsigned number, unsigned mask, uint32_t value);
void cpu_select_sp(struct cpu *c, bool psp);
uint32_t cpu_msp(const struct cpu *c);
uint32_t cpu_psp(const struct cpu *c);
void cpu_set_control(struct cpu *c, uint32_t value);

/* ---- memory.c ---- */

enum { ACCESS_ALIGNED = 1, ACCESS_UNPRIVILEGED = 2 };

/* Anything but an aligned access to SRAM or flash. False: engine->fault says why. */
bool memory_read(struct machine *m, uint32_t address, unsigned bytes, unsigned flags, uint32_t *value);
bool memory_write(struct machine *m, uint32_t address, unsigned bytes, unsigned flags, uint32_t value);
/* One aligned access past the MPU and without consequences for the program: vectors. False: bus error. */
bool memory_word_read(struct machine *m, uint32_t address, uint32_t *value);
bool memory_word_write(struct machine *m, uint32_t address, uint32_t value);

/* On whose behalf a frame is stacked. */
struct stack_access {
    bool privileged;
    bool guarded; /* the MPU has a say */
};
enum stack_result { STACK_DONE, STACK_BUS_ERROR, STACK_DENIED };

struct stack_access stack_access_of(const struct cpu *c, bool is_privileged);
enum stack_result stack_read(struct machine *m, struct stack_access who, uint32_t address, uint32_t *value);
enum stack_result stack_write(struct machine *m, struct stack_access who, uint32_t address, uint32_t value);

/*
 * Something changed that decides how memory is reached: the MPU's registers,
 * the priority or privilege of execution, the DWT's comparators. The fast
 * paths of load32 and the like are open only while nothing checks.
 */
void memory_path_changed(struct machine *m);
/* The same after the whole state has changed. */
void memory_watch_reset(struct machine *m);

/* ---- mpu.c (B3.5) ---- */

/* Rights of privileged code; those of unprivileged code are UNPRIVILEGED_SHIFT higher. */
enum { MPU_READ = 1, MPU_WRITE = 2, MPU_EXECUTE = 4, UNPRIVILEGED_SHIFT = 3 };

/* Is it on at this priority of execution? B3.5.3 */
bool mpu_in_force(const struct cpu *c, bool negative_priority);
void mpu_fill_cache(struct machine *m, struct mpu_cache *entry, uint32_t address);
void mpu_forget(struct machine *m);
uint32_t mpu_read(const struct cpu *c, uint32_t offset);
void mpu_write(struct machine *m, uint32_t offset, uint32_t value);

/* ---- dwt.c, itm.c (C1.7, C1.8) ---- */

uint32_t dwt_read(struct machine *m, uint32_t address);
void dwt_write(struct machine *m, uint32_t address, uint32_t value);
/* DEMCR decides about the cycle counter and the comparators. */
void dwt_set_demcr(struct machine *m, uint32_t value);
void dwt_create(struct machine *m);
void dwt_reset(struct machine *m);
bool dwt_watches_data(const struct cpu *c);
bool dwt_watches_code(const struct cpu *c);
void dwt_data_accessed(struct machine *m, uint32_t address, unsigned bytes, bool write, uint32_t value);
void dwt_executing(struct machine *m, uint32_t pc);
uint32_t itm_read(const struct machine *m, uint32_t address);
void itm_write(struct machine *m, uint32_t address, unsigned bytes, uint32_t value);
bool itm_permits(const struct cpu *c, uint32_t address, bool write);

/* ---- scs.c, systick.c: the private peripheral bus ---- */

bool ppb_read(struct machine *m, uint32_t address, unsigned bytes, bool privileged, uint32_t *value);
bool ppb_write(struct machine *m, uint32_t address, unsigned bytes, bool privileged, uint32_t value);
uint32_t systick_read(struct machine *m, uint32_t offset);
void systick_write(struct machine *m, uint32_t offset, uint32_t value);
void systick_create(struct machine *m);
void systick_reset(struct machine *m);

/* ---- semihosting.c ---- */

const struct op *semihosting(struct machine *m, const struct op *op);

/* ---- float.c ---- */

/* Makes FP instructions possible, or returns where the exception leads. */
const struct op *fp_prepare(struct machine *m);

/* ---- exception.c, for float.c ---- */

/*
 * The lazy save of the FP state failed with `cfsr`. Where the exception leads;
 * NULL: it is pending, but must wait, and the instruction goes on.
 */
const struct op *fp_save_failed(struct machine *m, uint32_t cfsr);

/* ---- Small things for every instruction ---- */

static inline bool privileged(const struct cpu *c)
{
    return c->exception != EXCEPTION_NONE || (c->control & CONTROL_NPRIV) == 0;
}

/* For an MPU in force. */
static inline bool mpu_permits(struct machine *m, uint32_t address, bool is_privileged, unsigned right)
{
    uint32_t granule = address >> MPU_GRANULE_SHIFT;
    struct mpu_cache *entry = &m->cpu.engine->mpu_cache[granule % MPU_CACHE];

    if (UNLIKELY(entry->tag != granule + 1))
        mpu_fill_cache(m, entry, address);
    return (uint32_t)entry->rights >> (is_privileged ? 0 : UNPRIVILEGED_SHIFT) & right;
}

static inline const struct op *next(const struct op *op)
{
    return op + op->length;
}

static inline uint32_t next_pc(const struct op *op)
{
    return op->pc + 2u * op->length;
}

/* Bits 1:0 of SP are always zero. */
static inline void set_register(struct cpu *c, unsigned d, uint32_t value)
{
    static const uint32_t mask[16] = {~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u,
                                      ~0u, ~0u, ~0u, ~0u, ~0u, ~3u, ~0u, ~0u};
    c->r[d] = value & mask[d];
}

static inline void set_nz(struct cpu *c, uint32_t result)
{
    c->flag_n = result;
    c->flag_z = result;
}

/* AddWithCarry() of A2.2.1, setting all four flags. */
static inline uint32_t add_flags(struct cpu *c, uint32_t a, uint32_t b, uint32_t carry)
{
    uint64_t sum = (uint64_t)a + b + carry;
    uint32_t result = (uint32_t)sum;

    set_nz(c, result);
    c->flag_c = (uint32_t)(sum >> 32);
    c->flag_v = ~(a ^ b) & (a ^ result);
    return result;
}

static inline uint32_t bits(uint32_t value, unsigned high, unsigned low)
{
    return (value >> low) & (0xFFFFFFFFu >> (31 - (high - low)));
}

static inline int32_t sign_extend(uint32_t value, unsigned width)
{
    unsigned shift = 32 - width;
    return (int32_t)(value << shift) >> shift;
}

/* Right, by less than 32 */
static inline uint32_t rotate(uint32_t value, unsigned amount)
{
    return amount ? value >> amount | value << (32 - amount) : value;
}

/* SP and PC are UNPREDICTABLE operands of most instructions. */
static inline bool sp_or_pc(unsigned reg)
{
    return reg == 13 || reg == 15;
}

static inline bool condition_holds(const struct cpu *c, unsigned condition)
{
    bool n = c->flag_n >> 31, v = c->flag_v >> 31, z = c->flag_z == 0, result;

    switch (condition >> 1) {
    case 0: result = z; break;
    case 1: result = c->flag_c != 0; break;
    case 2: result = n; break;
    case 3: result = v; break;
    case 4: result = c->flag_c != 0 && !z; break;
    case 5: result = n == v; break;
    case 6: result = n == v && !z; break;
    default: return true;
    }
    return result != (condition & 1);
}

/* ITAdvance() of A7.3.2 */
static inline uint8_t it_advance(uint8_t itstate)
{
    uint32_t shifted = (itstate & 0xE0u) | ((uint32_t)itstate << 1 & 0x1F);

    return (itstate & 7) == 0 ? 0 : (uint8_t)shifted;
}

static inline const struct op *branch_to(struct machine *m, uint32_t address)
{
    m->cycles += CYCLES_BRANCH;
    return op_at(m, address & ~1u);
}

/* BXWritePC() of A2.3.1 */
static inline const struct op *branch_exchange(struct machine *m, uint32_t address)
{
    if (UNLIKELY(address >= 0xF0000000u) && m->cpu.exception != EXCEPTION_NONE)
        return exception_return(m, address);
    m->cpu.thumb = address & 1;
    return branch_to(m, address);
}

static inline bool load32(struct machine *m, uint32_t address, uint32_t *value)
{
    uint32_t offset = address - SRAM_BASE;

    if (LIKELY(offset < m->cpu.direct_sram_bytes && (address & 3) == 0)) {
        memcpy(value, m->sram + offset, 4);
        return true;
    }
    offset = address - FLASH_BASE;
    if (LIKELY(offset < m->bus.flash_direct && !m->cpu.guarded && (address & 3) == 0)) {
        memcpy(value, m->flash + offset, 4);
        return true;
    }
    return memory_read(m, address, 4, 0, value);
}

static inline bool load16(struct machine *m, uint32_t address, uint32_t *value)
{
    uint32_t offset = address - SRAM_BASE;
    uint16_t half;

    if (LIKELY(offset < m->cpu.direct_sram_bytes && (address & 1) == 0)) {
        memcpy(&half, m->sram + offset, 2);
        *value = half;
        return true;
    }
    offset = address - FLASH_BASE;
    if (LIKELY(offset < m->bus.flash_direct && !m->cpu.guarded && (address & 1) == 0)) {
        memcpy(&half, m->flash + offset, 2);
        *value = half;
        return true;
    }
    return memory_read(m, address, 2, 0, value);
}

static inline bool load8(struct machine *m, uint32_t address, uint32_t *value)
{
    uint32_t offset = address - SRAM_BASE;

    if (LIKELY(offset < m->cpu.direct_sram_bytes)) {
        *value = m->sram[offset];
        return true;
    }
    offset = address - FLASH_BASE;
    if (LIKELY(offset < m->bus.flash_direct && !m->cpu.guarded)) {
        *value = m->flash[offset];
        return true;
    }
    return memory_read(m, address, 1, 0, value);
}

static inline void sram_written(struct machine *m, uint32_t address, size_t bytes)
{
    if (UNLIKELY(m->cpu.engine->region[REGION_SRAM].decoded[(address - SRAM_BASE) >> CODE_PAGE_SHIFT]))
        cpu_code_written(m, address, bytes);
}

static inline bool store32(struct machine *m, uint32_t address, uint32_t value)
{
    uint32_t offset = address - SRAM_BASE;

    if (LIKELY(offset < m->cpu.direct_sram_stores && (address & 3) == 0)) {
        memcpy(m->sram + offset, &value, 4);
        sram_written(m, address, 4);
        return true;
    }
    return memory_write(m, address, 4, 0, value);
}

static inline bool store16(struct machine *m, uint32_t address, uint32_t value)
{
    uint32_t offset = address - SRAM_BASE;
    uint16_t half = (uint16_t)value;

    if (LIKELY(offset < m->cpu.direct_sram_stores && (address & 1) == 0)) {
        memcpy(m->sram + offset, &half, 2);
        sram_written(m, address, 2);
        return true;
    }
    return memory_write(m, address, 2, 0, half);
}

static inline bool store8(struct machine *m, uint32_t address, uint32_t value)
{
    uint32_t offset = address - SRAM_BASE;

    if (LIKELY(offset < m->cpu.direct_sram_stores)) {
        m->sram[offset] = (uint8_t)value;
        sram_written(m, address, 1);
        return true;
    }
    return memory_write(m, address, 1, 0, (uint8_t)value);
}

#endif
