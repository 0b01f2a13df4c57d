/*
 * Framing of GDB's remote serial protocol (GDB manual, appendix E.1): packets
 * out of a stream of bytes, and back. Bytes only, no I/O.
 */
#ifndef EMULATOR_HOST_GDB_PACKET_H
#define EMULATOR_HOST_GDB_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GDB_PACKET_MAX = 0x4000 }; /* bytes between $ and #, either way */

enum gdb_item {
    GDB_NOTHING,   /* yet */
    GDB_PACKET,    /* reader.packet, reader.length */
    GDB_DAMAGED,   /* a packet with a wrong checksum, to be sent again */
    GDB_TOO_LONG,  /* a packet beyond GDB_PACKET_MAX */
    GDB_ACCEPTED,  /* + */
    GDB_REJECTED,  /* - */
    GDB_INTERRUPT, /* Ctrl-C outside a packet */
};

struct gdb_reader {
    enum { READ_BETWEEN, READ_PACKET, READ_ESCAPED, READ_SUM_HIGH, READ_SUM_LOW } state;
    uint8_t sum;
    uint8_t given; /* the first digit of the checksum */
    size_t length;
    bool too_long;
    uint8_t packet[GDB_PACKET_MAX + 1]; /* unescaped, with a NUL behind it */
};

/* All zero is a reader at the start of a stream. The packet is valid until the
 * next byte. */
enum gdb_item gdb_reader_take(struct gdb_reader *r, uint8_t byte);

/* What is to be sent, growing as needed. */
struct gdb_buffer {
    uint8_t *bytes;
    size_t length;
    size_t capacity;
    bool failed; /* out of memory: what is in it is not complete */
};

void gdb_buffer_add(struct gdb_buffer *b, const void *bytes, size_t length);
/* Adds a packet around `body`, escaped, with its checksum. */
void gdb_buffer_add_packet(struct gdb_buffer *b, const void *body, size_t length);
/* The first bytes have been sent. */
void gdb_buffer_drop(struct gdb_buffer *b, size_t length);
void gdb_buffer_free(struct gdb_buffer *b);

/* ---- What packets are made of ---- */

/* The value of a digit; -1: it is none. */
int gdb_hex_digit(uint8_t character);

struct gdb_cursor {
    const uint8_t *at;
    const uint8_t *end;
};

/* One or more hexadecimal digits. False: there is none, or they do not fit; the
 * cursor has not moved. */
bool gdb_take_hex(struct gdb_cursor *c, uint32_t *value);
/* False: something else stands there. */
bool gdb_take(struct gdb_cursor *c, const char *text);
/* Pairs of digits, exactly `length` of them. */
bool gdb_take_bytes(struct gdb_cursor *c, uint8_t *bytes, size_t length);

#endif
