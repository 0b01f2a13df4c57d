#include "host/console.h"

#include <stdarg.h>
#include <string.h>

static const char *const colour_codes[] = {
    [COLOUR_PLAIN] = "",          [COLOUR_RED] = "\033[31m",  [COLOUR_GREEN] = "\033[32m",
    [COLOUR_YELLOW] = "\033[33m", [COLOUR_BLUE] = "\033[34m",
};

static bool take_line(struct line_buffer *b)
{
    b->text[b->length] = '\0';
    b->length = 0;
    return true;
}

bool line_buffer_add(struct line_buffer *b, uint8_t byte)
{
    if (byte == '\n') {
        return take_line(b);
    }
    if (byte != '\r') {
        /* A NUL would hide the rest of the line from every search. */
        b->text[b->length++] = byte == '\0' ? ' ' : (char)byte;
    }
    return b->length == CONSOLE_LINE_MAX ? take_line(b) : false;
}

bool line_buffer_finish(struct line_buffer *b)
{
    return b->length > 0 ? take_line(b) : false;
}

/* Each line is flushed: scripts and tests read through a pipe. */
static void end_line(struct console *c)
{
    fputc('\n', c->out);
    if (fflush(c->out) != 0) {
        c->broken = true;
    }
}

void console_line(struct console *c, const char *line)
{
    if (c->out == NULL) {
        return;
    }
    for (const char *p = line; *p != '\0'; p++) {
        unsigned char byte = (unsigned char)*p;
        if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
            fprintf(c->out, "\\x%02x", byte);
        } else {
            fputc(byte, c->out);
        }
    }
    end_line(c);
}

void console_remark(struct console *c, vtime now, enum colour colour, const char *format, ...)
{
    if (c->out == NULL) {
        return;
    }
    bool coloured = c->colour && colour != COLOUR_PLAIN;
    fprintf(c->out, "[board %3llu.%06llu] %s", (unsigned long long)(now / VTIME_S(1)),
            (unsigned long long)(now % VTIME_S(1) / VTIME_US(1)), coloured ? colour_codes[colour] : "");
    va_list arguments;
    va_start(arguments, format);
    vfprintf(c->out, format, arguments);
    va_end(arguments);
    fputs(coloured ? "\033[0m" : "", c->out);
    end_line(c);
}
