#include "host/gdb_packet.h"

#include <stdlib.h>
#include <string.h>

/* ---- Reading ---- */

static void begin(struct gdb_reader *r)
{
    r->state = READ_PACKET;
    r->sum = 0;
    r->length = 0;
    r->too_long = false;
}

static void store(struct gdb_reader *r, uint8_t byte)
{
    if (r->length < GDB_PACKET_MAX) {
        r->packet[r->length++] = byte;
    } else {
        r->too_long = true;
    }
}

static enum gdb_item between(struct gdb_reader *r, uint8_t byte)
{
    switch (byte) {
    case '$': begin(r); return GDB_NOTHING;
    case '+': return GDB_ACCEPTED;
    case '-': return GDB_REJECTED;
    case 3: return GDB_INTERRUPT;
    default: return GDB_NOTHING;
    }
}

static void inside(struct gdb_reader *r, uint8_t byte)
{
    if (byte == '$') { /* only ever the start of a packet: the one before was cut off */
        begin(r);
    } else if (byte == '#') {
        r->state = READ_SUM_HIGH;
    } else {
        r->sum = (uint8_t)(r->sum + byte);
        if (byte == '}') {
            r->state = READ_ESCAPED;
        } else {
            store(r, byte);
        }
    }
}

static enum gdb_item finish(struct gdb_reader *r, int high, int low)
{
    r->state = READ_BETWEEN;
    r->packet[r->length] = '\0';
    if (high < 0 || low < 0 || (high << 4 | low) != r->sum) {
        return GDB_DAMAGED;
    }
    return r->too_long ? GDB_TOO_LONG : GDB_PACKET;
}

enum gdb_item gdb_reader_take(struct gdb_reader *r, uint8_t byte)
{
    switch (r->state) {
    case READ_BETWEEN: return between(r, byte);
    case READ_PACKET: inside(r, byte); return GDB_NOTHING;
    case READ_ESCAPED:
        r->sum = (uint8_t)(r->sum + byte);
        store(r, byte ^ 0x20);
        r->state = READ_PACKET;
        return GDB_NOTHING;
    case READ_SUM_HIGH:
        r->given = byte;
        r->state = READ_SUM_LOW;
        return GDB_NOTHING;
    case READ_SUM_LOW: return finish(r, gdb_hex_digit(r->given), gdb_hex_digit(byte));
    }
    return GDB_NOTHING;
}

/* ---- Writing ---- */

static bool make_room(struct gdb_buffer *b, size_t length)
{
    size_t wanted = b->capacity > 0 ? b->capacity : 1024;
    while (wanted - b->length < length) {
        wanted *= 2;
    }
    if (wanted == b->capacity) {
        return true;
    }
    uint8_t *bytes = realloc(b->bytes, wanted);
    if (bytes == NULL) {
        b->failed = true;
        return false;
    }
    b->bytes = bytes;
    b->capacity = wanted;
    return true;
}

void gdb_buffer_add(struct gdb_buffer *b, const void *bytes, size_t length)
{
    if (length > 0 && make_room(b, length)) {
        memcpy(b->bytes + b->length, bytes, length);
        b->length += length;
    }
}

static bool must_escape(uint8_t byte)
{
    return byte == '#' || byte == '$' || byte == '}' || byte == '*';
}

void gdb_buffer_add_packet(struct gdb_buffer *b, const void *body, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = body;
    uint8_t sum = 0;
    if (!make_room(b, 2 * length + 4)) {
        return;
    }
    uint8_t *out = b->bytes + b->length;
    *out++ = '$';
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = bytes[i];
        if (must_escape(byte)) {
            *out++ = '}';
            sum = (uint8_t)(sum + '}');
            byte ^= 0x20;
        }
        *out++ = byte;
        sum = (uint8_t)(sum + byte);
    }
    *out++ = '#';
    *out++ = (uint8_t)digits[sum >> 4];
    *out++ = (uint8_t)digits[sum & 15];
    b->length = (size_t)(out - b->bytes);
}

void gdb_buffer_drop(struct gdb_buffer *b, size_t length)
{
    b->length -= length;
    if (b->length > 0) {
        memmove(b->bytes, b->bytes + length, b->length);
    }
}

void gdb_buffer_free(struct gdb_buffer *b)
{
    free(b->bytes);
    *b = (struct gdb_buffer){0};
}

/* ---- Contents ---- */

int gdb_hex_digit(uint8_t character)
{
    if (character >= '0' && character <= '9') {
        return character - '0';
    }
    character |= 0x20;
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

bool gdb_take_hex(struct gdb_cursor *c, uint32_t *value)
{
    const uint8_t *at = c->at;
    uint32_t result = 0;
    while (at < c->end && gdb_hex_digit(*at) >= 0) {
        if (result >> 28 != 0) {
            return false;
        }
        result = result << 4 | (uint32_t)gdb_hex_digit(*at++);
    }
    if (at == c->at) {
        return false;
    }
    c->at = at;
    *value = result;
    return true;
}

bool gdb_take(struct gdb_cursor *c, const char *text)
{
    size_t length = strlen(text);
    if ((size_t)(c->end - c->at) < length || memcmp(c->at, text, length) != 0) {
        return false;
    }
    c->at += length;
    return true;
}

bool gdb_take_bytes(struct gdb_cursor *c, uint8_t *bytes, size_t length)
{
    if ((size_t)(c->end - c->at) / 2 < length) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        int high = gdb_hex_digit(c->at[0]), low = gdb_hex_digit(c->at[1]);
        if (high < 0 || low < 0) {
            return false;
        }
        bytes[i] = (uint8_t)(high << 4 | low);
        c->at += 2;
    }
    return true;
}
