/* UART 0 of the MPS2, QEMU's -serial: text out, waiting for room. */
#ifndef MPS2_AN386_UART_H
#define MPS2_AN386_UART_H

/* From anywhere. Sets the UART up at the first call. */
void uart_write(const char *text);

#endif
