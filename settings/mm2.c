#include "settings/mm2.h"

#include <string.h>

enum state {
    STATE_OFFLINE,
    STATE_SCHEMA,    /* publishing pages */
    STATE_LEAVES,    /* publishing the mirror */
    STATE_SUBSCRIBE, /* to be sent */
    STATE_SUBACK,    /* awaited */
    STATE_ALIVE,     /* to be published */
    STATE_SERVING,
};

enum answer_state {
    ANSWER_FREE,
    ANSWER_MIRROR, /* the new value is to be published */
    ANSWER_PUBACK, /* …is published, its acknowledgement awaited */
    ANSWER_REPLY,  /* the answer is to be published */
};

/* Beyond enum settings_error, in struct mm2_answer. */
enum { ERROR_PUBLISH = -20, ERROR_BUSY = -21 };

/* NULL is the empty text. */
static struct mqtt_slice text(const char *string)
{
    return (struct mqtt_slice){string, string != NULL ? strlen(string) : 0};
}

static bool slice_is(struct mqtt_slice slice, const char *string)
{
    return slice.length == strlen(string) && memcmp(slice.data, string, slice.length) == 0;
}

/* ---- Schema pages ---- */

/* Fills a page with whole lines from `line` on; returns its length, and the first line that is not in it. */
static size_t build_page(const struct settings_tree *tree, uint16_t *line, char page[MM2_PAGE_MAX])
{
    size_t length = 0;
    size_t added;

    while ((added = settings_schema_line(tree, *line, page + length, MM2_PAGE_MAX - length)) > 0) {
        length += added;
        if (++*line == settings_schema_lines(tree))
            break;
    }
    return length;
}

/* FNV-1a over all pages in order. */
static void measure_schema(struct mm2 *mm2)
{
    char page[MM2_PAGE_MAX];
    uint16_t line = 0;

    mm2->schema_rev = 2166136261u;
    mm2->page_count = 0;
    while (line < settings_schema_lines(mm2->tree)) {
        size_t length = build_page(mm2->tree, &line, page);

        if (length == 0)
            return; /* a line longer than a page: settings_tree_is_valid and the tests keep it out */
        for (size_t i = 0; i < length; i++)
            mm2->schema_rev = (mm2->schema_rev ^ (uint8_t)page[i]) * 16777619u;
        mm2->page_count++;
    }
}

void mm2_init(struct mm2 *mm2, const struct settings_tree *tree, void *values, const char *prefix,
              uint32_t epoch)
{
    memset(mm2, 0, sizeof *mm2);
    mm2->tree = tree;
    mm2->values = values;
    mm2->prefix = text(prefix);
    mm2->epoch = epoch;
    measure_schema(mm2);
}

/* ---- Small JSON ---- */

static size_t append_text(char *to, const char *string)
{
    size_t length = strlen(string);

    memcpy(to, string, length);
    return length;
}

static size_t append_number(char *to, uint32_t value)
{
    static const struct settings_leaf number = {.type = SETTINGS_TYPE_U32};
    static const struct settings_tree tree = {&number, 1};

    return settings_get(&tree, &value, 0, to);
}

/* ---- Publishing ---- */

/* Is it worth trying again later? */
static bool is_passing(int error)
{
    return error == MQTT_ERROR_FULL || error == MQTT_ERROR_INFLIGHT || error == MQTT_ERROR_NOT_CONNECTED;
}

/* Publishes. Returns whether that is done with, for good or ill; `id` receives the packet id. */
static bool publish(struct mm2 *mm2, struct mqtt *mqtt, const struct mqtt_publish *p, uint32_t now_ms,
                    uint16_t *id)
{
    int result = mqtt_publish(mqtt, p, now_ms);

    *id = result > 0 ? (uint16_t)result : 0;
    if (result < 0 && is_passing(result))
        return false;
    mm2->statistics.failures += result < 0;
    return true;
}

