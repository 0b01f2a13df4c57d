/*
 * Counts the instructions executed between the marks of bench/kernel.c and
 * holds them against their budgets.
 * usage: kernel-figures bench-kernel.elf       exit status 1: a budget is exceeded
 */
#include "cpu/observer.h"
#include "stepper.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct figure {
    const char *what;
    const char *from, *to;
    uint32_t budget; /* UINT32_MAX: none is given */
    uint32_t nth;    /* which occurrence of `from` counts */
};

static const struct figure figures[] = {
    {"lock and unlock, ceiling above the task", "mark_lock_begins", "mark_lock_ends", 4, 1},
    {"lock and unlock, ceiling at the task", "mark_own_lock_begins", "mark_own_lock_ends", 0, 1},
    {"spawn", "mark_spawn_begins", "mark_spawn_ends", 18, 1},
    {"spawn to the start of a higher task", "mark_spawn_high_begins", "mark_high_starts", 35, 1},
    {"interrupt to task", "EXTI0_IRQHandler", "mark_device_starts", 40, 1},
    {"end of task to the preempted one", "mark_high_ends", "mark_after_high", 12, 1},
    {"spawn_after", "mark_spawn_after_begins", "mark_spawn_after_ends", UINT32_MAX, 1},
    {"spawn_after, behind 8 pending", "mark_spawn_after_few_begins", "mark_spawn_after_few_ends", UINT32_MAX,
     1},
    {"spawn_after, behind 64 pending", "mark_spawn_after_many_begins", "mark_spawn_after_many_ends",
     UINT32_MAX, 1},
    {"timer expiry to task", "TIM5_IRQHandler", "mark_timed_starts", UINT32_MAX, 1},
    {"timer expiry to task, 8 pending", "TIM5_IRQHandler", "mark_timed_starts", UINT32_MAX, 2},
    {"timer expiry to task, 64 pending", "TIM5_IRQHandler", "mark_timed_starts", UINT32_MAX, 3},
};

enum { FIGURES = sizeof figures / sizeof figures[0] };

/* A mark's copies: a symbol of that name, and of that name with a suffix after a dot. */
struct mark {
    uint32_t address[8];
    size_t count;
};

struct measurement {
    struct mark from, to;
    uint32_t seen; /* how often `from` was passed */
    uint64_t started;
    bool running, done;
    uint32_t instructions;
};

static void find(const struct stepper *stepper, const char *name, struct mark *mark)
{
    size_t length = strlen(name);
    for (uint32_t i = 0; i < stepper->elf.symbol_count; i++) {
        struct elf_symbol symbol = elf_symbol_at(&stepper->elf, i);
        bool named = strncmp(symbol.name, name, length) == 0 &&
                     (symbol.name[length] == '\0' || symbol.name[length] == '.');
        if (named && mark->count < sizeof mark->address / sizeof mark->address[0])
            mark->address[mark->count++] = symbol.value & ~1u;
    }
    if (mark->count == 0) {
        (void)fprintf(stderr, "no mark %s\n", name);
        exit(EXIT_FAILURE);
    }
}

static bool at(const struct mark *mark, uint32_t pc)
{
    for (size_t i = 0; i < mark->count; i++) {
        if (mark->address[i] == pc)
            return true;
    }
    return false;
}

static struct measurement measurements[FIGURES];

static void look(struct measurement *measurement, const struct figure *figure, uint32_t pc, uint64_t now)
{
    if (at(&measurement->from, pc) && ++measurement->seen == figure->nth) {
        measurement->started = now;
        measurement->running = true;
    }
    if (at(&measurement->to, pc) && measurement->running) {
        measurement->instructions = (uint32_t)(now - measurement->started);
        measurement->running = false;
        measurement->done = true;
    }
}

static void look_at(uint32_t pc, uint64_t now)
{
    for (size_t i = 0; i < FIGURES; i++)
        look(&measurements[i], &figures[i], pc, now);
}

/* An exception's entry is no instruction: its handler begins between two steps. */
static void entered(void *context, struct machine *m, unsigned exception, uint32_t handler)
{
    (void)context;
    (void)exception;
    look_at(handler & ~1u, m->instructions);
}

static bool print(void)
{
    bool kept = true;
    for (size_t i = 0; i < FIGURES; i++) {
        const struct figure *figure = &figures[i];
        bool over = !measurements[i].done || measurements[i].instructions > figure->budget;
        (void)printf("%s %-42s %5" PRIu32, over ? "FAILED" : "ok    ", figure->what,
                     measurements[i].instructions);
        if (!measurements[i].done)
            (void)printf("  never came to its end");
        else if (figure->budget != UINT32_MAX)
            (void)printf("  budget %" PRIu32, figure->budget);
        (void)printf("\n");
        kept = kept && !over;
    }
    return kept;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: %s bench-kernel.elf\n", argv[0]);
        return 2;
    }
    struct stepper stepper;
    stepper_open(&stepper, argv[1]);
    for (size_t i = 0; i < FIGURES; i++) {
        find(&stepper, figures[i].from, &measurements[i].from);
        find(&stepper, figures[i].to, &measurements[i].to);
    }
    struct mark end = {.count = 0};
    find(&stepper, "mark_the_end", &end);
    const struct cpu_observer observer = {.entered = entered};
    cpu_observe(stepper.machine, &observer);
    while (stepper_step(&stepper) && !at(&end, stepper_pc(&stepper)))
        look_at(stepper_pc(&stepper), stepper.machine->instructions);
    bool kept = print();
    stepper_close(&stepper);
    return kept ? EXIT_SUCCESS : EXIT_FAILURE;
}
