/* What outlives a connection: packets of ours in the store, the broker's QoS 2 packet ids (4.1, 4.4). */
#include "mqtt/engine.h"

#include <string.h>

static void forget_sent(struct mqtt *m)
{
    memset(m->inflight, 0, sizeof m->inflight);
#if MQTT_WITH_QOS2
    memset(m->unreleased, 0, sizeof m->unreleased);
#endif
}

#if MQTT_WITH_SESSIONS

static const struct mqtt_store *store_of(const struct mqtt *m)
{
    return m->config->store;
}

int mqtt_session_put(struct mqtt *m, uint32_t key, const struct mqtt_slice *parts)
{
    const struct mqtt_store *store = store_of(m);
    return mqtt_keeps_session(m) ? store->put(store->context, key, parts) : 0;
}

void mqtt_session_remove(struct mqtt *m, uint32_t key)
{
    const struct mqtt_store *store = store_of(m);
    if (m->config->session_expiry_s != 0)
        store->remove(store->context, key);
}

/* Removes the records whose keys are at least `from`. */
static void empty_store(struct mqtt *m, uint32_t from)
{
    const struct mqtt_store *store = store_of(m);
    struct mqtt_record record;
    size_t index = 0;
    while (m->config->session_expiry_s != 0 && store->at(store->context, index, &record)) {
        if (record.key >= from)
            store->remove(store->context, record.key);
        else
            index++;
    }
}

static void read_record(const struct mqtt *m, uint32_t key, size_t offset, void *to, size_t length)
{
    const struct mqtt_store *store = store_of(m);
    store->read(store->context, key, offset, to, length);
}

/* New ones come after it: the broker may know it still, though its record be of no use. */
static void note_id(struct mqtt *m, uint16_t id)
{
    if (m->last_id == 0 || (int16_t)(id - m->last_id) > 0)
        m->last_id = id;
}

/* One record after a reset: whether it is of use. */
static bool restore_record(struct mqtt *m, const struct mqtt_record *record)
{
    static const uint8_t by_qos[4] = {0, MQTT_PUBACK, MQTT_PUBREC, 0};
    uint16_t id = (uint16_t)record->key;
    uint8_t bytes[5]; /* its fixed header */
    struct mqtt_frame frame;
    if (id == 0 || record->key >= 2 * MQTT_STORE_RECEIVED)
        return false;
    if (record->key >= MQTT_STORE_RECEIVED) {
#if MQTT_WITH_QOS2
        uint16_t *received = mqtt_find_unreleased(m, 0);
        if (received != NULL)
            *received = id;
        return received != NULL;
#else
        return false;
#endif
    }
    note_id(m, id);
    if (record->size < MQTT_PUBACK_SIZE)
        return false;
    size_t length = record->size < sizeof bytes ? record->size : sizeof bytes;
    read_record(m, record->key, 0, bytes, length);
    (void)mqtt_decode_frame(bytes, length, SIZE_MAX, &frame);
#if MQTT_WITH_STREAMING
    if (frame.total != record->size)
        return false; /* only its beginning: the source of the rest is gone */
#endif
    struct mqtt_inflight *slot = mqtt_slot(m, id);
    uint8_t awaits = 0; /* a SUBSCRIBE is of no use: who asked for it has forgotten */
    if (frame.head >> 4 == MQTT_PUBLISH)
        awaits = by_qos[frame.head >> MQTT_PUBLISH_QOS_SHIFT & 3];
    else if (frame.head >> 4 == MQTT_PUBREL)
        awaits = MQTT_PUBCOMP;
    if (awaits == 0 || slot->awaits != 0)
        return false;
    slot->packet_id = id;
    slot->awaits = awaits;
    return true;
}

void mqtt_session_restore(struct mqtt *m)
{
    const struct mqtt_store *store = store_of(m);
    struct mqtt_record record;
    size_t index = 0;
    m->subscribing = m->config->subscriptions != NULL;
    mqtt_reset_limits(m);
    if (m->config->session_expiry_s == 0)
        return;
    m->has_session = m->config->resume;
    while (store->at(store->context, index, &record)) {
        if (m->has_session && restore_record(m, &record))
            index++;
        else
            store->remove(store->context, record.key);
    }
}

