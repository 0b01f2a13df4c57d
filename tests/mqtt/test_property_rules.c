/*
 * Table 2-4 of MQTT 5.0, read anew: in which packets of a server each property may stand, whether twice, and
 * with which values. Every id is tried in every packet.
 */
#include "bench.h"

#include <stdio.h>
#include <string.h>

enum place { CONNACK, PUBLISH, PUBACK, PUBREC, SUBACK, UNSUBACK, DISCONNECT, AUTH, PLACES };

enum {
    IN_CONNACK = 1 << CONNACK,
    IN_PUBLISH = 1 << PUBLISH,
    IN_ACKS = 1 << PUBACK | 1 << PUBREC | 1 << SUBACK | 1 << UNSUBACK,
    IN_DISCONNECT = 1 << DISCONNECT,
    IN_AUTH = 1 << AUTH,
};

static const struct rule {
    uint8_t id;
    unsigned places;
    bool repeats;
    const char *value;   /* a right one */
    const char *wrong;   /* one that is not, of the right length; NULL: there is none */
    uint8_t reason;      /* that it is refused with */
    const char *unusual; /* another right one; NULL: none */
} rules[] = {
    {0x01, IN_PUBLISH, false, "01", "02", 0x82, "00"},
    {0x02, IN_PUBLISH, false, "00 00 00 01", NULL, 0, "ff ff ff ff"},
    {0x03, IN_PUBLISH, false, "00 01 'x'", "00 01 c0", 0x81, "00 07 'svg+#ml'"},
    {0x08, IN_PUBLISH, false, "00 01 'x'", "00 01 '+'", 0x90, "00 01 '/'"},
    {0x09, IN_PUBLISH, false, "00 01 'x'", NULL, 0, "00 02 c0 00"},
    {0x0B, IN_PUBLISH, true, "01", "00", 0x82, "ff ff ff 7f"},
    {0x11, IN_CONNACK, false, "00 00 00 01", NULL, 0, "00 00 00 00"},
    {0x12, IN_CONNACK, false, "00 01 'x'", "00 01 c0", 0x81, "00 00"},
    {0x13, IN_CONNACK, false, "00 01", NULL, 0, "00 00"},
#if MQTT_WITH_AUTH
    {0x15, IN_CONNACK | IN_AUTH, false, "00 01 'M'", "00 01 c0", 0x81, NULL},
    {0x16, IN_CONNACK | IN_AUTH, false, "00 01 'x'", NULL, 0, "00 02 c0 00"},
#endif
    {0x1A, IN_CONNACK, false, "00 01 'x'", "00 01 c0", 0x81, "00 01 '#'"},
    {0x1C, IN_CONNACK | IN_DISCONNECT, false, "00 01 'x'", "00 01 c0", 0x81, "00 01 '#'"},
    {0x1F, IN_CONNACK | IN_ACKS | IN_DISCONNECT | IN_AUTH, false, "00 01 'x'", "00 01 c0", 0x81, "00 01 '#'"},
    {0x21, IN_CONNACK, false, "00 01", "00 00", 0x82, "ff ff"},
    {0x22, IN_CONNACK, false, "00 01", NULL, 0, "00 00"},
    {0x23, IN_PUBLISH, false, "00 01", "00 00", 0x94, NULL},
    {0x24, IN_CONNACK, false, "01", "02", 0x82, "00"},
    {0x25, IN_CONNACK, false, "01", "02", 0x82, "00"},
    {0x26, IN_CONNACK | IN_PUBLISH | IN_ACKS | IN_DISCONNECT | IN_AUTH, true, "00 01 'k' 00 01 'v'",
     "00 01 'k' 00 01 c0", 0x81, "00 00 00 01 '#'"},
    {0x27, IN_CONNACK, false, "00 00 00 80", "00 00 00 00", 0x82, NULL},
    {0x28, IN_CONNACK, false, "01", "02", 0x82, "00"},
    {0x29, IN_CONNACK, false, "01", "02", 0x82, "00"},
    {0x2A, IN_CONNACK, false, "01", "02", 0x82, "00"},
};

static const struct rule *rule_of(unsigned id)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (rules[i].id == id)
            return &rules[i];
    }
    return NULL;
}

