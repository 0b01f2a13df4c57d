#include "observe/branches.h"

#include <stdlib.h>

bool branch_is_conditional(uint32_t code, unsigned length)
{
    if (length == 2) { /* B T3; the conditions 14 and 15 are other instructions (A6.3.4) */
        return (code & 0xF800D000) == 0xF0008000 && (code & 0x03800000) != 0x03800000;
    }
    bool b = (code & 0xF000) == 0xD000 && (code & 0x0E00) != 0x0E00; /* not UDF, not SVC */
    bool cbz = (code & 0xF500) == 0xB100;
    return b || cbz;
}

/* ---- Data among the code ---- */

/* A mapping symbol of the ARM ELF ABI (aaelf32 5.5.5): from here on it is data, or code again. */
struct mapping {
    uint32_t address;
    bool data;
};

struct mappings {
    struct mapping *list;
    size_t count;
};

static int by_address(const void *left, const void *right)
{
    const struct mapping *a = left, *b = right;
    return a->address < b->address ? -1 : a->address > b->address;
}

static bool read_mappings(struct mappings *mappings, const struct elf *elf)
{
    *mappings = (struct mappings){.list = calloc((size_t)elf->symbol_count + 1, sizeof *mappings->list)};
    if (mappings->list == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < elf->symbol_count; i++) {
        struct elf_symbol symbol = elf_symbol_at(elf, i);
        const char *name = symbol.name;
        if (name[0] == '$' && (name[1] == 'd' || name[1] == 't') && (name[2] == '\0' || name[2] == '.')) {
            mappings->list[mappings->count++] =
                (struct mapping){.address = symbol.value, .data = name[1] == 'd'};
        }
    }
    if (mappings->count > 0) {
        qsort(mappings->list, mappings->count, sizeof *mappings->list, by_address);
    }
    return true;
}

static bool is_data(const struct mappings *mappings, uint32_t address)
{
    size_t low = 0, high = mappings->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (mappings->list[middle].address <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low > 0 && mappings->list[low - 1].data;
}

/* ---- Code ---- */

struct code {
    const struct mappings *mappings;
    const uint8_t *flash;
    void (*found)(void *context, uint32_t address);
    void *context;
};

static uint32_t halfword(const struct code *code, uint32_t address)
{
    const uint8_t *at = code->flash + (address - FLASH_BASE);
    return at[0] | (uint32_t)at[1] << 8;
}

static void scan(const struct code *code, uint32_t start, uint32_t end)
{
    bool after_it = false;
    for (uint32_t at = start, length; at + 2 <= end; at += 2 * length) {
        length = 1;
        if (is_data(code->mappings, at)) {
            after_it = false;
            continue;
        }
        uint32_t first = halfword(code, at), encoding = first;
        if (first >= 0xE800 && at + 4 <= end) {
            encoding = first << 16 | halfword(code, at + 2);
            length = 2;
        }
        if (after_it || branch_is_conditional(encoding, length)) {
            code->found(code->context, at);
        }
        after_it = length == 1 && (first & 0xFF00) == 0xBF00 && (first & 0x000F) != 0;
    }
}

bool branches_find(const struct elf *elf, const struct functions *functions, const uint8_t *flash,
                   void (*found)(void *context, uint32_t address), void *context)
{
    struct mappings mappings;
    if (!read_mappings(&mappings, elf)) {
        return false;
    }
    const struct code code = {.mappings = &mappings, .flash = flash, .found = found, .context = context};
    for (size_t i = 1; i < functions->count; i++) {
        const struct function *f = &functions->list[i];
        if (f->start - FLASH_BASE < FLASH_SIZE && f->size <= FLASH_SIZE - (f->start - FLASH_BASE)) {
            scan(&code, f->start, f->start + f->size);
        }
    }
    free(mappings.list);
    return true;
}