uint8_t mqtt_session_pause(struct mqtt *m)
{
    uint8_t lost = m->publishing;
    m->publishing = 0;
    m->replaying = false;
#if MQTT_WITH_STREAMING
    if (m->outgoing.packet_id == 0)
        m->outgoing.source = NULL; /* of QoS 0: what did not get there is lost */
#endif
    if (mqtt_keeps_session(m))
        return 0;
    m->has_session = false;
    m->subscribe_id = 0;
    forget_sent(m);
    empty_store(m, 0);
#if MQTT_WITH_STREAMING
    m->outgoing.source = NULL;
#endif
    m->statistics.lost += lost;
    return lost;
}

static bool same_version(const struct mqtt *m)
{
#if MQTT_WITH_V311
    return !m->has_session || m->session_version == m->version || m->session_version == 0;
#else
    (void)m;
    return true;
#endif
}

/* Of what is in flight: what a session that is new to the broker has no use for, whatever else befalls it. */
static void forget_what_cannot_go_on(struct mqtt *m)
{
    for (size_t i = 0; i < MQTT_INFLIGHT_MAX; i++) {
        const struct mqtt_inflight *slot = &m->inflight[i];
        bool qos2 = slot->awaits == MQTT_PUBREC || slot->awaits == MQTT_PUBCOMP;
        if (slot->awaits != 0 && (qos2 || m->foreign))
            mqtt_session_remove(m, slot->packet_id);
    }
}

bool mqtt_session_begin(struct mqtt *m, bool present)
{
    m->foreign = !same_version(m);
    present = present && !m->foreign;
    m->renewed = !present;
    m->replaying = mqtt_has_inflight(m);
    m->statistics.resumed += present;
    if (!present) {
#if MQTT_WITH_QOS2
        memset(m->unreleased, 0, sizeof m->unreleased); /* MQTT-3.2.2-5 */
#endif
        empty_store(m, MQTT_STORE_RECEIVED);
        forget_what_cannot_go_on(m);
        m->subscribing = m->config->subscriptions != NULL;
    }
    for (size_t i = 0; i < MQTT_INFLIGHT_MAX; i++)
        m->inflight[i].resend = m->inflight[i].awaits != 0;
    m->has_session = mqtt_keeps_session(m);
#if MQTT_WITH_V311
    m->session_version = m->version;
#endif
    return present;
}

/* ---- Replay ---- */

/* The first in order that is due again; a size of 0: its record is gone. */
static struct mqtt_inflight *next_due(struct mqtt *m, struct mqtt_record *record)
{
    const struct mqtt_store *store = store_of(m);
    for (size_t index = 0; store->at(store->context, index, record); index++) {
        struct mqtt_inflight *slot = mqtt_slot(m, (uint16_t)record->key);
        if (record->key < MQTT_STORE_RECEIVED && slot->resend && slot->packet_id == record->key)
            return slot;
    }
    record->size = 0;
    for (size_t i = 0; i < MQTT_INFLIGHT_MAX; i++) {
        if (m->inflight[i].resend)
            return &m->inflight[i];
    }
    return NULL;
}

/* Why it cannot be sent over this connection; 0: it can. */
static uint8_t obstacle(const struct mqtt *m, size_t size, uint8_t head)
{
    unsigned qos = head >> MQTT_PUBLISH_QOS_SHIFT & 3;
    if (size == 0)
        return MQTT_REASON_PACKET_ID_NOT_FOUND;
    if (size > m->limits.maximum_packet_size)
        return MQTT_REASON_PACKET_TOO_LARGE;
    if (head >> 4 != MQTT_PUBLISH)
        return 0;
    if (qos > m->limits.maximum_qos)
        return MQTT_REASON_QOS_NOT_SUPPORTED;
    return (head & MQTT_PUBLISH_RETAIN) && !m->limits.retain_available ? MQTT_REASON_RETAIN_NOT_SUPPORTED : 0;
}

