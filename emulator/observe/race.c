#include "observe/race.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/engine.h"
#include "cpu/watch.h"
#include "host/backtrace.h"
#include "observe/tasks.h"

enum {
    NOBODY = 31,  /* an interrupt that is no task's */
    UNKNOWN = 32, /* one of a dispatcher's tasks: which one is told when the next one starts */
    ABOVE_ALL = TASK_LEVELS,
    TEXT_MAX = 400,
};

struct race {
    struct cpu_watch watch;
    struct tasks tasks;
    struct symbols *symbols;
    uint8_t *classes;                /* 1 + the resource's index, for each byte of SRAM */
    bool started;                    /* INIT is over: interrupts have been let in */
    uint8_t running[CPU_EXCEPTIONS]; /* the task that an exception runs */
    uint32_t entries[TASKS_MAX];     /* where the bodies of software tasks begin */
};

/* ---- Who runs, and how high ---- */

static int level_of(const struct cpu *c)
{
    int priority = exception_execution_priority(c);
    return priority < 0 ? ABOVE_ALL : priority > 0xFF ? 0 : 16 - (priority >> 4);
}

static bool is_fault(unsigned exception)
{
    return exception >= EXCEPTION_NMI && exception <= EXCEPTION_USAGEFAULT;
}

static unsigned running(const struct race *r, const struct cpu *c)
{
    return c->exception == EXCEPTION_NONE ? TASK_IDLE : r->running[c->exception];
}

static bool enabled(const struct cpu *c, unsigned exception)
{
    return c->enabled[exception / 32] >> exception % 32 & 1;
}

/*
 * kernel_start() has enabled all interrupts of the table, run INIT and lets the interrupts in. One that is
 * being served has been let in: a snapshot may have been taken then.
 */
static bool lets_in(const struct race *r, const struct cpu *c)
{
    bool masked = c->primask || c->faultmask || c->exception != EXCEPTION_NONE;
    if (masked && c->exception < EXCEPTION_IRQ0) {
        return false;
    }
    for (size_t i = 0; i < TASKS_MAX; i++) {
        if (r->tasks.task[i].name != NULL && !enabled(c, r->tasks.task[i].exception)) {
            return false;
        }
    }
    return enabled(c, r->tasks.timer);
}

/* ---- What is denied now ---- */

static bool is_user(const struct resource *resource, unsigned task)
{
    return task == UNKNOWN || (resource->users >> task & 1);
}

static bool allows(const struct resource *resource, unsigned task, int level, bool write)
{
    if (!is_user(resource, task)) {
        return false;
    }
    return resource->kind == RESOURCE_READ_ONLY ? !write : level >= (int)resource->ceiling;
}

/* Up to where nothing is denied. */
static uint32_t direct_bytes(const struct race *r, uint64_t denied)
{
    uint32_t bytes = SRAM_SIZE;
    for (size_t i = 0; i < r->tasks.resource_count; i++) {
        const struct resource *resource = &r->tasks.resource[i];
        if ((denied >> (i + 1) & 1) && resource->address - SRAM_BASE < bytes) {
            bytes = resource->address - SRAM_BASE;
        }
    }
    return bytes;
}

static void deny(struct race *r, unsigned how, uint64_t classes)
{
    r->watch.denied[how] = classes;
    r->watch.direct_bytes[how] = classes == 0 ? SRAM_SIZE : direct_bytes(r, classes);
}

static void changed(void *context, struct machine *m)
{
    struct race *r = context;
    const struct cpu *c = &m->cpu;
    uint64_t denied[WATCH_ACCESSES] = {0};
    r->started = r->started || lets_in(r, c);
    if (r->started) {
        unsigned task = running(r, c);
        int level = level_of(c);
        for (size_t i = 0; i < r->tasks.resource_count; i++) {
            const struct resource *resource = &r->tasks.resource[i];
            bool load = is_fault(c->exception) || allows(resource, task, level, false);
            denied[WATCH_LOAD] |= (uint64_t)!load << (i + 1);
            denied[WATCH_STORE] |= (uint64_t)!allows(resource, task, level, true) << (i + 1);
        }
    }
    deny(r, WATCH_LOAD, denied[WATCH_LOAD]);
    deny(r, WATCH_STORE, denied[WATCH_STORE]);
}

