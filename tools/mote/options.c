/* The command line: the options of mosquitto's clients, as far as they apply, and few of our own. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mqtt/router.h"
#include "mqtt/text.h"
#include "target/posix/argument.h"
#include "tools/mote/mote.h"

/* Those with a letter go by it. */
enum long_option {
    OPTION_HELP = 256,
    OPTION_BUFFER,
    OPTION_RETRY,
    OPTION_QUIET,
    OPTION_WILL_TOPIC,
    OPTION_WILL_PAYLOAD,
    OPTION_WILL_QOS,
    OPTION_WILL_RETAIN,
    OPTION_REPEAT,
    OPTION_REPEAT_DELAY,
    OPTION_NO_LOCAL,
    OPTION_RETAIN_AS_PUBLISHED,
    OPTION_RETAIN_HANDLING,
    OPTION_RETAINED_ONLY,
};

enum { BOTH = COMMAND_PUB | COMMAND_SUB };

static const struct option {
    int id;
    unsigned commands;
    const char *name;
    const char *value; /* NULL: it has none */
    const char *help;
} options_known[] = {
    {'h', BOTH, "--host", "HOST", "the broker's name or address (localhost)"},
    {'p', BOTH, "--port", "PORT", "1883"},
    {'t', COMMAND_PUB, "--topic", "TOPIC", "to publish to"},
    {'t', COMMAND_SUB, "--topic", "FILTER", "to subscribe to, may have + and #, or $share/NAME/; repeatable"},
    {'m', COMMAND_PUB, "--message", "TEXT", "the payload"},
    {'n', COMMAND_PUB, "--null-message", NULL, "an empty payload"},
    {'f', COMMAND_PUB, "--file", "FILE", "the payload is a file's or a pipe's, of any size"},
    {'s', COMMAND_PUB, "--stdin-file", NULL, "the payload is all of standard input"},
    {'l', COMMAND_PUB, "--stdin-line", NULL, "each line of standard input is a message"},
    {'r', COMMAND_PUB, "--retain", NULL, "the broker keeps the message"},
    {OPTION_REPEAT, COMMAND_PUB, "--repeat", "N", "publish N times; not with -l"},
    {OPTION_REPEAT_DELAY, COMMAND_PUB, "--repeat-delay", "SECONDS", "between them; fractions may be given"},
    {'q', BOTH, "--qos", "0|1|2", "quality of service (0)"},
    {'C', COMMAND_SUB, "-C", "N", "end after N messages"},
    {'F', COMMAND_SUB, "-F", "FORMAT", "how a message is printed: docs/mote-tool.md"},
    {'v', COMMAND_SUB, "--verbose", NULL, "print the topic before the payload"},
    {'N', COMMAND_SUB, "-N", NULL, "no newline after each message"},
    {'R', COMMAND_SUB, "-R", NULL, "not the messages that the broker had kept"},
    {OPTION_RETAINED_ONLY, COMMAND_SUB, "--retained-only", NULL, "those alone"},
    {'T', COMMAND_SUB, "--filter-out", "FILTER", "do not print what matches; repeatable"},
    {'U', COMMAND_SUB, "--unsubscribe", "FILTER", "first unsubscribe from this; repeatable"},
    {OPTION_NO_LOCAL, COMMAND_SUB, "--no-local", NULL, "not what this client id publishes"},
    {OPTION_RETAIN_AS_PUBLISHED, COMMAND_SUB, "--retain-as-published", NULL,
     "leave the retain flag as it was"},
    {OPTION_RETAIN_HANDLING, COMMAND_SUB, "--retain-handling", "always|new|never",
     "when to send what the broker has kept"},
    {'i', BOTH, "--id", "ID", "the client id (mote- and random digits)"},
    {'u', BOTH, "--username", "NAME", NULL},
    {'P', BOTH, "--pw", "PASSWORD", NULL},
    {'k', BOTH, "--keepalive", "SECONDS", "60; 0: none"},
    {'V', BOTH, "--protocol-version", "mqttv5|mqttv311", "only this one (5.0, else what the broker has)"},
    {'c', BOTH, "--disable-clean-session", NULL, "keep the session over lost connections; needs -i"},
    {'x', BOTH, "--session-expiry-interval", "SECONDS", "how long the broker keeps it (with -c for ever)"},
    {'D', BOTH, "--property", "COMMAND NAME VALUE", "a property of MQTT 5.0"},
    {OPTION_WILL_TOPIC, BOTH, "--will-topic", "TOPIC", "the broker publishes there when we are lost"},
    {OPTION_WILL_PAYLOAD, BOTH, "--will-payload", "TEXT", NULL},
    {OPTION_WILL_QOS, BOTH, "--will-qos", "0|1|2", NULL},
    {OPTION_WILL_RETAIN, BOTH, "--will-retain", NULL, NULL},
    {'W', BOTH, "--timeout", "SECONDS", "end after that with exit status 27"},
    {OPTION_RETRY, BOTH, "--retry", "MS", "wait at most MS to connect again, and do so from the start"},
    {OPTION_BUFFER, BOTH, "--buffer", "BYTES", "each way (65536); larger messages are streamed"},
    {'d', BOTH, "--debug", NULL, "tell what goes on"},
    {OPTION_QUIET, BOTH, "--quiet", NULL, "do not tell of connections lost"},
    {OPTION_HELP, BOTH, "--help", NULL, NULL},
};
enum { OPTIONS = sizeof options_known / sizeof options_known[0] };

