#include "host/rtt.h"

#include <string.h>

/* The id, counts of up and down channels, channel records of 24 bytes. */
static const char id[16] = "SEGGER RTT";

enum {
    OFFSET_UP_COUNT = 16,
    OFFSET_CHANNEL = 24,
    CHANNEL_BUFFER = OFFSET_CHANNEL + 4,
    CHANNEL_SIZE = OFFSET_CHANNEL + 8,
    CHANNEL_WRITE = OFFSET_CHANNEL + 12,
    CHANNEL_READ = OFFSET_CHANNEL + 16,
    BLOCK_BYTES = OFFSET_CHANNEL + 24,
    CHANNELS_MAX = 255,
};

#define SEARCH_PERIOD VTIME_MS(50)

static uint8_t *ram(struct machine *m, uint32_t address, uint32_t length)
{
    if (address >= SRAM_BASE && address - SRAM_BASE <= SRAM_SIZE &&
        length <= SRAM_SIZE - (address - SRAM_BASE)) {
        return m->sram + (address - SRAM_BASE);
    }
    if (address >= CCM_BASE && address - CCM_BASE <= CCM_SIZE && length <= CCM_SIZE - (address - CCM_BASE)) {
        return m->ccm + (address - CCM_BASE);
    }
    return NULL;
}

static uint32_t word(const uint8_t *block, unsigned offset)
{
    uint32_t value;
    memcpy(&value, block + offset, sizeof value);
    return value;
}

void rtt_init(struct rtt *rtt, const struct elf *elf)
{
    struct elf_symbol symbol;
    *rtt = (struct rtt){0};
    if (elf_find(elf, "_SEGGER_RTT", &symbol)) {
        rtt->address = symbol.value;
    } else {
        rtt->searching = true;
    }
}

static void search(struct rtt *rtt, struct machine *m)
{
    vtime now = machine_now(m);
    if (now < rtt->search_at) {
        return;
    }
    rtt->search_at = now + SEARCH_PERIOD;
    rtt->address = 0;
    for (uint32_t at = 0; at + BLOCK_BYTES <= SRAM_SIZE; at += 4) {
        if (memcmp(m->sram + at, id, sizeof id) == 0) {
            rtt->address = SRAM_BASE + at;
            return;
        }
    }
}

struct channel {
    const uint8_t *buffer;
    uint32_t size;
    uint32_t write;
    uint32_t read;
};

static enum rtt_health inspect(struct machine *m, const uint8_t *block, struct channel *channel)
{
    if (block == NULL || memcmp(block, id, sizeof id) != 0) {
        return RTT_ABSENT;
    }
    uint32_t up = word(block, OFFSET_UP_COUNT);
    *channel = (struct channel){
        .size = word(block, CHANNEL_SIZE),
        .write = word(block, CHANNEL_WRITE),
        .read = word(block, CHANNEL_READ),
    };
    channel->buffer = ram(m, word(block, CHANNEL_BUFFER), channel->size);
    bool good = up > 0 && up <= CHANNELS_MAX && channel->buffer != NULL && channel->write < channel->size &&
                channel->read < channel->size;
    return good ? RTT_GOOD : RTT_DAMAGED;
}

void rtt_drain(struct rtt *rtt, struct machine *m,
               void (*sink)(void *context, const uint8_t *bytes, size_t length), void *context)
{
    if (rtt->searching && rtt->health == RTT_ABSENT) {
        search(rtt, m);
    }
    struct channel channel;
    uint8_t *block = ram(m, rtt->address, BLOCK_BYTES);
    rtt->health = inspect(m, block, &channel);
    if (rtt->health != RTT_GOOD || channel.read == channel.write) {
        return;
    }
    memcpy(block + CHANNEL_READ, &channel.write, sizeof channel.write);
    cpu_code_written(m, rtt->address + CHANNEL_READ, sizeof channel.write);
    if (channel.write < channel.read) {
        sink(context, channel.buffer + channel.read, channel.size - channel.read);
        channel.read = 0;
    }
    sink(context, channel.buffer + channel.read, channel.write - channel.read);
}
