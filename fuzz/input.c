#include "fuzz/input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fuzz_broken(const char *condition, const char *file, int line)
{
    (void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

uint8_t input_byte(struct input *input)
{
    if (input->size == 0) {
        return 0;
    }
    input->size--;
    return *input->data++;
}

uint16_t input_half(struct input *input)
{
    unsigned high = input_byte(input);
    return (uint16_t)(high << 8 | input_byte(input));
}

uint32_t input_word(struct input *input)
{
    uint32_t high = input_half(input);
    return high << 16 | input_half(input);
}

uint8_t *exact_copy(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    MUST(copy);
    if (size) {
        memcpy(copy, data, size);
    }
    return copy;
}

uint8_t *input_copy(struct input *input, size_t *size)
{
    *size = *size < input->size ? *size : input->size;
    uint8_t *copy = exact_copy(input->data, *size);
    input->data += *size;
    input->size -= *size;
    return copy;
}