static const char *const command_names[] = {[COMMAND_PUB] = "pub", [COMMAND_SUB] = "sub"};

static void help(enum command command)
{
    printf("usage: mote %s options\n", command_names[command]);
    for (size_t i = 0; i < OPTIONS; i++) {
        const struct option *option = &options_known[i];
        char left[80];
        if (!(option->commands & command))
            continue;
        const char letter[] = {'-', (char)option->id, ' ', '\0'};
        bool has_letter = option->id < OPTION_HELP && option->name[1] == '-';
        snprintf(left, sizeof left, "%s%s %s", has_letter ? letter : "", option->name,
                 option->value != NULL ? option->value : "");
        printf("  %-42s %s\n", left, option->help != NULL ? option->help : "");
    }
}

static uint32_t number(const char *name, const char *text, uint32_t least, uint32_t most)
{
    uint64_t value;
    if (!argument_number(text, least, most, &value))
        usage_error("%s: %s is not a number from %u to %u", name, text, least, most);
    return (uint32_t)value;
}

/* Strings and binary data have a length of two bytes (MQTT 5.0, 1.5.4, 1.5.6). */
struct mqtt_slice checked_bytes(const char *name, const char *text)
{
    struct mqtt_slice bytes = text_slice(text);
    if (bytes.length > UINT16_MAX)
        usage_error("%s: at most 65535 bytes", name);
    return bytes;
}

struct mqtt_slice checked_text(const char *name, const char *text)
{
    struct mqtt_slice slice = text_slice(text);
    if (slice.length > UINT16_MAX || mqtt_check_text(&slice) == MQTT_REASON_MALFORMED_PACKET)
        usage_error("%s: it is no text: up to 65535 bytes of UTF-8", name);
    return slice;
}

struct mqtt_slice checked_topic(const char *name, const char *text)
{
    if (!mqtt_topic_is_valid(text_slice(text)))
        usage_error("%s: \"%s\" is no topic: 1 to 65535 bytes of UTF-8 without + and #", name, text);
    return text_slice(text);
}

static const char *checked_filter(const char *name, const char *text)
{
    if (!mqtt_filter_is_valid(text_slice(text)))
        usage_error("%s: \"%s\" is no topic filter: + and # stand alone between slashes, # at the end", name,
                    text);
    return text;
}

static void add_filter(const char *name, struct mqtt_subscription *list, size_t *count, const char *text)
{
    if (*count == FILTERS_MAX)
        usage_error("%s: at most %d", name, FILTERS_MAX);
    list[(*count)++] = (struct mqtt_subscription){.filter = {text_slice(checked_filter(name, text))}};
}

static void set_payload(struct options *o, enum payload_kind kind, const char *name)
{
    if (o->payload_kind != PAYLOAD_NONE)
        usage_error("%s: one of -m, -n, -f, -s and -l", name);
    o->payload_kind = kind;
}

static uint8_t version(const char *text)
{
    if (strcmp(text, "mqttv5") == 0 || strcmp(text, "5") == 0)
        return 5;
    if (strcmp(text, "mqttv311") == 0 || strcmp(text, "311") == 0)
        return 4;
    usage_error("-V: it is mqttv5 or mqttv311");
}

static enum mqtt_retain_handling retain_handling(const char *text)
{
    static const char *const names[] = {"always", "new", "never"};
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(text, names[i]) == 0)
            return (enum mqtt_retain_handling)i;
    }
    usage_error("--retain-handling: it is always, new or never");
}

static uint32_t milliseconds_of(const char *name, const char *seconds)
{
    char *end;
    double value = strtod(seconds, &end);
    if (end == seconds || *end != '\0' || !(value >= 0 && value <= 86400))
        usage_error("%s: %s is not a number of seconds up to a day", name, seconds);
    return (uint32_t)(value * 1000);
}