/* Publishes retained on P`resource``rest`. */
static bool publish_retained(struct mm2 *mm2, struct mqtt *mqtt, const char *resource, struct mqtt_slice rest,
                             struct mqtt_slice payload, bool auth, uint32_t now_ms, uint16_t *id)
{
    static const struct mqtt_user_property mark = {MQTT_TEXT("auth"), MQTT_TEXT("")};
    const struct mqtt_publish p = {
        .topic = {mm2->prefix, text(resource), rest},
        .payload = {payload},
        .qos = 1,
        .retain = true,
        .utf8 = true,
        .user = &mark,
        .user_count = auth,
    };

    return publish(mm2, mqtt, &p, now_ms, id);
}

static bool publish_page(struct mm2 *mm2, struct mqtt *mqtt, uint32_t now_ms)
{
    char page[MM2_PAGE_MAX];
    char number[SETTINGS_JSON_MAX];
    uint16_t line = mm2->next_line;
    struct mqtt_slice rest = {number, append_number(number, mm2->next)};
    struct mqtt_slice payload = {page, build_page(mm2->tree, &line, page)};
    uint16_t id;

    if (!publish_retained(mm2, mqtt, "/schema/", rest, payload, false, now_ms, &id))
        return false;
    mm2->next_line = line;
    return true;
}

static bool publish_leaf(struct mm2 *mm2, struct mqtt *mqtt, size_t leaf, uint32_t now_ms, uint16_t *id)
{
    char json[SETTINGS_JSON_MAX];
    struct mqtt_slice payload = {json, settings_get(mm2->tree, mm2->values, leaf, json)};

    return publish_retained(mm2, mqtt, "/settings", text(mm2->tree->leaves[leaf].path), payload, true, now_ms,
                            id);
}

static bool publish_alive(struct mm2 *mm2, struct mqtt *mqtt, uint32_t now_ms)
{
    const struct {
        const char *key;
        uint32_t value;
    } manifest[] = {
        {"{\"proto\":", 1},
        {",\"epoch\":", mm2->epoch},
        {",\"schema_rev\":", mm2->schema_rev},
        {",\"pages\":", mm2->page_count},
    };
    char json[96];
    size_t length = 0;
    uint16_t id;

    for (size_t i = 0; i < sizeof manifest / sizeof manifest[0]; i++) {
        length += append_text(json + length, manifest[i].key);
        length += append_number(json + length, manifest[i].value);
    }
    json[length++] = '}';
    return publish_retained(mm2, mqtt, "/alive", text(NULL), (struct mqtt_slice){json, length}, false, now_ms,
                            &id);
}

static bool subscribe(struct mm2 *mm2, struct mqtt *mqtt, uint32_t now_ms)
{
    struct mqtt_subscription filters[] = {
        {.filter = {{0}, MQTT_TEXT("/set/#")}, .qos = 1, .no_local = true},
        {.filter = {{0}, MQTT_TEXT("/settings/#")},
         .qos = 1,
         .no_local = true,
         .retain_handling = MQTT_RETAIN_SEND_NEVER},
    };

    filters[0].filter[0] = filters[1].filter[0] = mm2->prefix;
    int id = mqtt_subscribe(mqtt, filters, 2, now_ms);
    mm2->subscribe_id = (uint16_t)id;
    return id > 0;
}

/* ---- Answers ---- */

/* What an answer says, by its error: the user properties' values and the payload. */
struct reply {
    const char *code, *kind, *class, *error, *text;
};

static struct reply reply_to(int error)
{
    if (error == SETTINGS_OK)
        return (struct reply){.code = "Ok"};
    if (error == ERROR_BUSY)
        return (struct reply){.code = "Busy", .text = "too many requests at once: try again"};
    if (error == ERROR_PUBLISH)
        return (struct reply){"Error", "publish", "PublishError", "Refused", "the broker refused the value"};
    bool lookup = error == SETTINGS_ERROR_NOT_FOUND;
    bool key = lookup || error == SETTINGS_ERROR_NOT_LEAF;
    return (struct reply){"Error", lookup ? "lookup" : "set", key ? "KeyError" : "ValueError",
                          settings_error_name(error), settings_error_text(error)};
}