static void forget_dispatched(struct race *r)
{
    r->started = false;
    for (size_t i = 1; i < TASK_LEVELS; i++) {
        unsigned users = 0;
        for (size_t t = 0; t < TASKS_MAX; t++) {
            const struct task *task = &r->tasks.task[t];
            if (task->name != NULL && !task->hardware && task->priority == i) {
                r->running[task->exception] = users++ == 0 ? (uint8_t)t : UNKNOWN;
            }
        }
    }
}

static void was_reset(void *context)
{
    forget_dispatched(context);
}

/* A software task begins. A priority's only task is known without, and may be inlined. */
static void entered(void *context, struct machine *m, uint32_t pc)
{
    struct race *r = context;
    for (size_t t = 0; t < TASKS_MAX; t++) {
        const struct task *task = &r->tasks.task[t];
        if (task->name != NULL && task->body == pc && task->exception == m->cpu.exception) {
            r->running[task->exception] = (uint8_t)t;
            memory_path_changed(m);
        }
    }
}

/* ---- What is told ---- */

struct text {
    char *at;
    size_t room;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(t->at, t->room, format, arguments);
    va_end(arguments);
    size_t taken = length < 0 ? 0 : (size_t)length < t->room ? (size_t)length : t->room - 1;
    t->at += taken;
    t->room -= taken;
}

static void add_task(struct text *t, const struct race *r, unsigned number)
{
    const struct task *task = &r->tasks.task[number];
    add(t, number == TASK_IDLE ? "IDLE" : "task %s (priority %u)", task->name, (unsigned)task->priority);
}

static void add_who(struct text *t, const struct race *r, const struct cpu *c)
{
    unsigned number = running(r, c);
    if (number == TASK_IDLE || number < TASKS_MAX) {
        add_task(t, r, number);
    } else if (number == UNKNOWN) {
        add(t, "a task in interrupt %u", (unsigned)c->exception - EXCEPTION_IRQ0);
    } else if (c->exception >= EXCEPTION_IRQ0) {
        add(t, "the handler of interrupt %u, which is no task,", (unsigned)c->exception - EXCEPTION_IRQ0);
    } else {
        add(t, "the handler of exception %u, which is no task,", (unsigned)c->exception);
    }
}

/* The highest user but the one who runs; 32: there is none. */
static unsigned other_user(const struct race *r, const struct resource *resource, unsigned except)
{
    unsigned best = UNKNOWN;
    for (unsigned i = 0; i <= TASK_IDLE; i++) {
        if ((resource->users >> i & 1) && i != except && r->tasks.task[i].name != NULL &&
            (best == UNKNOWN || r->tasks.task[i].priority > r->tasks.task[best].priority)) {
            best = i;
        }
    }
    return best;
}

/* Which of the two can come between the other's accesses. */
static void add_collision(struct text *t, const struct race *r, const struct resource *resource,
                          const struct cpu *c)
{
    unsigned other = other_user(r, resource, running(r, c));
    if (other == UNKNOWN) {
        return;
    }
    int priority = (int)r->tasks.task[other].priority, level = level_of(c);
    add(t, "; ");
    add_task(t, r, other);
    add(t, "%s",
        (int)priority > level ? ", which uses it, can interrupt"
        : priority == level   ? " uses it"
                              : " uses it, and can be interrupted by this");
}

static const char *rule(const struct resource *resource, bool user)
{
    if (user) {
        return resource->kind == RESOURCE_READ_ONLY ? "but it is read-only after INIT" : "below its ceiling";
    }
    switch (resource->kind) {
    case RESOURCE_LOCAL: return "but it is another task's own (LOCAL_RESOURCES)";
    case RESOURCE_READ_ONLY: return "but is none of its users (READ_ONLY_RESOURCES)";
    case RESOURCE_LOCK_FREE: return "but is none of its users (LOCK_FREE_RESOURCES)";
    case RESOURCE_LOCKED: break;
    }
    return "but is none of its users (RESOURCES)";
}

