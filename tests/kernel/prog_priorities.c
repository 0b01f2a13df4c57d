/*
 * All sixteen priorities, a task each, hardware and software in turn; a
 * resource with each of them as its ceiling; INIT, where nothing comes.
 */
#include "tests/kernel/check.h"

#define TASKS(HARDWARE, SOFTWARE)                                                                            \
    SOFTWARE(test, 1, 1, nothing)                                                                            \
    HARDWARE(b, 2, EXTI0)                                                                                    \
    SOFTWARE(c, 3, 1, nothing)                                                                               \
    HARDWARE(d, 4, EXTI1)                                                                                    \
    SOFTWARE(e, 5, 1, nothing)                                                                               \
    HARDWARE(f, 6, EXTI2)                                                                                    \
    SOFTWARE(g, 7, 1, nothing)                                                                               \
    HARDWARE(h, 8, EXTI3)                                                                                    \
    SOFTWARE(i, 9, 1, nothing)                                                                               \
    HARDWARE(j, 10, EXTI4)                                                                                   \
    SOFTWARE(k, 11, 1, nothing)                                                                              \
    HARDWARE(l, 12, I2C1_EV)                                                                                 \
    SOFTWARE(m, 13, 1, nothing)                                                                              \
    HARDWARE(n, 14, I2C1_ER)                                                                                 \
    SOFTWARE(o, 15, 1, nothing)                                                                              \
    HARDWARE(p, 16, I2C2_EV)
#define RESOURCES(RESOURCE)                                                                                  \
    RESOURCE(to_1, uint32_t, test)                                                                           \
    RESOURCE(to_2, uint32_t, test, b)                                                                        \
    RESOURCE(to_3, uint32_t, test, c)                                                                        \
    RESOURCE(to_4, uint32_t, test, d)                                                                        \
    RESOURCE(to_5, uint32_t, test, e)                                                                        \
    RESOURCE(to_6, uint32_t, test, f)                                                                        \
    RESOURCE(to_7, uint32_t, test, g)                                                                        \
    RESOURCE(to_8, uint32_t, test, h)                                                                        \
    RESOURCE(to_9, uint32_t, test, i)                                                                        \
    RESOURCE(to_10, uint32_t, test, j)                                                                       \
    RESOURCE(to_11, uint32_t, test, k)                                                                       \
    RESOURCE(to_12, uint32_t, test, l)                                                                       \
    RESOURCE(to_13, uint32_t, test, m)                                                                       \
    RESOURCE(to_14, uint32_t, test, n)                                                                       \
    RESOURCE(to_15, uint32_t, test, o)                                                                       \
    RESOURCE(to_16, uint32_t, test, p)
#define DISPATCHERS(DISPATCHER)                                                                              \
    DISPATCHER(1, SPI1)                                                                                      \
    DISPATCHER(3, SPI2)                                                                                      \
    DISPATCHER(5, SPI3)                                                                                      \
    DISPATCHER(7, DMA2_Stream7)                                                                              \
    DISPATCHER(9, I2C2_ER)                                                                                   \
    DISPATCHER(11, USART1)                                                                                   \
    DISPATCHER(13, USART2)                                                                                   \
    DISPATCHER(15, UART4)
#include "kernel/table.h"

KERNEL_DEFINE

enum { LAST = 16 };

/* Makes the task of that priority ready, from 2 on. */
static void start(unsigned priority)
{
    bool full = false;
    switch (priority) {
    case 2: raise_interrupt(EXTI0_IRQn); break;
    case 3: full = spawn(c) < 0; break;
    case 4: raise_interrupt(EXTI1_IRQn); break;
    case 5: full = spawn(e) < 0; break;
    case 6: raise_interrupt(EXTI2_IRQn); break;
    case 7: full = spawn(g) < 0; break;
    case 8: raise_interrupt(EXTI3_IRQn); break;
    case 9: full = spawn(i) < 0; break;
    case 10: raise_interrupt(EXTI4_IRQn); break;
    case 11: full = spawn(k) < 0; break;
    case 12: raise_interrupt(I2C1_EV_IRQn); break;
    case 13: full = spawn(m) < 0; break;
    case 14: raise_interrupt(I2C1_ER_IRQn); break;
    case 15: full = spawn(o) < 0; break;
    case 16: raise_interrupt(I2C2_EV_IRQn); break;
    default: break;
    }
    if (full)
        trace('!');
}