static bool publish_answer(struct mm2 *mm2, struct mqtt *mqtt, const struct mm2_answer *answer,
                           uint32_t now_ms)
{
    struct reply reply = reply_to(answer->error);
    char depth[SETTINGS_JSON_MAX];
    uint16_t id;
    const struct mqtt_user_property properties[] = {
        {MQTT_TEXT("code"), text(reply.code)},
        {MQTT_TEXT("kind"), text(reply.kind)},
        {MQTT_TEXT("class"), text(reply.class)},
        {MQTT_TEXT("error"), text(reply.error)},
        {MQTT_TEXT("depth"), {depth, append_number(depth, answer->depth)}},
    };
    const struct mqtt_publish p = {
        .topic = {{answer->topic, answer->topic_length}},
        .payload = {text(reply.text)},
        .qos = answer->error != ERROR_BUSY, /* that one must not wait for a place among what is in flight */
        .utf8 = true,
        .message_expiry_s = MM2_ANSWER_EXPIRY_S,
        .correlation = {answer->has_correlation ? answer->correlation : NULL, answer->correlation_length},
        .user = properties,
        .user_count = reply.kind != NULL ? 5 : 1,
    };

    return publish(mm2, mqtt, &p, now_ms, &id);
}

/* Takes an answer one step further. False: there is no room now. */
static bool advance_answer(struct mm2 *mm2, struct mqtt *mqtt, struct mm2_answer *answer, uint32_t now_ms)
{
    switch (answer->state) {
    case ANSWER_MIRROR:
        if (!publish_leaf(mm2, mqtt, answer->leaf, now_ms, &answer->packet_id))
            return false;
        answer->state = ANSWER_PUBACK;
        if (answer->packet_id == 0) {
            answer->error = ERROR_PUBLISH;
            answer->state = ANSWER_REPLY;
        }
        return true;
    case ANSWER_REPLY:
        if (!publish_answer(mm2, mqtt, answer, now_ms))
            return false;
        answer->state = ANSWER_FREE;
        return true;
    default: return true;
    }
}

/* A free place for the answer, filled in but for its state. NULL: none, or it would not fit. */
static struct mm2_answer *take_answer(struct mm2 *mm2, const struct mqtt_message *message, size_t *left)
{
    struct mm2_answer *free = NULL;

    *left = 0;
    for (size_t i = 0; i < MM2_ANSWERS_MAX; i++) {
        if (mm2->answers[i].state == ANSWER_FREE) {
            free = &mm2->answers[i];
            ++*left;
        }
    }
    if (free == NULL || message->response_topic.data == NULL ||
        message->response_topic.length > MM2_RESPONSE_TOPIC_MAX ||
        message->correlation.length > MM2_CORRELATION_MAX)
        return NULL;
    free->topic_length = (uint8_t)message->response_topic.length;
    memcpy(free->topic, message->response_topic.data, message->response_topic.length);
    free->has_correlation = message->correlation.data != NULL;
    free->correlation_length = (uint8_t)message->correlation.length;
    if (free->has_correlation)
        memcpy(free->correlation, message->correlation.data, message->correlation.length);
    return free;
}

/* ---- Requests ---- */

static bool has_auth(const struct mqtt_message *message)
{
    struct mqtt_slice properties = message->properties;
    struct mqtt_user_property property;

    while (mqtt_next_user_property(&properties, &property))
        if (slice_is(property.name, "auth"))
            return true;
    return false;
}

/* Returns the leaf, or a negative error. */
static int apply(struct mm2 *mm2, struct mqtt_slice path, const struct mqtt_message *message)
{
    int leaf = settings_find(mm2->tree, path.data, path.length);

    if (leaf < 0)
        return leaf;
    int error =
        settings_set(mm2->tree, mm2->values, (size_t)leaf, message->payload.data, message->payload.length);
    return error == SETTINGS_OK ? leaf : error;
}

