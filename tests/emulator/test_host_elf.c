/* The ELF loader on good files, wrong files, and files damaged in every way there is time for. */
#define _GNU_SOURCE /* memmem */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <elf.h>

#include "host/symbols.h"
#include "host_tiny_elf.h"

static struct tiny_elf tiny;
static char error[512];

static int make_tiny(void **state)
{
    (void)state;
    tiny_init(&tiny);
    tiny_log(&tiny, "hello\n");
    tiny_finish(&tiny);
    return 0;
}

static Elf32_Ehdr *file_header(void)
{
    return (Elf32_Ehdr *)(void *)tiny.bytes;
}

static Elf32_Phdr *segments(void)
{
    return (Elf32_Phdr *)(void *)(tiny.bytes + sizeof(Elf32_Ehdr));
}

static uint32_t *image(void)
{
    return (uint32_t *)(void *)(tiny.bytes + segments()[0].p_offset);
}

static bool open_tiny(struct elf *elf)
{
    error[0] = '\0';
    return elf_open_memory(elf, "tiny.elf", tiny.bytes, tiny.size, error, sizeof error);
}

static void refused(const char *part)
{
    struct elf elf;
    assert_false(open_tiny(&elf));
    if (strstr(error, part) == NULL) {
        fail_msg("expected \"%s\" in \"%s\"", part, error);
    }
    assert_null(strchr(error, '\n'));
    assert_non_null(strstr(error, "tiny.elf"));
}

static void good_file_opens(void **state)
{
    (void)state;
    struct elf elf;
    struct elf_symbol symbol;
    assert_true(open_tiny(&elf));
    assert_int_equal(elf.entry, TINY_CODE | 1);
    assert_true(elf_find(&elf, "_SEGGER_RTT", &symbol));
    assert_int_equal(symbol.value, TINY_RTT);
    assert_false(symbol.function);
    assert_false(elf_find(&elf, "nothing", &symbol));
    elf_close(&elf);
}

static void wrong_kinds_are_named(void **state)
{
    (void)state;
    tiny.bytes[0] = ':';
    refused("not an ELF");
    tiny.bytes[0] = ELFMAG0;
    file_header()->e_machine = EM_X86_64;
    refused("x86-64");
    file_header()->e_machine = 0x1234;
    refused("another processor");
    file_header()->e_machine = EM_ARM;
    file_header()->e_type = ET_REL;
    refused("object file");
    file_header()->e_type = ET_EXEC;
    tiny.bytes[EI_CLASS] = ELFCLASS64;
    refused("32-bit");
}

static void other_chips_are_named(void **state)
{
    (void)state;
    segments()[0].p_paddr = 0x10000000;
    refused("0x10000000");
    segments()[0].p_paddr = 0x08000000 + FLASH_SIZE - 16;
    refused("another chip");
    segments()[0].p_paddr = FLASH_BASE;
    segments()[1].p_vaddr = SRAM_BASE + SRAM_SIZE - 16;
    refused("neither flash nor RAM");
    segments()[1].p_vaddr = 0xFFFFFFF0;
    refused("neither flash nor RAM");
}

static void vectors_are_checked(void **state)
{
    (void)state;
    image()[0] = 0x20030004;
    refused("stack pointer");
    image()[0] = 0;
    refused("stack pointer");
    image()[0] = SRAM_BASE + SRAM_SIZE; /* one past the end is right: the stack is full-descending */
    image()[1] = TINY_CODE;
    refused("Thumb");
    image()[1] = 0x00000201;
    refused("reset vector");
    image()[1] = TINY_CODE | 1;
    struct elf elf;
    assert_true(open_tiny(&elf));
    elf_close(&elf);
    segments()[0].p_paddr += 0x4000;
    segments()[0].p_vaddr += 0x4000;
    refused("vector table");
}

/* A segment that takes no memory, but claims bytes of the file. */
static void segment_without_memory_is_checked_too(void **state)
{
    (void)state;
    segments()[0].p_memsz = 0;
    segments()[0].p_offset = 0x7FFFFFF0;
    refused("is damaged or cut off, segment 0 is not in the file");
}

static void missing_file_is_named(void **state)
{
    (void)state;
    struct elf elf;
    assert_false(elf_open(&elf, "/nonexistent/firmware.elf", error, sizeof error));
    assert_non_null(strstr(error, "/nonexistent/firmware.elf"));
    assert_non_null(strstr(error, "No such file"));
    assert_false(elf_open(&elf, "/", error, sizeof error));
    assert_non_null(strstr(error, "directory"));
}

static void truncation_anywhere_is_survived(void **state)
{
    (void)state;
    const size_t whole = tiny.size;
    const size_t needed = segments()[0].p_offset + segments()[0].p_filesz;
    for (tiny.size = 0; tiny.size < whole; tiny.size++) {
        struct elf elf;
        bool opened = open_tiny(&elf);
        assert_int_equal(opened, tiny.size >= needed);
        if (opened) {
            elf_close(&elf);
        } else {
            assert_string_not_equal(error, "");
        }
    }
}

