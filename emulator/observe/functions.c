#include "observe/functions.h"

#include <stdlib.h>
#include <string.h>

/* Several names of one address: the longest size first, then the alphabet decides. */
static int compare(const void *left, const void *right)
{
    const struct function *a = left, *b = right;
    if (a->start != b->start) {
        return a->start < b->start ? -1 : 1;
    }
    if (a->size != b->size) {
        return a->size > b->size ? -1 : 1;
    }
    return strcmp(a->name, b->name);
}

static void collect(struct functions *f, const struct elf *elf)
{
    for (uint32_t i = 0; i < elf->symbol_count; i++) {
        struct elf_symbol symbol = elf_symbol_at(elf, i);
        if (symbol.function && symbol.value != 0) {
            f->list[f->count++] =
                (struct function){.start = symbol.value & ~1u, .size = symbol.size, .name = symbol.name};
        }
    }
    if (f->count > 1) {
        qsort(f->list + 1, f->count - 1, sizeof *f->list, compare);
    }
}

/* One name an address; assembly without sizes reaches up to the next function. */
static void tidy(struct functions *f)
{
    size_t kept = 1;
    for (size_t i = 1; i < f->count; i++) {
        if (kept == 1 || f->list[i].start != f->list[kept - 1].start) {
            f->list[kept++] = f->list[i];
        }
    }
    f->count = kept;
    for (size_t i = 1; i < f->count; i++) {
        if (f->list[i].size == 0) {
            f->list[i].size = i + 1 < f->count ? f->list[i + 1].start - f->list[i].start : 2;
        }
    }
}

bool functions_init(struct functions *f, const struct elf *elf)
{
    *f = (struct functions){.list = calloc((size_t)elf->symbol_count + 1, sizeof *f->list), .count = 1};
    if (f->list == NULL) {
        return false;
    }
    f->list[0].name = "(unknown)";
    collect(f, elf);
    tidy(f);
    return true;
}

void functions_free(struct functions *f)
{
    free(f->list);
    *f = (struct functions){0};
}

size_t functions_find(const struct functions *f, uint32_t address)
{
    size_t low = 1, high = f->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (f->list[middle].start <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low > 1 && address - f->list[low - 1].start < f->list[low - 1].size ? low - 1 : 0;
}
