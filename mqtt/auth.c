/* Enhanced authentication: the exchange is the callback's, here is its way over the wire (4.12). */
#include "mqtt/engine.h"

#if MQTT_WITH_AUTH

#include <string.h>

static int step(struct mqtt *m, enum mqtt_auth_step which, struct mqtt_slice data, struct mqtt_slice *answer)
{
    const struct mqtt_authenticator *a = m->config->authenticator;
    *answer = (struct mqtt_slice){NULL, 0};
    return a->step(a->context, which, data, answer);
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
    const struct mqtt_slice none = {NULL, 0};
    m->auth_answer = none;
    m->reauthenticating = false;
    m->auth_reason = 0;
    return m->config->authenticator == NULL || mqtt_is_v311(m) ||
           step(m, MQTT_AUTH_BEGIN, none, &m->auth_answer) >= 0;
}

/* The broker is content: are we? */
static uint8_t succeed(struct mqtt *m, const struct mqtt_details *details)
{
    struct mqtt_slice none;
    return step(m, MQTT_AUTH_SUCCESS, details->authentication, &none) < 0 ? MQTT_REASON_NOT_AUTHORIZED
                                                                          : MQTT_REASON_SUCCESS;
}

uint8_t mqtt_auth_finish(struct mqtt *m, const struct mqtt_details *details)
{
    if (m->config->authenticator == NULL || mqtt_is_v311(m))
        return details->method.data != NULL || details->authentication.data != NULL
                   ? MQTT_REASON_PROTOCOL_ERROR
                   : MQTT_REASON_SUCCESS;
    return is_our_method(m, details) ? succeed(m, details) : MQTT_REASON_PROTOCOL_ERROR;
}

static uint8_t go_on(struct mqtt *m, const struct mqtt_details *details)
{
    if (step(m, MQTT_AUTH_CONTINUE, details->authentication, &m->auth_answer) < 0)
        return MQTT_REASON_NOT_AUTHORIZED;
    m->auth_reason = MQTT_REASON_CONTINUE_AUTHENTICATION;
    return MQTT_REASON_SUCCESS;
}

static uint8_t take(struct mqtt *m, uint8_t reason, const struct mqtt_details *details,
                    struct mqtt_event *event)
{
    bool again = m->state == MQTT_CONNECTED;
    if (!is_our_method(m, details) || (again && !m->reauthenticating))
        return MQTT_REASON_PROTOCOL_ERROR;
    if (reason == MQTT_REASON_CONTINUE_AUTHENTICATION)
        return go_on(m, details);
    if (reason != MQTT_REASON_SUCCESS || !again)
        return MQTT_REASON_PROTOCOL_ERROR;
    m->reauthenticating = false;
    event->type = MQTT_EVENT_AUTHENTICATED;
    return succeed(m, details);
}

void mqtt_on_auth(struct mqtt *m, struct mqtt_frame *frame, struct mqtt_event *event)
{
    uint8_t reason;
    if (m->config->authenticator == NULL || mqtt_is_v311(m)) {
        mqtt_reader_fail(&frame->body, MQTT_REASON_PROTOCOL_ERROR);
        return;
    }
    if (mqtt_decode_reason(frame, MQTT_IN_AUTH, &event->details, &reason) == MQTT_REASON_SUCCESS)
        mqtt_reader_fail(&frame->body, take(m, reason, &event->details, event));
}

void mqtt_auth_continue(struct mqtt *m)
{
    const struct mqtt_closure closure = {.reason = m->auth_reason};
    const struct mqtt_reasoned reasoned = {
        .closure = &closure, .method = m->config->authenticator->method, .authentication = m->auth_answer};
    if (mqtt_send_packet(m, MQTT_AUTH << 4, mqtt_write_reasoned, &reasoned, 0) >= 0)
        m->auth_reason = 0;
}

int mqtt_reauthenticate(struct mqtt *m, uint32_t now_ms)
{
    m->now_ms = now_ms;
    if (m->state != MQTT_CONNECTED)
        return MQTT_ERROR_NOT_CONNECTED;
    if (m->config->authenticator == NULL || mqtt_is_v311(m))
        return MQTT_ERROR_UNAVAILABLE;
    if (m->reauthenticating)
        return MQTT_ERROR_INFLIGHT;
    const struct mqtt_slice none = {NULL, 0};
    if (step(m, MQTT_AUTH_BEGIN, none, &m->auth_answer) < 0)
        return MQTT_ERROR_UNAVAILABLE;
    m->reauthenticating = true;
    m->auth_reason = MQTT_REASON_REAUTHENTICATE;
    mqtt_auth_continue(m);
    return 0;
}

#endif