/* What calls tasks says nothing. */
static bool is_dispatcher(const char *place)
{
    return strncmp(place, "kernel_dispatch ", 16) == 0 || strncmp(place, "kernel_run_ready ", 17) == 0;
}

/* The access may stand in a function that many call, memcpy for one. */
static void add_caller(struct text *t, const struct race *r, struct machine *m)
{
    struct backtrace_frame frames[BACKTRACE_MAX];
    char place[TEXT_MAX / 2] = "";
    if (backtrace_unwind(m, r->symbols, m->cpu.r, frames) > 1 && !frames[1].interrupted) {
        symbols_describe(r->symbols, frames[1].place, place, sizeof place);
    }
    if (place[0] != '\0' && !is_dispatcher(place)) {
        add(t, "; called by %s", place);
    }
}

static void touched(void *context, struct machine *m, uint32_t address, bool write)
{
    struct race *r = context;
    const struct cpu *c = &m->cpu;
    const struct resource *resource = &r->tasks.resource[r->classes[address - SRAM_BASE] - 1];
    char what[TEXT_MAX];
    struct text t = {.at = what, .room = sizeof what};
    add_who(&t, r, c);
    add(&t, " %s resource %s (byte %u of %u) at priority %d, ", write ? "writes" : "reads", resource->name,
        (unsigned)(address - resource->address), (unsigned)resource->size, level_of(c));
    add(&t, "%s", rule(resource, is_user(resource, running(r, c))));
    add_collision(&t, r, resource, c);
    add_caller(&t, r, m);
    machine_report(m, REPORT_ERROR, "race: %s", what);
}

/* ---- Opening and closing ---- */

static size_t set_classes(struct race *r)
{
    size_t watched = 0;
    for (size_t i = 0; i < r->tasks.resource_count; i++) {
        const struct resource *resource = &r->tasks.resource[i];
        uint32_t offset = resource->address - SRAM_BASE;
        if (offset < SRAM_SIZE && resource->size <= SRAM_SIZE - offset) {
            memset(r->classes + offset, (int)(i + 1), resource->size);
            watched += resource->size > 0;
        }
    }
    return watched;
}

static int ascending(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

static void set_entries(struct race *r)
{
    memset(r->running, NOBODY, sizeof r->running);
    for (size_t i = 0; i < TASKS_MAX; i++) {
        const struct task *task = &r->tasks.task[i];
        if (task->name != NULL && task->hardware) {
            r->running[task->exception] = (uint8_t)i;
        } else if (task->name != NULL && task->body != 0) {
            r->entries[r->watch.entry_count++] = task->body;
        }
    }
    qsort(r->entries, r->watch.entry_count, sizeof r->entries[0], ascending);
}

bool race_open(struct race **race, const struct elf *elf, struct symbols *symbols, struct machine *m)
{
    *race = NULL;
    struct race *r = calloc(1, sizeof *r);
    if (r == NULL || (r->classes = calloc(SRAM_SIZE, 1)) == NULL) {
        free(r);
        return false;
    }
    if (!tasks_read(&r->tasks, elf) || set_classes(r) == 0) {
        race_close(r, m);
        return true;
    }
    r->watch = (struct cpu_watch){.context = r,
                                  .classes = r->classes,
                                  .changed = changed,
                                  .reset = was_reset,
                                  .touched = touched,
                                  .entries = r->entries,
                                  .entered = entered};
    r->symbols = symbols;
    set_entries(r);
    cpu_set_watch(m, &r->watch);
    *race = r;
    return true;
}

void race_close(struct race *r, struct machine *m)
{
    if (r == NULL) {
        return;
    }
    if (r->watch.context != NULL) {
        cpu_set_watch(m, NULL);
    }
    free(r->classes);
    free(r);
}