/* Options of the connection and the session. False: it is none. */
static bool set_session(struct options *o, const struct option *option, const char *value)
{
    const char *name = option->name;
    switch (option->id) {
    case 'h': o->host = value; return true;
    case 'p':
        (void)number(name, value, 1, 65535);
        o->port = value;
        return true;
    case 'i': o->config.client_id = checked_text(name, value).data; return true;
    case 'u': o->config.user_name = checked_text(name, value).data; return true;
    case 'P': o->config.password = checked_bytes(name, value); return true;
    case 'k': o->config.keep_alive_s = (uint16_t)number(name, value, 0, 65535); return true;
    case 'V':
        o->config.version = version(value);
        o->config.fall_back = false;
        return true;
    case 'c': o->config.resume = true; return true;
    case 'x':
        o->config.session_expiry_s = number(name, value, 0, UINT32_MAX);
        o->expiry_given = true;
        return true;
    case 'W': o->timeout_s = number(name, value, 1, 86400); return true;
    case OPTION_RETRY:
        o->config.backoff_max_ms = number(name, value, 1, 3600000);
        o->config.backoff_min_ms = o->config.backoff_max_ms < 500 ? o->config.backoff_max_ms : 500;
        o->retry = true;
        return true;
    case OPTION_BUFFER: o->buffer = number(name, value, BUFFER_MIN, BUFFER_MAX); return true;
    default: return false;
    }
}

static bool set_will(struct options *o, const struct option *option, const char *value)
{
    switch (option->id) {
    case OPTION_WILL_TOPIC: o->will.topic[0] = checked_topic(option->name, value); return true;
    case OPTION_WILL_PAYLOAD: o->will.payload = checked_bytes(option->name, value); return true;
    case OPTION_WILL_QOS: o->will.qos = (uint8_t)number(option->name, value, 0, 2); return true;
    case OPTION_WILL_RETAIN: o->will.retain = true; return true;
    default: return false;
    }
}

static bool set_pub(struct options *o, const struct option *option, const char *value)
{
    switch (option->id) {
    case 't': o->publish.topic[0] = checked_topic(option->name, value); return true;
    case 'm':
    case 'n':
        set_payload(o, PAYLOAD_MESSAGE, option->name);
        o->publish.payload[0] = text_slice(value);
        return true;
    case 'f':
    case 's':
        set_payload(o, PAYLOAD_FILE, option->name);
        o->file = option->value != NULL ? value : NULL;
        return true;
    case 'l': set_payload(o, PAYLOAD_LINES, option->name); return true;
    case 'r': o->publish.retain = true; return true;
    case OPTION_REPEAT: o->repeat = number(option->name, value, 1, UINT32_MAX); return true;
    case OPTION_REPEAT_DELAY: o->repeat_delay_ms = milliseconds_of(option->name, value); return true;
    default: return false;
    }
}

static bool set_printing(struct options *o, const struct option *option, const char *value)
{
    switch (option->id) {
    case 'C': o->count = number(option->name, value, 1, UINT32_MAX); return true;
    case 'F':
        if (format_check(value) != NULL)
            usage_error("-F: %s", format_check(value));
        o->format = value;
        return true;
    case 'v': o->verbose = true; return true;
    case 'N': o->no_newline = true; return true;
    case 'R': o->no_retained = true; return true;
    case OPTION_RETAINED_ONLY: o->only_retained = true; return true;
    case 'T':
        if (o->filtered_out_count == FILTERS_MAX)
            usage_error("-T: at most %d", FILTERS_MAX);
        o->filtered_out[o->filtered_out_count++] = checked_filter(option->name, value);
        return true;
    default: return false;
    }
}

static bool set_sub(struct options *o, const struct option *option, const char *value)
{
    switch (option->id) {
    case 't': add_filter(option->name, o->subscriptions, &o->filters.count, value); return true;
    case 'U': add_filter(option->name, o->unsubscriptions, &o->unsubscription_count, value); return true;
    case OPTION_NO_LOCAL: o->no_local = true; return true;
    case OPTION_RETAIN_AS_PUBLISHED: o->retain_as_published = true; return true;
    case OPTION_RETAIN_HANDLING: o->retain_handling = retain_handling(value); return true;
    default: return set_printing(o, option, value);
    }
}

/* `value` is empty where there is none. */
static void set(struct options *o, const struct option *option, const char *value)
{
    if (option->id == 'q')
        o->qos = (uint8_t)number(option->name, value, 0, 2);
    else if (option->id == 'd')
        o->debug = true;
    else if (option->id == OPTION_QUIET)
        o->quiet = true;
    else if (!set_session(o, option, value) && !set_will(o, option, value)) {
        /* A letter may mean one thing here and another there. */
        if (o->command == COMMAND_PUB)
            (void)set_pub(o, option, value);
        else
            (void)set_sub(o, option, value);
    }
}

