/*
 * Where the engine keeps what must outlive a connection: packets of ours that are not acknowledged yet, each
 * as it goes over the wire, and the packet ids of QoS 2 messages that were delivered and not released yet.
 * RAM is enough to survive the loss of a connection; a store in flash would survive a reset
 * (mqtt_config.resume).
 *
 * A store belongs to one engine. Its functions are called from within those of the engine, and only there.
 */
#ifndef MQTT_STORE_H
#define MQTT_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mqtt_slice;

struct mqtt_record {
    uint32_t key;
    size_t size; /* may be 0 */
};

struct mqtt_store {
    void *context;
    /*
     * Keeps the two parts, concatenated, under `key`, as the last record. A record that was there under the
     * same key is replaced, as one step where power may fail. Negative: no room, or no success; then nothing
     * has changed.
     */
    int (*put)(void *context, uint32_t key, const struct mqtt_slice *parts);
    /* The record at `index` in the order of their put; false: there are not so many. */
    bool (*at)(void *context, size_t index, struct mqtt_record *record);
    /* `length` bytes of a record that is there, from `offset` on. */
    void (*read)(void *context, uint32_t key, size_t offset, void *to, size_t length);
    /* Nothing happens if there is none. */
    void (*remove)(void *context, uint32_t key);
};

enum { MQTT_RAM_STORE_OVERHEAD = 8 }; /* bytes of each record besides its own */

/* A store in the caller's memory. */
struct mqtt_ram_store {
    struct mqtt_store store; /* give its address to the configuration */
    uint8_t *memory;
    size_t size, used;
};

/* Empty. `memory` is kept; what is in flight together has to fit, with its overhead. */
void mqtt_ram_store_init(struct mqtt_ram_store *ram, void *memory, size_t size);

#endif
