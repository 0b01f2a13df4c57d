/* The log's channel (log/rtt.h): lines go to standard error at once, and none is lost. */
#include <stdio.h>

#include "log/rtt.h"

void rtt_init(void)
{
}

bool rtt_write(const char *bytes, size_t length)
{
    return fwrite(bytes, 1, length, stderr) == length;
}