/* "-t", "--topic" or "--topic=VALUE", of which `*value` is set then. */
static const struct option *find(enum command command, const char *argument, const char **value)
{
    size_t length = strcspn(argument, "=");
    *value = argument[length] == '=' ? argument + length + 1 : NULL;
    for (size_t i = 0; i < OPTIONS; i++) {
        const struct option *option = &options_known[i];
        bool letter = strlen(argument) == 2 && argument[0] == '-' && argument[1] == option->id;
        bool name = strlen(option->name) == length && memcmp(option->name, argument, length) == 0;
        if ((letter || name) && (option->commands & command))
            return option;
    }
    usage_error("there is no option %s; mote %s --help has them all", argument, command_names[command]);
}

static void parse_all(struct options *o, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        const char *value;
        const struct option *option = find(o->command, argv[i], &value);
        if (option->id == OPTION_HELP) {
            help(o->command);
            exit(STATUS_DONE);
        }
        if (option->id == 'D') {
            i += property_parse(o, argv + i + 1);
            continue;
        }
        if (option->value == NULL && value != NULL)
            usage_error("%s takes no value", option->name);
        if (option->value != NULL && value == NULL && (value = argv[++i]) == NULL)
            usage_error("%s takes a value: %s", option->name, option->value);
        set(o, option, value != NULL ? value : "");
    }
}

/* ---- What follows from all together ---- */

static void choose_client_id(struct options *o)
{
    uint32_t random = (uint32_t)getpid();
    if (o->config.resume && (o->config.client_id == NULL || o->config.client_id[0] == '\0'))
        usage_error("-c needs a client id (-i), by which the broker finds the session again");
    if (o->config.client_id != NULL)
        return;
    (void)getentropy(&random, sizeof random);
    snprintf(o->client_id, sizeof o->client_id, "mote-%08x", random);
    o->config.client_id = o->client_id;
}

static void finish_session(struct options *o)
{
    choose_client_id(o);
    if (o->config.resume && !o->expiry_given)
        o->config.session_expiry_s = UINT32_MAX;
    o->config.user = o->connect_users.list;
    o->config.user_count = o->connect_users.count;
    o->goodbye.user = o->goodbye_users.list;
    o->goodbye.user_count = o->goodbye_users.count;
    if (o->goodbye.change_expiry && o->config.session_expiry_s == 0 && o->goodbye.session_expiry_s != 0)
        usage_error("-D disconnect session-expiry-interval needs -c or -x (MQTT-3.14.2-2)");
    o->will.user = o->will_users.list;
    o->will.user_count = o->will_users.count;
    if (o->will.topic[0].length > 0)
        o->config.will = &o->will;
    else if (o->will.payload.length > 0 || o->will.retain || o->will.qos > 0)
        usage_error("a will needs --will-topic");
}

static void finish_pub(struct options *o)
{
    struct mqtt_publish *p = &o->publish;
    if (p->topic[0].length == 0 || o->payload_kind == PAYLOAD_NONE)
        usage_error("pub needs -t and one of -m, -n, -f, -s and -l; mote pub --help");
    if (o->payload_kind == PAYLOAD_LINES && o->repeat != 1)
        usage_error("--repeat is not for -l");
    p->qos = o->qos;
    p->user = o->publish_users.list;
    p->user_count = o->publish_users.count;
    /* What is in flight is in memory: what another run has left in the broker does not belong to it. So the
     * session begins with this run, and ends with it, unless it was said otherwise. */
    o->config.resume = false;
    o->goodbye.change_expiry |= o->config.session_expiry_s != 0 && !o->expiry_given;
}

static void finish_sub(struct options *o)
{
    if (o->filters.count == 0)
        usage_error("sub needs -t; mote sub --help");
    if (o->no_retained && o->only_retained)
        usage_error("-R and --retained-only leave nothing");
    for (size_t i = 0; i < o->filters.count; i++) {
        struct mqtt_subscription *s = &o->subscriptions[i];
        s->qos = o->qos;
        s->no_local = o->no_local;
        s->retain_as_published = o->retain_as_published;
        s->retain_handling = o->retain_handling;
    }
    o->filters.subscriptions = o->subscriptions;
    o->filters.user = o->subscribe_users.list;
    o->filters.user_count = o->subscribe_users.count;
}

void options_parse(struct options *o, enum command command, int argc, char **argv)
{
    *o = (struct options){
        .command = command,
        .host = "localhost",
        .port = "1883",
        .buffer = BUFFER_DEFAULT,
        .repeat = 1,
        .config = {.keep_alive_s = 60, .qos2 = true, .fall_back = true, .maximum_packet_size = 268435460},
    };
    parse_all(o, argc, argv);
    finish_session(o);
    for (int i = 0; i < argc; i++)
        o->strings += strlen(argv[i]) + 8; /* with lengths and the property's number */
    if (command == COMMAND_PUB)
        finish_pub(o);
    else
        finish_sub(o);
}
