/* What GDB is told about the target: its registers, and what lies where (GDB
 * manual, appendices G and H). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/gdb_view.h"

static void print_register(FILE *out, unsigned number)
{
    const struct view_register *r = view_register(number);
    fprintf(out, "<reg name=\"%s\" bitsize=\"%u\" regnum=\"%u\" type=\"%s\"%s/>\n", r->name, 8 * r->bytes,
            number, r->type, r->extra);
}

static void print_target(FILE *out)
{
    const char *feature = "";
    fputs("<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
          "<target version=\"1.0\">\n<architecture>arm</architecture>\n",
          out);
    for (unsigned i = 0; i < VIEW_REGISTERS; i++) {
        const struct view_register *r = view_register(i);
        if (strcmp(r->feature, feature) != 0) {
            fprintf(out, "%s<feature name=\"%s\">\n", *feature != '\0' ? "</feature>\n" : "", r->feature);
            feature = r->feature;
        }
        print_register(out, i);
    }
    fputs("</feature>\n</target>\n", out);
}

static void print_area(FILE *out, const char *type, uint32_t start, uint32_t length)
{
    fprintf(out, "<memory type=\"%s\" start=\"0x%08x\" length=\"0x%x\"/>\n", type, start, length);
}

static void print_sectors(FILE *out, uint32_t start, uint32_t length, uint32_t sector)
{
    fprintf(out,
            "<memory type=\"flash\" start=\"0x%08x\" length=\"0x%x\"><property "
            "name=\"blocksize\">0x%x"
            "</property></memory>\n",
            start, length, sector);
}

/* Each bank has 4 sectors of 16 KB, one of 64 KB, 7 of 128 KB (RM0090 3.4,
 * table 6). */
static void print_bank(FILE *out, uint32_t start)
{
    print_sectors(out, start, 0x10000, 0x4000);
    print_sectors(out, start + 0x10000, 0x10000, 0x10000);
    print_sectors(out, start + 0x20000, 0xE0000, 0x20000);
}

static void print_memory_map(FILE *out)
{
    fputs("<?xml version=\"1.0\"?>\n<!DOCTYPE memory-map PUBLIC \"+//IDN "
          "gnu.org//DTD GDB Memory Map "
          "V1.0//EN\" "
          "\"http://sourceware.org/gdb/gdb-memory-map.dtd\">\n<memory-map>\n",
          out);
    print_area(out, "rom", 0, FLASH_SIZE); /* the alias of what the core boots from */
    print_bank(out, FLASH_BASE);
    print_bank(out, FLASH_BASE + FLASH_SIZE / 2);
    print_area(out, "ram", CCM_BASE, CCM_SIZE);
    print_area(out, "rom", SYSTEM_MEMORY_BASE, SYSTEM_MEMORY_SIZE);
    print_area(out, "ram", SRAM_BASE, SRAM_SIZE);
    print_area(out, "ram", 0x22000000, 0x2000000);  /* bit-band alias of SRAM */
    print_area(out, "ram", 0x40000000, 0x20000000); /* peripherals and their bit-band alias */
    print_area(out, "ram", 0xE0000000, 0x100000);
    fputs("</memory-map>\n", out);
}

static char *document(void (*print)(FILE *out))
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return NULL;
    }
    print(out);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

char *view_target_xml(void)
{
    return document(print_target);
}

char *view_memory_map_xml(void)
{
    return document(print_memory_map);
}
