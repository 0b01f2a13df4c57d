/* A GDB session's insides, shared by gdb.c, gdb_flash.c, gdb_query.c and gdb_monitor.c only.
 */
#ifndef EMULATOR_HOST_GDB_SESSION_H
#define EMULATOR_HOST_GDB_SESSION_H

#include "host/gdb.h"
#include "host/gdb_packet.h"

struct gdb {
    struct machine *machine;
    struct gdb_owner owner;
    struct debug debug;
    enum gdb_mode mode;
    bool no_acknowledgement;
    bool extended;   /* the client outlives the program */
    bool knows_kind; /* of a breakpoint: the client understands hwbreak */
    char *target_xml;
    char *memory_map_xml;
    uint8_t *new_flash;     /* what vFlashErase and vFlashWrite gather, until
                               vFlashDone; FLASH_SIZE bytes */
    uint8_t *flash_touched; /* a byte for each KB of it: it is to be written */

    struct gdb_reader reader;
    struct gdb_buffer out;
    uint8_t reply[GDB_PACKET_MAX + 1];
    size_t reply_length;
    bool answered; /* the reply has been sent, or there is to be none */
};

/* Adds to the reply of the packet being handled; what does not fit is cut off.
 */
void gdb_reply(struct gdb *g, const char *format, ...) __attribute__((format(printf, 2, 3)));
void gdb_reply_bytes(struct gdb *g, const void *bytes, size_t length);
void gdb_reply_hex(struct gdb *g, const void *bytes, size_t length);
/* Sends what has been added. */
void gdb_send_reply(struct gdb *g);
/* A line on the client's console; only while it waits for an answer. */
void gdb_print(struct gdb *g, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The client changes the machine. */
void gdb_note_altered(struct gdb *g);
/* Resets the board and leaves it halted before the first instruction. */
void gdb_reset(struct gdb *g, enum action_kind how);

/* Errors that GDB knows by their number (errno's). */
enum gdb_failure { GDB_NO_MEMORY = 12, GDB_BAD_ADDRESS = 14, GDB_BAD_PACKET = 22 };
void gdb_error(struct gdb *g, enum gdb_failure number);
/* An error that is shown to the user as it is. */
void gdb_refuse(struct gdb *g, const char *text);
/* "ADDRESS,LENGTH" */
bool gdb_take_range(struct gdb_cursor *c, uint32_t *address, uint32_t *length);

/* gdb_flash.c: vFlash packets. */
void gdb_flash_erase(struct gdb *g, struct gdb_cursor c);
void gdb_flash_write(struct gdb *g, struct gdb_cursor c);
void gdb_flash_done(struct gdb *g, struct gdb_cursor c);
void gdb_forget_flash(struct gdb *g);

/* gdb_query.c: q and Q packets. */
void gdb_query(struct gdb *g, struct gdb_cursor c);
/* gdb_monitor.c: `monitor COMMAND`. */
void gdb_monitor(struct gdb *g, char *command);

#endif
