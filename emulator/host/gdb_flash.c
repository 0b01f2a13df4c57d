/* Flash as GDB's `load` writes it: gathered, and written as a loader does once all has come. */
#include <stdlib.h>
#include <string.h>

#include "host/gdb_session.h"

enum { FLASH_PIECE = 1024 /* is written, or not, as a whole */ };

static bool in_flash(uint32_t address, size_t length)
{
    return address - FLASH_BASE <= FLASH_SIZE && length <= FLASH_SIZE - (address - FLASH_BASE);
}

static bool gather(struct gdb *g)
{
    if (g->new_flash == NULL) {
        g->new_flash = malloc(FLASH_SIZE);
        g->flash_touched = calloc(FLASH_SIZE / FLASH_PIECE, 1);
        if (g->new_flash != NULL && g->flash_touched != NULL) {
            memcpy(g->new_flash, g->machine->flash, FLASH_SIZE);
        }
    }
    return g->new_flash != NULL && g->flash_touched != NULL;
}

void gdb_forget_flash(struct gdb *g)
{
    free(g->new_flash);
    free(g->flash_touched);
    g->new_flash = g->flash_touched = NULL;
}

/* False: the error is replied. */
static bool open_flash(struct gdb *g, uint32_t address, size_t length)
{
    if (!in_flash(address, length)) {
        gdb_refuse(g, "the flash is at 0x08000000 to 0x081fffff");
        return false;
    }
    if (!gather(g)) {
        gdb_forget_flash(g);
        gdb_error(g, GDB_NO_MEMORY);
        return false;
    }
    return true;
}

static void mark_flash(struct gdb *g, uint32_t offset, size_t length)
{
    for (size_t at = offset / FLASH_PIECE; at * FLASH_PIECE < offset + length; at++) {
        g->flash_touched[at] = 1;
    }
}

void gdb_flash_erase(struct gdb *g, struct gdb_cursor c)
{
    uint32_t address, length;
    if (!gdb_take_range(&c, &address, &length)) {
        gdb_error(g, GDB_BAD_PACKET);
    } else if (open_flash(g, address, length)) {
        memset(g->new_flash + (address - FLASH_BASE), 0xFF, length);
        mark_flash(g, address - FLASH_BASE, length);
        gdb_reply(g, "OK");
    }
}

void gdb_flash_write(struct gdb *g, struct gdb_cursor c)
{
    uint32_t address;
    if (!gdb_take_hex(&c, &address) || !gdb_take(&c, ":")) {
        gdb_error(g, GDB_BAD_PACKET);
        return;
    }
    size_t length = (size_t)(c.end - c.at);
    if (open_flash(g, address, length)) {
        memcpy(g->new_flash + (address - FLASH_BASE), c.at, length);
        mark_flash(g, address - FLASH_BASE, length);
        gdb_reply(g, "OK");
    }
}

void gdb_flash_done(struct gdb *g, struct gdb_cursor c)
{
    (void)c;
    for (uint32_t i = 0; g->flash_touched != NULL && i < FLASH_SIZE / FLASH_PIECE; i++) {
        if (g->flash_touched[i]) {
            gdb_note_altered(g);
            (void)machine_load(g->machine, FLASH_BASE + i * FLASH_PIECE, g->new_flash + i * FLASH_PIECE,
                               FLASH_PIECE);
        }
    }
    gdb_forget_flash(g);
    gdb_reply(g, "OK");
}
