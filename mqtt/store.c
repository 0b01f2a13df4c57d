#include "mqtt/store.h"

#include "mqtt/mqtt.h"

#if MQTT_WITH_SESSIONS

#include <string.h>

/* Records lie one after the other, each behind its key and size. */
struct head {
    uint32_t key;
    uint32_t size;
};
_Static_assert(sizeof(struct head) == MQTT_RAM_STORE_OVERHEAD, "what the caller reckons with");

static struct head head_at(const struct mqtt_ram_store *ram, size_t at)
{
    struct head head;
    memcpy(&head, ram->memory + at, sizeof head);
    return head;
}

/* Where the record under `key` begins; `used` if there is none. */
static size_t find(const struct mqtt_ram_store *ram, uint32_t key)
{
    size_t at = 0;
    for (struct head head; at < ram->used; at += sizeof head + head.size) {
        head = head_at(ram, at);
        if (head.key == key)
            break;
    }
    return at;
}

static size_t length_at(const struct mqtt_ram_store *ram, size_t at)
{
    return at < ram->used ? sizeof(struct head) + head_at(ram, at).size : 0;
}

static void close_gap(struct mqtt_ram_store *ram, size_t at, size_t length)
{
    ram->used -= length;
    memmove(ram->memory + at, ram->memory + at + length, ram->used - at);
}

static void ram_remove(void *context, uint32_t key)
{
    struct mqtt_ram_store *ram = context;
    size_t at = find(ram, key);
    close_gap(ram, at, length_at(ram, at));
}

static int ram_put(void *context, uint32_t key, const struct mqtt_slice *parts)
{
    struct mqtt_ram_store *ram = context;
    size_t size = parts[0].length + parts[1].length;
    size_t old = find(ram, key);
    const struct head head = {key, (uint32_t)size};
    if (ram->size - (ram->used - length_at(ram, old)) < sizeof head + size)
        return -1;
    close_gap(ram, old, length_at(ram, old));
    uint8_t *to = ram->memory + ram->used;
    memcpy(to, &head, sizeof head);
    to += sizeof head;
    for (size_t i = 0; i < 2; i++) {
        if (parts[i].length > 0)
            memcpy(to, parts[i].data, parts[i].length);
        to += parts[i].length;
    }
    ram->used += sizeof head + size;
    return 0;
}

static bool ram_at(void *context, size_t index, struct mqtt_record *record)
{
    const struct mqtt_ram_store *ram = context;
    size_t at = 0;
    for (; index > 0 && at < ram->used; index--)
        at += length_at(ram, at);
    if (at >= ram->used)
        return false;
    const struct head head = head_at(ram, at);
    *record = (struct mqtt_record){head.key, head.size};
    return true;
}

static void ram_read(void *context, uint32_t key, size_t offset, void *to, size_t length)
{
    const struct mqtt_ram_store *ram = context;
    memcpy(to, ram->memory + find(ram, key) + sizeof(struct head) + offset, length);
}

void mqtt_ram_store_init(struct mqtt_ram_store *ram, void *memory, size_t size)
{
    *ram = (struct mqtt_ram_store){
        .store = {ram, ram_put, ram_at, ram_read, ram_remove},
        .memory = memory,
        .size = size,
    };
}

#endif
