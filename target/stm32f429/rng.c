#include "target/stm32f429/rng.h"

#include "target/stm32f429/registers.h"

enum {
    ATTEMPTS = 2,
    POLLS = 2000, /* a number takes 40 periods of the 45 MHz clock: 160 core cycles */
};

static uint32_t previous;

/* RM0090 24.3.2: after a seed error the generator is switched off and on. */
static void restart(void)
{
    RNG->SR = 0;
    RNG->CR = 0;
    RNG->CR = RNG_CR_RNGEN;
}

static int read_once(uint32_t *number)
{
    for (uint32_t poll = 0; poll < POLLS; poll++) {
        uint32_t status = RNG->SR;
        if (status & (RNG_SR_SEIS | RNG_SR_SECS))
            return RNG_SEED_ERROR;
        if (status & (RNG_SR_CEIS | RNG_SR_CECS))
            return RNG_CLOCK_ERROR;
        if (status & RNG_SR_DRDY) {
            *number = RNG->DR;
            return 0;
        }
    }
    return RNG_TIMEOUT;
}

int rng_read(uint32_t *number)
{
    int error = RNG_TIMEOUT;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        uint32_t fresh;
        error = read_once(&fresh);
        if (error == 0 && fresh != previous) {
            previous = fresh;
            *number = fresh;
            return 0;
        }
        if (error == 0)
            error = RNG_REPEATED;
        else
            restart();
    }
    return error;
}

int rng_init(void)
{
    uint32_t discarded;
    RCC->AHB2ENR |= RCC_AHB2_RNG;
    (void)RCC->AHB2ENR; /* ES0206, delay after enabling a clock: the read takes it */
    restart();
    return rng_read(&discarded);
}
