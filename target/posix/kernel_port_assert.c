#include "kernel/assert.h"

#include <stdio.h>
#include <stdlib.h>

/* The process's end takes the place of the chip's reset. */
_Noreturn void assertion_failed(const char *module, uint32_t number)
{
    (void)fprintf(stderr, "assertion failed: %s %u\n", module, (unsigned)number);
    exit(EXIT_FAILURE);
}