/* ---- A packet with these properties ---- */

#if MQTT_WITH_AUTH
static int step(void *context, enum mqtt_auth_step which, struct mqtt_slice data, struct mqtt_slice *answer)
{
    (void)context;
    (void)which;
    (void)data;
    (void)answer;
    return 0;
}

static const struct mqtt_authenticator authenticator = {.method = "M", .step = step};
#endif
#if MQTT_WITH_ALIASES
static uint8_t alias_memory[2 * 10];
#endif

static const struct mqtt_config config = {
    .client_id = "mote",
#if MQTT_WITH_QOS2
    .qos2 = true,
#endif
#if MQTT_WITH_AUTH
    .authenticator = &authenticator,
#endif
#if MQTT_WITH_ALIASES
    .alias_memory = alias_memory,
    .alias_topic_bytes = 8,
    .alias_maximum = 2,
#endif
};

#if MQTT_WITH_AUTH
#define METHOD "15 00 01 'M' "
#else
#define METHOD ""
#endif

static bool there_is(enum place place)
{
    return !(place == AUTH && !MQTT_WITH_AUTH) && !(place == PUBREC && !MQTT_WITH_QOS2);
}

/* What asks for this packet, and the packet around the properties. */
static const char *prepare(struct bench *b, enum place place, bool has_method)
{
    static const struct mqtt_subscription s = {.filter = {MQTT_TEXT("t")}};
    const struct mqtt_publish p = {.topic = {TEXT("t")}, .qos = place == PUBREC ? 2 : 1};
    if (place == CONNACK || place == AUTH) {
        bench_init(b, &config);
        bench_expect_idle(b);
        if (place == CONNACK)
            return has_method ? "20 (00 00 (%s))" : "20 (00 00 (" METHOD "%s))";
        return has_method ? "f0 (18 (%s))" : "f0 (18 (" METHOD "%s))";
    }
    bench_init(b, &config);
    bench_connect(b, "20 (00 00 (" METHOD "))");
    int id = place == PUBACK || place == PUBREC ? mqtt_publish(&b->m, &p, 0)
             : place == SUBACK                  ? mqtt_subscribe(&b->m, &s, 1, 0)
             : place == UNSUBACK                ? mqtt_unsubscribe(&b->m, &s, 1, 0)
                                                : 1;
    assert_int_equal(id, 1);
    switch (place) {
    case PUBLISH: return "30 (00 01 't' (%s))";
    case PUBACK: return "40 (00 01 00 (%s))";
    case PUBREC: return "50 (00 01 00 (%s))";
    case SUBACK: return "90 (00 01 (%s) 00)";
    case UNSUBACK: return "b0 (00 01 (%s) 00)";
    default: return "e0 (00 (%s))";
    }
}

/* Why a packet with these properties ends the connection; 0: it is taken. */
static uint8_t refusal(enum place place, const char *properties, bool has_method)
{
    struct bench b;
    char text[256];
    const char *packet = prepare(&b, place, has_method);
    char *hole = strstr(strcpy(text, packet), "%s");
    assert_true(strlen(packet) + strlen(properties) < sizeof text);
    strcpy(hole, properties);
    strcat(text, strstr(packet, "%s") + 2);
    bench_feed(&b, text);
    uint8_t reason = 0;
    while (bench_poll(&b)) {
        if (b.event.type == MQTT_EVENT_DISCONNECTED && b.event.disconnected.cause == MQTT_CAUSE_PROTOCOL)
            reason = b.event.disconnected.reason;
    }
    bench_free(&b);
    return reason;
}

static void expect(enum place place, unsigned id, const char *properties, bool has_method, uint8_t reason)
{
    uint8_t got = refusal(place, properties, has_method);
    if (got != reason)
        fail_msg("property 0x%02x in packet %d, \"%s\": 0x%02x, not 0x%02x", id, place, properties, got,
                 reason);
}

/* The id and a value, once or twice. */
static void write_property(char text[128], unsigned id, const char *value, bool twice)
{
    int length = sprintf(text, "%02x %s ", id, value);
    if (twice)
        sprintf(text + length, "%02x %s", id, value);
}

