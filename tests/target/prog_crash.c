/* Crash records across resets: an assertion, an undefined instruction, a stack overflow, an unexpected
 * interrupt. */
#include <string.h>

#include "semihosting.h"
#include "target/nucleo-f429zi/board.h"
#include "target/stm32f429/crash.h"
#include "target/stm32f429/irq.h"
#include "target/stm32f429/memory.h"
#include "target/stm32f429/registers.h"

enum {
    STAGE_MAGIC = 0x53740000, /* low byte: the stage */
    STAGE_ASSERTION = 0,
    STAGE_UNDEFINED,
    STAGE_OVERFLOW,
    STAGE_INTERRUPT,
    STAGE_DONE,
    HARD_FAULT = 3,
};

static uint32_t stage __attribute__((section(".noinit")));

__attribute__((naked, noinline)) static void undefined_instruction(void)
{
    __asm__ volatile("udf #0\nbx lr");
}

__attribute__((naked, noinline)) static void overflow_the_stack(void)
{
    __asm__ volatile("1: push {r0-r7}\nb 1b");
}

static void crash_again(uint32_t now)
{
    stage = STAGE_MAGIC | now;
    switch (now) {
    case STAGE_ASSERTION: assertion_failed("a module's name", 42);
    case STAGE_UNDEFINED: undefined_instruction(); break;
    case STAGE_OVERFLOW: overflow_the_stack(); break;
    case STAGE_INTERRUPT:
        NVIC->ISER[SPI1_IRQn / 32] = 1u << SPI1_IRQn % 32;
        NVIC->ISPR[SPI1_IRQn / 32] = 1u << SPI1_IRQn % 32;
        __asm__ volatile("dsb\nisb");
        break;
    default: semihosting_exit(0);
    }
    CHECK(!"it must have crashed");
}

static void check_record(uint32_t last, const struct crash_record *record)
{
    switch (last) {
    case STAGE_ASSERTION:
        CHECK(record->reason == CRASH_ASSERTION && record->number == 42);
        CHECK(strcmp(record->module, "a module's ") == 0);
        CHECK(record->pc != 0);
        break;
    case STAGE_UNDEFINED:
        CHECK(record->reason == CRASH_EXCEPTION && record->number == HARD_FAULT);
        CHECK(record->pc == ((uint32_t)undefined_instruction & ~1u));
        CHECK(record->cfsr == 1u << 16); /* UNDEFINSTR */
        CHECK(record->hfsr == 1u << 30); /* FORCED */
        break;
    case STAGE_OVERFLOW:
        CHECK(record->reason == CRASH_STACK_OVERFLOW && record->number == 0);
        CHECK(record->pc == 0);
        CHECK((record->cfsr & 1u << 4) != 0); /* MSTKERR */
        break;
    default: CHECK(record->number == 16 + SPI1_IRQn); break;
    }
}

int main(void)
{
    struct crash_record record;
    bool crashed = crash_take(&record);

    if ((stage & 0xFFFFFF00) != STAGE_MAGIC) {
        CHECK(!crashed);
        crash_again(STAGE_ASSERTION);
    }
    CHECK(crashed);
    CHECK(!crash_take(&record)); /* consumed, the record is unchanged */
    check_record(stage & 0xFF, &record);
    OK("crash record");
    crash_again((stage & 0xFF) + 1);
    return 0;
}
