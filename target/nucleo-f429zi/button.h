/* The user button B1 (PC13, high while pressed) as an interrupt: EXTI15_10. */
#ifndef NUCLEO_F429ZI_BUTTON_H
#define NUCLEO_F429ZI_BUTTON_H

/* At boot, after board_init. From then on EXTI15_10_IRQn comes at each press and release. */
void button_init(void);

/* In the handler: acknowledges the interrupt. */
void button_acknowledge(void);

#endif
