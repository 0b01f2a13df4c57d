#include "host/symbols.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct symbols {
    const struct elf *elf;
    char *image; /* libelf's own copy: elf_memory wants it writable */
    Elf *file;
    Dwarf *debug; /* NULL: not read yet, or none */
    bool tried;
};

struct symbols *symbols_create(const struct elf *elf)
{
    struct symbols *symbols = calloc(1, sizeof *symbols);
    if (symbols != NULL) {
        symbols->elf = elf;
    }
    return symbols;
}

void symbols_destroy(struct symbols *symbols)
{
    if (symbols == NULL) {
        return;
    }
    if (symbols->debug != NULL) {
        dwarf_end(symbols->debug);
    }
    if (symbols->file != NULL) {
        elf_end(symbols->file);
    }
    free(symbols->image);
    free(symbols);
}

static void read_debug(struct symbols *symbols)
{
    symbols->tried = true;
    if (elf_version(EV_CURRENT) == EV_NONE) {
        return;
    }
    symbols->image = malloc(symbols->elf->size);
    if (symbols->image == NULL) {
        return;
    }
    memcpy(symbols->image, symbols->elf->data, symbols->elf->size);
    symbols->file = elf_memory(symbols->image, symbols->elf->size);
    if (symbols->file != NULL) {
        symbols->debug = dwarf_begin_elf(symbols->file, DWARF_C_READ, NULL);
    }
}

Dwarf *symbols_debug(struct symbols *symbols)
{
    if (!symbols->tried) {
        read_debug(symbols);
    }
    return symbols->debug;
}

static bool has_address(Dwarf_Die *unit, Dwarf_Addr pc)
{
    return dwarf_haspc(unit, pc) > 0;
}

/* The unit that covers pc. .debug_aranges would be quicker, but not every compiler writes it. */
static bool find_unit(Dwarf *debug, Dwarf_Addr pc, Dwarf_Die *unit)
{
    Dwarf_CU *cu = NULL;
    uint8_t type;
    Dwarf_Half version;
    while (dwarf_get_units(debug, cu, &cu, &version, &type, unit, NULL) == 0) {
        if (type == DW_UT_compile && has_address(unit, pc)) {
            return true;
        }
    }
    return false;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* "file.c:12"; false: not known. */
static bool find_line(struct symbols *symbols, uint32_t pc, char *text, size_t size)
{
    Dwarf *debug = symbols_debug(symbols);
    Dwarf_Die unit;
    if (debug == NULL || !find_unit(debug, pc, &unit)) {
        return false;
    }
    Dwarf_Line *line = dwarf_getsrc_die(&unit, pc);
    int number = 0;
    const char *file = line != NULL ? dwarf_linesrc(line, NULL, NULL) : NULL;
    if (file == NULL || dwarf_lineno(line, &number) != 0) {
        return false;
    }
    snprintf(text, size, "%s:%d", base_name(file), number);
    return true;
}

static bool find_function(const struct elf *elf, uint32_t pc, struct elf_symbol *function)
{
    for (uint32_t i = 0; i < elf->symbol_count; i++) {
        *function = elf_symbol_at(elf, i);
        function->value &= ~1u; /* bit 0 marks Thumb */
        if (function->function && pc - function->value < (function->size > 0 ? function->size : 2)) {
            return true;
        }
    }
    return false;
}

void symbols_describe(struct symbols *symbols, uint32_t pc, char *text, size_t size)
{
    struct elf_symbol function = {0};
    char line[256];
    bool have_function = find_function(symbols->elf, pc, &function);
    bool have_line = find_line(symbols, pc, line, sizeof line);
    if (have_function && have_line) {
        snprintf(text, size, "%s (%s)", function.name, line);
    } else if (have_function && pc == function.value) {
        snprintf(text, size, "%s", function.name);
    } else if (have_function) {
        snprintf(text, size, "%s+0x%x", function.name, pc - function.value);
    } else if (have_line) {
        snprintf(text, size, "%s", line);
    } else if (size > 0) {
        text[0] = '\0';
    }
}
