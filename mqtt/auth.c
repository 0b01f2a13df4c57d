/* Enhanced authentication: the exchange is the callback's, here is its way over the wire (4.12). */
#include "mqtt/engine.h"

#if MQTT_WITH_AUTH

#include <string.h>

/* Is there anybody to do it, and anything to do it with? */
static bool can_authenticate(const struct mqtt *m)
{
    return m->config->authenticator != NULL && !mqtt_is_v311(m);
}

/* What the callback answers goes with the CONNECT, or with an AUTH of this reason. Returns what is wrong. */
static uint8_t step(struct mqtt *m, enum mqtt_auth_step which, const struct mqtt_details *details,
                    uint8_t reason)
{
    const struct mqtt_authenticator *a = m->config->authenticator;
    struct mqtt_slice data = {NULL, 0};
    m->auth_answer = data;
    m->auth_since_ms = m->now_ms;
    if (details != NULL)
        data = details->authentication;
    bool trusted = a->step(a->context, which, data, &m->auth_answer) >= 0;
    m->auth_reason = trusted ? reason : 0;
    return trusted ? MQTT_REASON_SUCCESS : MQTT_REASON_NOT_AUTHORIZED;
}

/* MQTT-4.12.0-5 */
static bool is_our_method(const struct mqtt *m, const struct mqtt_details *details)
{
    const char *method = m->config->authenticator->method;
    return details->method.data != NULL && details->method.length == strlen(method) &&
           memcmp(details->method.data, method, details->method.length) == 0;
}

bool mqtt_auth_begin(struct mqtt *m)
{
    m->reauthenticating = false;
    m->auth_reason = 0;
    return !can_authenticate(m) || step(m, MQTT_AUTH_BEGIN, NULL, 0) == MQTT_REASON_SUCCESS;
}

uint8_t mqtt_auth_finish(struct mqtt *m, const struct mqtt_details *details)
{
    bool right = can_authenticate(m) ? is_our_method(m, details)
                                     : details->method.data == NULL && details->authentication.data == NULL;
    if (!right)
        return MQTT_REASON_PROTOCOL_ERROR;
    return can_authenticate(m) ? step(m, MQTT_AUTH_SUCCESS, details, 0) : MQTT_REASON_SUCCESS;
}

static uint8_t take(struct mqtt *m, uint8_t reason, const struct mqtt_details *details,
                    struct mqtt_event *event)
{
    bool again = m->state == MQTT_CONNECTED;
    if (!is_our_method(m, details) || (again && !m->reauthenticating))
        return MQTT_REASON_PROTOCOL_ERROR;
    if (reason == MQTT_REASON_CONTINUE_AUTHENTICATION)
        return step(m, MQTT_AUTH_CONTINUE, details, reason);
    if (reason != MQTT_REASON_SUCCESS || !again)
        return MQTT_REASON_PROTOCOL_ERROR;
    m->reauthenticating = false;
    event->type = MQTT_EVENT_AUTHENTICATED;
    return step(m, MQTT_AUTH_SUCCESS, details, 0);
}

void mqtt_on_auth(struct mqtt *m, struct mqtt_frame *frame, struct mqtt_event *event)
{
    uint8_t reason;
    if (!can_authenticate(m)) {
        mqtt_reader_fail(&frame->body, MQTT_REASON_PROTOCOL_ERROR);
        return;
    }
    if (mqtt_decode_reason(frame, MQTT_IN_AUTH, &event->details, &reason) == MQTT_REASON_SUCCESS)
        mqtt_reader_fail(&frame->body, take(m, reason, &event->details, event));
}

/* The AUTH that waits for room. Negative: it can never be sent. */
static int send_auth(struct mqtt *m)
{
    const struct mqtt_reasoned reasoned = {.m = m};
    int result = mqtt_send_packet(m, MQTT_AUTH << 4, mqtt_write_reasoned, &reasoned, 0);
    if (result == MQTT_ERROR_FULL)
        return 0;
    m->auth_reason = 0;
    return result;
}

void mqtt_auth_continue(struct mqtt *m)
{
    if (send_auth(m) < 0)
        mqtt_violation(m, MQTT_REASON_IMPLEMENTATION_SPECIFIC);
}

int mqtt_reauthenticate(struct mqtt *m, uint32_t now_ms)
{
    m->now_ms = now_ms;
    if (m->state != MQTT_CONNECTED)
        return MQTT_ERROR_NOT_CONNECTED;
    if (!can_authenticate(m))
        return MQTT_ERROR_UNAVAILABLE;
    if (m->reauthenticating)
        return MQTT_ERROR_INFLIGHT;
    if (step(m, MQTT_AUTH_BEGIN, NULL, MQTT_REASON_REAUTHENTICATE) != MQTT_REASON_SUCCESS)
        return MQTT_ERROR_UNAVAILABLE;
    int result = send_auth(m);
    m->reauthenticating = result >= 0;
    return result;
}

#endif
