#include "target/posix/kernel_port.h"

#include "kernel/timer.h"
#include "target/stm32f429/irq.h"

/* Handlers that the application does not define are not there: such an interrupt is never taken. */
#define WEAK(name, number) __attribute__((weak)) void name##_IRQHandler(void);
STM32F429_IRQ_LIST(WEAK)

static void (*const handlers[IRQ_COUNT])(void) = {
#define ENTRY(name, number) [number] = name##_IRQHandler,
    STM32F429_IRQ_LIST(ENTRY)};

enum { CYCLES_PER_US = 180 };

static struct {
    uint64_t now_us;
    uint64_t counter_us; /* what the timer has counted: now_us and all leaps */
    uint64_t alarm_us;   /* of counter_us */
    bool alarm_set;
    bool masked;
    unsigned ceiling;
    unsigned running; /* the priority of the handler that runs, 0: none */
    uint8_t priority[IRQ_COUNT];
    bool enabled[IRQ_COUNT];
    bool pending[IRQ_COUNT];
    uint64_t (*wait)(uint64_t until_us);
} core;

/* The most urgent request, of equals the lowest number (ARMv7-M B1.5.4); IRQ_COUNT: none. */
static unsigned most_urgent(void)
{
    unsigned best = IRQ_COUNT;
    for (unsigned i = 0; i < IRQ_COUNT; i++) {
        if (core.pending[i] && core.enabled[i] &&
            (best == IRQ_COUNT || core.priority[i] > core.priority[best]))
            best = i;
    }
    return best;
}

static void take_interrupts(void)
{
    while (!core.masked) {
        unsigned next = most_urgent();
        if (next == IRQ_COUNT || core.priority[next] <= core.running || core.priority[next] <= core.ceiling)
            return;
        unsigned preempted = core.running;
        core.running = core.priority[next];
        core.pending[next] = false;
        handlers[next]();
        core.running = preempted;
    }
}

/* ---- What the kernel calls ---- */

uint32_t port_raise(unsigned ceiling)
{
    unsigned before = core.ceiling;
    if (ceiling > before)
        core.ceiling = ceiling;
    return before;
}

void port_restore(uint32_t before)
{
    core.ceiling = before;
    take_interrupts();
}

uint32_t port_mask(void)
{
    bool before = core.masked;
    core.masked = true;
    return before;
}

void port_unmask(uint32_t before)
{
    core.masked = before != 0;
    take_interrupts();
}

void port_pend(struct port_pend interrupt)
{
    core.pending[interrupt.number] = handlers[interrupt.number] != NULL;
    take_interrupts();
}

void port_interrupt_priority(unsigned number, unsigned priority)
{
    core.priority[number] = (uint8_t)priority;
}

void port_interrupt_enable(unsigned number)
{
    core.enabled[number] = true;
    take_interrupts();
}

void port_cycles_start(void)
{
}

uint32_t port_cycles(void)
{
    return (uint32_t)(core.now_us * CYCLES_PER_US);
}

/* ---- Time ---- */

void timer_start(void)
{
    core.counter_us = core.now_us;
}

uint32_t timer_count(void)
{
    return (uint32_t)core.counter_us;
}

/* The kernel's alarm is less than a wrap ahead; one that is now is one of the next wrap, as on the chip. */
void timer_alarm(uint32_t count)
{
    uint32_t ahead = count - (uint32_t)core.counter_us;
    core.alarm_us = core.counter_us + (ahead ? ahead : UINT64_C(1) << 32);
    core.alarm_set = true;
}

void timer_acknowledge(void)
{
}

static void pass_to(uint64_t time_us)
{
    core.counter_us += time_us - core.now_us;
    core.now_us = time_us;
    if (core.alarm_set && core.counter_us >= core.alarm_us) {
        core.alarm_set = false;
        core.pending[TIM5_IRQn] = true;
    }
}

static uint64_t next_alarm(void)
{
    return core.alarm_set ? core.now_us + (core.alarm_us - core.counter_us) : UINT64_MAX;
}

void posix_spend_until(uint64_t time_us)
{
    while (core.now_us < time_us) {
        uint64_t alarm = next_alarm();
        pass_to(alarm < time_us ? alarm : time_us);
        take_interrupts();
    }
}

void posix_leap_to(uint32_t count)
{
    core.counter_us += (uint32_t)(count - (uint32_t)core.counter_us);
}

/* An interrupt that is pending ends the wait though it is masked by PRIMASK (B1.5.19). */
void port_wait_for_interrupt(void)
{
    while (most_urgent() == IRQ_COUNT) {
        uint64_t until = next_alarm();
        pass_to(core.wait ? core.wait(until) : until);
    }
}

/* ---- For the program around the kernel ---- */

void posix_interrupt(unsigned number, bool on)
{
    core.enabled[number] = on;
    take_interrupts();
}

unsigned posix_ceiling(void)
{
    return core.ceiling;
}

uint64_t posix_now_us(void)
{
    return core.now_us;
}

void posix_on_sleep(uint64_t (*wait)(uint64_t until_us))
{
    core.wait = wait;
}