/* ---- Tests ---- */

/* 2.2.2.2: a property that has no place in the packet is malformed. */
static void each_in_its_place(void **state)
{
    (void)state;
    for (enum place place = 0; place < PLACES; place++) {
        for (unsigned id = 0; there_is(place) && id <= 0xFF; id++) {
            const struct rule *rule = rule_of(id);
            bool right = rule != NULL && (rule->places >> place & 1);
            char text[128];
            write_property(text, id, rule != NULL ? rule->value : "00", false);
            uint8_t reason = right ? 0 : 0x81;
            if (right && id == 0x23 && !MQTT_WITH_ALIASES)
                reason = 0x94;
            expect(place, id, text, id == 0x15, reason);
        }
    }
}

/* Each property in each packet that has a place for it. */
static void everywhere(void check(enum place place, const struct rule *rule))
{
    for (enum place place = 0; place < PLACES; place++) {
        for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
            if (there_is(place) && (rules[i].places >> place & 1))
                check(place, &rules[i]);
        }
    }
}

static bool is_refused_anyway(const struct rule *rule)
{
    return rule->id == 0x23 && !MQTT_WITH_ALIASES;
}

static void check_twice(enum place place, const struct rule *rule)
{
    char text[128];
    write_property(text, rule->id, rule->value, true);
    if (!is_refused_anyway(rule))
        expect(place, rule->id, text, rule->id == 0x15, rule->repeats ? 0 : 0x82);
}

/* 2.2.2.2 and the property's own clause: twice is a protocol error, unless it may repeat. */
static void none_twice_that_may_not(void **state)
{
    (void)state;
    everywhere(check_twice);
}

static void check_values(enum place place, const struct rule *rule)
{
    char text[128];
    if (rule->wrong != NULL) {
        write_property(text, rule->id, rule->wrong, false);
        expect(place, rule->id, text, rule->id == 0x15, rule->reason);
    }
    if (rule->unusual != NULL) {
        write_property(text, rule->id, rule->unusual, false);
        expect(place, rule->id, text, false, 0);
    }
}

static void values_are_checked(void **state)
{
    (void)state;
    everywhere(check_values);
}

/* The last byte is missing, and the properties' length says so. */
static void check_cut_off(enum place place, const struct rule *rule)
{
    char text[128];
    write_property(text, rule->id, rule->value, false);
    char *end = text + strlen(text) - 1;
    while (end[-1] == ' ')
        end--;
    end[end[-1] == '\'' ? -3 : -2] = '\0'; /* a quoted character or two digits */
    if (!is_refused_anyway(rule))
        expect(place, rule->id, text, rule->id == 0x15, 0x81);
}

static void values_are_whole(void **state)
{
    (void)state;
    everywhere(check_cut_off);
}

/* All at once: none is taken for another one. */
static void all_together(void **state)
{
    (void)state;
    for (enum place place = 0; place < PLACES; place++) {
        char text[128 * 2] = "";
        if (!there_is(place))
            continue;
        for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
            char one[128];
            if (!(rules[i].places >> place & 1) || rules[i].id == 0x15 ||
                (rules[i].id == 0x23 && !MQTT_WITH_ALIASES))
                continue;
            write_property(one, rules[i].id, rules[i].value, false);
            assert_true(strlen(text) + strlen(one) < sizeof text);
            strcat(text, one);
        }
        expect(place, 0, text, false, 0);
    }
}

/* An empty Response Topic is none that can be published to. */
static void response_topic_is_not_empty(void **state)
{
    (void)state;
    expect(PUBLISH, 0x08, "08 00 00", false, 0x90);
    expect(PUBLISH, 0x08, "08 00 01 00", false, 0x81);
    expect(PUBLISH, 0x26, "26 00 01 c0 00 01 'v'", false, 0x81); /* MQTT-1.5.7-1: the name, too */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_in_its_place),  cmocka_unit_test(none_twice_that_may_not),
        cmocka_unit_test(values_are_checked), cmocka_unit_test(values_are_whole),
        cmocka_unit_test(all_together),       cmocka_unit_test(response_topic_is_not_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
