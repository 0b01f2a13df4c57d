/*
 * What the fuzzing of `net` shares: the input taken apart, and memory of exact size, so that the sanitizer
 * sees every step beyond.
 */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>

/* libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What holds whatever the input: the program ends as by a crash, with the line. */
#define MUST(condition) ((condition) ? (void)0 : fuzz_broken(#condition, __FILE__, __LINE__))
_Noreturn void fuzz_broken(const char *condition, const char *file, int line);

struct input {
    const uint8_t *data;
    size_t size; /* what is left */
};

/* 0 when all is used up. */
uint8_t input_byte(struct input *input);
uint16_t input_half(struct input *input);
uint32_t input_word(struct input *input);

/* The next `size` bytes, or what is left, as memory of their own, to be freed. */
uint8_t *input_copy(struct input *input, size_t *size);
/* A copy of these bytes, to be freed; of `size` 0 too. */
uint8_t *exact_copy(const uint8_t *data, size_t size);

/* Is [at, at + length) within [memory, memory + size)? */
#define WITHIN(at, length, memory, size)                                                                     \
    ((const uint8_t *)(at) >= (memory) && (size_t)(length) <= (size) &&                                      \
     (const uint8_t *)(at) - (memory) <= (ptrdiff_t)((size) - (size_t)(length)))

#endif
