/* A file as a whole. */
#ifndef EMULATOR_HOST_FILE_H
#define EMULATOR_HOST_FILE_H

#include <stddef.h>
#include <stdint.h>

/* Its content, for the caller to free; NULL with errno, EFBIG above `max` bytes. */
uint8_t *file_read(const char *path, size_t max, size_t *size);

#endif
