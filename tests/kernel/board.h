/*
 * What the programs of tests/kernel run on: the STM32F429 (the virtual board,
 * QEMU's netduinoplus2), QEMU's mps2-an386 with -DBOARD_MPS2_AN386, or a
 * process with -DBOARD_POSIX.
 */
#ifndef TESTS_KERNEL_BOARD_H
#define TESTS_KERNEL_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#ifdef BOARD_MPS2_AN386

#include "target/mps2-an386/timer.h"
#include "target/mps2-an386/uart.h"

/* The tests name interrupts as on the STM32F429; here those of port 0's pins stand for them. */
#define EXTI0_IRQn              PORT0_0_IRQn
#define EXTI0_IRQHandler        PORT0_0_IRQHandler
#define EXTI1_IRQn              PORT0_1_IRQn
#define EXTI1_IRQHandler        PORT0_1_IRQHandler
#define EXTI2_IRQn              PORT0_2_IRQn
#define EXTI2_IRQHandler        PORT0_2_IRQHandler
#define EXTI3_IRQn              PORT0_3_IRQn
#define EXTI3_IRQHandler        PORT0_3_IRQHandler
#define EXTI4_IRQn              PORT0_4_IRQn
#define EXTI4_IRQHandler        PORT0_4_IRQHandler
#define SPI1_IRQn               PORT0_5_IRQn
#define SPI1_IRQHandler         PORT0_5_IRQHandler
#define SPI2_IRQn               PORT0_6_IRQn
#define SPI2_IRQHandler         PORT0_6_IRQHandler
#define SPI3_IRQn               PORT0_7_IRQn
#define SPI3_IRQHandler         PORT0_7_IRQHandler
#define DMA2_Stream7_IRQn       PORT0_8_IRQn
#define DMA2_Stream7_IRQHandler PORT0_8_IRQHandler
#define I2C1_EV_IRQn            PORT0_9_IRQn
#define I2C1_EV_IRQHandler      PORT0_9_IRQHandler
#define I2C1_ER_IRQn            PORT0_10_IRQn
#define I2C1_ER_IRQHandler      PORT0_10_IRQHandler
#define I2C2_EV_IRQn            PORT0_11_IRQn
#define I2C2_EV_IRQHandler      PORT0_11_IRQHandler
#define I2C2_ER_IRQn            PORT0_12_IRQn
#define I2C2_ER_IRQHandler      PORT0_12_IRQHandler
#define USART1_IRQn             PORT0_13_IRQn
#define USART1_IRQHandler       PORT0_13_IRQHandler
#define USART2_IRQn             PORT0_14_IRQn
#define USART2_IRQHandler       PORT0_14_IRQHandler
#define UART4_IRQn              PORT0_15_IRQn
#define UART4_IRQHandler        PORT0_15_IRQHandler
#define BOARD_TIMER_IRQn        TIMER0_IRQn

#else

#include "target/stm32f429/timer.h"
#define BOARD_TIMER_IRQn TIM5_IRQn

#endif

#ifdef BOARD_POSIX

#include "target/posix/kernel_port.h"

#include <stdio.h>
#include <stdlib.h>

static inline void board_say(const char *text)
{
    (void)fputs(text, stdout);
}

static inline _Noreturn void board_exit(bool passed)
{
    exit(passed ? EXIT_SUCCESS : EXIT_FAILURE);
}

static inline void board_leap_to(uint32_t count)
{
    posix_leap_to(count);
}

/* In a loop that waits for time to pass: there it passes when asked to only. */
static inline void board_compute(void)
{
    posix_spend_until(posix_now_us() + 1);
}

static inline uint32_t basepri(void)
{
    return posix_ceiling() ? (16 - posix_ceiling()) << 4 : 0;
}

#else

#define SYS_WRITE0                   0x04
#define SYS_EXIT                     0x18
#define ADP_STOPPED_RUN_TIME_ERROR   0x20023
#define ADP_STOPPED_APPLICATION_EXIT 0x20026

static inline void semihosting(uint32_t operation, uintptr_t argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register uintptr_t r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

static inline _Noreturn void board_exit(bool passed)
{
    semihosting(SYS_EXIT, passed ? ADP_STOPPED_APPLICATION_EXIT : ADP_STOPPED_RUN_TIME_ERROR);
    for (;;) {
    }
}

static inline void board_compute(void)
{
}

static inline uint32_t basepri(void)
{
    uint32_t value;
    __asm__ volatile("mrs %0, basepri" : "=r"(value));
    return value;
}

#ifdef BOARD_MPS2_AN386

static inline void board_say(const char *text)
{
    uart_write(text);
}

static inline void board_leap_to(uint32_t count)
{
    timer_leap_to(count);
}

#else

#include "target/stm32f429/registers.h"

static inline void board_say(const char *text)
{
    semihosting(SYS_WRITE0, (uintptr_t)text);
}

static inline void board_leap_to(uint32_t count)
{
    TIM5->CNT = count;
}

#endif
#endif
#endif
