#include "observe/variables.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdio.h>
#include <string.h>

enum {
    SCOPE_DEPTH = 8, /* blocks within functions within units */
    VALUE_DEPTH = 6, /* structures within structures */
    ELEMENTS_MAX = 32,
    HEX_BYTES_MAX = 64,
};

/* ---- Text that is cut off where it does not fit ---- */

struct text {
    char *at;
    size_t room; /* with the terminating NUL */
};

static void add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *t, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(t->at, t->room, format, arguments);
    va_end(arguments);
    size_t used = length < 0 ? 0 : (size_t)length;
    used = used < t->room ? used : t->room - 1;
    t->at += used;
    t->room -= used;
}

/* ---- Memory ---- */

static const uint8_t *memory_at(const struct machine *m, uint32_t address, size_t size)
{
    const struct {
        uint32_t base, size;
        const uint8_t *bytes;
    } memories[] = {
        {SRAM_BASE, SRAM_SIZE, m->sram}, {CCM_BASE, CCM_SIZE, m->ccm}, {FLASH_BASE, FLASH_SIZE, m->flash}};
    for (size_t i = 0; i < sizeof memories / sizeof memories[0]; i++) {
        uint32_t offset = address - memories[i].base;
        if (offset < memories[i].size && size <= memories[i].size - offset) {
            return memories[i].bytes + offset;
        }
    }
    return NULL;
}

/* ---- Finding ---- */

static bool is_variable(Dwarf_Die *die, const char *name, uint32_t *address)
{
    Dwarf_Attribute attribute;
    Dwarf_Op *operations;
    size_t count;
    const char *its_name = dwarf_diename(die);
    if (dwarf_tag(die) != DW_TAG_variable || its_name == NULL || strcmp(its_name, name) != 0 ||
        dwarf_attr_integrate(die, DW_AT_location, &attribute) == NULL ||
        dwarf_getlocation(&attribute, &operations, &count) != 0 || count != 1 ||
        operations[0].atom != DW_OP_addr) {
        return false;
    }
    *address = (uint32_t)operations[0].number;
    return true;
}

/* In a scope and those within it; static variables of functions are variables too. */
static bool find_in(Dwarf_Die *scope, const char *name, unsigned depth, Dwarf_Die *found, uint32_t *address)
{
    Dwarf_Die die;
    if (depth == 0 || dwarf_child(scope, &die) != 0) {
        return false;
    }
    do {
        if (is_variable(&die, name, address)) {
            *found = die;
            return true;
        }
        int tag = dwarf_tag(&die);
        if ((tag == DW_TAG_subprogram || tag == DW_TAG_lexical_block || tag == DW_TAG_inlined_subroutine) &&
            find_in(&die, name, depth - 1, found, address)) {
            return true;
        }
    } while (dwarf_siblingof(&die, &die) == 0);
    return false;
}

static bool find_variable(struct symbols *symbols, const char *name, Dwarf_Die *found, uint32_t *address)
{
    Dwarf *debug = symbols_debug(symbols);
    Dwarf_CU *cu = NULL;
    Dwarf_Die unit;
    uint8_t type;
    while (debug != NULL && dwarf_get_units(debug, cu, &cu, NULL, &type, &unit, NULL) == 0) {
        if (find_in(&unit, name, SCOPE_DEPTH, found, address)) {
            return true;
        }
    }
    return false;
}

static bool find_symbol(const struct elf *elf, const char *name, struct elf_symbol *symbol)
{
    return elf_find(elf, name, symbol) && !symbol->function;
}

bool variable_exists(const struct elf *elf, struct symbols *symbols, const char *name)
{
    Dwarf_Die die;
    uint32_t address;
    struct elf_symbol symbol;
    return find_variable(symbols, name, &die, &address) || find_symbol(elf, name, &symbol);
}

/* ---- Values ---- */

/* Without typedefs and qualifiers. False: there is none (void). */
static bool type_of(Dwarf_Die *die, Dwarf_Die *type)
{
    Dwarf_Attribute attribute;
    return dwarf_attr_integrate(die, DW_AT_type, &attribute) != NULL &&
           dwarf_formref_die(&attribute, type) != NULL && dwarf_peel_type(type, type) == 0;
}

