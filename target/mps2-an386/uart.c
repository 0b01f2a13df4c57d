#include "target/mps2-an386/uart.h"

#include <stdint.h>

/* CMSDK APB UART (Arm DDI 0479 4.3) */
struct cmsdk_uart {
    volatile uint32_t DATA;
    volatile uint32_t STATE;
    volatile uint32_t CTRL;
    volatile uint32_t INTSTATUS;
    volatile uint32_t BAUDDIV;
};

#define UART0 ((struct cmsdk_uart *)0x40004000u)

enum {
    UART_TX_FULL = 1,
    UART_TX_ENABLE = 1,
    BAUD_DIVISOR = 217, /* 25 MHz / 115200 */
    SPINS_MAX = 100000,
};

void uart_write(const char *text)
{
    UART0->BAUDDIV = BAUD_DIVISOR;
    UART0->CTRL = UART_TX_ENABLE;
    for (; *text; text++) {
        for (unsigned i = 0; i < SPINS_MAX && UART0->STATE & UART_TX_FULL; i++) {
        }
        UART0->DATA = (uint8_t)*text;
    }
}
