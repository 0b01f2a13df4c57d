/* The core: creation, reset, and the loop that runs instructions. */
#include "debug.h"
#include "engine.h"
#include "observer.h"
#include "watch.h"

bool cpu_create(struct machine *m)
{
    uint8_t *state = (uint8_t *)&m->cpu.engine + sizeof m->cpu.engine;
    size_t size = sizeof m->cpu - (size_t)(state - (uint8_t *)&m->cpu);

    if (!engine_create(m)) {
        engine_destroy(m);
        return false;
    }
    systick_create(m);
    dwt_create(m);
    machine_register_state(m, "cpu", state, size);
    return true;
}

void cpu_destroy(struct machine *m)
{
    engine_destroy(m);
}

/* B1.5.5. Interrupt lines keep their level: the devices drive them. */
void cpu_reset(struct machine *m)
{
    struct cpu *c = &m->cpu;
    struct cpu_engine *engine = c->engine;
    uint32_t line[CPU_EXCEPTION_WORDS], sp = 0, pc = 0;

    memcpy(line, c->line, sizeof line);
    memset(c, 0, sizeof *c);
    memcpy(c->line, line, sizeof line);
    memcpy(c->pending, line, sizeof line);
    c->engine = engine;
    engine->it_executing = 0;
    c->ccr = CCR_STKALIGN;
    c->fpccr = FPCCR_ASPEN | FPCCR_LSPEN;
    c->enabled[0] = 1u << EXCEPTION_NMI | 1u << EXCEPTION_HARDFAULT | 1u << EXCEPTION_SVCALL |
                    1u << EXCEPTION_PENDSV | 1u << EXCEPTION_SYSTICK;
    systick_reset(m);
    dwt_reset(m);
    mpu_forget(m);
    engine_map_alias(m);
    memory_watch_reset(m);
    if (!memory_word_read(m, 0, &sp) || !memory_word_read(m, 4, &pc))
        sp = pc = 0;
    c->r[13] = sp & ~3u;
    c->r[14] = 0xFFFFFFFF;
    c->r[15] = pc & ~1u;
    c->thumb = pc & 1;
    c->attention = ATTEND_EXCEPTION;
    if (engine->observer && engine->observer->reset)
        engine->observer->reset(engine->observer->context, m, c->r[15]);
}

void cpu_state_replaced(struct machine *m)
{
    cpu_code_written(m, FLASH_BASE, FLASH_SIZE);
    cpu_code_written(m, SRAM_BASE, SRAM_SIZE);
    engine_map_alias(m);
    mpu_forget(m);
    m->cpu.engine->it_executing = 0;
    m->cpu.attention |= ATTEND_EXCEPTION;
    memory_watch_reset(m);
    if (m->cpu.engine->observer && m->cpu.engine->observer->reset)
        m->cpu.engine->observer->reset(m->cpu.engine->observer->context, m, m->cpu.r[15]);
}

uint32_t cpu_xpsr(const struct cpu *c)
{
    return (c->flag_n & 0x80000000u) | (c->flag_z == 0 ? 1u << 30 : 0) | c->flag_c << 29 |
           (c->flag_v >> 31) << 28 | (uint32_t)c->flag_q << 27 | (c->itstate & 3u) << 25 |
           (c->thumb ? 1u << 24 : 0) | (uint32_t)c->flag_ge << 16 | (c->itstate & 0xFCu) << 8 | c->exception;
}

static inline const struct op *step(struct machine *m, const struct op *op)
{
    m->cpu.r[15] = op->pc;
    m->instructions++;
    m->cycles += op->cycles;
    return op->run(m, op);
}

/*
 * ITSTATE advances before the instruction, so that what follows it (SVC's
 * return address, an interrupt) finds the state of the next one; a fault goes
 * back to it_executing.
 */
static const struct op *step_in_it(struct machine *m, const struct op *op)
{
    struct cpu *c = &m->cpu;
    uint32_t n = c->flag_n, z = c->flag_z, carry = c->flag_c, v = c->flag_v;

    if (!condition_holds(c, c->itstate >> 4) && !(op->flags & OP_UNCONDITIONAL)) {
        c->r[15] = op->pc;
        c->itstate = it_advance(c->itstate);
        m->instructions++;
        m->cycles++;
        return next(op);
    }
    c->engine->it_executing = c->itstate;
    c->itstate = it_advance(c->itstate);
    if (op->flags & OP_QUIET_IN_IT) {
        op = step(m, op);
        c->flag_n = n;
        c->flag_z = z;
        c->flag_c = carry;
        c->flag_v = v;
    } else {
        op = step(m, op);
    }
    c->engine->it_executing = 0;
    return op;
}

