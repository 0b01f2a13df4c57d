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

static size_t length_at(const struct mqtt_ram_store *ram, size_t at, struct head *head)
{
    if (at >= ram->used)
        return 0;
    memcpy(head, ram->memory + at, sizeof *head);
    return sizeof *head + head->size;
}

/* Where the record under `key` begins; `used` if there is none. */
static size_t find(const struct mqtt_ram_store *ram, uint32_t key, size_t *length)
{
    struct head head;
    size_t at = 0;
    while ((*length = length_at(ram, at, &head)) > 0 && head.key != key)
        at += *length;
    return at;
}

static void ram_remove(void *context, uint32_t key)
{
    struct mqtt_ram_store *ram = context;
    size_t length;
    size_t at = find(ram, key, &length);
    ram->used -= length;
    memmove(ram->memory + at, ram->memory + at + length, ram->used - at);
}

static void append(struct mqtt_ram_store *ram, const void *data, size_t length)
{
    if (length > 0) /* of an empty slice the data may be NULL */
        memcpy(ram->memory + ram->used, data, length);
    ram->used += length;
}

static int ram_put(void *context, uint32_t key, const struct mqtt_slice *parts)
{
    struct mqtt_ram_store *ram = context;
    const struct head head = {key, (uint32_t)(parts[0].length + parts[1].length)};
    size_t freed;
    (void)find(ram, key, &freed);
    if (ram->size - ram->used + freed < sizeof head + head.size)
        return -1;
    ram_remove(ram, key);
    append(ram, &head, sizeof head);
    append(ram, parts[0].data, parts[0].length);
    append(ram, parts[1].data, parts[1].length);
    return 0;
}

static bool ram_at(void *context, size_t index, struct mqtt_record *record)
{
    const struct mqtt_ram_store *ram = context;
    struct head head;
    size_t at = 0, length;
    while ((length = length_at(ram, at, &head)) > 0 && index-- > 0)
        at += length;
    if (length == 0)
        return false;
    record->key = head.key;
    record->size = head.size;
    return true;
}

static void ram_read(void *context, uint32_t key, size_t offset, void *to, size_t length)
{
    const struct mqtt_ram_store *ram = context;
    size_t whole;
    memcpy(to, ram->memory + find(ram, key, &whole) + sizeof(struct head) + offset, length);
}

void mqtt_ram_store_init(struct mqtt_ram_store *ram, void *memory, size_t size)
{
    ram->store = (struct mqtt_store){ram, ram_put, ram_at, ram_read, ram_remove};
    ram->memory = memory;
    ram->size = size;
    ram->used = 0;
}

#endif
