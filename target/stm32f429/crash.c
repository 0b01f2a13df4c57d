#include "target/stm32f429/crash.h"

#include <string.h>

#include "target/stm32f429/irq.h"
#include "target/stm32f429/memory.h"
#include "target/stm32f429/registers.h"

enum {
    CRASH_MAGIC = 0x43525348,
    CRASH_CHECKSUM_SEED = 0x5EED,
    EXCEPTION_FRAME_WORDS = 8, /* r0-r3, r12, lr, pc, xPSR: ARMv7-M B1.5.6 */
    FRAME_LR = 5,
    FRAME_PC = 6,
    EXCEPTION_INTERRUPTS = 16,
};

static struct crash_record kept __attribute__((section(".noinit")));

static uint32_t checksum(const struct crash_record *record)
{
    const uint32_t *words = (const uint32_t *)record;
    uint32_t sum = CRASH_CHECKSUM_SEED;
    for (size_t i = 0; i < offsetof(struct crash_record, checksum) / sizeof *words; i++)
        sum = (sum << 5 | sum >> 27) ^ words[i];
    return sum;
}

_Noreturn void system_reset(void)
{
    data_synchronization_barrier();
    SCB->AIRCR = SCB_AIRCR_RESET;
    data_synchronization_barrier();
    for (;;)
        __asm__ volatile("" ::: "memory");
}

static _Noreturn void keep_and_reset(enum crash_reason reason, uint32_t number, const char *module,
                                     uint32_t pc, uint32_t lr)
{
    __asm__ volatile("cpsid i" ::: "memory");
    memset(&kept, 0, sizeof kept);
    kept.magic = CRASH_MAGIC;
    kept.reason = reason;
    kept.number = number;
    for (size_t i = 0; i < sizeof kept.module - 1 && module[i] != '\0'; i++)
        kept.module[i] = module[i];
    kept.pc = pc;
    kept.lr = lr;
    kept.cfsr = SCB->CFSR;
    kept.hfsr = SCB->HFSR;
    kept.bfar = SCB->BFAR;
    kept.checksum = checksum(&kept);
    system_reset();
}

_Noreturn void assertion_failed(const char *module, uint32_t number)
{
    keep_and_reset(CRASH_ASSERTION, number, module, (uint32_t)__builtin_return_address(0), 0);
}

/*
 * Whose handler the fault has stopped: of all active interrupts, the one of the
 * highest priority. The frame, which would say it, is lost with the stack.
 */
static uint32_t interrupt_running(void)
{
    uint32_t first = (UINT8_MAX + 1) << 8 | (uint8_t)-EXCEPTION_INTERRUPTS; /* priority, number: none */

    for (uint32_t n = 0; n < IRQ_COUNT; n++) {
        uint32_t that = (uint32_t)NVIC->IPR[n] << 8 | n;
        if ((NVIC->IABR[n / 32] >> n % 32 & 1) && that < first)
            first = that;
    }
    return (uint8_t)(first + EXCEPTION_INTERRUPTS);
}

__attribute__((used)) _Noreturn void crash_exception(const uint32_t *frame)
{
    uint32_t pc = 0;
    uint32_t lr = 0;
    uint32_t exception;
    __asm__ volatile("mrs %0, ipsr" : "=r"(exception));
    /* After a stack overflow the frame was pushed to where there is no memory. */
    if (frame >= stack_start && frame + EXCEPTION_FRAME_WORDS <= stack_end) {
        pc = frame[FRAME_PC];
        lr = frame[FRAME_LR];
    }
    /* The only region of the MPU that denies anything is the guard (startup.c). */
    if (SCB->CFSR & SCB_CFSR_DATA_ACCESS)
        keep_and_reset(CRASH_STACK_OVERFLOW, interrupt_running(), "", pc, lr);
    keep_and_reset(CRASH_EXCEPTION, exception, "", pc, lr);
}

bool crash_take(struct crash_record *record)
{
    bool valid = kept.magic == CRASH_MAGIC && kept.checksum == checksum(&kept);
    if (valid) {
        *record = kept;
        record->module[CRASH_MODULE_SIZE - 1] = '\0';
    }
    kept.magic = 0;
    return valid;
}
