/*
 * The part of a random program that is always the same, for 0x08000040:
 * runs each block of the table so many times, from registers that a random
 * number chooses out of the pool, and prints a hash of all registers and of
 * the memory that blocks touch. Handlers note what they saw.
 *
 * r11 points to {table, iterations left, random number, hash, block}.
 */
#ifndef TESTS_EMULATOR_CPU_RANDOM_DRIVER_H
#define TESTS_EMULATOR_CPU_RANDOM_DRIVER_H

#include <stdint.h>

enum {
    DRIVER_AT = 0x40,
    /* Where it finds what */
    DRIVER_PARAMETERS = 0xF00, /* iterations, SHCSR, CCR, print every iteration */
    DRIVER_TABLE = 0x1000,     /* pairs: block, its first random number; 0: the end */
    DRIVER_POOL = 0x3000,      /* values for registers */
    DRIVER_POOL_WORDS = 4096 + 48,
    DRIVER_MODES = 0x7200, /* 16 values for FPSCR */
    DRIVER_START = 0x40,
    DRIVER_END = 0x11C,
    DRIVER_FAULT = 0x1D8,
    DRIVER_SUPERVISOR = 0x27E,
    DRIVER_TICK = 0x2B0,
};

/* clang-format off */
static const uint16_t driver_code[] = {
    /* start: */
    0x482A, /* ldr r0, [pc, #168] */
    0xF44F, 0x0170, /* mov.w r1, #15728640 */
    0x6001, /* str r1, [r0, #0] */
    0xF3BF, 0x8F4F, /* dsb sy */
    0xF3BF, 0x8F6F, /* isb sy */
    0x4C27, /* ldr r4, [pc, #156] */
    0x4828, /* ldr r0, [pc, #160] */
    0x6861, /* ldr r1, [r4, #4] */
    0x6001, /* str r1, [r0, #0] */
    0x4827, /* ldr r0, [pc, #156] */
    0x68A1, /* ldr r1, [r4, #8] */
    0x6001, /* str r1, [r0, #0] */
    0xF8DF, 0xB09C, /* ldr.w fp, [pc, #156] */
    0x4827, /* ldr r0, [pc, #156] */
    0xF8CB, 0x0000, /* str.w r0, [fp] */
    /* next_block: */
    0xF8DF, 0xB090, /* ldr.w fp, [pc, #144] */
    0xF8DB, 0x0000, /* ldr.w r0, [fp] */
    0xC806, /* ldmia r0!, {r1, r2} */
    0xF8CB, 0x0000, /* str.w r0, [fp] */
    0xB919, /* cbnz r1, next_block+0x18 */
    0x2018, /* movs r0, #24 */
    0x4922, /* ldr r1, [pc, #136] */
    0xBEAB, /* bkpt 0x00ab */
    0xE7FE, /* b.n next_block+0x16 */
    0xF8CB, 0x1010, /* str.w r1, [fp, #16] */
    0xF8CB, 0x2008, /* str.w r2, [fp, #8] */
    0x4C19, /* ldr r4, [pc, #100] */
    0x6820, /* ldr r0, [r4, #0] */
    0xF8CB, 0x0004, /* str.w r0, [fp, #4] */
    0x2100, /* movs r1, #0 */
    0xF8CB, 0x100C, /* str.w r1, [fp, #12] */
    0x481C, /* ldr r0, [pc, #112] */
    0x2278, /* movs r2, #120 */
    0xC002, /* stmia r0!, {r1} */
    0x3A01, /* subs r2, #1 */
    0xD1FC, /* bne.n next_block+0x32 */
    /* begin: */
    0xF8DF, 0xB058, /* ldr.w fp, [pc, #88] */
    0xF8DB, 0x0008, /* ldr.w r0, [fp, #8] */
    0x4918, /* ldr r1, [pc, #96] */
    0x4A19, /* ldr r2, [pc, #100] */
    0xFB00, 0x2001, /* mla r0, r0, r1, r2 */
    0xF8CB, 0x0008, /* str.w r0, [fp, #8] */
    0x0D01, /* lsrs r1, r0, #20 */
    0x4A17, /* ldr r2, [pc, #92] */
    0xEB02, 0x0281, /* add.w r2, r2, r1, lsl #2 */
    0xF3C0, 0x2103, /* ubfx r1, r0, #8, #4 */
    0x4B15, /* ldr r3, [pc, #84] */
    0xF853, 0x3021, /* ldr.w r3, [r3, r1, lsl #2] */
    0xEEE1, 0x3A10, /* vmsr fpscr, r3 */
    0xECB2, 0x0A20, /* vldmia r2!, {s0-s31} */
    0xF852, 0x3B04, /* ldr.w r3, [r2], #4 */
    0xF383, 0x8C00, /* msr CPSR_fs, r3 */
    0xF852, 0xCB04, /* ldr.w ip, [r2], #4 */
    0xF852, 0xEB04, /* ldr.w lr, [r2], #4 */
    0xF8DB, 0xB010, /* ldr.w fp, [fp, #16] */
    0xF04B, 0x0B01, /* orr.w fp, fp, #1 */
    0xE892, 0x07FF, /* ldmia.w r2, {r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, sl} */
    0x4758, /* bx fp */
    0xED88, 0xE000, /* .word 0xE000ED88 */
    0x0F00, 0x0800, /* .word 0x08000F00 */
    0xED24, 0xE000, /* .word 0xE000ED24 */
    0xED14, 0xE000, /* .word 0xE000ED14 */
    0x1000, 0x2000, /* .word 0x20001000 */
    0x1000, 0x0800, /* .word 0x08001000 */
    0x0026, 0x0002, /* .word 0x00020026 */
    0x0000, 0x2001, /* .word 0x20010000 */
    0x660D, 0x0019, /* .word 0x0019660D */
    0xF35F, 0x3C6E, /* .word 0x3C6EF35F */
    0x3000, 0x0800, /* .word 0x08003000 */
    0x7200, 0x0800, /* .word 0x08007200 */
    /* end: */
    0xF8DF, 0xB194, /* ldr.w fp, [pc, #404] */
    0xE8AB, 0x07FF, /* stmia.w fp!, {r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, sl} */
    0xF84B, 0xCB04, /* str.w ip, [fp], #4 */
    0xF84B, 0xEB04, /* str.w lr, [fp], #4 */
    0x4668, /* mov r0, sp */
    0xF84B, 0x0B04, /* str.w r0, [fp], #4 */
    0xF3EF, 0x8000, /* mrs r0, CPSR */
    0xF84B, 0x0B04, /* str.w r0, [fp], #4 */
    0xEEF1, 0x0A10, /* vmrs r0, fpscr */
    0xF84B, 0x0B04, /* str.w r0, [fp], #4 */
    0xECAB, 0x0A20, /* vstmia fp!, {s0-s31} */
    0xF8DF, 0xB170, /* ldr.w fp, [pc, #368] */
    0x485C, /* ldr r0, [pc, #368] */
    0x68C0, /* ldr r0, [r0, #12] */
    0xB118, /* cbz r0, end+0x3c */
    0x4C58, /* ldr r4, [pc, #352] */
    0x2678, /* movs r6, #120 */
    0xF000, 0xF828, /* bl print */
    0x4856, /* ldr r0, [pc, #344] */
    0xF8DB, 0x100C, /* ldr.w r1, [fp, #12] */
    0x220F, /* movs r2, #15 */
    0xE8B0, 0x07F8, /* ldmia.w r0!, {r3, r4, r5, r6, r7, r8, r9, sl} */
    0xEA83, 0x61F1, /* eor.w r1, r3, r1, ror #27 */
    0xEA84, 0x61F1, /* eor.w r1, r4, r1, ror #27 */
    0xEA85, 0x61F1, /* eor.w r1, r5, r1, ror #27 */
    0xEA86, 0x61F1, /* eor.w r1, r6, r1, ror #27 */
    0xEA87, 0x61F1, /* eor.w r1, r7, r1, ror #27 */
    0xEA88, 0x61F1, /* eor.w r1, r8, r1, ror #27 */
    0xEA89, 0x61F1, /* eor.w r1, r9, r1, ror #27 */
    0xEA8A, 0x61F1, /* eor.w r1, sl, r1, ror #27 */
    0xEB01, 0x01C1, /* add.w r1, r1, r1, lsl #3 */
    0x3A01, /* subs r2, #1 */
    0xD1E9, /* bne.n end+0x44 */
    0xF8CB, 0x100C, /* str.w r1, [fp, #12] */
    0xF8DB, 0x0004, /* ldr.w r0, [fp, #4] */
    0x3801, /* subs r0, #1 */
    0xF8CB, 0x0004, /* str.w r0, [fp, #4] */
    0xD181, /* bne.n begin */
    0xF10B, 0x040C, /* add.w r4, fp, #12 */
    0x2601, /* movs r6, #1 */
    0xF000, 0xF801, /* bl print */
    0xE75F, /* b.n next_block */
    /* print: */
    0xF04F, 0x2520, /* mov.w r5, #536879104 */
    0xF854, 0x0B04, /* ldr.w r0, [r4], #4 */
    0x2108, /* movs r1, #8 */
    0x0F02, /* lsrs r2, r0, #28 */
    0x3241, /* adds r2, #65 */
    0xF805, 0x2B01, /* strb.w r2, [r5], #1 */
    0x0100, /* lsls r0, r0, #4 */
    0x3901, /* subs r1, #1 */
    0xD1F8, /* bne.n print+0xa */
    0x3E01, /* subs r6, #1 */
    0xD1F3, /* bne.n print+0x4 */
    0x220A, /* movs r2, #10 */
    0xF805, 0x2B01, /* strb.w r2, [r5], #1 */
    0x2200, /* movs r2, #0 */
    0x702A, /* strb r2, [r5, #0] */
    0x2004, /* movs r0, #4 */
    0xF04F, 0x2120, /* mov.w r1, #536879104 */
    0xBEAB, /* bkpt 0x00ab */
    0x4770, /* bx lr */
    /* fault: */
    0xF01E, 0x0F04, /* tst.w lr, #4 */
    0xBF0C, /* ite eq */
    0xF3EF, 0x8308, /* mrseq r3, MSP */
    0xF3EF, 0x8309, /* mrsne r3, PSP */
    0x4A36, /* ldr r2, [pc, #216] */
    0xF8DF, 0xC0D8, /* ldr.w ip, [pc, #216] */
    0x6810, /* ldr r0, [r2, #0] */
    0xF3EF, 0x8105, /* mrs r1, IPSR */
    0xEA81, 0x60F0, /* eor.w r0, r1, r0, ror #27 */
    0x6010, /* str r0, [r2, #0] */
    0x6850, /* ldr r0, [r2, #4] */
    0xF8DC, 0x1000, /* ldr.w r1, [ip] */
    0xEA81, 0x60F0, /* eor.w r0, r1, r0, ror #27 */
    0x6050, /* str r0, [r2, #4] */
    0xF240, 0x1001, /* movw r0, #257 */
    0x4201, /* tst r1, r0 */
    0xD134, /* bne.n lost */
    0xF8CC, 0x1000, /* str.w r1, [ip] */
    0x6910, /* ldr r0, [r2, #16] */
    0xF011, 0x0F80, /* tst.w r1, #128 */
    0xBF18, /* it ne */
    0xF8DC, 0x000C, /* ldrne.w r0, [ip, #12] */
    0xF411, 0x4F00, /* tst.w r1, #32768 */
    0xBF18, /* it ne */
    0xF8DC, 0x0010, /* ldrne.w r0, [ip, #16] */
    0x68D1, /* ldr r1, [r2, #12] */
    0xEA80, 0x60F1, /* eor.w r0, r0, r1, ror #27 */
    0x60D0, /* str r0, [r2, #12] */
    0x6890, /* ldr r0, [r2, #8] */
    0xF8DC, 0x1004, /* ldr.w r1, [ip, #4] */
    0xF8CC, 0x1004, /* str.w r1, [ip, #4] */
    0xF011, 0x4F00, /* tst.w r1, #2147483648 */
    0xBF18, /* it ne */
    0xF081, 0x4140, /* eorne.w r1, r1, #3221225472 */
    0xEA81, 0x60F0, /* eor.w r0, r1, r0, ror #27 */
    0x6090, /* str r0, [r2, #8] */
    0x6910, /* ldr r0, [r2, #16] */
    0xEA8E, 0x60F0, /* eor.w r0, lr, r0, ror #27 */
    0x69D9, /* ldr r1, [r3, #28] */
    0xEA81, 0x60F0, /* eor.w r0, r1, r0, ror #27 */
    0xF021, 0x61C0, /* bic.w r1, r1, #100663296 */
    0xF421, 0x417C, /* bic.w r1, r1, #64512 */
    0x61D9, /* str r1, [r3, #28] */
    0x6999, /* ldr r1, [r3, #24] */
    0xEA81, 0x60F0, /* eor.w r0, r1, r0, ror #27 */
    0x6110, /* str r0, [r2, #16] */
    0x8808, /* ldrh r0, [r1, #0] */
    0x0AC0, /* lsrs r0, r0, #11 */
    0x281D, /* cmp r0, #29 */
    0xBF2C, /* ite cs */
    0x3104, /* addcs r1, #4 */
    0x3102, /* addcc r1, #2 */
    0x6199, /* str r1, [r3, #24] */
    0x4770, /* bx lr */
    /* lost: */
    0x2018, /* movs r0, #24 */
    0x2100, /* movs r1, #0 */
    0xBEAB, /* bkpt 0x00ab */
    0xE7FB, /* b.n lost */
    /* supervisor: */
    0xF3EF, 0x8014, /* mrs r0, CONTROL */
    0xF020, 0x0001, /* bic.w r0, r0, #1 */
    0xF380, 0x8814, /* msr CONTROL, r0 */
    0x4A0D, /* ldr r2, [pc, #52] */
    0x6950, /* ldr r0, [r2, #20] */
    0xEA8E, 0x60F0, /* eor.w r0, lr, r0, ror #27 */
    0xF01E, 0x0F04, /* tst.w lr, #4 */
    0xBF0C, /* ite eq */
    0xF3EF, 0x8308, /* mrseq r3, MSP */
    0xF3EF, 0x8309, /* mrsne r3, PSP */
    0x6999, /* ldr r1, [r3, #24] */
    0xEA81, 0x60F0, /* eor.w r0, r1, r0, ror #27 */
    0x69D9, /* ldr r1, [r3, #28] */
    0xEA81, 0x60F0, /* eor.w r0, r1, r0, ror #27 */
    0x6150, /* str r0, [r2, #20] */
    0x4770, /* bx lr */
    /* tick: */
    0x4770, /* bx lr */
    0x0000, /* .short 0x0000 */
    0x0000, 0x2001, /* .word 0x20010000 */
    0x1000, 0x2000, /* .word 0x20001000 */
    0x0F00, 0x0800, /* .word 0x08000F00 */
    0x01C0, 0x2001, /* .word 0x200101C0 */
    0xED28, 0xE000, /* .word 0xE000ED28 */
};
/* clang-format on */

#endif
