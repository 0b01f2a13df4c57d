#include "host/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static uint8_t *fail(uint8_t *data, int error)
{
    free(data);
    errno = error;
    return NULL;
}

static uint8_t *read_stream(FILE *file, size_t max, size_t *size)
{
    size_t room = 1 << 16;
    uint8_t *data = malloc(room);
    *size = 0;
    while (data != NULL) {
        *size += fread(data + *size, 1, room - *size, file);
        if (ferror(file)) {
            return fail(data, errno);
        }
        if (*size < room) {
            return *size > max ? fail(data, EFBIG) : data;
        }
        if (room > max) {
            return fail(data, EFBIG);
        }
        uint8_t *more = realloc(data, room *= 2);
        if (more == NULL) {
            return fail(data, ENOMEM);
        }
        data = more;
    }
    return NULL;
}

uint8_t *file_read(const char *path, size_t max, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    uint8_t *data = read_stream(file, max, size);
    int error = errno;
    fclose(file);
    errno = error;
    return data;
}
