#include "host_tiny_elf.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "temporary.h"

enum operation {
    HALT,
    STORE,
    WAIT,
    SPIN,
    SEMIHOST,
    NAPS,
    DELAY,
    LOAD,
};

enum {
    IMAGE_OFFSET = 0x100,
    CODE_OFFSET = 0x200,
    TABLE_OFFSET = 0x400,
    HANDLER = TINY_CODE + 0x46,
    EXIT_BLOCK = 0x200000E0,
    STACK = 0x20001000,
    SYS_EXIT_EXTENDED = 0x20,
    ADP_STOPPED_APPLICATION_EXIT = 0x20026,
};

/*
 * Assembled from:
 *   start:    ldr r4, =0x08000400
 *   next:     ldmia r4!, {r0, r1, r2, r3}    operation, address, value, mask or count
 *             cmp r0, #7;  bhi halt;  tbb [pc, r0];  table of 8 bytes
 *   halt:     wfi;  b halt
 *   store:    str r2, [r1];  subs r3, #1;  bhi store;  b next
 *   wait:     ldr r5, [r1];  ands r5, r3;  cmp r5, r2;  bne wait;  b next
 *   spin:     b spin
 *   semihost: mov r0, r1;  mov r1, r2;  bkpt 0xab;  b next
 *   naps:     wfi;  subs r2, #1;  bne naps;  b next
 *   delay:    subs r2, #1;  bne delay;  b next
 *   load:     ldr r5, [r1];  b next
 *   handler:  bx lr
 */
static const uint16_t code[] = {
    0x4c11, 0xcc0f, 0x2807, 0xd805, 0xe8df, 0xf000, 0x0604, 0x0f0a, 0x1410, 0x1b18, 0xbf30, 0xe7fd, 0x600a,
    0x3b01, 0xd8fc, 0xe7f0, 0x680d, 0x401d, 0x4295, 0xd1fb, 0xe7eb, 0xe7fe, 0x4608, 0x4611, 0xbeab, 0xe7e6,
    0xbf30, 0x3a01, 0xd1fc, 0xe7e2, 0x3a01, 0xd1fd, 0xe7df, 0x680d, 0xe7dd, 0x4770, 0x0400, 0x0800,
};

static const char names[] = "\0start\0store\0_SEGGER_RTT";

static void add(struct tiny_elf *t, enum operation operation, uint32_t address, uint32_t value, uint32_t mask)
{
    if (t->count == TINY_OPERATIONS) {
        abort();
    }
    uint32_t *entry = t->operations[t->count++];
    entry[0] = operation;
    entry[1] = address;
    entry[2] = value;
    entry[3] = mask;
}

void tiny_init(struct tiny_elf *t)
{
    memset(t, 0, sizeof *t);
}

void tiny_store(struct tiny_elf *t, uint32_t address, uint32_t value)
{
    add(t, STORE, address, value, 1);
}

void tiny_store_times(struct tiny_elf *t, uint32_t address, uint32_t value, uint32_t times)
{
    add(t, STORE, address, value, times);
}

void tiny_load(struct tiny_elf *t, uint32_t address)
{
    add(t, LOAD, address, 0, 0);
}

void tiny_wait(struct tiny_elf *t, uint32_t address, uint32_t mask, uint32_t value)
{
    add(t, WAIT, address, value, mask);
}

void tiny_spin(struct tiny_elf *t)
{
    add(t, SPIN, 0, 0, 0);
}

void tiny_delay(struct tiny_elf *t, uint32_t rounds)
{
    add(t, DELAY, 0, rounds, 0);
}

void tiny_exit(struct tiny_elf *t, uint32_t status)
{
    tiny_store(t, EXIT_BLOCK, ADP_STOPPED_APPLICATION_EXIT);
    tiny_store(t, EXIT_BLOCK + 4, status);
    add(t, SEMIHOST, SYS_EXIT_EXTENDED, EXIT_BLOCK, 0);
}

void tiny_naps(struct tiny_elf *t, uint32_t count)
{
    add(t, NAPS, 0, count, 0);
}

void tiny_systick(struct tiny_elf *t, uint32_t cycles)
{
    tiny_store(t, 0xE000E014, cycles - 1); /* SYST_RVR */
    tiny_store(t, 0xE000E018, 0);          /* SYST_CVR */
    tiny_store(t, 0xE000E010, 7);          /* SYST_CSR: core clock, interrupt, on */
}

static uint32_t word_of(const char *text, size_t length)
{
    uint32_t word = 0;
    memcpy(&word, text, length < 4 ? length : 4);
    return word;
}

static void make_control_block(struct tiny_elf *t)
{
    static const char id[16] = "SEGGER RTT";
    const uint32_t block[] = {1, 0, 0, TINY_RTT_BUFFER, TINY_RTT_SIZE, 0, 0, 0};
    for (uint32_t i = 0; i < sizeof block / sizeof block[0]; i++) {
        tiny_store(t, TINY_RTT + 16 + 4 * i, block[i]);
    }
    for (uint32_t i = 0; i < sizeof id; i += 4) {
        tiny_store(t, TINY_RTT + i, word_of(id + i, 4));
    }
}

