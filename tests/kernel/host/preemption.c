/*
 * Runs tests/kernel/prog_preempt.c once for each instruction between its marks
 * and each set of interrupts, which become pending just before it.
 * usage: kernel-preemption kernel-preempt.elf
 */
#include "stepper.h"

#include <inttypes.h>
#include <stdlib.h>

enum { EXTI0 = 6, EXTI1 = 7, EXPLAINED = 10 };

static const struct set {
    const char *name;
    bool above, sharing;
} sets[] = {
    {"a task above all", true, false}, {"a task that shares the lock", false, true}, {"both", true, true}};

static void run_to(struct stepper *stepper, uint32_t pc)
{
    while (stepper_pc(stepper) != pc && stepper_step(stepper)) {
    }
}

/* Instructions between the marks, undisturbed. */
static uint32_t measure(struct stepper *stepper, uint32_t begin, uint32_t end)
{
    run_to(stepper, begin);
    uint64_t from = stepper->machine->instructions;
    run_to(stepper, end);
    return (uint32_t)(stepper->machine->instructions - from);
}

/* Whether the program found everything right. */
static bool run(struct stepper *stepper, uint32_t begin, uint32_t after, const struct set *set)
{
    stepper_restart(stepper);
    run_to(stepper, begin);
    for (uint32_t i = 0; i < after; i++) {
        if (!stepper_step(stepper))
            return false;
    }
    if (set->above)
        stepper_pend(stepper, EXTI0);
    if (set->sharing)
        stepper_pend(stepper, EXTI1);
    machine_run(stepper->machine, machine_now(stepper->machine) + VTIME_MS(100));
    return stepper->machine->stop == STOP_EXIT && stepper->machine->exit_status == 0;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: %s kernel-preempt.elf\n", argv[0]);
        return 2;
    }
    struct stepper stepper;
    stepper_open(&stepper, argv[1]);
    uint32_t begin = stepper_symbol(&stepper, "preempt_begin");
    uint32_t end = stepper_symbol(&stepper, "preempt_end");
    uint32_t count = measure(&stepper, begin, end);
    uint32_t failed = 0;
    for (size_t s = 0; s < sizeof sets / sizeof sets[0]; s++) {
        uint32_t before = failed;
        for (uint32_t after = 0; after < count; after++) {
            if (!run(&stepper, begin, after, &sets[s])) {
                if (failed++ < before + EXPLAINED)
                    (void)printf("FAILED: %s after %" PRIu32 " instructions: %s\n", sets[s].name, after,
                                 stepper.line);
            }
        }
        if (failed > before)
            (void)printf("FAILED: %s, before %" PRIu32 " of %" PRIu32 " instructions\n", sets[s].name,
                         failed - before, count);
        else
            (void)printf("ok %s, before each of %" PRIu32 " instructions\n", sets[s].name, count);
    }
    stepper_close(&stepper);
    return failed || count == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
