/* Framing of GDB's packets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/gdb_packet.h"

static struct gdb_reader reader;

static int setup(void **state)
{
    (void)state;
    memset(&reader, 0, sizeof reader);
    return 0;
}

/* The items but GDB_NOTHING that a stream gives; the last one is returned. */
static enum gdb_item feed(const char *bytes, size_t length, unsigned *count)
{
    enum gdb_item last = GDB_NOTHING;
    *count = 0;
    for (size_t i = 0; i < length; i++) {
        enum gdb_item item = gdb_reader_take(&reader, (uint8_t)bytes[i]);
        if (item != GDB_NOTHING) {
            last = item;
            ++*count;
        }
    }
    return last;
}

static void one(const char *text, enum gdb_item item)
{
    unsigned count;
    assert_int_equal(feed(text, strlen(text), &count), item);
    assert_int_equal(count, 1);
}

static void whole_packet(void **state)
{
    (void)state;
    one("$g#67", GDB_PACKET);
    assert_string_equal((char *)reader.packet, "g");
    one("$#00", GDB_PACKET);
    assert_int_equal(reader.length, 0);
    one("$OK#9A", GDB_PACKET);
}

static void signs_outside_packets(void **state)
{
    (void)state;
    one("+", GDB_ACCEPTED);
    one("-", GDB_REJECTED);
    one("\3", GDB_INTERRUPT);
    one("noise before$g#67", GDB_PACKET);
    one("$\3#03", GDB_PACKET); /* Ctrl-C inside a packet is data */
}

static void wrong_checksum(void **state)
{
    (void)state;
    one("$g#68", GDB_DAMAGED);
    one("$g#zz", GDB_DAMAGED);
}

static void cut_off_packet_gives_way_to_the_next(void **state)
{
    (void)state;
    one("$m20000000,4$g#67", GDB_PACKET);
    assert_string_equal((char *)reader.packet, "g");
}

static void escapes(void **state)
{
    unsigned count;
    const char packet[] = "$X}\3}\4}]}\n#ba";
    (void)state;
    assert_int_equal(feed(packet, sizeof packet - 1, &count), GDB_PACKET);
    assert_memory_equal(reader.packet, "X#$}*", 5);
}

static void every_byte_comes_back(void **state)
{
    uint8_t body[256];
    struct gdb_buffer b = {0};
    unsigned count;
    (void)state;
    for (unsigned i = 0; i < sizeof body; i++) {
        body[i] = (uint8_t)i;
    }
    gdb_buffer_add_packet(&b, body, sizeof body);
    assert_int_equal(feed((char *)b.bytes, b.length, &count), GDB_PACKET);
    assert_int_equal(reader.length, sizeof body);
    assert_memory_equal(reader.packet, body, sizeof body);
    gdb_buffer_free(&b);
}

static void longest_packet_and_one_more(void **state)
{
    static uint8_t body[GDB_PACKET_MAX + 1];
    unsigned count;
    (void)state;
    memset(body, 'a', sizeof body);
    for (size_t more = 0; more < 2; more++) {
        struct gdb_buffer b = {0};
        gdb_buffer_add_packet(&b, body, GDB_PACKET_MAX + more);
        assert_int_equal(feed((char *)b.bytes, b.length, &count), more ? GDB_TOO_LONG : GDB_PACKET);
        gdb_buffer_free(&b);
    }
    one("$g#67", GDB_PACKET);
}

static void buffer_is_dropped_from_the_front(void **state)
{
    struct gdb_buffer b = {0};
    (void)state;
    gdb_buffer_add(&b, "abc", 3);
    gdb_buffer_drop(&b, 2);
    assert_int_equal(b.length, 1);
    assert_int_equal(b.bytes[0], 'c');
    gdb_buffer_drop(&b, 1);
    assert_int_equal(b.length, 0);
    gdb_buffer_free(&b);
}

static void numbers(void **state)
{
    const char *text = "12345678,fFg";
    struct gdb_cursor c = {(const uint8_t *)text, (const uint8_t *)text + strlen(text)};
    uint32_t value;
    (void)state;
    assert_true(gdb_take_hex(&c, &value));
    assert_int_equal(value, 0x12345678);
    assert_false(gdb_take_hex(&c, &value));
    assert_true(gdb_take(&c, ","));
    assert_true(gdb_take_hex(&c, &value));
    assert_int_equal(value, 0xFF);
    assert_false(gdb_take(&c, "gg"));
    text = "123456789";
    c = (struct gdb_cursor){(const uint8_t *)text, (const uint8_t *)text + strlen(text)};
    assert_false(gdb_take_hex(&c, &value));
}

static void byte_pairs(void **state)
{
    const char *text = "0aFFx0";
    struct gdb_cursor c = {(const uint8_t *)text, (const uint8_t *)text + strlen(text)};
    uint8_t bytes[4];
    (void)state;
    assert_true(gdb_take_bytes(&c, bytes, 2));
    assert_memory_equal(bytes, "\x0a\xff", 2);
    assert_false(gdb_take_bytes(&c, bytes, 1));
    assert_false(gdb_take_bytes(&c, bytes, 2));
}

#define UNIT(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(whole_packet),
        UNIT(signs_outside_packets),
        UNIT(wrong_checksum),
        UNIT(cut_off_packet_gives_way_to_the_next),
        UNIT(escapes),
        UNIT(every_byte_comes_back),
        UNIT(longest_packet_and_one_more),
        UNIT(buffer_is_dropped_from_the_front),
        UNIT(numbers),
        UNIT(byte_pairs),
    };
    return cmocka_run_group_tests_name("gdb-packets", tests, NULL, NULL);
}
