/* RTT read from RAM that anything may have written to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/rtt.h"
#include "host_tiny_elf.h"

enum {
    BLOCK = TINY_RTT,
    BUFFER = TINY_RTT_BUFFER,
    UP_COUNT = 16,
    CHANNEL_BUFFER = 28,
    CHANNEL_SIZE = 32,
    CHANNEL_WRITE = 36,
    CHANNEL_READ = 40,
};

struct fixture {
    struct machine *m;
    struct rtt rtt;
    char got[1024];
    size_t length;
};

static struct fixture f;

static void set_at(uint32_t address, uint32_t value)
{
    memcpy(f.m->sram + (address - SRAM_BASE), &value, sizeof value);
}

static uint32_t value_at(uint32_t address)
{
    uint32_t value;
    memcpy(&value, f.m->sram + (address - SRAM_BASE), sizeof value);
    return value;
}

static void put_block(uint32_t at)
{
    memcpy(f.m->sram + (at - SRAM_BASE), "SEGGER RTT\0\0\0\0\0", 16);
    set_at(at + UP_COUNT, 1);
    set_at(at + CHANNEL_BUFFER, BUFFER);
    set_at(at + CHANNEL_SIZE, 16);
    set_at(at + CHANNEL_WRITE, 0);
    set_at(at + CHANNEL_READ, 0);
}

static int setup(void **state)
{
    (void)state;
    const struct host host = {0};
    memset(&f, 0, sizeof f);
    f.m = machine_create(&host, 1);
    f.rtt.address = BLOCK;
    put_block(BLOCK);
    return f.m == NULL;
}

static int teardown(void **state)
{
    (void)state;
    machine_destroy(f.m);
    return 0;
}

static bool inside(const uint8_t *bytes, size_t length, const uint8_t *memory, size_t size)
{
    return bytes >= memory && bytes + length <= memory + size;
}

static void take(void *context, const uint8_t *bytes, size_t length)
{
    (void)context;
    assert_true(inside(bytes, length, f.m->sram, SRAM_SIZE) || inside(bytes, length, f.m->ccm, CCM_SIZE));
    for (size_t i = 0; i < length && f.length < sizeof f.got - 1; i++) {
        f.got[f.length++] = (char)bytes[i];
    }
}

static void drain(const char *expected)
{
    f.length = 0;
    rtt_drain(&f.rtt, f.m, take, NULL);
    f.got[f.length] = '\0';
    assert_string_equal(f.got, expected);
}

static void bytes_are_taken_once(void **state)
{
    (void)state;
    drain("");
    assert_int_equal(f.rtt.health, RTT_GOOD);
    memcpy(f.m->sram + (BUFFER - SRAM_BASE), "0123456789abcdef", 16);
    set_at(BLOCK + CHANNEL_WRITE, 10);
    drain("0123456789");
    assert_int_equal(value_at(BLOCK + CHANNEL_READ), 10);
    drain("");
    set_at(BLOCK + CHANNEL_WRITE, 3);
    drain("abcdef012");
    assert_int_equal(value_at(BLOCK + CHANNEL_READ), 3);
    set_at(BLOCK + CHANNEL_WRITE, 0);
    drain("3456789abcdef");
}

static void half_made_block_is_left_alone(void **state)
{
    (void)state;
    set_at(BLOCK + CHANNEL_WRITE, 4);
    set_at(BLOCK, 0); /* the id is written last */
    drain("");
    assert_int_equal(f.rtt.health, RTT_ABSENT);
    assert_int_equal(value_at(BLOCK + CHANNEL_READ), 0);
}

static void damaged(uint32_t offset, uint32_t value)
{
    put_block(BLOCK);
    set_at(BLOCK + CHANNEL_WRITE, 4);
    set_at(BLOCK + offset, value);
    uint32_t read = value_at(BLOCK + CHANNEL_READ);
    drain("");
    assert_int_equal(f.rtt.health, RTT_DAMAGED);
    assert_int_equal(value_at(BLOCK + CHANNEL_READ), read);
}