static uint64_t unsigned_of(const uint8_t *bytes, size_t size)
{
    uint64_t value = 0;
    memcpy(&value, bytes, size <= sizeof value ? size : sizeof value);
    return value;
}

static int64_t signed_of(uint64_t value, size_t size)
{
    unsigned shift = size < 8 ? 64 - 8 * (unsigned)size : 0;
    return (int64_t)(value << shift) >> shift;
}

static void add_hex(struct text *t, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size && i < HEX_BYTES_MAX; i++) {
        add(t, i > 0 ? " %02x" : "%02x", bytes[i]);
    }
    if (size > HEX_BYTES_MAX) {
        add(t, " … (%zu bytes)", size);
    }
}

static void add_base(struct text *t, Dwarf_Die *type, const uint8_t *bytes, size_t size)
{
    Dwarf_Attribute attribute;
    Dwarf_Word encoding = 0;
    uint64_t value = unsigned_of(bytes, size);
    if (dwarf_attr_integrate(type, DW_AT_encoding, &attribute) != NULL) {
        (void)dwarf_formudata(&attribute, &encoding);
    }
    if (encoding == DW_ATE_float && size == sizeof(float)) {
        float number;
        memcpy(&number, bytes, sizeof number);
        add(t, "%.9g", (double)number);
    } else if (encoding == DW_ATE_float && size == sizeof(double)) {
        double number;
        memcpy(&number, bytes, sizeof number);
        add(t, "%.17g", number);
    } else if (encoding == DW_ATE_boolean) {
        add(t, "%s", value == 0 ? "false" : "true");
    } else if (encoding == DW_ATE_signed || encoding == DW_ATE_signed_char) {
        add(t, "%lld", (long long)signed_of(value, size));
    } else {
        add(t, "%llu", (unsigned long long)value);
    }
}

static void add_enumerator(struct text *t, Dwarf_Die *type, const uint8_t *bytes, size_t size)
{
    int64_t value = signed_of(unsigned_of(bytes, size), size);
    Dwarf_Die die;
    bool any = dwarf_child(type, &die) == 0;
    while (any) {
        Dwarf_Attribute attribute;
        Dwarf_Sword constant;
        if (dwarf_attr(&die, DW_AT_const_value, &attribute) != NULL &&
            dwarf_formsdata(&attribute, &constant) == 0 &&
            (constant == value || (uint64_t)constant == unsigned_of(bytes, size))) {
            add(t, "%s", dwarf_diename(&die));
            return;
        }
        any = dwarf_siblingof(&die, &die) == 0;
    }
    add(t, "%lld", (long long)value);
}

static void add_value(struct text *t, Dwarf_Die *type, const uint8_t *bytes, size_t size, unsigned depth);

static Dwarf_Word number_of(Dwarf_Die *die, unsigned name, Dwarf_Word otherwise)
{
    Dwarf_Attribute attribute;
    Dwarf_Word value;
    return dwarf_attr_integrate(die, name, &attribute) != NULL && dwarf_formudata(&attribute, &value) == 0
               ? value
               : otherwise;
}

static void add_bits(struct text *t, Dwarf_Word first, Dwarf_Word count, const uint8_t *bytes, size_t size)
{
    uint64_t value = 0;
    for (Dwarf_Word i = 0; i < count && i < 64 && (first + i) / 8 < size; i++) {
        value |= (uint64_t)(bytes[(first + i) / 8] >> (first + i) % 8 & 1) << i;
    }
    add(t, "%llu", (unsigned long long)value);
}

static void add_member(struct text *t, Dwarf_Die *member, const uint8_t *bytes, size_t size, unsigned depth)
{
    Dwarf_Die type;
    Dwarf_Word offset = number_of(member, DW_AT_data_member_location, 0);
    Dwarf_Word width = number_of(member, DW_AT_bit_size, 0);
    const char *name = dwarf_diename(member);
    add(t, "%s = ", name != NULL ? name : "");
    if (width > 0) {
        add_bits(t, 8 * offset + number_of(member, DW_AT_data_bit_offset, 0), width, bytes, size);
    } else if (type_of(member, &type) && offset < size) {
        add_value(t, &type, bytes + offset, size - offset, depth - 1);
    } else {
        add(t, "?");
    }
}