static int handle_set(struct mm2 *mm2, struct mqtt_slice path, const struct mqtt_message *message)
{
    struct mm2_answer *answer = NULL;
    size_t left;

    if (message->payload.length == 0)
        return -1;
    if (message->response_topic.data != NULL) {
        answer = take_answer(mm2, message, &left);
        if (answer == NULL) {
            mm2->statistics.unanswered++;
            return -1;
        }
        if (left == 1) {
            mm2->statistics.refusals++;
            answer->error = ERROR_BUSY;
            answer->state = ANSWER_REPLY;
            return -1;
        }
    }
    int leaf = apply(mm2, path, message);
    if (leaf < 0)
        mm2->statistics.refusals++;
    else
        mm2->statistics.changes++;
    if (answer != NULL) {
        answer->error = leaf < 0 ? (int8_t)leaf : SETTINGS_OK;
        answer->depth = (uint8_t)settings_depth(mm2->tree, path.data, path.length);
        answer->leaf = leaf < 0 ? 0 : (uint8_t)leaf;
        answer->state = leaf < 0 ? ANSWER_REPLY : ANSWER_MIRROR;
    } else if (leaf >= 0) {
        mm2_touch(mm2, (size_t)leaf);
    }
    return leaf < 0 ? -1 : leaf;
}

/* A plain tool wrote over the mirror: take it or not, and publish what is true. */
static int handle_settings(struct mm2 *mm2, struct mqtt_slice path, const struct mqtt_message *message)
{
    if (has_auth(message))
        return -1;
    int leaf = settings_find(mm2->tree, path.data, path.length);
    if (leaf < 0)
        return -1;
    mm2_touch(mm2, (size_t)leaf);
    if (settings_set(mm2->tree, mm2->values, (size_t)leaf, message->payload.data, message->payload.length) !=
        SETTINGS_OK) {
        mm2->statistics.refusals++;
        return -1;
    }
    mm2->statistics.changes++;
    return leaf;
}

/* Takes `head` off the front of a topic. */
static bool take(struct mqtt_slice *topic, const struct mqtt_slice *head)
{
    if (topic->length < head->length || memcmp(topic->data, head->data, head->length) != 0)
        return false;
    topic->data = (const char *)topic->data + head->length;
    topic->length -= head->length;
    return true;
}

static bool handle_message(struct mm2 *mm2, const struct mqtt_message *message, int *changed)
{
    static const struct mqtt_slice settings = MQTT_TEXT("/settings"), set = MQTT_TEXT("/set");
    struct mqtt_slice path = message->topic;

    if (!take(&path, &mm2->prefix))
        return false;
    bool mirror = take(&path, &settings);
    if (!mirror && !take(&path, &set))
        return false;
    if (path.length > 0 && *(const char *)path.data != '/')
        return false;
    *changed = mirror ? handle_settings(mm2, path, message) : handle_set(mm2, path, message);
    return true;
}

/* ---- The engine ---- */

static void restart(struct mm2 *mm2, enum state state)
{
    mm2->state = (uint8_t)state;
    mm2->next = 0;
    mm2->next_line = 0;
    mm2->stale = 0;
    memset(mm2->answers, 0, sizeof mm2->answers);
}

static bool handle_puback(struct mm2 *mm2, uint16_t packet_id, uint8_t reason)
{
    for (size_t i = 0; i < MM2_ANSWERS_MAX; i++) {
        struct mm2_answer *answer = &mm2->answers[i];

        if (answer->state != ANSWER_PUBACK || answer->packet_id != packet_id)
            continue;
        answer->error = reason >= MQTT_REASON_UNSPECIFIED ? ERROR_PUBLISH : SETTINGS_OK;
        answer->state = ANSWER_REPLY;
        return true;
    }
    return false;
}

