/*
 * The Cortex-M4F: registers, exceptions, NVIC, SCB, SysTick, DWT (ARMv7-M ARM,
 * Cortex-M4 TRM). A predecoded interpreter; docs/virtual-board.md says how.
 *
 * Cycles are an approximation of a Cortex-M4 behind zero-wait flash: one a
 * instruction, two a load, three a taken branch, twelve an exception entry or
 * exit. Instructions are exact; one that an IT block skips counts as one.
 */
#ifndef EMULATOR_CPU_H
#define EMULATOR_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct machine;

enum {
    CPU_IRQS = 91,         /* STM32F429: IRQ 0..90 */
    CPU_PRIORITY_BITS = 4, /* 16 levels */
    CPU_EXCEPTIONS = 16 + CPU_IRQS,
    CPU_EXCEPTION_WORDS = (CPU_EXCEPTIONS + 31) / 32,
};

/* ARMv7-M ARM B1.5.2 */
enum cpu_exception {
    EXCEPTION_NONE = 0, /* Thread mode */
    EXCEPTION_RESET = 1,
    EXCEPTION_NMI = 2,
    EXCEPTION_HARDFAULT = 3,
    EXCEPTION_MEMMANAGE = 4,
    EXCEPTION_BUSFAULT = 5,
    EXCEPTION_USAGEFAULT = 6,
    EXCEPTION_SVCALL = 11,
    EXCEPTION_DEBUGMONITOR = 12,
    EXCEPTION_PENDSV = 14,
    EXCEPTION_SYSTICK = 15,
    EXCEPTION_IRQ0 = 16,
};

enum cpu_exit {
    CPU_EVENT, /* cycles reached event_cycle, or m->stop / m->reset_requested was set */
    CPU_SLEEP, /* WFI or WFE, nothing pending that wakes */
};

enum cpu_sleep { SLEEP_NONE, SLEEP_WFI, SLEEP_WFE };

/* Reasons to leave the fast path before the next instruction; a set of bits. */
enum {
    ATTEND_EXCEPTION = 1, /* something that decides about preemption changed */
    ATTEND_IT = 2,        /* ITSTATE is not zero */
    ATTEND_SLEEP = 4,
    ATTEND_STOP = 8,    /* m->stop or m->reset_requested may be set */
    ATTEND_FETCH = 16,  /* the MPU or the DWT checks each instruction's address */
    ATTEND_DEBUG = 32,  /* inside cpu_run only: breakpoints, watchpoints or a step, see cpu/debug.h */
    ATTEND_TIMING = 64, /* inside cpu_run only: fetches from flash cost wait states */
};

/* A fault, as the registers were before the exception changed any: for whoever explains it. */
struct cpu_fault_note {
    uint32_t r[16]; /* r[15]: the instruction that faulted, or that was to run next when stacking failed */
    uint32_t xpsr;
    uint32_t exc_return;  /* of an exception return that failed; 0: it was none */
    unsigned raised;      /* enum cpu_exception of the cause; EXCEPTION_NONE: not known, pended by software */
    unsigned taken;       /* what it became; EXCEPTION_NONE: lock-up */
    bool stacking_failed; /* so the frame on the stack is not to be trusted */
};

struct cpu_engine;

struct cpu {
    /* SRAM, from its start, that loads and stores reach at once: all, less while it is guarded or watched. */
    uint32_t direct_sram_bytes;
    uint32_t direct_sram_stores;
    struct cpu_engine *engine; /* decoded operations and the like: derived, not state; all below is state */

    uint32_t r[16];     /* r[13] is the banked SP in use; r[15] the address of the instruction executing */
    uint32_t banked_sp; /* the SP not in use: PSP while the MSP is, and the reverse */
    uint32_t flag_n;    /* N is bit 31 */
    uint32_t flag_z;    /* Z is set when this is zero */
    uint32_t flag_c;    /* 0 or 1 */
    uint32_t flag_v;    /* V is bit 31 */
    uint32_t attention; /* ATTEND_* */
    uint8_t flag_q;
    uint8_t flag_ge; /* four bits */
    uint8_t itstate;
    bool thumb; /* EPSR.T */
    bool psp_in_use;
    bool fp_ready; /* an FP instruction needs no check: access allowed, state saved, FPCA set */
    uint8_t control;
    uint8_t primask;
    uint8_t faultmask;
    uint8_t basepri;
    uint8_t event_register;
    uint8_t sleep;      /* enum cpu_sleep */
    uint32_t exception; /* IPSR */

    uint32_t s[32];
    uint32_t fpscr;
    uint32_t fpccr;
    uint32_t fpcar;
    uint32_t fpdscr;
    uint32_t cpacr;

    uint32_t pending[CPU_EXCEPTION_WORDS]; /* one bit an exception number */
    uint32_t active[CPU_EXCEPTION_WORDS];
    uint32_t enabled[CPU_EXCEPTION_WORDS];
    uint32_t line[CPU_EXCEPTION_WORDS]; /* level of the devices' interrupt lines */
    uint8_t priority[CPU_EXCEPTION_WORDS * 32];

    uint32_t vtor;
    uint32_t prigroup;
    uint32_t scr;
    uint32_t ccr;
    uint32_t cfsr;
    uint32_t hfsr;
    uint32_t dfsr;
    uint32_t mmfar;
    uint32_t bfar;
    uint32_t afsr;
    uint32_t actlr;
    uint32_t demcr;
    uint32_t mpu_ctrl;
    uint32_t mpu_rnr;
    uint32_t mpu_region[8][2]; /* RBAR, RASR */

    uint32_t systick_csr;
    uint32_t systick_load;
    uint32_t systick_value; /* at cycle systick_base */
    uint32_t dwt_ctrl;
    uint32_t dwt_offset; /* CYCCNT is cycles minus this while it counts, this while not */
    struct {
        uint32_t comp;
        uint32_t mask;
        uint32_t function;
    } dwt_comparator[4];
    uint32_t itm_ter;
    uint32_t itm_tpr;
    uint32_t itm_tcr;
    uint64_t systick_base;

    bool itm_unlocked;
    bool guarded;    /* the MPU or the DWT checks loads and stores */
    bool mpu_guards; /* the MPU is in force at the present priority */
    bool exclusive;  /* the local monitor, which tags no address on this core */
};

/* Called once by machine_create, after the memories; registers the state. False: out of memory. */
bool cpu_create(struct machine *m);
void cpu_destroy(struct machine *m);
/* Reset of the core: fetches SP and PC from the vector table at 0, so the program must be loaded before. */
void cpu_reset(struct machine *m);
enum cpu_exit cpu_run(struct machine *m);
/* Is it awake, or will it be before its next instruction? */
bool cpu_wakes(const struct machine *m);
/* Level of a device's interrupt line. A line that stays high pends again at the exception's return. */
void cpu_set_irq(struct machine *m, unsigned irq, bool level);
/* Non-maskable interrupt (clock security system). */
void cpu_set_nmi(struct machine *m);
/* Memory that may have been predecoded was written by someone else than the CPU (DMA, loader, flash). */
void cpu_code_written(struct machine *m, uint32_t address, size_t length);
/* The registered state was replaced as a whole: forgets what was derived from it and from the memories. */
void cpu_state_replaced(struct machine *m);
/* The program status register as MRS would read it, with IPSR, T and ITSTATE. */
uint32_t cpu_xpsr(const struct cpu *c);

#endif