/* Each starts the next higher one, and is shown at its begin and its end. */
static volatile bool chained;

static void run(char letter, unsigned priority)
{
    trace(letter);
    if (chained) {
        start(priority + 1);
        trace((char)(letter - 'a' + 'A'));
    }
}

/* clang-format off */
TASK(b) { run('b', 2); }
TASK(c) { run('c', 3); }
TASK(d) { run('d', 4); }
TASK(e) { run('e', 5); }
TASK(f) { run('f', 6); }
TASK(g) { run('g', 7); }
TASK(h) { run('h', 8); }
TASK(i) { run('i', 9); }
TASK(j) { run('j', 10); }
TASK(k) { run('k', 11); }
TASK(l) { run('l', 12); }
TASK(m) { run('m', 13); }
TASK(n) { run('n', 14); }
TASK(o) { run('o', 15); }
TASK(p) { run('p', 16); }
/* clang-format on */

static void start_all(void)
{
    for (unsigned priority = 2; priority <= LAST; priority++)
        start(priority);
}

/* The lowest first: whoever is above the ceiling runs at once, so in that order; the others at the unlock. */
static bool ran_by_ceiling(unsigned ceiling)
{
    char expected[2 * LAST] = "";
    unsigned length = 0;
    for (unsigned priority = ceiling + 1; priority <= LAST; priority++)
        expected[length++] = (char)('a' + priority - 1);
    expected[length++] = '-';
    for (unsigned priority = ceiling; priority >= 2; priority--)
        expected[length++] = (char)('a' + priority - 1);
    return traced(expected);
}

/* Neither 1, the task's own, nor 16, for which PRIMASK stands, is in BASEPRI. */
static uint32_t basepri_of(unsigned ceiling)
{
    return ceiling == 1 || ceiling == LAST ? 0 : (LAST - ceiling) << 4;
}

#define CHECK_CEILING(level)                                                                                 \
    {                                                                                                        \
        uint32_t raised = 0;                                                                                 \
        LOCK (to_##level) {                                                                                  \
            raised = basepri();                                                                              \
            start_all();                                                                                     \
            trace('-');                                                                                      \
        }                                                                                                    \
        CHECK("ceiling " #level, ran_by_ceiling(level) && raised == basepri_of(level) && basepri() == 0);    \
    }

TASK(test)
{
    CHECK("what INIT has started runs after it, highest first", traced("ponmlkjihgfedcb"));
    chained = true;
    start(2);
    chained = false;
    CHECK("each priority preempts the one below it, and gives back to it",
          traced("bcdefghijklmnopPONMLKJIHGFEDCB"));
    CHECK_CEILING(1)
    CHECK_CEILING(2)
    CHECK_CEILING(3)
    CHECK_CEILING(4)
    CHECK_CEILING(5)
    CHECK_CEILING(6)
    CHECK_CEILING(7)
    CHECK_CEILING(8)
    CHECK_CEILING(9)
    CHECK_CEILING(10)
    CHECK_CEILING(11)
    CHECK_CEILING(12)
    CHECK_CEILING(13)
    CHECK_CEILING(14)
    CHECK_CEILING(15)
    CHECK_CEILING(16)
    finish(true);
}

INIT
{
    start_all();
    LOCK (to_16) {
        *to_16 = 1;
    }
    CHECK("INIT runs with interrupts masked, after a lock too", traced(""));
    if (spawn(test) < 0)
        finish(false);
}

int main(void)
{
    kernel_start();
}
