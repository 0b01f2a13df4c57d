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

bool mqtt_keeps_session(const struct mqtt *m)
{
#if MQTT_WITH_PROPERTIES
    if (m->limits.session_expiry_s == 0)
        return false;
#endif
    return m->config->session_expiry_s != 0;
}

/* The bytes of a packet of ours are those of one version. */
MQTT_SHARED static uint32_t key_of(const struct mqtt *m, uint32_t key)
{
#if MQTT_WITH_V311
    if (key < MQTT_STORE_RECEIVED && m->session_version == 4)
        key |= MQTT_STORE_V311;
#else
    (void)m;
#endif
    return key;
}

int mqtt_session_put(struct mqtt *m, uint32_t key, const struct mqtt_slice *parts)
{
    const struct mqtt_store *store = store_of(m);
    return mqtt_keeps_session(m) ? store->put(store->context, key_of(m, key), parts) : 0;
}

void mqtt_session_remove(struct mqtt *m, uint32_t key)
{
    const struct mqtt_store *store = store_of(m);
    if (m->config->session_expiry_s != 0)
        store->remove(store->context, key_of(m, key));
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

/* Of a record after a reset. False: it cannot be sent again, and is told as lost when its turn comes. */
static bool take_version(struct mqtt *m, uint8_t version)
{
#if MQTT_WITH_V311
    m->session_version = version;
    return true;
#else
    (void)m;
    return version == 5;
#endif
}

/* One record after a reset: whether it is of use. */
static bool restore_record(struct mqtt *m, const struct mqtt_record *record)
{
    uint16_t id = (uint16_t)record->key;
    uint8_t bytes[5]; /* its fixed header */
    struct mqtt_frame frame;
    if (id == 0 || record->key >= MQTT_STORE_RECEIVED + MQTT_STORE_V311)
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
    unsigned type = frame.head >> 4;
    unsigned qos = frame.head >> MQTT_PUBLISH_QOS_SHIFT & 3;
    /* A SUBSCRIBE is of no use: who asked for it has forgotten. */
    if ((type != MQTT_PUBLISH || qos - 1 > 1) && type != MQTT_PUBREL)
        return false;
    if (slot->awaits != 0)
        return false;
    slot->packet_id = id;
    slot->awaits = mqtt_acknowledged_by(frame.head);
    return take_version(m, record->key < MQTT_STORE_V311 ? 5 : 4);
}

/* Removes the records whose keys are at least `from`; or, at the start, those that are of no use. */
static void sweep(struct mqtt *m, uint32_t from, bool restoring)
{
    const struct mqtt_store *store = store_of(m);
    struct mqtt_record record;
    size_t index = 0;
    while (m->config->session_expiry_s != 0 && store->at(store->context, index, &record)) {
        if (restoring ? restore_record(m, &record) : record.key < from)
            index++;
        else
            store->remove(store->context, record.key);
    }
}

void mqtt_session_restore(struct mqtt *m)
{
    m->subscribing = m->config->subscriptions;
    m->has_session = m->config->resume;
    mqtt_reset_limits(m, &m->limits);
    sweep(m, 0, m->has_session);
}

uint8_t mqtt_session_pause(struct mqtt *m)
{
    uint8_t lost = m->publishing;
    m->publishing = 0;
    m->replaying = false;
#if MQTT_WITH_STREAMING
    if (m->source_id == 0)
        m->outgoing.source = NULL; /* of QoS 0: what did not get there is lost */
#endif
    if (mqtt_keeps_session(m))
        return 0;
    m->has_session = false;
    m->subscribe_id = 0;
    forget_sent(m);
    sweep(m, 0, false);
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

/* All that is in flight goes over this connection; but what a session that is new to the broker has no use
 * for is forgotten, whatever else befalls it. */
static void resend_all(struct mqtt *m)
{
    for (struct mqtt_inflight *slot = m->inflight; slot < m->inflight + MQTT_INFLIGHT_MAX; slot++) {
        bool qos2 = slot->awaits == MQTT_PUBREC || slot->awaits == MQTT_PUBCOMP;
        slot->resend = slot->awaits != 0;
        m->replaying |= slot->resend;
        m->publishing = (uint8_t)(m->publishing + (slot->awaits == MQTT_PUBCOMP));
        if (slot->resend && m->renewed && (qos2 || m->foreign))
            mqtt_session_remove(m, slot->packet_id);
    }
}

bool mqtt_session_begin(struct mqtt *m, bool present)
{
    m->foreign = !same_version(m);
    present = present && !m->foreign && mqtt_is_home(m);
    m->renewed = !present;
    m->unservable = false;
    m->statistics.resumed += present;
    if (!present) {
#if MQTT_WITH_QOS2
        memset(m->unreleased, 0, sizeof m->unreleased); /* MQTT-3.2.2-5 */
#endif
        sweep(m, MQTT_STORE_RECEIVED, false);
        m->subscribing = m->config->subscriptions;
    }
    resend_all(m);
    m->has_session = mqtt_keeps_session(m);
#if MQTT_WITH_V311
    m->session_version = m->version;
#endif
    return present;
}

/* ---- Replay ---- */

/* A PUBLISH alone waits for the quota (MQTT-3.3.4-8), which all that wait for PUBCOMP are part of. */
static bool may_go(const struct mqtt *m, const struct mqtt_inflight *slot)
{
    return slot->resend && (!mqtt_is_publish(slot) || m->publishing < m->limits.receive_maximum);
}

/* The first in order that may go; a size of 0: its record is gone. NULL: none, but what waits for the quota.
 */
static struct mqtt_inflight *next_due(struct mqtt *m, struct mqtt_record *record)
{
    const struct mqtt_store *store = store_of(m);
    struct mqtt_inflight *slot;
    for (size_t index = 0; store->at(store->context, index, record); index++) {
        slot = mqtt_slot(m, (uint16_t)record->key);
        if (record->key < MQTT_STORE_RECEIVED && slot->packet_id == (uint16_t)record->key && may_go(m, slot))
            return slot;
    }
    record->size = 0;
    m->replaying = false;
    for (slot = m->inflight; slot < m->inflight + MQTT_INFLIGHT_MAX; slot++) {
        m->replaying |= slot->resend;
        if (may_go(m, slot))
            return slot;
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
    mqtt_write_u8(w, head);
    size_t left = record->size - 1;
    size_t first = left < w->room[0].length ? left : w->room[0].length;
    read_record(m, record->key, 1, w->room[0].data, first);
    if (left > first)
        read_record(m, record->key, 1 + first, w->room[1].data, left - first);
}

static bool send_again(struct mqtt *m, struct mqtt_inflight *slot, const struct mqtt_record *record,
                       uint8_t head)
{
    struct mqtt_writer w;
    if (mqtt_available(m, &w) < record->size + MQTT_HEADROOM)
        return false;
    if (head >> 4 == MQTT_PUBLISH && !m->renewed)
        head |= MQTT_PUBLISH_DUP; /* MQTT-3.3.1-1 */
    copy_record(m, record, &w, head);
    mqtt_commit(m, record->size);
    slot->resend = false;
    m->publishing = (uint8_t)(m->publishing + mqtt_is_publish(slot));
#if MQTT_WITH_ACK_TIMEOUT
    slot->since_ms = m->now_ms;
#endif
#if MQTT_WITH_STREAMING
    if (head >> 4 == MQTT_PUBLISH && m->outgoing.source != NULL && m->source_id == slot->packet_id)
        m->outgoing.left = m->outgoing.total;
#endif
    m->statistics.replayed++;
    return true;
}

/* A SUBSCRIBE or UNSUBSCRIBE will not be answered. */
static void tell_refusal(struct mqtt *m, uint16_t packet_id, unsigned type, uint8_t reason,
                         struct mqtt_event *event)
{
    const struct mqtt_slice reasons = {&m->refusal, 1};
    m->refusal = reason;
    mqtt_tell_filters(event, type, packet_id, &reasons);
}

/* True: the event tells. */
static bool give_up(struct mqtt *m, struct mqtt_inflight *slot, uint8_t reason, struct mqtt_event *event)
{
    unsigned type = slot->awaits;
    mqtt_clear_details(event);
    if (type <= MQTT_PUBCOMP) {
        mqtt_settle_publish(m, slot, reason, event);
        return true;
    }
    mqtt_free_slot(m, slot);
    if (m->subscribe_id == slot->packet_id) {
        m->subscribe_id = 0; /* the configured ones are asked for anew */
        return false;
    }
    tell_refusal(m, slot->packet_id, type, reason, event);
    return true;
}

static size_t whole_size(const struct mqtt *m, const struct mqtt_record *record)
{
#if MQTT_WITH_STREAMING
    if (record->size > 0 && m->outgoing.source != NULL && m->source_id == (uint16_t)record->key)
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
    return false;
}

/* Why the configured subscriptions cannot be sent over this connection; 0: not now. */
MQTT_SHARED static uint8_t refusal_of(const struct mqtt *m, int error)
{
    if (error == MQTT_ERROR_TOO_LARGE)
        return MQTT_REASON_PACKET_TOO_LARGE;
#if MQTT_WITH_PROPERTIES
    if (error == MQTT_ERROR_UNAVAILABLE)
        return mqtt_what_is_missing(m, m->subscribing);
#else
    (void)m;
#endif
    if (error == MQTT_ERROR_STORE && !mqtt_has_inflight(m))
        return MQTT_REASON_QUOTA_EXCEEDED; /* nothing of ours makes room for it */
    return error == MQTT_ERROR_ARGUMENT ? MQTT_REASON_IMPLEMENTATION_SPECIFIC : 0;
}

/* True: the event tells. */
static bool subscribe(struct mqtt *m, struct mqtt_event *event)
{
    int id = mqtt_send_filters(m, MQTT_SUBSCRIBE, m->subscribing);
    uint8_t reason = refusal_of(m, id);
    m->subscribe_id = id > 0 ? (uint16_t)id : 0;
    m->unservable = reason != 0;
    if (reason == 0)
        return false;
    mqtt_clear_details(event);
    tell_refusal(m, 0, MQTT_SUBACK, reason, event);
    return true;
}

bool mqtt_session_continue(struct mqtt *m, struct mqtt_event *event)
{
    if (m->replaying && replay(m, event))
        return true;
    return m->subscribing != NULL && m->subscribe_id == 0 && !m->unservable && subscribe(m, event);
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
