#include "host/swo.h"

#include <errno.h>
#include <string.h>

bool swo_open(struct swo *swo, const char *path, char *error, size_t error_size)
{
    if (strcmp(path, "-") == 0) {
        return true;
    }
    swo->file = fopen(path, "w");
    if (swo->file == NULL) {
        snprintf(error, error_size, "cannot write the ITM's output to %s: %s", path, strerror(errno));
    }
    return swo->file != NULL;
}

static void show_line(struct swo *swo)
{
    struct console file = {.out = swo->file};

    console_line(&file, swo->text.text);
    swo->line(swo->context, swo->text.text);
}

static void show_number(const struct swo *swo, struct console *console, vtime now, unsigned port,
                        unsigned bytes, uint32_t value)
{
    struct console file = {.out = swo->file};

    console_remark(swo->file != NULL ? &file : console, now, COLOUR_PLAIN, "ITM port %u: 0x%0*x", port,
                   (int)(2 * bytes), value);
}

void swo_take(struct swo *swo, struct console *console, vtime now, unsigned port, unsigned bytes,
              uint32_t value)
{
    if (port != 0) {
        show_number(swo, console, now, port, bytes, value);
        return;
    }
    for (unsigned i = 0; i < bytes; i++) {
        uint8_t byte = (uint8_t)(value >> 8 * i);
        if (byte != '\0' && line_buffer_add(&swo->text, byte)) { /* a word may carry fewer characters */
            show_line(swo);
        }
    }
}

void swo_finish(struct swo *swo)
{
    if (line_buffer_finish(&swo->text)) {
        show_line(swo);
    }
}

bool swo_close(struct swo *swo)
{
    if (swo->file == NULL) {
        return true;
    }
    bool written = ferror(swo->file) == 0, closed = fclose(swo->file) == 0;
    swo->file = NULL;
    return written && closed;
}
