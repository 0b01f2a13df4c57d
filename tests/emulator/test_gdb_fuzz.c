/* Garbage from a GDB client: bytes, broken packets, wild arguments. The session lives on and the machine too.
 */
#include "gdb_client.h"

static struct gdb_client client;
static uint64_t seed;

static uint32_t random_number(uint32_t below)
{
    seed += 0x9E3779B97F4A7C15u;
    uint64_t z = (seed ^ seed >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (uint32_t)((z ^ z >> 31) % below);
}

static const char *const beginnings[] = {
    "?",
    "!",
    "c",
    "C05",
    "s",
    "vCont;c",
    "vCont;s:1",
    "vCont",
    "g",
    "G",
    "p",
    "P0=",
    "m",
    "M20000000,4:",
    "X20000000,4:",
    "Z0,",
    "Z2,",
    "z3,",
    "Z4,20000000,",
    "vFlashErase:",
    "vFlashWrite:",
    "vFlashDone",
    "qSupported:",
    "qXfer:features:read:target.xml:",
    "qXfer:memory-map:read::",
    "qRcmd,",
    "qCRC:",
    "H",
    "T",
    "R00",
    "vRun;",
    "qfThreadInfo",
    "QStartNoAckMode",
    "m20000000,",
    "m40000000,",
    "me000e000,",
    "M40023800,4:",
    "P",
    "p",
    "G00",
    "vKill;1",
    "k",
    "D",
};

static const char *const commands[] = {
    "reset halt",
    "reset",
    "mdw 0x20000000 4",
    "mww 0x20000000 1",
    "mdb 0xffffffff 9",
    "reg",
    "reg pc 0x8000401",
    "help",
    "cortex_m vector_catch all",
    "info",
    "power-cycle",
    "button press",
    "cable out",
    "mww 0xe000ed0c 0x05fa0004",
};

static size_t add_text(uint8_t *packet, size_t length, const char *text)
{
    memcpy(packet + length, text, strlen(text));
    return length + strlen(text);
}

static size_t add_hex_number(uint8_t *packet, size_t length)
{
    static const uint32_t edges[] = {0,          1,          4,          0xFF,       0x3FFF,
                                     0x4000,     0x08000000, 0x081FFFFF, 0x20000000, 0x2002FFFF,
                                     0x40000000, 0xE000ED00, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF};
    char text[16];
    uint32_t edge = edges[random_number(sizeof edges / sizeof edges[0])];
    snprintf(text, sizeof text, "%x", edge + (random_number(2) ? 0 : random_number(16)));
    return add_text(packet, length, text);
}

/* A packet that begins as one of GDB's and goes on as it likes. */
static size_t make_packet(uint8_t *packet)
{
    size_t length = add_text(packet, 0, beginnings[random_number(sizeof beginnings / sizeof beginnings[0])]);
    for (uint32_t parts = random_number(6); parts > 0; parts--) {
        switch (random_number(6)) {
        case 0: packet[length++] = (uint8_t)random_number(256); break;
        case 1: length = add_text(packet, length, ","); break;
        case 2: length = add_text(packet, length, ":"); break;
        case 3: length = add_text(packet, length, "00112233445566778899aabbccddeeff"); break;
        default: length = add_hex_number(packet, length); break;
        }
    }
    return length;
}

static size_t make_command(uint8_t *packet)
{
    const char *command = commands[random_number(sizeof commands / sizeof commands[0])];
    size_t length = add_text(packet, 0, "qRcmd,");
    for (; *command != '\0'; command++) {
        char digits[3];
        snprintf(digits, sizeof digits, "%02x",
                 (uint8_t)(random_number(50) ? *command : (char)random_number(256)));
        length = add_text(packet, length, digits);
    }
    return length;
}

/* In a frame that is mostly good. */
static void send_framed(const uint8_t *packet, size_t length)
{
    struct gdb_buffer b = {0};
    gdb_buffer_add_packet(&b, packet, length);
    if (random_number(8) == 0) {
        b.bytes[random_number((uint32_t)b.length)] = (uint8_t)random_number(256);
    }
    if (random_number(8) == 0) {
        b.length = random_number((uint32_t)b.length) + 1;
    }
    client_send_raw(&client, b.bytes, b.length);
    gdb_buffer_free(&b);
}

static void send_noise(void)
{
    uint8_t noise[64];
    size_t length = random_number(sizeof noise) + 1;
    for (size_t i = 0; i < length; i++) {
        noise[i] = random_number(4) ? (uint8_t)random_number(256) : (uint8_t) "$#}*+-\3"[random_number(7)];
    }
    client_send_raw(&client, noise, length);
}

/* Whatever the session has become: let it run a little, begin anew. */
static void go_on(struct machine *m)
{
    switch (gdb_mode(client.gdb)) {
    case GDB_HALTED: break;
    case GDB_RUNNING:
        if (m->stop == STOP_NONE) {
            machine_run(m, machine_now(m) + VTIME_US(random_number(20)));
        }
        if (m->stop == STOP_NONE) {
            client_send_raw(&client, "\3", 1);
            machine_run(m, machine_now(m) + VTIME_US(20));
        }
        gdb_stopped(client.gdb);
        break;
    case GDB_EXITED:
    case GDB_DETACHED:
    case GDB_KILLED:
        client_close(&client);
        machine_power_on(m);
        client_open(&client, m);
        break;
    }
}

static void sessions_survive(struct machine *m, unsigned rounds)
{
    uint8_t packet[512];
    client_open(&client, m);
    for (unsigned i = 0; i < rounds; i++) {
        switch (random_number(8)) {
        case 0: send_noise(); break;
        case 1: send_framed(packet, make_command(packet)); break;
        default: send_framed(packet, make_packet(packet)); break;
        }
        go_on(m);
    }
    client_send_raw(&client, "#00", 3); /* the end of whatever was begun */
    if (gdb_mode(client.gdb) != GDB_HALTED) {
        go_on(m);
    }
    client_close(&client);
    assert_null(m->debug);
}

static void test_random_packets(void **state)
{
    for (seed = 1; seed < 9; seed++) {
        uint64_t kept = seed;
        sessions_survive(*state, 10000);
        seed = kept;
    }
}

static void test_session_is_whole_after_garbage(void **state)
{
    seed = 42;
    client_open(&client, *state);
    for (unsigned i = 0; i < 2000; i++) {
        send_noise();
        go_on(*state);
    }
    client_send_raw(&client, "#00", 3);
    go_on(*state);
    client_ask(&client, "?");
    assert_int_equal(client.answer[0], 'T');
    assert_int_equal(strlen(client_ask(&client, "g")), 2 * (17 * 4 + 16 * 8 + 3 * 4 + 4));
    client_close(&client);
}

static void test_huge_packet(void **state)
{
    static uint8_t packet[0x40000];
    client_open(&client, *state);
    memset(packet, '0', sizeof packet);
    memcpy(packet, "M20000000,20000:", 16);
    client_send(&client, packet, sizeof packet);
    assert_string_equal(client.answer, "E16");
    client_expect(&client, "?", "T05thread:1;");
    client_close(&client);
}

static void test_answers_wait_to_be_sent(void **state)
{
    static char flood[40000];
    size_t used, length;
    client_open(&client, *state);
    for (size_t i = 0; i + 18 <= sizeof flood; i += 18) {
        memcpy(flood + i, "$m20000000,1f00#12", 18);
    }
    used = gdb_receive(client.gdb, (uint8_t *)flood, sizeof flood);
    (void)gdb_output(client.gdb, &length);
    assert_true(used < sizeof flood);
    assert_true(length < 0x20000);
    gdb_output_sent(client.gdb, length);
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_random_packets),
        TEST(test_session_is_whole_after_garbage),
        TEST(test_huge_packet),
        TEST(test_answers_wait_to_be_sent),
    };
    return cmocka_run_group_tests_name("gdb-fuzz", tests, NULL, NULL);
}
