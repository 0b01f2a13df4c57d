#include "log/log.h"

#include "log/format.h"
#include "log/port.h"
#include "log/rtt.h"

enum {
    US_PER_S = 1000000,
    LOSS_SIZE = 48, /* the remark on lines lost */
};

static struct {
    uint64_t (*now_us)(void);
    uint32_t lost;     /* lines dropped since log_init */
    uint32_t reported; /* of these, told of in the log */
} log_state;

/* now / 1000000 without the library's 64-bit division; up to 2^32 seconds. */
static uint32_t split_time(uint64_t now_us, uint32_t *rest_us)
{
    uint64_t divisor = (uint64_t)US_PER_S << 31;
    uint32_t seconds = 0;
    for (int bit = 0; bit < 32; bit++, divisor >>= 1) {
        seconds <<= 1;
        if (now_us >= divisor) {
            now_us -= divisor;
            seconds |= 1;
        }
    }
    *rest_us = (uint32_t)now_us;
    return seconds;
}

static void begin_line(struct log_text *text, enum log_level level)
{
    uint32_t rest_us;
    uint32_t seconds = split_time(log_state.now_us ? log_state.now_us() : 0, &rest_us);
    log_format_args(text, "[%5lu.%06lu] %c ", (unsigned long)seconds, (unsigned long)rest_us, "EWID"[level]);
}

/* Within a size that leaves one byte for the newline. */
static void end_line(struct log_text *text)
{
    if (text->cut)
        text->bytes[text->length - 1] = '~';
    text->bytes[text->length++] = '\n';
}

void log_write(enum log_level level, const char *format, ...)
{
    char bytes[LOSS_SIZE + LOG_LINE_SIZE];
    struct log_text text = {.bytes = bytes, .size = LOSS_SIZE};
    va_list arguments;

    /* The remark goes with the line, both or neither. */
    uint32_t unreported = log_state.lost - log_state.reported;
    if (unreported != 0) {
        log_state.reported += unreported; /* first: whoever interrupts us must not tell it again */
        begin_line(&text, LOG_LEVEL_WARNING);
        log_format_args(&text, "(%lu lines lost)", (unsigned long)unreported);
        end_line(&text);
    }
    text.size = text.length + LOG_LINE_SIZE - 1;
    begin_line(&text, level);
    va_start(arguments, format);
    log_format(&text, format, arguments);
    va_end(arguments);
    end_line(&text);

    if (!rtt_write(bytes, text.length)) {
        uint32_t state = log_port_lock();
        log_state.lost++;
        log_state.reported -= unreported;
        log_port_unlock(state);
    }
}

void log_init(uint64_t (*now_us)(void))
{
    log_state.now_us = now_us;
    log_state.lost = 0;
    log_state.reported = 0;
    rtt_init();
}

uint32_t log_lines_lost(void)
{
    return log_state.lost;
}
