/* From nothing to a session, its end, and the way to the next. */
#include "mqtt/engine.h"

enum {
    DEFAULT_CONNECT_TIMEOUT_MS = 10000,
    DEFAULT_BACKOFF_MIN_MS = 500,
    DEFAULT_BACKOFF_MAX_MS = 60000,
    DEFAULT_STABLE_MS = 30000,

    OPEN_RETRY_MS = 1000,  /* while the transport has no network */
    CLOSE_GRACE_MS = 2000, /* for an orderly close, before the next attempt aborts it */
};

static uint32_t value_or(uint32_t value, uint32_t otherwise)
{
    return value != 0 ? value : otherwise;
}

/* Without room the peer learns nothing but the close: nobody waits for it. */
static void send_disconnect(struct mqtt *m, uint8_t reason)
{
    if (!mqtt_is_v311(m))
        (void)mqtt_send_small(m, MQTT_DISCONNECT << 4 | 1u << 8 | (uint32_t)reason << 16,
                              MQTT_DISCONNECT_SIZE);
    else if (reason == MQTT_REASON_SUCCESS) /* there it always clears the will */
        (void)mqtt_send_small(m, MQTT_DISCONNECT << 4, MQTT_DISCONNECT_SIZE - 1);
}

/* ---- The end of a connection ---- */

static uint32_t next_random(struct mqtt *m)
{
    uint32_t x = m->random; /* xorshift32, never 0 */
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    m->random = x;
    return x;
}

/* Full jitter: anything between 0 and a limit that doubles with each failure up to a ceiling. */
static uint32_t backoff_ms(struct mqtt *m, bool doubles)
{
    uint32_t ceiling = value_or(m->config->backoff_max_ms, DEFAULT_BACKOFF_MAX_MS);
    uint32_t limit = value_or(m->backoff_ms, value_or(m->config->backoff_min_ms, DEFAULT_BACKOFF_MIN_MS));
    if (limit > ceiling)
        limit = ceiling;
    m->backoff_ms = doubles ? limit * 2 : limit;
    return (uint32_t)(((uint64_t)next_random(m) * (limit + 1)) >> 32);
}

#if MQTT_WITH_V311
uint8_t mqtt_first_version(const struct mqtt *m)
{
    bool bound = m->config->fall_back && m->session_version == 4 && mqtt_has_inflight(m);
    return bound || m->config->version == 4 ? 4 : 5;
}

/*
 * The version of the next attempt; true: the same broker is tried with the other one. A close without an
 * answer may mean that it was refused for that, or nothing: then both are tried in turn.
 */
static bool choose_version(struct mqtt *m, enum mqtt_cause cause, uint8_t reason)
{
    uint8_t first = mqtt_first_version(m);
    unsigned refusal = first == 5 ? MQTT_REASON_UNSUPPORTED_VERSION : MQTT_V311_UNACCEPTABLE_VERSION;
    bool refused = cause == MQTT_CAUSE_TRANSPORT || (cause == MQTT_CAUSE_REFUSED && reason == refusal);
    bool other = refused && m->state == MQTT_CONNECTING && m->version == first && m->config->fall_back &&
                 m->config->version != 4;
    m->version = other ? 4 + 5 - first : first;
    return other;
}
#endif

#if MQTT_WITH_BROKERS
/* In turn after each attempt that came to nothing, and when the broker says so. */
MQTT_APART static void choose_broker(struct mqtt *m, uint8_t reason)
{
    bool moves = m->state != MQTT_CONNECTED || reason == MQTT_REASON_USE_ANOTHER_SERVER ||
                 reason == MQTT_REASON_SERVER_MOVED;
    if (moves && ++m->broker >= m->config->brokers)
        m->broker = 0;
}
#endif