static void damaged_blocks_are_not_believed(void **state)
{
    (void)state;
    damaged(UP_COUNT, 0);
    damaged(UP_COUNT, 0x80000000);
    damaged(CHANNEL_SIZE, 0);
    damaged(CHANNEL_SIZE, SRAM_SIZE);
    damaged(CHANNEL_SIZE, UINT32_MAX);
    damaged(CHANNEL_BUFFER, 0);
    damaged(CHANNEL_BUFFER, SRAM_BASE - 1);
    damaged(CHANNEL_BUFFER, SRAM_BASE + SRAM_SIZE - 15);
    damaged(CHANNEL_BUFFER, UINT32_MAX - 8);
    damaged(CHANNEL_BUFFER, CCM_BASE + CCM_SIZE - 15);
    damaged(CHANNEL_BUFFER, FLASH_BASE);
    damaged(CHANNEL_WRITE, 16);
    damaged(CHANNEL_WRITE, UINT32_MAX);
    damaged(CHANNEL_READ, 16);
}

static void edges_of_ram_are_inside(void **state)
{
    (void)state;
    set_at(BLOCK + CHANNEL_BUFFER, SRAM_BASE + SRAM_SIZE - 16);
    memcpy(f.m->sram + SRAM_SIZE - 16, "edge", 4);
    set_at(BLOCK + CHANNEL_WRITE, 4);
    drain("edge");
    put_block(BLOCK);
    set_at(BLOCK + CHANNEL_BUFFER, CCM_BASE);
    memcpy(f.m->ccm, "core", 4);
    set_at(BLOCK + CHANNEL_WRITE, 4);
    drain("core");
}

static void odd_addresses_of_the_block(void **state)
{
    (void)state;
    static const uint32_t addresses[] = {
        0,          1,          SRAM_BASE - 1,         SRAM_BASE + SRAM_SIZE - 47,
        FLASH_BASE, UINT32_MAX, SRAM_BASE + SRAM_SIZE, CCM_BASE + CCM_SIZE - 1,
        0xE000ED00, 0x1FFFFFFF};
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        f.rtt.address = addresses[i];
        drain("");
        assert_int_equal(f.rtt.health, RTT_ABSENT);
    }
}

/* A block full of random words that are often near the truth: the sink judges, and the address sanitizer. */
static void random_blocks_are_survived(void **state)
{
    (void)state;
    static const uint32_t bases[] = {
        0, SRAM_BASE, SRAM_BASE + SRAM_SIZE, CCM_BASE, CCM_BASE + CCM_SIZE, UINT32_MAX, 16};
    unsigned good = 0;
    uint64_t seed = 3;
    for (unsigned round = 0; round < 50000; round++) {
        put_block(BLOCK);
        for (unsigned words = 0; words < 3; words++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            uint32_t offset = UP_COUNT + 4 * (uint32_t)((seed >> 60) % 7);
            uint32_t base = bases[(seed >> 40) % (sizeof bases / sizeof bases[0])];
            set_at(BLOCK + offset, base + (uint32_t)((seed >> 32) % 64) - 32);
        }
        f.length = 0;
        rtt_drain(&f.rtt, f.m, take, NULL);
        good += f.rtt.health == RTT_GOOD;
    }
    assert_in_range(good, 100, 49900);
}

static void block_without_symbol_is_found(void **state)
{
    (void)state;
    struct tiny_elf tiny;
    tiny_init(&tiny);
    tiny.no_symbols = true;
    struct elf elf = tiny_open(&tiny);
    rtt_init(&f.rtt, &elf);
    elf_close(&elf);
    assert_true(f.rtt.searching);
    set_at(BLOCK + CHANNEL_WRITE, 4);
    memcpy(f.m->sram + (BUFFER - SRAM_BASE), "here", 4);
    drain("here");
    assert_int_equal(f.rtt.address, BLOCK);

    tiny_init(&tiny);
    elf = tiny_open(&tiny);
    rtt_init(&f.rtt, &elf);
    elf_close(&elf);
    assert_false(f.rtt.searching);
    assert_int_equal(f.rtt.address, BLOCK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bytes_are_taken_once, setup, teardown),
        cmocka_unit_test_setup_teardown(half_made_block_is_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(damaged_blocks_are_not_believed, setup, teardown),
        cmocka_unit_test_setup_teardown(edges_of_ram_are_inside, setup, teardown),
        cmocka_unit_test_setup_teardown(odd_addresses_of_the_block, setup, teardown),
        cmocka_unit_test_setup_teardown(random_blocks_are_survived, setup, teardown),
        cmocka_unit_test_setup_teardown(block_without_symbol_is_found, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
