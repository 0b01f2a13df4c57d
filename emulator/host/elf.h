/*
 * The firmware's ELF file: checked byte for byte before anything of it is
 * believed, then put where a debug probe's loader would put it.
 */
#ifndef EMULATOR_HOST_ELF_H
#define EMULATOR_HOST_ELF_H

#include "machine.h"

struct elf {
    uint8_t *data; /* the whole file; owned */
    size_t size;
    uint32_t entry;
    uint32_t symbol_count;
    uint32_t symbols; /* offset of the symbol table, checked to lie in the file */
    uint32_t names;   /* offset of its names; the last byte of them is checked to be NUL */
    uint32_t names_size;
};

struct elf_symbol {
    const char *name; /* in the file's data */
    uint32_t value;
    uint32_t size;
    bool function;
};

/* Reads and checks a file. False: `error` holds a line that says what is wrong and what to do. */
bool elf_open(struct elf *elf, const char *path, char *error, size_t error_size)
    __attribute__((warn_unused_result));
/* The same with a copy of what is in memory. `name` stands in messages. */
bool elf_open_memory(struct elf *elf, const char *name, const void *data, size_t size, char *error,
                     size_t error_size) __attribute__((warn_unused_result));
void elf_close(struct elf *elf);

/* Writes all segments into the machine's flash. The ELF has passed elf_open. */
bool elf_load(const struct elf *elf, struct machine *m, char *error, size_t error_size)
    __attribute__((warn_unused_result));

/* Symbol `index` of elf->symbol_count. */
struct elf_symbol elf_symbol_at(const struct elf *elf, uint32_t index);
/* False: no symbol of that name, or the ELF is stripped. */
bool elf_find(const struct elf *elf, const char *name, struct elf_symbol *symbol);

#endif