static void plan_next(struct mqtt *m, enum mqtt_cause cause, uint8_t reason)
{
    struct mqtt_disconnected *told = &m->end;
    told->retry_ms = UINT32_MAX;
    bool falls_back = false;
#if MQTT_WITH_V311
    falls_back = choose_version(m, cause, reason);
#endif
    bool round = !falls_back; /* a new one begins */
#if MQTT_WITH_BROKERS
    if (!falls_back && cause != MQTT_CAUSE_USER)
        choose_broker(m, reason);
    told->broker = m->broker;
    round = round && (told->established || mqtt_is_home(m));
#else
    (void)reason;
#endif
    m->state = MQTT_STOPPED;
    if (cause == MQTT_CAUSE_USER)
        return;
    told->retry_ms = falls_back && cause == MQTT_CAUSE_REFUSED ? 0 : backoff_ms(m, round);
    m->deadline_ms = m->now_ms + told->retry_ms;
    m->state = MQTT_WAITING;
}

/* All but the transport's close. */
static void leave(struct mqtt *m, enum mqtt_cause cause, uint8_t reason)
{
    struct mqtt_disconnected *told = &m->end;
    told->cause = cause;
    told->reason = reason;
    told->established = m->state == MQTT_CONNECTED;
    told->lost = mqtt_session_pause(m);
    if (told->established && m->now_ms - m->connected_ms >= value_or(m->config->stable_ms, DEFAULT_STABLE_MS))
        m->backoff_ms = 0;
    m->ack_id = 0;
    m->delivered = 0;
    m->aborting = false;
#if MQTT_WITH_STREAMING
    m->incoming.left = 0;
    m->outgoing.left = 0;
#endif
    plan_next(m, cause, reason);
    if (cause == MQTT_CAUSE_TIMEOUT)
        m->statistics.timeouts++;
}

void mqtt_end(struct mqtt *m, enum mqtt_cause cause, uint8_t reason)
{
    leave(m, cause, reason);
    /* A peer that has fallen silent would not answer an orderly close. */
    m->transport->close(m->transport->context, cause == MQTT_CAUSE_TIMEOUT);
}

void mqtt_violation(struct mqtt *m, uint8_t reason)
{
    m->statistics.violations++;
    send_disconnect(m, reason);
    mqtt_end(m, MQTT_CAUSE_PROTOCOL, reason);
}

/* Apart: within mqtt_poll it would cost more. */
__attribute__((noinline)) static void tell_end(struct mqtt *m, struct mqtt_event *event)
{
    event->type = MQTT_EVENT_DISCONNECTED;
    event->disconnected = m->end;
    m->end.cause = 0;
}

bool mqtt_take_end(struct mqtt *m, struct mqtt_event *event)
{
    if (m->end.cause == 0)
        return false;
    mqtt_clear_details(event);
    tell_end(m, event);
    return true;
}

/* The broker has ended it. What it says of that lies in the receive buffer: closed when it has been read. */
static void end_told(struct mqtt *m, enum mqtt_cause cause, uint8_t reason, struct mqtt_event *event)
{
#if MQTT_WITH_PROPERTIES
    leave(m, cause, reason);
    m->closing = true;
    tell_end(m, event);
#else
    (void)event;
    mqtt_end(m, cause, reason);
#endif
}

#if MQTT_WITH_PROPERTIES
void mqtt_clear_details(struct mqtt_event *event)
{
    struct mqtt_details *d = &event->details;
    const struct mqtt_slice none = {NULL, 0};
    if (!MQTT_FAST) {
        memset(&d->client_id, 0, sizeof *d - offsetof(struct mqtt_details, client_id));
        return;
    }
    d->client_id = d->response_information = d->server_reference = none;
    d->reason_string = d->method = d->authentication = d->properties = none;
}

void mqtt_finish_closing(struct mqtt *m)
{
    if (m->closing)
        m->transport->close(m->transport->context, false);
    m->closing = false;
}
#endif