/* xorshift: the same flips at each run */
static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void use_symbols(const struct elf *elf)
{
    struct elf_symbol symbol;
    (void)elf_find(elf, "_SEGGER_RTT", &symbol);
    struct symbols *symbols = symbols_create(elf);
    char text[100];
    symbols_describe(symbols, TINY_STORE, text, sizeof text);
    symbols_destroy(symbols);
}

static void flips_are_survived(void **state)
{
    (void)state;
    const struct tiny_elf good = tiny;
    uint32_t seed = 1;
    unsigned opened = 0;
    for (unsigned round = 0; round < 20000; round++) {
        const size_t size = good.size;
        memcpy(tiny.bytes, good.bytes, size);
        for (unsigned flips = 1 + next_random(&seed) % 4; flips > 0; flips--) {
            /* Half of them in the headers, a quarter in the section headers at the end. */
            uint32_t where = next_random(&seed);
            size_t at = where & 1   ? (where >> 2) % 116
                        : where & 2 ? size - 1 - (where >> 2) % 120
                                    : (where >> 2) % size;
            tiny.bytes[at] ^= (uint8_t)(1u << next_random(&seed) % 8);
        }
        struct elf elf;
        if (open_tiny(&elf)) {
            opened++;
            use_symbols(&elf);
            elf_close(&elf);
        }
    }
    /* Both outcomes were exercised. */
    assert_in_range(opened, 1000, 19000);
}

static void names_without_an_end_are_none(void **state)
{
    (void)state;
    static const char last[] = "_SEGGER_RTT";
    struct elf elf;
    struct elf_symbol symbol;
    uint8_t *name = memmem(tiny.bytes, tiny.size, last, sizeof last);
    assert_non_null(name);
    name[sizeof last - 1] = 'x';
    assert_true(open_tiny(&elf));
    assert_int_equal(elf.symbol_count, 0);
    assert_false(elf_find(&elf, "start", &symbol));
    elf_close(&elf);
}

static void symbols_name_the_function(void **state)
{
    (void)state;
    struct elf elf;
    char text[100];
    assert_true(open_tiny(&elf));
    struct symbols *symbols = symbols_create(&elf);
    symbols_describe(symbols, TINY_STORE + 2, text, sizeof text);
    assert_string_equal(text, "store+0x2");
    symbols_describe(symbols, 0x08010000, text, sizeof text);
    assert_string_equal(text, "");
    symbols_destroy(symbols);
    elf_close(&elf);
}

/* A function of this program, whose own debug information the lookup is tried on. */
static __attribute__((noinline)) int landmark(int x)
{
    return x * 3 + 1;
}
enum { LANDMARK_END = __LINE__ - 1 };

extern const char __ehdr_start[]; /* the linker's: where this program begins */

static uint8_t *read_self(size_t *size)
{
    FILE *file = fopen("/proc/self/exe", "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = malloc(*size);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, *size, file), *size);
    fclose(file);
    return data;
}

static void debug_information_gives_the_line(void **state)
{
    (void)state;
    struct elf self = {0};
    char text[100];
    self.data = read_self(&self.size);
    struct symbols *symbols = symbols_create(&self);
    /* Linked at 0, as position-independent programs are; else the address itself is the link-time one. */
    uintptr_t base = (uintptr_t)__ehdr_start > UINT32_MAX ? (uintptr_t)__ehdr_start : 0;
    assert_int_equal(landmark(1), 4);
    symbols_describe(symbols, (uint32_t)((uintptr_t)landmark - base), text, sizeof text);
    static const char file[] = "test_host_elf.c:";
    assert_int_equal(strncmp(text, file, sizeof file - 1), 0);
    long line = strtol(text + sizeof file - 1, NULL, 10);
    assert_in_range(line, LANDMARK_END - 3, LANDMARK_END);
    symbols_destroy(symbols);
    elf_close(&self);
}

static void stripped_file_opens(void **state)
{
    (void)state;
    struct elf elf;
    struct elf_symbol symbol;
    tiny.no_symbols = true;
    tiny_finish(&tiny);
    assert_true(open_tiny(&elf));
    assert_false(elf_find(&elf, "_SEGGER_RTT", &symbol));
    elf_close(&elf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(good_file_opens, make_tiny),
        cmocka_unit_test_setup(wrong_kinds_are_named, make_tiny),
        cmocka_unit_test_setup(other_chips_are_named, make_tiny),
        cmocka_unit_test_setup(vectors_are_checked, make_tiny),
        cmocka_unit_test_setup(segment_without_memory_is_checked_too, make_tiny),
        cmocka_unit_test_setup(missing_file_is_named, make_tiny),
        cmocka_unit_test_setup(truncation_anywhere_is_survived, make_tiny),
        cmocka_unit_test_setup(flips_are_survived, make_tiny),
        cmocka_unit_test_setup(names_without_an_end_are_none, make_tiny),
        cmocka_unit_test_setup(symbols_name_the_function, make_tiny),
        cmocka_unit_test(debug_information_gives_the_line),
        cmocka_unit_test_setup(stripped_file_opens, make_tiny),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