static bool handle_suback(struct mm2 *mm2, uint16_t packet_id, struct mqtt_slice reasons)
{
    if (mm2->state != STATE_SUBACK || packet_id != mm2->subscribe_id)
        return false;
    for (size_t i = 0; i < reasons.length; i++)
        if (((const uint8_t *)reasons.data)[i] >= MQTT_REASON_UNSPECIFIED)
            mm2->statistics.failures++;
    mm2->state = STATE_ALIVE;
    return true;
}

bool mm2_handle(struct mm2 *mm2, const struct mqtt_event *event, int *changed)
{
    *changed = -1;
    switch (event->type) {
    case MQTT_EVENT_CONNECTED:
        if (event->connected.session_present) {
            restart(mm2, STATE_ALIVE);
        } else {
            restart(mm2, STATE_SCHEMA);
            mm2->epoch++;
        }
        return false;
    case MQTT_EVENT_DISCONNECTED: restart(mm2, STATE_OFFLINE); return false;
    case MQTT_EVENT_MESSAGE: return handle_message(mm2, &event->message, changed);
    case MQTT_EVENT_PUBLISHED: return handle_puback(mm2, event->published.packet_id, event->published.reason);
    case MQTT_EVENT_SUBSCRIBED:
        return handle_suback(mm2, event->subscribed.packet_id, event->subscribed.reasons);
    default: return false;
    }
}

/* One step of the start of a session. False: no room now, or nothing to do. */
static bool advance_session(struct mm2 *mm2, struct mqtt *mqtt, uint32_t now_ms)
{
    uint16_t id;

    switch (mm2->state) {
    case STATE_SCHEMA:
        if (!publish_page(mm2, mqtt, now_ms))
            return false;
        if (++mm2->next == mm2->page_count) {
            mm2->next = 0;
            mm2->state = STATE_LEAVES;
        }
        return true;
    case STATE_LEAVES:
        if (!publish_leaf(mm2, mqtt, mm2->next, now_ms, &id))
            return false;
        if (++mm2->next == mm2->tree->leaf_count)
            mm2->state = STATE_SUBSCRIBE;
        return true;
    case STATE_SUBSCRIBE:
        if (!subscribe(mm2, mqtt, now_ms))
            return false;
        mm2->state = STATE_SUBACK;
        return true;
    case STATE_ALIVE:
        if (!publish_alive(mm2, mqtt, now_ms))
            return false;
        mm2->state = STATE_SERVING;
        return true;
    default: return false;
    }
}

static void publish_stale(struct mm2 *mm2, struct mqtt *mqtt, uint32_t now_ms)
{
    uint16_t id;

    for (size_t leaf = 0; mm2->stale != 0 && leaf < mm2->tree->leaf_count; leaf++) {
        uint64_t bit = UINT64_C(1) << leaf;

        if ((mm2->stale & bit) == 0)
            continue;
        if (!publish_leaf(mm2, mqtt, leaf, now_ms, &id))
            return;
        mm2->stale &= ~bit;
    }
}

void mm2_poll(struct mm2 *mm2, struct mqtt *mqtt, uint32_t now_ms)
{
    if (mm2->state == STATE_OFFLINE)
        return;
    while (advance_session(mm2, mqtt, now_ms))
        ;
    if (mm2->state == STATE_SCHEMA || mm2->state == STATE_LEAVES)
        return; /* the mirror is on its way as a whole */
    publish_stale(mm2, mqtt, now_ms);
    for (size_t i = 0; i < MM2_ANSWERS_MAX; i++)
        (void)advance_answer(mm2, mqtt, &mm2->answers[i], now_ms);
}

void mm2_touch(struct mm2 *mm2, size_t leaf)
{
    if (mm2->state != STATE_OFFLINE)
        mm2->stale |= UINT64_C(1) << leaf;
}

bool mm2_is_settled(const struct mm2 *mm2)
{
    for (size_t i = 0; i < MM2_ANSWERS_MAX; i++)
        if (mm2->answers[i].state != ANSWER_FREE)
            return false;
    return mm2->state == STATE_SERVING && mm2->stale == 0;
}
