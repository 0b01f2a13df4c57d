#include "host/inlines.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdio.h>
#include <string.h>

static bool find_unit(Dwarf *debug, Dwarf_Addr pc, Dwarf_Die *unit)
{
    Dwarf_CU *cu = NULL;
    uint8_t type;
    Dwarf_Half version;
    while (dwarf_get_units(debug, cu, &cu, &version, &type, unit, NULL) == 0) {
        if (type == DW_UT_compile && dwarf_haspc(unit, pc) > 0) {
            return true;
        }
    }
    return false;
}

static void set_file(struct inline_call *call, const char *path)
{
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;
    snprintf(call->file, sizeof call->file, "%s", slash != NULL ? slash + 1 : path != NULL ? path : "");
}

/* Where the innermost function is. */
static void place_by_line_table(struct inline_call *call, Dwarf_Die *unit, Dwarf_Addr pc)
{
    Dwarf_Line *line = dwarf_getsrc_die(unit, pc);
    if (line != NULL && dwarf_lineno(line, &call->line) == 0) {
        set_file(call, dwarf_linesrc(line, NULL, NULL));
    }
}

static bool constant(Dwarf_Die *die, unsigned name, Dwarf_Word *value)
{
    Dwarf_Attribute attribute;
    return dwarf_attr(die, name, &attribute) != NULL && dwarf_formudata(&attribute, value) == 0;
}

/* Where the function that holds the inlined one calls it. */
static void place_by_call(struct inline_call *call, Dwarf_Die *unit, Dwarf_Die *inlined)
{
    Dwarf_Word line, file;
    Dwarf_Files *files;
    size_t count;
    if (!constant(inlined, DW_AT_call_line, &line) || !constant(inlined, DW_AT_call_file, &file)) {
        return;
    }
    call->line = (int)line;
    if (dwarf_getsrcfiles(unit, &files, &count) == 0 && file < count) {
        set_file(call, dwarf_filesrc(files, (size_t)file, NULL, NULL));
    }
}

/* The child that has code at the address; dwarf_getscopes gives up at a block without addresses. */
static bool child_at(Dwarf_Die *die, Dwarf_Addr pc, Dwarf_Die *child)
{
    if (dwarf_child(die, child) != 0) {
        return false;
    }
    do {
        int tag = dwarf_tag(child);
        if ((tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block) &&
            dwarf_haspc(child, pc) > 0) {
            return true;
        }
    } while (dwarf_siblingof(child, child) == 0);
    return false;
}

/* The functions that enclose the address, the outermost first. */
static size_t enclosing(Dwarf_Die *unit, Dwarf_Addr pc, Dwarf_Die functions[INLINES_MAX])
{
    Dwarf_Die die = *unit, child;
    size_t count = 0;
    while (count < INLINES_MAX && child_at(&die, pc, &child)) {
        die = child;
        if (dwarf_tag(&die) != DW_TAG_lexical_block) {
            functions[count++] = die;
        }
    }
    return count;
}

size_t inlines_at(struct symbols *symbols, uint32_t pc, struct inline_call calls[INLINES_MAX])
{
    Dwarf *debug = symbols_debug(symbols);
    Dwarf_Die unit, functions[INLINES_MAX];
    if (debug == NULL || !find_unit(debug, pc, &unit)) {
        return 0;
    }
    size_t count = enclosing(&unit, pc, functions);
    for (size_t i = 0; i < count; i++) {
        struct inline_call *call = &calls[i];
        Dwarf_Die *function = &functions[count - 1 - i];
        const char *name = dwarf_diename(function);
        *call = (struct inline_call){0};
        snprintf(call->function, sizeof call->function, "%s", name != NULL ? name : "?");
        if (i == 0) {
            place_by_line_table(call, &unit, pc);
        } else {
            place_by_call(call, &unit, function + 1);
        }
    }
    return count;
}
