/* The random number generator after bring-up: numbers that differ, and a bounded answer without its clock. */
// board: --strict
#include "semihosting.h"
#include "target/nucleo-f429zi/board.h"
#include "target/stm32f429/registers.h"
#include "target/stm32f429/rng.h"

enum { NUMBERS = 16 };

int main(void)
{
    uint32_t numbers[NUMBERS];
    uint32_t ones = 0;

    CHECK(board_init() == 0);
    CHECK(rng_init() == 0);
    for (uint32_t i = 0; i < NUMBERS; i++) {
        CHECK(rng_read(&numbers[i]) == 0);
        ones += (uint32_t)__builtin_popcount(numbers[i]);
        for (uint32_t j = 0; j < i; j++)
            CHECK(numbers[j] != numbers[i]);
    }
    CHECK(ones > 16 * NUMBERS * 3 / 4 && ones < 16 * NUMBERS * 5 / 4);

    OK("numbers that differ");

    RNG->CR = 0; /* no more numbers come: the first attempt ends, the restart brings one */
    (void)RNG->DR;
    CHECK(rng_read(&numbers[0]) == 0);
    OK("a stopped generator is started again");
    semihosting_exit(0);
}
