/*
 * The stack's guard: whatever overflows it, the record after the reset says
 * so, and in whose handler it was. Each stage is a run that ends in a crash.
 */
#include "semihosting.h"
#include "target/nucleo-f429zi/board.h"
#include "target/stm32f429/crash.h"
#include "target/stm32f429/memory.h"
#include "target/stm32f429/timer.h"

#define TASKS(HARDWARE, SOFTWARE)                                                                            \
    SOFTWARE(deep, 1, 1, uint32_t)                                                                           \
    SOFTWARE(above, 2, 1, nothing)                                                                           \
    HARDWARE(device, 3, EXTI0)
#define RESOURCES(RESOURCE)
#define DISPATCHERS(DISPATCHER) DISPATCHER(1, SPI1) DISPATCHER(2, SPI2)
#include "kernel/table.h"

KERNEL_DEFINE

enum {
    STAGE_MAGIC = 0x4F560000, /* low byte: the stage */
    STAGE_DEEP_CALLS = 0,
    STAGE_DEEP_CALLS_WITH_FPU,
    STAGE_LARGE_FRAME,
    STAGE_PREEMPTING,
    STAGE_ENTRY,
    STAGE_ENTRY_WITH_FPU,
    STAGE_INIT,
    STAGE_DONE,
    LARGE = 24 * 1024,
};

static uint32_t stage __attribute__((section(".noinit")));
static volatile uint32_t depth;
static volatile uint32_t depth_max = 100000; /* far more than there is stack for */
static volatile float sum;

__attribute__((noinline)) static uint32_t call_deeper(uint32_t n)
{
    uint32_t result = n < depth_max ? call_deeper(n + 1) : n;
    depth = result; /* no tail call */
    return result + 1;
}

__attribute__((noinline)) static float add_deeper(float a, float b)
{
    float result = b < (float)depth_max ? add_deeper(a + b, b + 1) : b;
    sum = result;
    return result + a * b;
}

/* Its end is far below the stack, and written first. */
__attribute__((noinline)) static uint32_t fill_frame(uint32_t value)
{
    volatile uint8_t frame[LARGE];
    frame[0] = (uint8_t)value;
    return frame[0];
}

/* Goes on with so little stack left that an exception's entry has no place; a sum in the FPU makes its frame
 * longer. */
static void enter_without_room(bool with_fpu)
{
    uint32_t room = with_fpu ? 64 : 24; /* the frame of 32 bytes would fit, that of 104 does not */
    float a = 1;
    if (with_fpu)
        __asm__ volatile("vadd.f32 %0, %0, %0" : "+t"(a));
    __asm__ volatile("msr basepri, %0\n"
                     "str %1, [%2]\n"
                     "dsb\n"
                     "mov sp, %3\n"
                     "msr basepri, %4\n"
                     "isb\n"
                     :
                     : "r"(0x10), "r"(1u << EXTI0_IRQn), "r"(0xE000E200), "r"((uint32_t)stack_start + room),
                       "r"(0)
                     : "memory");
}

TASK(device)
{
    CHECK(!"its frame has no place");
}

TASK(above)
{
    (void)call_deeper(0);
}

TASK(deep)
{
    switch (message) {
    case STAGE_DEEP_CALLS: (void)call_deeper(0); break;
    case STAGE_DEEP_CALLS_WITH_FPU: (void)add_deeper(1, 2); break;
    case STAGE_LARGE_FRAME: (void)fill_frame(1); break;
    case STAGE_PREEMPTING: CHECK(spawn(above) < 0); break;
    case STAGE_ENTRY: enter_without_room(false); break;
    case STAGE_ENTRY_WITH_FPU: enter_without_room(true); break;
    default: break;
    }
    CHECK(!"it must have crashed");
}

INIT
{
    stage = STAGE_MAGIC | ((stage + 1) & 0xFF);
    if ((stage & 0xFF) == STAGE_INIT)
        (void)call_deeper(0);
    if ((stage & 0xFF) == STAGE_DONE)
        semihosting_exit(0);
    CHECK(spawn(deep, stage & 0xFF) == 0);
}

static void check_record(uint32_t last, const struct crash_record *record)
{
    enum { THREAD = 0, INTERRUPT = 16 };
    uint32_t running = INTERRUPT + SPI1_IRQn;
    if (last == STAGE_PREEMPTING)
        running = INTERRUPT + SPI2_IRQn;
    if (last == STAGE_INIT)
        running = THREAD;
    CHECK(record->reason == CRASH_STACK_OVERFLOW);
    CHECK(record->number == running);
}

int main(void)
{
    struct crash_record record;
    bool crashed = crash_take(&record);

    if ((stage & 0xFFFFFF00) == STAGE_MAGIC) {
        CHECK(crashed);
        check_record(stage & 0xFF, &record);
        OK("stack overflow");
    } else {
        CHECK(!crashed);
        stage = STAGE_MAGIC | 0xFF;
    }
    kernel_start();
}