void mqtt_on_disconnect(struct mqtt *m, struct mqtt_frame *frame, struct mqtt_event *event)
{
    uint8_t why;
    if (mqtt_is_v311(m)) {
        mqtt_reader_fail(&frame->body, MQTT_REASON_PROTOCOL_ERROR);
        return;
    }
    if (mqtt_decode_reason(frame, MQTT_IN_DISCONNECT, mqtt_details_of(event), &why) == MQTT_REASON_SUCCESS)
        end_told(m, MQTT_CAUSE_SERVER, why, event);
}

/* ---- From nothing to CONNECT sent ---- */

/* Until the transport is open or the CONNACK here. */
/* Apart, as check_liveness is. */
__attribute__((noinline)) static void await(struct mqtt *m, enum mqtt_state state)
{
    m->state = (uint8_t)state;
    m->deadline_ms = m->now_ms + value_or(m->config->connect_timeout_ms, DEFAULT_CONNECT_TIMEOUT_MS);
}

void mqtt_attempt(struct mqtt *m)
{
    const struct mqtt_transport *t = m->transport;
    m->state = MQTT_WAITING;
    if (mqtt_transport_state(m) != MQTT_TRANSPORT_CLOSED) {
        if (m->aborting)
            t->close(t->context, true);
        m->aborting = true;
        m->deadline_ms = m->now_ms + CLOSE_GRACE_MS;
    } else if (t->open(t->context) < 0) {
        m->deadline_ms = m->now_ms + OPEN_RETRY_MS;
    } else {
        m->statistics.attempts++;
        await(m, MQTT_OPENING);
    }
}

void mqtt_reset_limits(const struct mqtt *m, struct mqtt_limits *limits)
{
    memset(limits, 0xFF, sizeof *limits); /* none: the CONNACK names them */
    limits->keep_alive_s = m->config->keep_alive_s;
#if MQTT_WITH_PROPERTIES
    limits->topic_alias_maximum = 0;
#endif
}

#if MQTT_WITH_SESSIONS && MQTT_WITH_V311
static bool is_nameless(const struct mqtt *m)
{
#if MQTT_WITH_PROPERTIES
    if (m->assigned_length > 0)
        return false;
#endif
    return m->config->client_id[0] == '\0';
}
#endif

bool mqtt_starts_clean(const struct mqtt *m)
{
#if MQTT_WITH_SESSIONS
    if (m->config->session_expiry_s == 0)
        return true;
#if MQTT_WITH_V311
    if (m->version == 4)
        return is_nameless(m); /* its 3.1.3-7; else a session that starts clean is not kept there */
    if (m->session_version == 4)
        return true;
#endif
    return !m->has_session || !mqtt_is_home(m);
#else
    (void)m;
    return true;
#endif
}

static int send_connect(struct mqtt *m)
{
#if MQTT_WITH_AUTH
    if (!mqtt_auth_begin(m))
        return MQTT_ERROR_FULL; /* until the time is up */
#endif
#if MQTT_WITH_ALIASES
    mqtt_forget_aliases(m);
#endif
    return mqtt_send_packet(m, MQTT_CONNECT << 4, mqtt_write_connect, m, 0);
}

void mqtt_greet(struct mqtt *m)
{
    enum mqtt_transport_state state = mqtt_transport_state(m);
    if (state == MQTT_TRANSPORT_OPENING)
        return;
    if (state != MQTT_TRANSPORT_OPEN) {
        mqtt_end(m, MQTT_CAUSE_TRANSPORT, 0);
        return;
    }
    mqtt_reset_limits(m, &m->limits);
#if MQTT_KNOWS_CAPACITY
    struct mqtt_writer w;
    size_t room = mqtt_available(m, &w);
    m->send_capacity = room > MQTT_HEADROOM ? room - MQTT_HEADROOM : 0;
#endif
    if (send_connect(m) >= 0)
        await(m, MQTT_CONNECTING);
}

/* ---- CONNACK ---- */

