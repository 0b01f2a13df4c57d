/* Which exceptions are pending, active, enabled, and who preempts whom (B1.5.4, B3.4). */
#include "engine.h"

enum { PRIORITY_NONE = 256, PRIORITY_HARDFAULT = -1, PRIORITY_NMI = -2, PRIORITY_RESET = -3 };

static inline bool get(const uint32_t *set, unsigned exception)
{
    return set[exception / 32] >> (exception % 32) & 1;
}

static inline void put(uint32_t *set, unsigned exception, bool value)
{
    uint32_t bit = 1u << (exception % 32);

    set[exception / 32] = value ? set[exception / 32] | bit : set[exception / 32] & ~bit;
}

static int full_priority(const struct cpu *c, unsigned exception)
{
    switch (exception) {
    case EXCEPTION_RESET: return PRIORITY_RESET;
    case EXCEPTION_NMI: return PRIORITY_NMI;
    case EXCEPTION_HARDFAULT: return PRIORITY_HARDFAULT;
    default: return c->priority[exception];
    }
}

static int group_of(const struct cpu *c, int priority)
{
    return priority < 0 ? priority : priority & (int)(0xFFu << (c->prigroup + 1));
}

/* The part of the priority that decides about preemption. */
int exception_group(const struct cpu *c, unsigned exception)
{
    return group_of(c, full_priority(c, exception));
}

static int active_priority(const struct cpu *c)
{
    int best = PRIORITY_NONE;

    for (unsigned word = 0; word < CPU_EXCEPTION_WORDS; word++) {
        for (uint32_t set = c->active[word]; set; set &= set - 1) {
            int group = exception_group(c, word * 32 + (unsigned)__builtin_ctz(set));
            best = group < best ? group : best;
        }
    }
    return best;
}

/* ExecutionPriority() of B1.5.4 */
static int execution_priority(const struct cpu *c, bool with_primask)
{
    int priority = active_priority(c), mask = PRIORITY_NONE;

    if (c->basepri != 0)
        mask = group_of(c, c->basepri);
    if (with_primask && c->primask)
        mask = 0;
    if (c->faultmask)
        mask = PRIORITY_HARDFAULT;
    return mask < priority ? mask : priority;
}

int exception_execution_priority(const struct cpu *c)
{
    return execution_priority(c, true);
}

unsigned exception_pending_above(const struct cpu *c, int priority)
{
    unsigned best = 0;
    int best_priority = PRIORITY_NONE;

    for (unsigned word = 0; word < CPU_EXCEPTION_WORDS; word++) {
        for (uint32_t set = c->pending[word] & c->enabled[word]; set; set &= set - 1) {
            unsigned exception = word * 32 + (unsigned)__builtin_ctz(set);
            int own = full_priority(c, exception);
            if (own < best_priority) {
                best_priority = own;
                best = exception;
            }
        }
    }
    return best && group_of(c, best_priority) < priority ? best : 0;
}

/* B1.5.19: what would preempt if PRIMASK were clear ends WFI. */
bool exception_wakes(const struct cpu *c)
{
    return exception_pending_above(c, execution_priority(c, false)) != 0;
}

bool exception_is_enabled(const struct cpu *c, unsigned exception)
{
    return get(c->enabled, exception);
}

bool exception_is_active(const struct cpu *c, unsigned exception)
{
    return get(c->active, exception);
}

unsigned exception_active_count(const struct cpu *c)
{
    int count = 0;

    for (unsigned word = 0; word < CPU_EXCEPTION_WORDS; word++)
        count += __builtin_popcount(c->active[word]);
    return (unsigned)count;
}

void exception_set_pending(struct machine *m, unsigned exception)
{
    struct cpu *c = &m->cpu;

    if ((c->scr & SCR_SEVONPEND) && !get(c->pending, exception))
        c->event_register = 1;
    put(c->pending, exception, true);
    c->attention |= ATTEND_EXCEPTION;
}

/* An interrupt whose line is still high stays pending. */
void exception_clear_pending(struct cpu *c, unsigned exception)
{
    if (!get(c->line, exception) || get(c->active, exception))
        put(c->pending, exception, false);
}

void exception_activate(struct cpu *c, unsigned exception)
{
    put(c->pending, exception, false);
    put(c->active, exception, true);
}

/* DeActivate() of B1.5.8; a line that is still high pends again. */
void exception_deactivate(struct machine *m, unsigned exception)
{
    struct cpu *c = &m->cpu;

    put(c->active, exception, false);
    if (exception != EXCEPTION_NMI)
        c->faultmask = 0;
    if (get(c->line, exception))
        exception_set_pending(m, exception);
    c->attention |= ATTEND_EXCEPTION;
}

void cpu_set_irq(struct machine *m, unsigned irq, bool level)
{
    struct cpu *c = &m->cpu;
    unsigned exception = EXCEPTION_IRQ0 + irq;

    if (irq >= CPU_IRQS)
        return;
    if (level && !get(c->line, exception))
        exception_set_pending(m, exception);
    put(c->line, exception, level);
}

void cpu_set_nmi(struct machine *m)
{
    exception_set_pending(m, EXCEPTION_NMI);
}

/* ---- SHCSR (B3.2.13): bits of three sets ---- */

static const struct {
    uint8_t bit;
    uint8_t exception;
} shcsr_active[] = {{0, EXCEPTION_MEMMANAGE}, {1, EXCEPTION_BUSFAULT},     {3, EXCEPTION_USAGEFAULT},
                    {7, EXCEPTION_SVCALL},    {8, EXCEPTION_DEBUGMONITOR}, {10, EXCEPTION_PENDSV},
                    {11, EXCEPTION_SYSTICK}},
  shcsr_pending[] = {{12, EXCEPTION_USAGEFAULT},
                     {13, EXCEPTION_MEMMANAGE},
                     {14, EXCEPTION_BUSFAULT},
                     {15, EXCEPTION_SVCALL}},
  shcsr_enabled[] = {{16, EXCEPTION_MEMMANAGE}, {17, EXCEPTION_BUSFAULT}, {18, EXCEPTION_USAGEFAULT}};

#define COUNT(array) (sizeof(array) / sizeof *(array))

uint32_t exception_shcsr(const struct cpu *c)
{
    uint32_t value = 0;

    for (size_t i = 0; i < COUNT(shcsr_active); i++)
        value |= (uint32_t)get(c->active, shcsr_active[i].exception) << shcsr_active[i].bit;
    for (size_t i = 0; i < COUNT(shcsr_pending); i++)
        value |= (uint32_t)get(c->pending, shcsr_pending[i].exception) << shcsr_pending[i].bit;
    for (size_t i = 0; i < COUNT(shcsr_enabled); i++)
        value |= (uint32_t)get(c->enabled, shcsr_enabled[i].exception) << shcsr_enabled[i].bit;
    return value;
}

void exception_set_shcsr(struct cpu *c, uint32_t value)
{
    for (size_t i = 0; i < COUNT(shcsr_active); i++)
        put(c->active, shcsr_active[i].exception, value >> shcsr_active[i].bit & 1);
    for (size_t i = 0; i < COUNT(shcsr_pending); i++)
        put(c->pending, shcsr_pending[i].exception, value >> shcsr_pending[i].bit & 1);
    for (size_t i = 0; i < COUNT(shcsr_enabled); i++)
        put(c->enabled, shcsr_enabled[i].exception, value >> shcsr_enabled[i].bit & 1);
    c->attention |= ATTEND_EXCEPTION;
}
