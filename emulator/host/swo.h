/*
 * What the program writes to the ITM's stimulus ports, as a probe on SWO would
 * show it: port 0 is text, the others are numbers.
 */
#ifndef EMULATOR_HOST_SWO_H
#define EMULATOR_HOST_SWO_H

#include "host/console.h"

struct swo {
    FILE *file; /* NULL: among the board's own lines */
    struct line_buffer text;
    void *context;
    void (*line)(void *context, const char *line); /* each line of port 0's text */
};

/* Where it goes; "-": to the board's lines. False: `error` says why not. The callback is set by the caller.
 */
bool swo_open(struct swo *swo, const char *path, char *error, size_t error_size)
    __attribute__((warn_unused_result));
/* `bytes` bytes (1, 2, 4) for a port. */
void swo_take(struct swo *swo, struct console *console, vtime now, unsigned port, unsigned bytes,
              uint32_t value);
/* An unfinished line is a line. */
void swo_finish(struct swo *swo);
/* False: writing the file failed. */
bool swo_close(struct swo *swo);

#endif
