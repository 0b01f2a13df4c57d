#include "host/elf.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FILE_SIZE_MAX = 256 * 1024 * 1024,
    BACKUP_SRAM_BASE = 0x40024000,
    BACKUP_SRAM_SIZE = 0x1000,
};

static const struct {
    uint16_t machine;
    const char *name;
} machines[] = {
    {EM_386, "i386"},      {EM_X86_64, "x86-64"}, {EM_AARCH64, "AArch64"}, {EM_RISCV, "RISC-V"},
    {EM_XTENSA, "Xtensa"}, {EM_MIPS, "MIPS"},     {EM_AVR, "AVR"},
};

static const char *machine_name(uint16_t machine)
{
    for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++) {
        if (machines[i].machine == machine) {
            return machines[i].name;
        }
    }
    return "another processor";
}

static bool within(uint64_t offset, uint64_t length, uint64_t limit)
{
    return offset <= limit && length <= limit - offset;
}

static bool in_region(uint64_t address, uint64_t length, uint64_t base, uint64_t size)
{
    return address >= base && within(address - base, length, size);
}

static bool in_flash(uint64_t address, uint64_t length)
{
    return in_region(address, length, FLASH_BASE, FLASH_SIZE);
}

static bool in_ram(uint64_t address, uint64_t length)
{
    return in_region(address, length, SRAM_BASE, SRAM_SIZE) ||
           in_region(address, length, CCM_BASE, CCM_SIZE) ||
           in_region(address, length, BACKUP_SRAM_BASE, BACKUP_SRAM_SIZE);
}

static Elf32_Ehdr header(const struct elf *elf)
{
    Elf32_Ehdr h;
    memcpy(&h, elf->data, sizeof h);
    return h;
}

static Elf32_Phdr segment_at(const struct elf *elf, unsigned index)
{
    Elf32_Phdr segment;
    memcpy(&segment, elf->data + header(elf).e_phoff + index * sizeof segment, sizeof segment);
    return segment;
}

/* What is wrong with the file header; NULL: nothing. The text may need `detail` for a %s. */
static const char *header_fault(const struct elf *elf, const char **detail)
{
    if (elf->size < SELFMAG || memcmp(elf->data, ELFMAG, SELFMAG) != 0) {
        return "is not an ELF file: give the .elf that the firmware build made, not a .bin or .hex%s";
    }
    if (elf->size < sizeof(Elf32_Ehdr)) {
        return "is cut off within its header: build or copy it again%s";
    }
    Elf32_Ehdr h = header(elf);
    if (h.e_ident[EI_DATA] == ELFDATA2LSB && h.e_machine != EM_ARM) {
        *detail = machine_name(h.e_machine);
        return "is for %s: the board has an ARM Cortex-M4, build with the preset firmware-release";
    }
    if (h.e_ident[EI_CLASS] != ELFCLASS32 || h.e_ident[EI_DATA] != ELFDATA2LSB) {
        return "is not a 32-bit little-endian ELF: build with the preset firmware-release%s";
    }
    if (h.e_type != ET_EXEC) {
        return "is not a linked program but an object file or library: give the .elf that the linker made%s";
    }
    if (h.e_phentsize != sizeof(Elf32_Phdr) || h.e_phnum == 0 ||
        !within(h.e_phoff, (uint64_t)h.e_phnum * sizeof(Elf32_Phdr), elf->size)) {
        return "is damaged or cut off, its program headers are not in the file: build or copy it again%s";
    }
    return NULL;
}

