/* What the programs need on QEMU's mps2-an386 besides target/mps2-an386. */
#include "kernel/assert.h"
#include "tests/kernel/check.h"

_Noreturn void unexpected_exception(void);
_Noreturn void unexpected_exception(void)
{
    say("unexpected exception\n");
    finish(false);
}

_Noreturn void assertion_failed(const char *module, uint32_t number)
{
    char digits[] = {(char)('0' + number / 10 % 10), (char)('0' + number % 10), '\n', 0};
    say("assertion failed: ");
    say(module);
    say(" ");
    say(digits);
    finish(false);
}
