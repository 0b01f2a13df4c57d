/* GDB's side of the remote serial protocol, for tests: asks a session, and takes its answers apart. */
#ifndef TESTS_EMULATOR_GDB_CLIENT_H
#define TESTS_EMULATOR_GDB_CLIENT_H

#include "cpu_fixture.h"
#include "host/gdb.h"
#include "host/gdb_packet.h"

enum { CLIENT_ANSWER = 0x10000 };

struct gdb_client {
    struct gdb *gdb;
    struct machine *machine;
    char answer[CLIENT_ANSWER]; /* the last packet that came, unescaped */
    size_t answer_length;
    char console[CLIENT_ANSWER]; /* what was printed by O packets */
    unsigned accepted;           /* plus signs */
    unsigned rejected;
    unsigned packets;
};

static inline void take_text(struct gdb_client *c)
{
    size_t length = strlen(c->console);
    for (size_t i = 1; i + 1 < c->answer_length && length + 1 < CLIENT_ANSWER; i += 2) {
        c->console[length++] =
            (char)(gdb_hex_digit((uint8_t)c->answer[i]) << 4 | gdb_hex_digit((uint8_t)c->answer[i + 1]));
    }
    c->console[length] = '\0';
}

static inline bool is_text(const struct gdb_client *c)
{
    return c->answer[0] == 'O' && strcmp(c->answer, "OK") != 0;
}

static inline void take_answer(struct gdb_client *c, const struct gdb_reader *r)
{
    c->packets++;
    memcpy(c->answer, r->packet, r->length + 1);
    c->answer_length = r->length;
    if (is_text(c)) {
        take_text(c);
        c->answer[0] = '\0';
    }
}

static inline void take_output(struct gdb_client *c)
{
    static struct gdb_reader reader;
    size_t length;
    const uint8_t *bytes = gdb_output(c->gdb, &length);
    memset(&reader, 0, sizeof reader);
    for (size_t i = 0; i < length; i++) {
        switch (gdb_reader_take(&reader, bytes[i])) {
        case GDB_PACKET: take_answer(c, &reader); break;
        case GDB_ACCEPTED: c->accepted++; break;
        case GDB_REJECTED: c->rejected++; break;
        case GDB_NOTHING: break;
        default: fail_msg("the session sent a damaged packet");
        }
    }
    assert_int_equal(reader.state, READ_BETWEEN);
    gdb_output_sent(c->gdb, length);
}

static inline void client_open(struct gdb_client *c, struct machine *m)
{
    *c = (struct gdb_client){.machine = m, .gdb = gdb_create(m, &(struct gdb_owner){0})};
    assert_non_null(c->gdb);
}

static inline void client_close(struct gdb_client *c)
{
    gdb_destroy(c->gdb);
}

static inline void client_send_raw(struct gdb_client *c, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    while (length > 0) {
        size_t used = gdb_receive(c->gdb, at, length);
        assert_in_range(used, 1, length);
        at += used;
        length -= used;
        take_output(c);
    }
}

/* Sends a packet around `body`; what has come back is in c->answer. */
static inline void client_send(struct gdb_client *c, const void *body, size_t length)
{
    struct gdb_buffer b = {0};
    gdb_buffer_add_packet(&b, body, length);
    c->answer[0] = '\0';
    c->console[0] = '\0';
    client_send_raw(c, b.bytes, b.length);
    gdb_buffer_free(&b);
}

static inline const char *client_ask(struct gdb_client *c, const char *body)
{
    client_send(c, body, strlen(body));
    return c->answer;
}

/* Asks, and the answer must be this. */
static inline void client_expect(struct gdb_client *c, const char *body, const char *answer)
{
    client_ask(c, body);
    if (strcmp(c->answer, answer) != 0) {
        fail_msg("%s: \"%s\" instead of \"%s\"", body, c->answer, answer);
    }
}

/* `monitor` command: what it printed. */
static inline const char *client_monitor(struct gdb_client *c, const char *command)
{
    char packet[512] = "qRcmd,";
    for (size_t i = 0; command[i] != '\0'; i++) {
        sprintf(packet + strlen(packet), "%02x", (unsigned char)command[i]);
    }
    client_expect(c, packet, "OK");
    return c->console;
}

/* Lets the machine run until it stops: the stop reply. Fails when it does not within a second. */
static inline const char *client_wait(struct gdb_client *c)
{
    struct machine *m = c->machine;
    c->answer[0] = '\0';
    assert_int_equal(gdb_mode(c->gdb), GDB_RUNNING);
    machine_run(m, machine_now(m) + VTIME_S(1));
    if (m->stop == STOP_NONE) {
        fail_msg("the core did not stop, pc 0x%08x", m->cpu.r[15]);
    }
    gdb_stopped(c->gdb);
    take_output(c);
    return c->answer;
}

/* The number that a hexadecimal answer of little-endian bytes stands for. */
static inline uint64_t client_register(struct gdb_client *c, unsigned number)
{
    char packet[16];
    uint64_t value = 0;
    sprintf(packet, "p%x", number);
    client_ask(c, packet);
    for (size_t i = 0; i + 1 < strlen(c->answer); i += 2) {
        unsigned byte;
        sscanf(c->answer + i, "%2x", &byte);
        value |= (uint64_t)byte << 4 * i;
    }
    return value;
}

#endif
