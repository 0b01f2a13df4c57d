#include "target/stm32f429/gpio.h"

enum { SPEED_VERY_HIGH = 3 };

static void set_field(volatile uint32_t *reg, uint32_t shift, uint32_t mask, uint32_t value)
{
    *reg = (*reg & ~(mask << shift)) | value << shift;
}

void gpio_configure(uint8_t pin, enum gpio_mode mode, uint32_t alternate_function)
{
    uint32_t number = pin & 15u;
    volatile struct gpio_registers *port = gpio_port(pin);

    RCC->AHB1ENR |= RCC_AHB1_GPIO((uint32_t)pin >> 4);
    (void)RCC->AHB1ENR; /* ES0206, delay after enabling a clock: the read takes it */
    set_field(&port->OSPEEDR, number * 2, 3, mode == GPIO_ALTERNATE ? SPEED_VERY_HIGH : 0);
    set_field(&port->AFR[number / 8], number % 8 * 4, 15, alternate_function);
    set_field(&port->MODER, number * 2, 3, mode);
}
