/* q and Q packets (GDB manual E.4). */
#define _GNU_SOURCE /* memmem */

#include <stdio.h>
#include <string.h>

#include "host/gdb_session.h"
#include "host/gdb_view.h"

static void ask_supported(struct gdb *g, struct gdb_cursor c)
{
    g->knows_kind = memmem(c.at, (size_t)(c.end - c.at), "hwbreak+", strlen("hwbreak+")) != NULL;
    gdb_reply(g,
              "PacketSize=%x;QStartNoAckMode+;qXfer:features:read+;qXfer:memory-"
              "map:read+;hwbreak+;vContSupported+",
              GDB_PACKET_MAX);
}

static void start_no_ack_mode(struct gdb *g, struct gdb_cursor c)
{
    (void)c;
    g->no_acknowledgement = true;
    gdb_reply(g, "OK");
}

/* "OFFSET,LENGTH" of a document: m and a part, l and the last part. */
static void reply_part(struct gdb *g, struct gdb_cursor c, const char *document)
{
    uint32_t offset, length;
    if (!gdb_take_hex(&c, &offset) || !gdb_take(&c, ",") || !gdb_take_hex(&c, &length)) {
        gdb_reply(g, "E22");
        return;
    }
    size_t size = strlen(document), rest = offset < size ? size - offset : 0;
    size_t part = length < rest ? length : rest;
    part = part < GDB_PACKET_MAX / 2 ? part : GDB_PACKET_MAX / 2;
    gdb_reply(g, part < rest ? "m" : "l");
    gdb_reply_bytes(g, document + (rest > 0 ? offset : 0), part);
}

static void read_features(struct gdb *g, struct gdb_cursor c)
{
    reply_part(g, c, g->target_xml);
}

static void read_memory_map(struct gdb *g, struct gdb_cursor c)
{
    reply_part(g, c, g->memory_map_xml);
}

/* 1: attached to something that was there before, so that GDB detaches when it
 * quits. */
static void ask_attached(struct gdb *g, struct gdb_cursor c)
{
    (void)c;
    gdb_reply(g, "1");
}

static void ask_thread(struct gdb *g, struct gdb_cursor c)
{
    (void)c;
    gdb_reply(g, "QC1");
}

static void ask_first_threads(struct gdb *g, struct gdb_cursor c)
{
    (void)c;
    gdb_reply(g, "m1");
}

static void ask_more_threads(struct gdb *g, struct gdb_cursor c)
{
    (void)c;
    gdb_reply(g, "l");
}

static void accept_query(struct gdb *g, struct gdb_cursor c)
{
    (void)c;
    gdb_reply(g, "OK");
}

/* The CRC of `compare-sections` (GDB manual E.4, qCRC). */
static bool crc(struct machine *m, uint32_t address, uint32_t length, uint32_t *result)
{
    uint8_t bytes[1024];
    uint32_t sum = 0xFFFFFFFF;
    while (length > 0) {
        size_t part = length < sizeof bytes ? length : sizeof bytes;
        if (view_read(m, address, bytes, part) != part) {
            return false;
        }
        for (size_t i = 0; i < part; i++) {
            sum ^= (uint32_t)bytes[i] << 24;
            for (unsigned bit = 0; bit < 8; bit++) {
                sum = sum << 1 ^ (sum >> 31 ? 0x04C11DB7 : 0);
            }
        }
        address += (uint32_t)part;
        length -= (uint32_t)part;
    }
    *result = sum;
    return true;
}

static void ask_crc(struct gdb *g, struct gdb_cursor c)
{
    enum { CRC_MAX = 0x400000 };
    uint32_t address, length, sum;
    if (!gdb_take_hex(&c, &address) || !gdb_take(&c, ",") || !gdb_take_hex(&c, &length) || length > CRC_MAX ||
        !crc(g->machine, address, length, &sum)) {
        gdb_reply(g, "E14");
        return;
    }
    gdb_reply(g, "C%08x", sum);
}

static void ask_monitor(struct gdb *g, struct gdb_cursor c)
{
    char command[256];
    size_t length = (size_t)(c.end - c.at) / 2;
    if (length >= sizeof command || !gdb_take_bytes(&c, (uint8_t *)command, length) ||
        memchr(command, '\0', length) != NULL) {
        gdb_reply(g, "E22");
        return;
    }
    command[length] = '\0';
    gdb_monitor(g, command);
    g->reply_length = 0;
    gdb_reply(g, "OK");
}

static const struct {
    const char *name;
    void (*take)(struct gdb *g, struct gdb_cursor rest);
} queries[] = {
    {"Supported", ask_supported},
    {"StartNoAckMode", start_no_ack_mode},
    {"Xfer:features:read:target.xml:", read_features},
    {"Xfer:memory-map:read::", read_memory_map},
    {"Attached", ask_attached},
    {"CRC:", ask_crc},
    {"C", ask_thread},
    {"fThreadInfo", ask_first_threads},
    {"sThreadInfo", ask_more_threads},
    {"Symbol::", accept_query},
    {"Rcmd,", ask_monitor},
};

/* An unknown one gets the empty reply. */
void gdb_query(struct gdb *g, struct gdb_cursor c)
{
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        struct gdb_cursor rest = c;
        if (gdb_take(&rest, queries[i].name)) {
            queries[i].take(g, rest);
            return;
        }
    }
}
