/* Files for the time of a test. */
#ifndef TESTS_EMULATOR_TEMPORARY_H
#define TESTS_EMULATOR_TEMPORARY_H

#include <stddef.h>

enum { TEMPORARY_PATH = 64 };

/* A new, empty file /tmp/virtual-board-NAME-XXXXXX, which the caller unlinks. Ends the test program on
 * failure. */
void temporary_file(char path[TEMPORARY_PATH], const char *name);
/* The file's content from now on. */
void temporary_fill(const char *path, const void *bytes, size_t size);
void temporary_text(const char *path, const char *text);

#endif
