/*
 * The interrupts of Arm's MPS2 with application note 386 (a Cortex-M4F in an
 * FPGA; QEMU's mps2-an386): AN386 table 5-1.
 */
#ifndef MPS2_AN386_IRQ_H
#define MPS2_AN386_IRQ_H

#define MPS2_AN386_IRQ_LIST(X)                                                                               \
    X(UART0_RX, 0)                                                                                           \
    X(UART0_TX, 1)                                                                                           \
    X(UART1_RX, 2)                                                                                           \
    X(UART1_TX, 3)                                                                                           \
    X(UART2_RX, 4)                                                                                           \
    X(UART2_TX, 5)                                                                                           \
    X(PORT0, 6)                                                                                              \
    X(PORT1, 7)                                                                                              \
    X(TIMER0, 8)                                                                                             \
    X(TIMER1, 9)                                                                                             \
    X(DUALTIMER, 10)                                                                                         \
    X(SPI, 11)                                                                                               \
    X(UART_OVERFLOW, 12)                                                                                     \
    X(ETHERNET, 13)                                                                                          \
    X(I2S, 14)                                                                                               \
    X(TOUCH, 15)                                                                                             \
    X(PORT0_0, 16)                                                                                           \
    X(PORT0_1, 17)                                                                                           \
    X(PORT0_2, 18)                                                                                           \
    X(PORT0_3, 19)                                                                                           \
    X(PORT0_4, 20)                                                                                           \
    X(PORT0_5, 21)                                                                                           \
    X(PORT0_6, 22)                                                                                           \
    X(PORT0_7, 23)                                                                                           \
    X(PORT0_8, 24)                                                                                           \
    X(PORT0_9, 25)                                                                                           \
    X(PORT0_10, 26)                                                                                          \
    X(PORT0_11, 27)                                                                                          \
    X(PORT0_12, 28)                                                                                          \
    X(PORT0_13, 29)                                                                                          \
    X(PORT0_14, 30)                                                                                          \
    X(PORT0_15, 31)

enum irq {
#define MPS2_AN386_IRQ_NUMBER(name, number) name##_IRQn = number,
    MPS2_AN386_IRQ_LIST(MPS2_AN386_IRQ_NUMBER)
#undef MPS2_AN386_IRQ_NUMBER
        IRQ_COUNT = 32
};

#define MPS2_AN386_IRQ_HANDLER(name, number) void name##_IRQHandler(void);
MPS2_AN386_IRQ_LIST(MPS2_AN386_IRQ_HANDLER)
#undef MPS2_AN386_IRQ_HANDLER

#endif
