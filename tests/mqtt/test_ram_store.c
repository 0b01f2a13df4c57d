/* The store in RAM by itself, against its contract (mqtt/store.h). */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

#if MQTT_WITH_SESSIONS

static struct mqtt_ram_store ram;
static uint8_t *memory; /* of just the size, so that writing beyond it is seen */

static void open_store(size_t size)
{
    memory = malloc(size);
    assert_non_null(memory);
    mqtt_ram_store_init(&ram, memory, size);
}

static int put(uint32_t key, const char *first, const char *second)
{
    const struct mqtt_slice parts[2] = {{first, strlen(first)}, {second, strlen(second)}};
    return ram.store.put(ram.store.context, key, parts);
}

static void expect_record(size_t index, uint32_t key, const char *text)
{
    struct mqtt_record record;
    char bytes[32] = "";
    assert_true(ram.store.at(ram.store.context, index, &record));
    assert_int_equal(record.key, key);
    assert_int_equal(record.size, strlen(text));
    ram.store.read(ram.store.context, key, 0, bytes, record.size);
    assert_string_equal(bytes, text);
}

static void expect_end(size_t index)
{
    struct mqtt_record record;
    assert_false(ram.store.at(ram.store.context, index, &record));
    assert_false(ram.store.at(ram.store.context, index + 7, &record));
}

/* A record takes its bytes and MQTT_RAM_STORE_OVERHEAD: just as many fit, and none more. */
static void to_the_last_byte(void **state)
{
    (void)state;
    open_store(2 * (MQTT_RAM_STORE_OVERHEAD + 4));
    assert_int_equal(put(1, "ab", "cd"), 0);
    assert_true(put(2, "abc", "de") < 0);
    expect_record(0, 1, "abcd");
    expect_end(1);
    assert_int_equal(put(2, "", "efgh"), 0);
    assert_true(put(3, "", "") < 0);
    expect_record(1, 2, "efgh");
    expect_end(2);
    free(memory);
}

/* The old record's place counts; it goes only if the new one comes, and that is the last one then. */
static void replaced_in_a_full_store(void **state)
{
    (void)state;
    open_store(2 * (MQTT_RAM_STORE_OVERHEAD + 4));
    assert_int_equal(put(1, "abcd", ""), 0);
    assert_int_equal(put(2, "efgh", ""), 0);
    assert_true(put(1, "abcde", "") < 0);
    expect_record(0, 1, "abcd");
    expect_record(1, 2, "efgh");
    assert_int_equal(put(1, "AB", "CD"), 0);
    expect_record(0, 2, "efgh");
    expect_record(1, 1, "ABCD");
    expect_end(2);
    free(memory);
}

/* Keys of 32 bits; parts of a record; empty ones; what is not there. */
static void keys_and_parts(void **state)
{
    char bytes[3] = "";
    (void)state;
    open_store(128);
    assert_int_equal(put(1, "own", ""), 0);
    assert_int_equal(put(0x10001, "", ""), 0);
    assert_int_equal(put(0x20001, "", "x"), 0);
    expect_record(0, 1, "own");
    expect_record(1, 0x10001, "");
    expect_record(2, 0x20001, "x");
    ram.store.read(ram.store.context, 1, 1, bytes, 2);
    assert_string_equal(bytes, "wn");
    ram.store.remove(ram.store.context, 7);
    ram.store.remove(ram.store.context, 0x10001);
    expect_record(0, 1, "own");
    expect_record(1, 0x20001, "x");
    expect_end(2);
    ram.store.remove(ram.store.context, 1);
    ram.store.remove(ram.store.context, 0x20001);
    expect_end(0);
    free(memory);
}

#endif

int main(void)
{
#if MQTT_WITH_SESSIONS
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(to_the_last_byte),
        cmocka_unit_test(replaced_in_a_full_store),
        cmocka_unit_test(keys_and_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
#else
    return 0;
#endif
}