/* The packet once more, `head` being its first byte now. */
static void copy_record(const struct mqtt *m, const struct mqtt_record *record, struct mqtt_writer *w,
                        uint8_t head)
{
    uint8_t chunk[32];
    for (size_t at = 0; at < record->size; at += sizeof chunk) {
        size_t left = record->size - at;
        size_t length = left < sizeof chunk ? left : sizeof chunk;
        read_record(m, record->key, at, chunk, length);
        if (at == 0)
            chunk[0] = head;
        mqtt_write_bytes(w, chunk, length);
    }
}

static bool send_again(struct mqtt *m, struct mqtt_inflight *slot, const struct mqtt_record *record,
                       uint8_t head)
{
    struct mqtt_writer w;
    bool publication = mqtt_is_publication(slot);
    if (publication && m->publishing >= m->limits.receive_maximum)
        return false;
    if (mqtt_available(m, &w) < record->size + MQTT_HEADROOM)
        return false;
    if (head >> 4 == MQTT_PUBLISH && !m->renewed)
        head |= MQTT_PUBLISH_DUP; /* MQTT-3.3.1-1 */
    copy_record(m, record, &w, head);
    mqtt_commit(m, record->size);
    slot->resend = false;
    m->publishing = (uint8_t)(m->publishing + publication);
#if MQTT_WITH_ACK_TIMEOUT
    slot->since_ms = m->now_ms;
#endif
#if MQTT_WITH_STREAMING
    if (head >> 4 == MQTT_PUBLISH && m->outgoing.source != NULL && m->outgoing.packet_id == slot->packet_id)
        m->outgoing.left = m->outgoing.total;
#endif
    m->statistics.replayed++;
    return true;
}

/* True: the event tells. */
static bool give_up(struct mqtt *m, struct mqtt_inflight *slot, uint8_t reason, struct mqtt_event *event)
{
    const struct mqtt_ack ack = {.packet_id = slot->packet_id, .reason = reason};
    if (mqtt_is_publication(slot)) {
        mqtt_clear_details(event);
        mqtt_settle_publish(m, slot, &ack, event);
        return true;
    }
    if (m->subscribe_id == slot->packet_id)
        m->subscribe_id = 0;
    mqtt_free_slot(m, slot);
    return false;
}

static size_t whole_size(const struct mqtt *m, const struct mqtt_record *record)
{
#if MQTT_WITH_STREAMING
    if (record->size > 0 && m->outgoing.source != NULL && m->outgoing.packet_id == record->key)
        return record->size + m->outgoing.total;
#else
    (void)m;
#endif
    return record->size;
}

static bool replay(struct mqtt *m, struct mqtt_event *event)
{
    struct mqtt_record record;
    struct mqtt_inflight *slot;
    while ((slot = next_due(m, &record)) != NULL) {
        uint8_t head = 0;
        if (record.size > 0)
            read_record(m, record.key, 0, &head, 1);
        uint8_t reason = obstacle(m, whole_size(m, &record), head);
        if (reason != 0 && give_up(m, slot, reason, event))
            return true;
        if (reason == 0 && !send_again(m, slot, &record, head))
            return false;
    }
    m->replaying = false;
    return false;
}

bool mqtt_session_continue(struct mqtt *m, struct mqtt_event *event)
{
    if (m->replaying && replay(m, event))
        return true;
    if (m->subscribing && m->subscribe_id == 0) {
        int id = mqtt_send_filters(m, MQTT_SUBSCRIBE, m->config->subscriptions);
        m->subscribe_id = id > 0 ? (uint16_t)id : 0;
    }
    return false;
}

#else

uint8_t mqtt_session_pause(struct mqtt *m)
{
    uint8_t lost = m->publishing;
    forget_sent(m);
    m->publishing = 0;
#if MQTT_WITH_STREAMING
    m->outgoing.source = NULL;
#endif
    m->statistics.lost += lost;
    return lost;
}

#endif
