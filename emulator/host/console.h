/*
 * What a person sees: the firmware's log lines as they are, and the board's own
 * remarks behind a prefix with the virtual time.
 */
#ifndef EMULATOR_HOST_CONSOLE_H
#define EMULATOR_HOST_CONSOLE_H

#include <stdio.h>

#include "machine.h"

enum { CONSOLE_LINE_MAX = 1024 };

/* Bytes until their newline. Longer lines are cut into lines of CONSOLE_LINE_MAX. */
struct line_buffer {
    char text[CONSOLE_LINE_MAX + 1];
    size_t length;
};

struct console {
    FILE *out;   /* NULL: silent */
    bool colour; /* a terminal */
    bool broken; /* the reader of our output went away */
};

enum colour {
    COLOUR_PLAIN,
    COLOUR_RED,
    COLOUR_GREEN,
    COLOUR_YELLOW,
    COLOUR_BLUE,
};

/*
 * Adds a byte. True: a line is complete; buffer->text is that line, terminated,
 * until the next call. Carriage returns are dropped.
 */
bool line_buffer_add(struct line_buffer *buffer, uint8_t byte);
/* True: there was an unfinished line; it is now in buffer->text as above. */
bool line_buffer_finish(struct line_buffer *buffer);

/* A line of the firmware's. Control characters are shown as \xNN: a log may carry bytes from the network. */
void console_line(struct console *c, const char *line);
/* A line of the board's own: "[board   3.123456] …". */
void console_remark(struct console *c, vtime now, enum colour colour, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
