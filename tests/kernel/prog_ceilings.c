/* Preemption by priority, ceilings, nested locks, and every way to leave one. */
#include "tests/kernel/check.h"

#define TASKS(HARDWARE, SOFTWARE)                                                                            \
    SOFTWARE(test, 1, 1, nothing)                                                                            \
    SOFTWARE(after_return, 1, 1, nothing)                                                                    \
    HARDWARE(low, 2, EXTI0)                                                                                  \
    HARDWARE(middle, 4, EXTI1)                                                                               \
    HARDWARE(high, 6, EXTI2)                                                                                 \
    HARDWARE(top, 15, EXTI3)
#define RESOURCES(RESOURCE)                                                                                  \
    RESOURCE(own, uint32_t, test)                                                                            \
    RESOURCE(to_middle, uint32_t, test, after_return, low, middle)                                           \
    RESOURCE(to_high, uint32_t, test, low, high)                                                             \
    RESOURCE(to_top, uint32_t, test, top)
#define DISPATCHERS(DISPATCHER) DISPATCHER(1, SPI1)
#include "kernel/table.h"

KERNEL_DEFINE

TASK(low)
{
    trace('l');
    LOCK (to_middle) {
        raise_interrupt(EXTI1_IRQn); /* held off: it uses the resource */
        trace('1');
        raise_interrupt(EXTI2_IRQn); /* does not use it and is above the ceiling */
        trace('2');
    }
    trace('3');
}

TASK(middle)
{
    trace('M');
    LOCK (to_middle) {
        ++*to_middle;
        trace(basepri() == 0 ? '.' : '!'); /* its own priority is the ceiling: nothing is raised */
    }
}

TASK(high)
{
    trace('H');
}

TASK(top)
{
    trace('T');
}

static uint32_t basepri_in_own;
static uint32_t basepri_in_top;

TASK(test)
{
    CHECK("what came during INIT runs first", traced("T"));
    raise_interrupt(EXTI0_IRQn);
    CHECK("a task below the ceiling is held off until the unlock, one above preempts", traced("l1H2M.3"));

    LOCK (to_top) {
        raise_interrupt(EXTI0_IRQn);
        raise_interrupt(EXTI1_IRQn);
        raise_interrupt(EXTI2_IRQn);
        raise_interrupt(EXTI3_IRQn);
        trace('-');
    }
    /* low raises middle and high once more */
    CHECK("what was held off runs highest first", traced("-THM.l1H2M.3"));

    LOCK (own) {
        basepri_in_own = basepri();
    }
    CHECK("a lock at the task's own priority raises nothing", basepri_in_own == 0);
    LOCK (to_top) {
        basepri_in_top = basepri();
    }
    CHECK("a lock to priority 15 sets BASEPRI to 0x10", basepri_in_top == 0x10);
    CHECK("and puts back 0", basepri() == 0);

    LOCK (to_middle) {
        LOCK (to_high) {
            raise_interrupt(EXTI2_IRQn);
            raise_interrupt(EXTI1_IRQn);
            trace('1');
        }
        trace('2');
        CHECK("the inner unlock puts the outer ceiling back", basepri() == 0xC0);
    }
    trace('3');
    CHECK("nested locks release one after the other", traced("1H2M.3"));

    LOCK (to_high) {
        LOCK (to_middle) {
            CHECK("an inner lock with a lower ceiling does not lower", basepri() == 0xA0);
            raise_interrupt(EXTI2_IRQn);
            trace('1');
        }
        raise_interrupt(EXTI1_IRQn);
        trace('2');
    }
    CHECK("and the outer one holds until its end", traced("12HM."));

    LOCK (to_high) {
        raise_interrupt(EXTI2_IRQn);
        trace('1');
        if (basepri_in_own == 0)
            break;
        trace('!');
    }
    trace('2');
    CHECK("break releases", traced("1H2") && basepri() == 0);

    LOCK (to_high) {
        raise_interrupt(EXTI2_IRQn);
        trace('1');
        if (basepri_in_own == 0)
            continue;
        trace('!');
    }
    trace('2');
    CHECK("continue releases, and the block runs once", traced("1H2") && basepri() == 0);

    for (unsigned i = 0; i < 2; i++) {
        LOCK (to_middle) {
            LOCK (to_high) {
                raise_interrupt(EXTI1_IRQn);
                raise_interrupt(EXTI2_IRQn);
                trace('1');
                if (i == 1)
                    goto outside;
            }
            trace('2');
        }
        trace('3');
    }
    trace('!');
outside:
    trace('4');
    CHECK("goto out of two locks releases both", traced("1H2M.31HM.4") && basepri() == 0);

    if (spawn(after_return) < 0)
        finish(false);
    LOCK (to_middle) {
        raise_interrupt(EXTI1_IRQn);
        trace('1');
        return;
    }
    trace('!');
}

TASK(after_return)
{
    CHECK("return releases; a task of the same priority waits for the end", traced("1M."));
    CHECK("nothing stays raised", basepri() == 0);
    LOCK (to_middle) {
        CHECK("every use of the resource happened", *to_middle == 8);
    }
    finish(true);
}

INIT
{
    raise_interrupt(EXTI3_IRQn);
    LOCK (to_top) {
        *to_top = 1;
    }
    CHECK("INIT runs with interrupts masked", traced(""));
    CHECK("and spawns", spawn(test) == 0);
    CHECK("no more than there are places", spawn(test) == KERNEL_FULL);
}

int main(void)
{
    kernel_start();
}