/* Returns what is wrong with it: we started clean, and know of no session (MQTT-3.2.2-4). */
static uint8_t establish(struct mqtt *m, bool present, struct mqtt_event *event)
{
    if (MQTT_WITH_SESSIONS && present && mqtt_starts_clean(m))
        return MQTT_REASON_PROTOCOL_ERROR;
    m->state = MQTT_CONNECTED;
    m->connected_ms = m->now_ms;
    m->ping_pending = false;
#if MQTT_WITH_SESSION_STATISTICS
    m->before = m->statistics;
#endif
    m->statistics.sessions++;
#if MQTT_WITH_SESSIONS
    present = mqtt_session_begin(m, present);
#endif
#if MQTT_WITH_BROKERS
    m->home = m->broker;
#endif
    event->type = MQTT_EVENT_CONNECTED;
    event->connected.session_present = MQTT_WITH_SESSIONS && present;
    return MQTT_REASON_SUCCESS;
}

#if MQTT_WITH_PROPERTIES
/* Kept for the next connections (MQTT 5.0, 3.2.2.3.7). */
static void keep_client_id(struct mqtt *m, const struct mqtt_slice *id)
{
    const struct mqtt_span *room = &m->config->assigned_id;
    if (id->length - 1 >= room->length) /* also none, or an empty one */
        return;
    memcpy(room->data, id->data, id->length);
    m->assigned_length = (uint16_t)id->length;
}

#endif

static uint8_t accept(struct mqtt *m, bool present, struct mqtt_event *event)
{
#if MQTT_WITH_AUTH
    uint8_t wrong = mqtt_auth_finish(m, &event->details); /* before anything that it says is believed */
    if (wrong != MQTT_REASON_SUCCESS)
        return wrong;
#endif
#if MQTT_WITH_PROPERTIES
    m->limits = event->details.limits;
    keep_client_id(m, &event->details.client_id);
#endif
    return establish(m, present, event);
}

void mqtt_on_connack(struct mqtt *m, struct mqtt_frame *frame, struct mqtt_event *event)
{
    uint8_t refusal;
    bool present = false;
#if MQTT_WITH_PROPERTIES
    void *details = &event->details;
    mqtt_reset_limits(m, &event->details.limits);
#else
    void *details = &m->limits;
#endif
    if (mqtt_decode_connack(frame, details, &present, &refusal) != MQTT_REASON_SUCCESS)
        return;
    if (refusal != MQTT_REASON_SUCCESS)
        end_told(m, MQTT_CAUSE_REFUSED, refusal, event);
    else
        mqtt_reader_fail(&frame->body, accept(m, present, event));
}

/* ---- The user's part ---- */

void mqtt_disconnect(struct mqtt *m, uint8_t reason, uint32_t now_ms)
{
    m->now_ms = now_ms;
    if (m->state >= MQTT_CONNECTING)
        send_disconnect(m, reason);
    if (m->state >= MQTT_OPENING)
        mqtt_end(m, MQTT_CAUSE_USER, reason);
    m->state = MQTT_STOPPED;
}

#if MQTT_WITH_PROPERTIES
void mqtt_disconnect_with(struct mqtt *m, const struct mqtt_closure *closure, uint32_t now_ms)
{
    const struct mqtt_reasoned reasoned = {.closure = closure};
    m->now_ms = now_ms;
    int sent = MQTT_ERROR_FULL;
    if (m->state >= MQTT_CONNECTING && !mqtt_is_v311(m))
        sent = mqtt_send_packet(m, MQTT_DISCONNECT << 4, mqtt_write_reasoned, &reasoned, 0);
    if (sent < 0) {
        mqtt_disconnect(m, closure->reason, now_ms);
        return;
    }
    if (closure->change_expiry)
        m->limits.session_expiry_s = closure->session_expiry_s;
    mqtt_end(m, MQTT_CAUSE_USER, closure->reason);
}
#endif

void mqtt_connect(struct mqtt *m, uint32_t now_ms)
{
    if (m->state == MQTT_STOPPED || m->state == MQTT_WAITING) {
        m->state = MQTT_WAITING;
        m->deadline_ms = now_ms;
    }
}
