/*
 * A settings tree over MQTT: the protocol of miniconf_mqtt (MM2, version 1),
 * as docs/settings.md describes it. Below the prefix P:
 *
 *     P/alive, P/schema/<n>, P/settings/<path>    retained, from the device
 *     P/set/<path>                                requests, answered on their response topic
 *     P/settings/<path> without property `auth`   requests of plain tools
 *
 * An engine like mqtt/mqtt.h: pass it every MQTT event, call mm2_poll whenever
 * something may have happened. All calls come from the context of the session.
 */
#ifndef SETTINGS_MM2_H
#define SETTINGS_MM2_H

#include "mqtt/mqtt.h"
#include "settings/tree.h"

enum {
    MM2_LEAVES_MAX = 64,
    MM2_ANSWERS_MAX = 3, /* requests under way that want an answer; the last free place answers Busy */
    MM2_RESPONSE_TOPIC_MAX = 128,
    MM2_CORRELATION_MAX = 32,
    MM2_PAGE_MAX = SETTINGS_SCHEMA_LINE_MAX,
    MM2_ANSWER_EXPIRY_S = 30,
};

struct mm2_statistics {
    uint32_t changes;    /* values taken */
    uint32_t refusals;   /* requests refused, Busy included */
    uint32_t unanswered; /* no answer possible: topic or correlation too long, all places taken */
    uint32_t failures;   /* publications that the broker or the session refused for good */
};

struct mm2_answer {
    uint8_t state;
    uint8_t leaf;
    int8_t error;
    uint8_t depth;
    uint16_t packet_id; /* of the mirror's publication that it waits for */
    uint8_t topic_length;
    uint8_t correlation_length;
    bool has_correlation;
    char topic[MM2_RESPONSE_TOPIC_MAX];
    uint8_t correlation[MM2_CORRELATION_MAX];
};

/* Private but for its size and `statistics`. */
struct mm2 {
    const struct settings_tree *tree;
    void *values;
    struct mqtt_slice prefix;
    struct mm2_statistics statistics;
    uint32_t epoch;
    uint32_t schema_rev;
    uint16_t page_count;
    uint16_t next; /* page or leaf to publish next, by state */
    uint16_t next_line;
    uint16_t subscribe_id;
    uint8_t state;
    uint64_t stale; /* leaves whose mirror is to be published, a bit each */
    struct mm2_answer answers[MM2_ANSWERS_MAX];
};

/*
 * `tree`, `values` and `prefix` are kept. The tree is valid and has at most MM2_LEAVES_MAX leaves. `epoch` is
 * random: clients must see another one after each boot.
 */
void mm2_init(struct mm2 *mm2, const struct settings_tree *tree, void *values, const char *prefix,
              uint32_t epoch);

/*
 * Takes an event of the session. Returns true when it was meant for the settings. `changed` receives the
 * index of the leaf whose value a client has changed, else -1.
 */
bool mm2_handle(struct mm2 *mm2, const struct mqtt_event *event, int *changed);

/* Publishes what is due and fits. Call after events, and when send room may have come free. */
void mm2_poll(struct mm2 *mm2, struct mqtt *mqtt, uint32_t now_ms);

/* The program itself has changed a value: publish it. Without a session this does nothing: a new one
 * publishes all values, for one that is resumed call it again after CONNECTED. */
void mm2_touch(struct mm2 *mm2, size_t leaf);

/* Everything is published and subscribed in this session, and nothing waits. */
bool mm2_is_settled(const struct mm2 *mm2);

#endif
