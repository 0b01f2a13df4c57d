/*
 * Leveled log, one line a call, as `[    1.234567] I text`, to the RTT channel
 * 0 of a debug probe (rtt.h).
 *
 * From any context and priority; never blocks: the line is composed on the
 * caller's stack (some 280 bytes in all) and copied into the
 * ring with interrupts off. A line that does not fit into the ring is dropped
 * whole and counted; as soon as there is room again a line says how many.
 *
 * Formats: %s %.*s %c %d %u %x %%; numbers with l, a leading 0, and a width up
 * to 21. Any other ends the line there. Control characters in the arguments become dots, so that
 * text from outside cannot forge lines. A line too long is cut and ends in ~.
 */
#ifndef LOG_LOG_H
#define LOG_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level {
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG,
};

/* What is above this level is compiled out, but its format still checked. */
#ifndef LOG_LEVEL
#ifdef MOTE_DEBUG
#define LOG_LEVEL LOG_LEVEL_DEBUG
#else
#define LOG_LEVEL LOG_LEVEL_INFO
#endif
#endif

enum { LOG_LINE_SIZE = 128 /* with its time, level and newline */ };

#define LOG_AT(level, ...)                                                                                   \
    do {                                                                                                     \
        if ((level) <= LOG_LEVEL)                                                                            \
            log_write(level, __VA_ARGS__);                                                                   \
    } while (0)
#define LOG_ERROR(...)   LOG_AT(LOG_LEVEL_ERROR, __VA_ARGS__)
#define LOG_WARNING(...) LOG_AT(LOG_LEVEL_WARNING, __VA_ARGS__)
#define LOG_INFO(...)    LOG_AT(LOG_LEVEL_INFO, __VA_ARGS__)
#define LOG_DEBUG(...)   LOG_AT(LOG_LEVEL_DEBUG, __VA_ARGS__)

/*
 * Once, before the first line. `now_us` gives the time since boot in
 * microseconds and is called by log_write in the caller's context; NULL: 0.
 */
void log_init(uint64_t (*now_us)(void));

void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Lines dropped since log_init. */
uint32_t log_lines_lost(void);

#endif
