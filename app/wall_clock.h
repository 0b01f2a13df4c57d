/* Times of day as text (RFC 3339), in UTC. */
#ifndef APP_WALL_CLOCK_H
#define APP_WALL_CLOCK_H

#include <stdint.h>

#define WALL_CLOCK_TEXT "2026-11-22T12:39:01.123Z"

/* Seconds since 1970-01-01T00:00Z, until 2106. Writes the text with its end. */
void wall_clock_write(uint32_t unix_s, unsigned ms, char text[sizeof WALL_CLOCK_TEXT]);

#endif