/* One PT_LOAD segment. False: error written. */
static bool check_segment(const struct elf *elf, unsigned index, const char *name, char *error, size_t size)
{
    Elf32_Phdr s = segment_at(elf, index);
    if (s.p_type != PT_LOAD || (s.p_memsz == 0 && s.p_filesz == 0)) {
        return true;
    }
    if (!within(s.p_offset, s.p_filesz, elf->size) || s.p_filesz > s.p_memsz) {
        snprintf(error, size,
                 "%s is damaged or cut off, segment %u is not in the file: build or copy it again", name,
                 index);
        return false;
    }
    if (s.p_filesz > 0 && !in_flash(s.p_paddr, s.p_filesz)) {
        snprintf(error, size,
                 "%s is for another chip or board: %u bytes to load at 0x%08x, the STM32F429 has flash at "
                 "0x08000000 to 0x081fffff",
                 name, s.p_filesz, s.p_paddr);
        return false;
    }
    if (!in_flash(s.p_vaddr, s.p_memsz) && !in_ram(s.p_vaddr, s.p_memsz)) {
        snprintf(
            error, size,
            "%s is for another chip or board: it uses %u bytes at 0x%08x, where the STM32F429 has neither "
            "flash nor RAM",
            name, s.p_memsz, s.p_vaddr);
        return false;
    }
    return true;
}

/* The 32-bit word that the segments put at `address`; false: none does. */
static bool loaded_word(const struct elf *elf, uint32_t address, uint32_t *word)
{
    for (unsigned i = 0; i < header(elf).e_phnum; i++) {
        Elf32_Phdr s = segment_at(elf, i);
        if (s.p_type == PT_LOAD && in_region(address, sizeof *word, s.p_paddr, s.p_filesz)) {
            memcpy(word, elf->data + s.p_offset + (address - s.p_paddr), sizeof *word);
            return true;
        }
    }
    return false;
}

/* The vector table is what the core starts from (ARMv7-M B1.5.5), the ELF's entry what the linker meant. */
static bool check_vectors(const struct elf *elf, const char *name, char *error, size_t size)
{
    uint32_t stack, reset;
    if (!loaded_word(elf, FLASH_BASE, &stack) || !loaded_word(elf, FLASH_BASE + 4, &reset)) {
        snprintf(error, size,
                 "%s has no vector table at 0x08000000, where the core starts: check the linker script",
                 name);
        return false;
    }
    if (stack % 4 != 0 || stack == 0 || !in_ram(stack - 4, 4)) {
        snprintf(error, size,
                 "%s starts with the stack pointer 0x%08x, which is not in RAM: check the vector table", name,
                 stack);
        return false;
    }
    if (!in_flash(reset, 2) || (reset & 1) == 0) {
        snprintf(error, size,
                 "%s has the reset vector 0x%08x: it must be a Thumb function (odd address) in flash, the "
                 "Cortex-M4 "
                 "executes nothing else",
                 name, reset);
        return false;
    }
    return true;
}

/* A stripped or odd symbol table is no fault: the names are just not known. */
static bool take_symbols(struct elf *elf, Elf32_Shdr table, Elf32_Shdr names)
{
    if (table.sh_entsize != sizeof(Elf32_Sym) || !within(table.sh_offset, table.sh_size, elf->size) ||
        !within(names.sh_offset, names.sh_size, elf->size) || names.sh_size == 0 ||
        elf->data[names.sh_offset + names.sh_size - 1] != '\0') {
        return false;
    }
    elf->symbols = table.sh_offset;
    elf->symbol_count = table.sh_size / (uint32_t)sizeof(Elf32_Sym);
    elf->names = names.sh_offset;
    elf->names_size = names.sh_size;
    return true;
}

static void find_symbols(struct elf *elf)
{
    Elf32_Ehdr h = header(elf);
    if (h.e_shentsize != sizeof(Elf32_Shdr) ||
        !within(h.e_shoff, (uint64_t)h.e_shnum * sizeof(Elf32_Shdr), elf->size)) {
        return;
    }
    for (unsigned i = 0; i < h.e_shnum; i++) {
        Elf32_Shdr table, names;
        memcpy(&table, elf->data + h.e_shoff + i * sizeof table, sizeof table);
        if (table.sh_type == SHT_SYMTAB && table.sh_link < h.e_shnum) {
            memcpy(&names, elf->data + h.e_shoff + table.sh_link * sizeof names, sizeof names);
            if (take_symbols(elf, table, names)) {
                return;
            }
        }
    }
}