static void add_structure(struct text *t, Dwarf_Die *type, const uint8_t *bytes, size_t size, unsigned depth)
{
    Dwarf_Die member;
    bool any = dwarf_child(type, &member) == 0;
    const char *separator = "";
    add(t, "{");
    while (any) {
        if (dwarf_tag(&member) == DW_TAG_member) {
            add(t, "%s", separator);
            add_member(t, &member, bytes, size, depth);
            separator = ", ";
        }
        any = dwarf_siblingof(&member, &member) == 0;
    }
    add(t, "}");
}

static bool is_text(Dwarf_Die *element, const uint8_t *bytes, size_t size)
{
    if (dwarf_tag(element) != DW_TAG_base_type || dwarf_bytesize(element) != 1 ||
        strcmp(dwarf_diename(element), "char") != 0 || memchr(bytes, '\0', size) == NULL) {
        return false;
    }
    for (; *bytes != '\0'; bytes++) {
        if (*bytes < 0x20 || *bytes >= 0x7F) {
            return false;
        }
    }
    return true;
}

static void add_array(struct text *t, Dwarf_Die *type, const uint8_t *bytes, size_t size, unsigned depth)
{
    Dwarf_Die element;
    int element_size = type_of(type, &element) ? dwarf_bytesize(&element) : 0;
    if (element_size <= 0) {
        add_hex(t, bytes, size);
        return;
    }
    if (is_text(&element, bytes, size)) {
        add(t, "\"%s\"", (const char *)bytes);
        return;
    }
    size_t count = size / (size_t)element_size;
    add(t, "[");
    for (size_t i = 0; i < count && i < ELEMENTS_MAX; i++) {
        add(t, "%s", i > 0 ? ", " : "");
        add_value(t, &element, bytes + i * (size_t)element_size, (size_t)element_size, depth - 1);
    }
    add(t, count > ELEMENTS_MAX ? ", … (%zu elements)]" : "]", count);
}

/* `size`: bytes that are there; the type may claim fewer. */
static void add_value(struct text *t, Dwarf_Die *type, const uint8_t *bytes, size_t size, unsigned depth)
{
    Dwarf_Word own = 0;
    if (dwarf_aggregate_size(type, &own) == 0 && own <= size) {
        size = (size_t)own;
    } else {
        add(t, "?");
        return;
    }
    if (depth == 0) {
        add(t, "…");
        return;
    }
    switch (dwarf_tag(type)) {
    case DW_TAG_base_type: add_base(t, type, bytes, size); break;
    case DW_TAG_enumeration_type: add_enumerator(t, type, bytes, size); break;
    case DW_TAG_pointer_type: add(t, "0x%08llx", (unsigned long long)unsigned_of(bytes, size)); break;
    case DW_TAG_structure_type:
    case DW_TAG_union_type: add_structure(t, type, bytes, size, depth); break;
    case DW_TAG_array_type: add_array(t, type, bytes, size, depth); break;
    default: add_hex(t, bytes, size); break;
    }
}

/* False: the debug information does not have it, or puts it where no memory is. */
static bool describe_typed(struct text *t, struct symbols *symbols, const struct machine *m, const char *name)
{
    Dwarf_Die die, type;
    Dwarf_Word size;
    uint32_t address;
    if (!find_variable(symbols, name, &die, &address) || !type_of(&die, &type) ||
        dwarf_aggregate_size(&type, &size) != 0) {
        return false;
    }
    const uint8_t *bytes = memory_at(m, address, (size_t)size);
    if (bytes == NULL) {
        return false;
    }
    add_value(t, &type, bytes, (size_t)size, VALUE_DEPTH);
    return true;
}

void variable_describe(const struct elf *elf, struct symbols *symbols, const struct machine *m,
                       const char *name, char *text, size_t size)
{
    struct text t = {.at = text, .room = size};
    struct elf_symbol symbol;
    add(&t, "%s = ", name);
    if (describe_typed(&t, symbols, m, name)) {
        return;
    }
    const uint8_t *bytes = find_symbol(elf, name, &symbol) ? memory_at(m, symbol.value, symbol.size) : NULL;
    if (bytes != NULL) {
        add_hex(&t, bytes, symbol.size);
    } else {
        add(&t, "?");
    }
}