/* The checks of an instruction's address: where its refusal leads, or NULL. */
static const struct op *check_fetch(struct machine *m, const struct op *op)
{
    struct cpu *c = &m->cpu;
    bool priv = privileged(c);

    c->r[15] = op->pc;
    if (c->mpu_guards && !(mpu_permits(m, op->pc, priv, MPU_EXECUTE) &&
                           (op->length == 1 || mpu_permits(m, op->pc + 2, priv, MPU_EXECUTE)))) {
        m->instructions++;
        m->cycles++;
        return op_fetch_denied(m, op);
    }
    if (c->demcr & DEMCR_TRCENA)
        dwt_executing(m, op->pc);
    return NULL;
}

bool cpu_wakes(const struct machine *m)
{
    const struct cpu *c = &m->cpu;

    return c->sleep == SLEEP_NONE || exception_wakes(c) || (c->sleep == SLEEP_WFE && c->event_register);
}

/* What stands before the next instruction. NULL: leave the loop with *result. */
static const struct op *attend(struct machine *m, const struct op *op, enum cpu_exit *result)
{
    struct cpu *c = &m->cpu;

    *result = CPU_EVENT;
    if (c->attention & ATTEND_STOP) {
        c->attention &= ~(uint32_t)ATTEND_STOP;
        if (m->stop != STOP_NONE || m->reset_requested)
            return NULL;
    }
    if (c->sleep != SLEEP_NONE) {
        if (!cpu_wakes(m)) {
            *result = CPU_SLEEP;
            return NULL;
        }
        if (c->sleep == SLEEP_WFE)
            c->event_register = 0;
        c->sleep = SLEEP_NONE;
        c->attention = (c->attention & ~(uint32_t)ATTEND_SLEEP) | ATTEND_EXCEPTION;
    }
    if (c->attention & ATTEND_EXCEPTION) {
        const struct op *handler = exception_take_pending(m, op->pc);
        c->attention &= ~(uint32_t)ATTEND_EXCEPTION;
        if (handler)
            return handler;
    }
    if ((c->attention & ATTEND_DEBUG) && debug_stops(m, op))
        return NULL;
    if (c->attention & ATTEND_FETCH) {
        const struct op *handler = check_fetch(m, op);
        if (handler)
            return handler;
    }
    if (c->attention & ATTEND_TIMING) {
        flash_time_fetch(m, op->pc);
        flash_time_fetch(m, next_pc(op) - 2);
    }
    if (c->itstate)
        return step_in_it(m, op);
    c->attention &= ~(uint32_t)ATTEND_IT;
    return c->attention & (ATTEND_FETCH | ATTEND_DEBUG | ATTEND_TIMING) ? step(m, op) : op;
}

void cpu_observe(struct machine *m, const struct cpu_observer *observer)
{
    m->cpu.engine->observer = observer;
}

void cpu_set_watch(struct machine *m, struct cpu_watch *watch)
{
    m->cpu.engine->watch = watch;
    cpu_code_written(m, FLASH_BASE, FLASH_SIZE); /* entries are found when they are decoded */
    cpu_code_written(m, SRAM_BASE, SRAM_SIZE);
    memory_watch_reset(m);
}

static void observe(struct machine *m, const struct op *op, const struct op *after, bool skipped)
{
    const struct cpu_observer *observer = m->cpu.engine->observer;

    if (observer->executed)
        observer->executed(observer->context, m, op, after, skipped);
}

/* Compiled twice, so that watching costs nothing while nobody does. */
static inline __attribute__((always_inline)) enum cpu_exit run(struct machine *m, const bool observed)
{
    struct cpu *c = &m->cpu;
    enum cpu_exit result = CPU_EVENT;
    const struct op *op = op_at(m, c->r[15]);

    c->attention |= ATTEND_STOP;
    if (m->debug && debug_is_watchful(m->debug))
        c->attention |= ATTEND_DEBUG;
    if (m->bus.flash_timing)
        c->attention |= ATTEND_TIMING;
    for (;;) {
        if (UNLIKELY(!op->run))
            op = op_decode(m, op);
        if (UNLIKELY(m->cycles >= m->event_cycle))
            break;
        if (UNLIKELY(c->attention)) {
            uint64_t count = m->instructions;
            bool skipped = observed && c->itstate && !condition_holds(c, c->itstate >> 4);
            const struct op *after = attend(m, op, &result);
            if (!after)
                break;
            if (observed && m->instructions != count)
                observe(m, op, after, skipped);
            op = after;
            continue;
        }
        const struct op *executed = op;
        op = step(m, op);
        if (observed)
            observe(m, executed, op, false);
    }
    c->r[15] = op->pc;
    c->attention &= ~(uint32_t)(ATTEND_STOP | ATTEND_DEBUG |
                                ATTEND_TIMING); /* set anew at the next call: no part of the state */
    return result;
}

static __attribute__((noinline)) enum cpu_exit run_observed(struct machine *m)
{
    return run(m, true);
}

enum cpu_exit cpu_run(struct machine *m)
{
    return UNLIKELY(m->cpu.engine->observer) ? run_observed(m) : run(m, false);
}