static bool check(struct elf *elf, const char *name, char *error, size_t size)
{
    const char *detail = "";
    const char *fault = header_fault(elf, &detail);
    if (fault != NULL) {
        int n = snprintf(error, size, "%s ", name);
        if (n >= 0 && (size_t)n < size) {
            /* Each text holds exactly one %s. */
            const char *place = strstr(fault, "%s");
            snprintf(error + n, size - (size_t)n, "%.*s%s%s", (int)(place - fault), fault, detail, place + 2);
        }
        return false;
    }
    for (unsigned i = 0; i < header(elf).e_phnum; i++) {
        if (!check_segment(elf, i, name, error, size)) {
            return false;
        }
    }
    if (!check_vectors(elf, name, error, size)) {
        return false;
    }
    elf->entry = header(elf).e_entry;
    find_symbols(elf);
    return true;
}

bool elf_open_memory(struct elf *elf, const char *name, const void *data, size_t size, char *error,
                     size_t error_size)
{
    *elf = (struct elf){.data = malloc(size > 0 ? size : 1), .size = size};
    if (elf->data == NULL) {
        snprintf(error, error_size, "%s: out of memory", name);
        return false;
    }
    memcpy(elf->data, data, size);
    if (!check(elf, name, error, error_size)) {
        elf_close(elf);
        return false;
    }
    return true;
}

/* The file's content, malloc'd; NULL with errno. */
static uint8_t *read_all(FILE *file, size_t *size)
{
    size_t room = 1 << 16;
    uint8_t *data = malloc(room);
    *size = 0;
    while (data != NULL) {
        *size += fread(data + *size, 1, room - *size, file);
        if (*size < room) {
            break;
        }
        uint8_t *more = room < FILE_SIZE_MAX ? realloc(data, room * 2) : NULL;
        if (more == NULL) {
            errno = EFBIG;
            free(data);
        } else {
            room *= 2;
        }
        data = more;
    }
    if (data != NULL && ferror(file)) {
        free(data);
        data = NULL;
    }
    return data;
}

bool elf_open(struct elf *elf, const char *path, char *error, size_t error_size)
{
    *elf = (struct elf){0};
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        snprintf(error, error_size,
                 "cannot open %s: %s; build it with cmake --build --preset firmware-release", path,
                 strerror(errno));
        return false;
    }
    elf->data = read_all(file, &elf->size);
    int reason = errno;
    fclose(file);
    if (elf->data == NULL) {
        snprintf(error, error_size, "cannot read %s: %s", path, strerror(reason));
        return false;
    }
    if (!check(elf, path, error, error_size)) {
        elf_close(elf);
        return false;
    }
    return true;
}

void elf_close(struct elf *elf)
{
    free(elf->data);
    *elf = (struct elf){0};
}

bool elf_load(const struct elf *elf, struct machine *m, char *error, size_t error_size)
{
    for (unsigned i = 0; i < header(elf).e_phnum; i++) {
        Elf32_Phdr s = segment_at(elf, i);
        if (s.p_type == PT_LOAD && s.p_filesz > 0 &&
            !machine_load(m, s.p_paddr, elf->data + s.p_offset, s.p_filesz)) {
            snprintf(error, error_size, "segment %u at 0x%08x does not fit the flash", i, s.p_paddr);
            return false;
        }
    }
    return true;
}

struct elf_symbol elf_symbol_at(const struct elf *elf, uint32_t index)
{
    Elf32_Sym symbol;
    memcpy(&symbol, elf->data + elf->symbols + index * sizeof symbol, sizeof symbol);
    const char *names = (const char *)elf->data + elf->names;
    return (struct elf_symbol){
        .name = symbol.st_name < elf->names_size ? names + symbol.st_name : "",
        .value = symbol.st_value,
        .size = symbol.st_size,
        .function = ELF32_ST_TYPE(symbol.st_info) == STT_FUNC,
    };
}

bool elf_find(const struct elf *elf, const char *name, struct elf_symbol *symbol)
{
    for (uint32_t i = 0; i < elf->symbol_count; i++) {
        *symbol = elf_symbol_at(elf, i);
        if (strcmp(symbol->name, name) == 0) {
            return true;
        }
    }
    return false;
}