void tiny_log(struct tiny_elf *t, const char *text)
{
    uint32_t length = (uint32_t)strlen(text);
    if (t->written == 0) {
        make_control_block(t);
    }
    /* Words; each text begins at the next word, and the gap holds carriage returns, which nobody sees. */
    for (uint32_t i = 0; i < length; i += 4) {
        uint32_t rest = length - i < 4 ? length - i : 4;
        uint32_t word = word_of("\r\r\r\r", 4);
        memcpy(&word, text + i, rest);
        tiny_store(t, TINY_RTT_BUFFER + (t->written + i) % TINY_RTT_SIZE, word);
    }
    t->written += (length + 3) & ~3u;
    tiny_store(t, TINY_RTT + 36, t->written % TINY_RTT_SIZE);
}

static size_t put(struct tiny_elf *t, size_t at, const void *data, size_t length)
{
    if (at + length > sizeof t->bytes) {
        abort();
    }
    memcpy(t->bytes + at, data, length);
    return at + length;
}

static size_t put_image(struct tiny_elf *t)
{
    uint32_t vectors[CODE_OFFSET / 4];
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        vectors[i] = HANDLER | 1;
    }
    vectors[0] = STACK;
    vectors[1] = TINY_CODE | 1;
    put(t, IMAGE_OFFSET, vectors, sizeof vectors);
    put(t, IMAGE_OFFSET + CODE_OFFSET, code, sizeof code);
    t->operations[t->count < TINY_OPERATIONS ? t->count : TINY_OPERATIONS - 1][0] = HALT;
    return put(t, IMAGE_OFFSET + TABLE_OFFSET, t->operations, (t->count + 1) * sizeof t->operations[0]);
}

static size_t put_symbols(struct tiny_elf *t, size_t at, Elf32_Shdr sections[3])
{
    const Elf32_Sym symbols[] = {
        {0},
        {.st_name = 1,
         .st_value = TINY_CODE | 1,
         .st_size = 0x18,
         .st_info = ELF32_ST_INFO(STB_GLOBAL, STT_FUNC)},
        {.st_name = 7,
         .st_value = TINY_STORE | 1,
         .st_size = 8,
         .st_info = ELF32_ST_INFO(STB_GLOBAL, STT_FUNC)},
        {.st_name = 13,
         .st_value = TINY_RTT,
         .st_size = 48,
         .st_info = ELF32_ST_INFO(STB_GLOBAL, STT_OBJECT)},
    };
    sections[1] = (Elf32_Shdr){.sh_type = SHT_SYMTAB,
                               .sh_offset = (uint32_t)at,
                               .sh_size = sizeof symbols,
                               .sh_link = 2,
                               .sh_entsize = sizeof(Elf32_Sym)};
    at = put(t, at, symbols, sizeof symbols);
    sections[2] = (Elf32_Shdr){.sh_type = SHT_STRTAB, .sh_offset = (uint32_t)at, .sh_size = sizeof names};
    return put(t, at, names, sizeof names);
}

void tiny_finish(struct tiny_elf *t)
{
    Elf32_Shdr sections[3] = {0};
    size_t end = put_image(t);
    const uint32_t image_size = (uint32_t)(end - IMAGE_OFFSET);
    end = (put_symbols(t, end, sections) + 3) & ~(size_t)3;
    const Elf32_Ehdr header = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_EXEC,
        .e_machine = EM_ARM,
        .e_version = EV_CURRENT,
        .e_entry = TINY_CODE | 1,
        .e_phoff = sizeof(Elf32_Ehdr),
        .e_shoff = t->no_symbols ? 0 : (uint32_t)end,
        .e_flags = EF_ARM_EABI_VER5,
        .e_ehsize = sizeof(Elf32_Ehdr),
        .e_phentsize = sizeof(Elf32_Phdr),
        .e_phnum = 2,
        .e_shentsize = sizeof(Elf32_Shdr),
        .e_shnum = t->no_symbols ? 0 : 3,
    };
    const Elf32_Phdr segments[2] = {
        {.p_type = PT_LOAD,
         .p_offset = IMAGE_OFFSET,
         .p_vaddr = FLASH_BASE,
         .p_paddr = FLASH_BASE,
         .p_filesz = image_size,
         .p_memsz = image_size},
        {.p_type = PT_LOAD, .p_vaddr = SRAM_BASE, .p_paddr = SRAM_BASE, .p_memsz = 0x1000},
    };
    size_t at = put(t, 0, &header, sizeof header);
    put(t, at, segments, sizeof segments);
    t->size = put(t, end, sections, sizeof sections);
}

struct elf tiny_open(struct tiny_elf *t)
{
    struct elf elf;
    char error[512];
    tiny_finish(t);
    if (!elf_open_memory(&elf, "tiny.elf", t->bytes, t->size, error, sizeof error)) {
        fprintf(stderr, "%s\n", error);
        abort();
    }
    return elf;
}

void tiny_write(struct tiny_elf *t, char path[64])
{
    tiny_finish(t);
    temporary_file(path, "test");
    temporary_fill(path, t->bytes, t->size);
    if (chmod(path, 0644) != 0) {
        abort();
    }
}
