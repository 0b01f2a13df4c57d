#include "temporary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void temporary_file(char path[TEMPORARY_PATH], const char *name)
{
    snprintf(path, TEMPORARY_PATH, "/tmp/virtual-board-%s-XXXXXX", name);
    int fd = mkstemp(path);
    if (fd < 0 || close(fd) != 0) {
        perror(path);
        abort();
    }
}

void temporary_fill(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) {
        perror(path);
        abort();
    }
}

void temporary_text(const char *path, const char *text)
{
    temporary_fill(path, text, strlen(text));
}
