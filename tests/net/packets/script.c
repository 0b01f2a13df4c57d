#include "script.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What may be said of a frame of each kind. A plus sign: the key stands alone. */
#define IP_KEYS                                                                                              \
    "from", "to", "ttl", "tos", "ip-id", "slice", "offset", "version", "ihl", "tot", "ip-options", "proto",  \
        "src-mac", "dst-mac", "cut", "pad", "x", "+df", "+mf", "+ip-badsum"

static const char *const arp_keys[] = {"sha", "spa",     "tha",     "tpa", "hlen", "plen", "hrd",
                                       "pro", "src-mac", "dst-mac", "cut", "pad",  "op",   NULL};
static const char *const tcp_keys[] = {"seq",   "ack",   "win",  "urg",         "options", "len",   "fill",
                                       "sport", "dport", "doff", "raw-options", "+badsum", IP_KEYS, NULL};
static const char *const icmp_keys[] = {
    "code",        "id",         "seq",      "len",  "mtu",    "quote",   "quote-seq", "quote-len",
    "quote-proto", "quote-from", "quote-to", "fill", "number", "+badsum", IP_KEYS,     NULL};
static const char *const udp_keys[] = {"sport",   "dport",  "len",   "ulen", "sum",
                                       "+badsum", "+nosum", IP_KEYS, NULL};
static const char *const igmp_keys[] = {"group", "max", "+badsum", "+router-alert", "number", IP_KEYS, NULL};
static const char *const dhcp_keys[] = {
    "xid",        "ciaddr",    "yiaddr",      "siaddr", "giaddr", "chaddr", "server",    "lease",
    "mask",       "router",    "dns",         "t1",     "t2",     "ntp",    "requested", "hostname",
    "params",     "client-id", "raw-options", "magic",  "op",     "secs",   "sport",     "dport",
    "+broadcast", "+no-type",  "max-size",    "number", IP_KEYS,  NULL};
static const char *const dns_keys[] = {
    "id",    "q",     "qtype", "qclass",  "rcode",        "a",       "cname", "owner",   "rr-ttl",
    "raw",   "class", "soa",   "ancount", "qdcount",      "nscount", "ns-a",  "arcount", "sport",
    "dport", "+tc",   "+aa",   "+rd",     "+no-question", IP_KEYS,   NULL};
static const char *const sntp_keys[] = {"version",    "mode",  "stratum", "leap",  "time",
                                        "originate",  "kiss",  "sport",   "dport", "delay",
                                        "dispersion", IP_KEYS, NULL};
static const char *const ipv4_keys[] = {"len", "hex", IP_KEYS, NULL};
static const char *const fragment_keys[] = {"bytes", IP_KEYS, NULL};
static const char *const frame_keys[] = {"hex", "cut", "pad", NULL};
static const char *const any_keys[] = {NULL};

static const struct protocol {
    const char *name;
    bool has_kind; /* a word follows that says what message it is */
    const char *const *keys;
} protocols[] = {
    {"tcp", true, tcp_keys},      {"arp", true, arp_keys},
    {"icmp", true, icmp_keys},    {"udp", false, udp_keys},
    {"igmp", true, igmp_keys},    {"dhcp", true, dhcp_keys},
    {"dns", true, dns_keys},      {"sntp", true, sntp_keys},
    {"ipv4", false, ipv4_keys},   {"fragment", false, fragment_keys},
    {"frame", false, frame_keys}, {"any", false, any_keys},
};

/* Calls and settings, with how many words may follow. */
static const struct verb {
    const char *name;
    unsigned least, most;
    enum line_kind kind;
} verbs[] = {
    {"set", 1, 4, LINE_SETTING},      {"connect", 0, 4, LINE_CALL},
    {"establish", 0, 5, LINE_CALL},   {"send", 1, 3, LINE_CALL},
    {"read", 1, 1, LINE_CALL},        {"unread", 1, 1, LINE_CALL},
    {"room", 1, 1, LINE_CALL},        {"queued", 1, 1, LINE_CALL},
    {"close", 0, 0, LINE_CALL},       {"abort", 0, 0, LINE_CALL},
    {"state", 1, 1, LINE_CALL},       {"error", 1, 1, LINE_CALL},
    {"timeouts", 2, 2, LINE_CALL},    {"nagle", 1, 1, LINE_CALL},
    {"ttl", 1, 1, LINE_CALL},         {"dscp", 1, 1, LINE_CALL},
    {"cubic", 0, 0, LINE_CALL},       {"offer", 1, 3, LINE_CALL},
    {"listen", 1, 4, LINE_CALL},      {"unlisten", 0, 0, LINE_CALL},
    {"accept", 0, 2, LINE_CALL},      {"new", 0, 1, LINE_CALL},
    {"ports", 2, 2, LINE_CALL},       {"peer", 1, 1, LINE_CALL},
    {"link", 1, 1, LINE_CALL},        {"ring", 1, 1, LINE_CALL},
    {"quiet", 1, 1, LINE_CALL},       {"ignore", 1, 1, LINE_CALL},
    {"udp-open", 1, 3, LINE_CALL},    {"udp-close", 0, 0, LINE_CALL},
    {"udp-send", 3, 5, LINE_CALL},    {"udp-got", 3, 3, LINE_CALL},
    {"udp-nothing", 0, 0, LINE_CALL}, {"udp-error", 1, 1, LINE_CALL},
    {"udp-connect", 2, 4, LINE_CALL}, {"udp-ttl", 1, 1, LINE_CALL},
    {"udp-dscp", 1, 1, LINE_CALL},    {"ping", 2, 4, LINE_CALL},
    {"pong", 3, 3, LINE_CALL},        {"join", 1, 3, LINE_CALL},
    {"leave", 1, 1, LINE_CALL},       {"address", 1, 1, LINE_CALL},
    {"gateway", 1, 1, LINE_CALL},     {"netmask", 1, 1, LINE_CALL},
    {"dns-server", 1, 1, LINE_CALL},  {"conflict", 1, 1, LINE_CALL},
    {"has", 1, 1, LINE_CALL},         {"has-not", 1, 1, LINE_CALL},
    {"add-address", 1, 3, LINE_CALL}, {"remove-address", 1, 1, LINE_CALL},
    {"route", 2, 4, LINE_CALL},       {"resolve", 1, 3, LINE_CALL},
    {"resolved", 1, 1, LINE_CALL},    {"time", 1, 1, LINE_CALL},
    {"mdns-name", 1, 1, LINE_CALL},
};

/* ---- Words and numbers ---- */

const char *field_get(const struct fields *fields, const char *key)
{
    const char *value = NULL;
    for (size_t i = 1; i < fields->count; i++) {
        if (!fields->list[i].absent && strcmp(fields->list[i].key, key) == 0) {
            value = fields->list[i].value;
        }
    }
    return value;
}

bool field_has(const struct fields *fields, const char *key)
{
    return field_get(fields, key) != NULL;
}

bool parse_number(const char *text, uint32_t *value)
{
    bool hex = text[0] == '0' && text[1] == 'x';
    if (!isxdigit((unsigned char)text[hex ? 2 : 0])) {
        return false;
    }
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, hex ? 16 : 10);
    *value = (uint32_t)number;
    return *end == 0 && errno == 0 && number <= UINT32_MAX;
}

bool parse_address(const char *text, uint32_t *address)
{
    *address = 0;
    for (int i = 0; i < 4; i++) {
        char *end;
        unsigned long part = isdigit((unsigned char)*text) ? strtoul(text, &end, 10) : 256;
        if (part > 255 || *end != (i < 3 ? '.' : 0)) {
            return false;
        }
        *address = *address << 8 | (uint32_t)part;
        text = end + 1;
    }
    return true;
}

bool parse_seconds(const char *text, uint32_t *ms)
{
    char *end;
    unsigned long whole = isdigit((unsigned char)*text) ? strtoul(text, &end, 10) : ULONG_MAX;
    if (whole > 2000000) {
        return false;
    }
    *ms = (uint32_t)whole * 1000;
    if (*end == '.') {
        uint32_t unit = 100;
        for (end++; isdigit((unsigned char)*end) && unit != 0; end++, unit /= 10) {
            *ms += (uint32_t)(*end - '0') * unit;
        }
    }
    return *end == 0;
}

/* ---- Lines ---- */

struct parser {
    struct script *script;
    struct line *line;
    char *at; /* the rest of the line */
    jmp_buf failed;
};

static _Noreturn void __attribute__((format(printf, 2, 3))) reject(struct parser *p, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(p->script->error, sizeof p->script->error, format, arguments);
    va_end(arguments);
    p->script->error_line = p->line->number ? p->line->number : 1;
    longjmp(p->failed, 1);
}

/* Cut off the next word at a space, or where a closing character stands; NULL: there is none. */
static char *next_word(struct parser *p)
{
    char *start = p->at + strspn(p->at, " \t");
    if (*start == 0 || *start == '#') {
        return NULL;
    }
    char close = 0;
    if (*start == '<' && start[1] != ' ' && start[1] != 0) {
        close = '>';
    }
    char *end = close ? strchr(start, close) : start + strcspn(start, " \t");
    if (!end) {
        reject(p, "'%s' has no '%c'", start, close);
    }
    end += close ? 1 : 0;
    if (close && *end != 0 && *end != ' ') {
        reject(p, "a space is missing after '>'");
    }
    p->at = *end ? end + 1 : end;
    *end = 0;
    return start;
}

static void parse_time(struct parser *p, char *word)
{
    struct line *line = p->line;
    char *second = strstr(word, "..");
    if (second) {
        *second = 0;
        second += 2;
    }
    bool good = parse_seconds(word, &line->earliest_ms);
    line->latest_ms = line->earliest_ms;
    if (second) {
        good = good && parse_seconds(second, &line->latest_ms) && line->latest_ms >= line->earliest_ms;
        line->exact = false;
    }
    if (!good) {
        reject(p, "'+%s%s%s' is no time: +SECONDS or +SECONDS..SECONDS", word, second ? ".." : "",
               second ? second : "");
    }
}

static bool is_flags(const char *word)
{
    return strcmp(word, "-") == 0 || word[strspn(word, "SFRPUEC.")] == 0;
}

static const struct protocol *find_protocol(const char *name)
{
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++) {
        if (strcmp(protocols[i].name, name) == 0) {
            return &protocols[i];
        }
    }
    return NULL;
}

/* 0: no such key; 1: with a value; 2: alone. */
static int key_kind(const struct protocol *protocol, const char *key)
{
    for (const char *const *known = protocol->keys; *known; known++) {
        if (strcmp(*known + (**known == '+'), key) == 0) {
            return **known == '+' ? 2 : 1;
        }
    }
    return 0;
}

static struct field *add_field(struct parser *p, const char *key, const char *value)
{
    struct fields *fields = &p->line->fields;
    if (fields->count == FIELDS_MAX) {
        reject(p, "more than %d words", FIELDS_MAX);
    }
    struct field *field = &fields->list[fields->count++];
    *field = (struct field){.key = key, .value = value};
    return field;
}

static void check_sequence(struct parser *p, const char *key, const char *value)
{
    static const char *const numbers[] = {"seq", "ack",  "win",   "len",   "ttl",   "id",
                                          "x",   "code", "sport", "dport", "bytes", "lease"};
    bool expects = p->line->kind == LINE_EXPECT;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        uint32_t number;
        const char *digits = value + (*value == '=' || *value == '-');
        if (strcmp(numbers[i], key) == 0 && !parse_number(digits, &number) && !expects &&
            strcmp(value, "last") != 0) {
            reject(p, "'%s %s': a number should be there", key, value);
        }
    }
}

static void parse_field(struct parser *p, const struct protocol *protocol, char *key)
{
    if (*key == '<') {
        if (key_kind(protocol, "options") == 0) {
            reject(p, "only TCP has <options>");
        }
        key[strlen(key) - 1] = 0;
        add_field(p, "options", key + 1);
        return;
    }
    bool absent = *key == '!';
    key += absent;
    int kind = key_kind(protocol, key);
    if (kind == 0) {
        reject(p, "'%s' is nothing that %s has", key, protocol->name);
    }
    if (absent && p->line->kind == LINE_INJECT) {
        reject(p, "'!%s' can only be expected", key);
    }
    const char *value = "";
    if (kind == 1 && !absent) {
        value = next_word(p);
        if (!value) {
            reject(p, "'%s' wants a value", key);
        }
        check_sequence(p, key, value);
    }
    add_field(p, key, value)->absent = absent;
}

static void parse_frame(struct parser *p)
{
    char *word = next_word(p);
    if (!word) {
        reject(p, "what frame?");
    }
    const struct protocol *protocol;
    if (is_flags(word)) {
        protocol = find_protocol("tcp");
        add_field(p, "tcp", word);
    } else {
        protocol = strcmp(word, "tcp") == 0 ? NULL : find_protocol(word);
        if (!protocol) {
            reject(p, "'%s' is neither TCP flags (S F R P U E C . -) nor a protocol", word);
        }
        const char *kind = protocol->has_kind ? next_word(p) : "";
        if (!kind) {
            reject(p, "what kind of %s message?", word);
        }
        add_field(p, protocol->name, kind);
    }
    while ((word = next_word(p)) != NULL) {
        parse_field(p, protocol, word);
    }
}

static void parse_call(struct parser *p, const char *verb)
{
    struct line *line = p->line;
    const struct verb *known = verbs, *end = verbs + sizeof verbs / sizeof *verbs;
    while (known < end && strcmp(known->name, verb) != 0) {
        known++;
    }
    if (known == end) {
        reject(p, "'%s' is no call, and neither '<' nor '>'", verb);
    }
    line->kind = known->kind;
    for (const char *word = verb; word; word = next_word(p)) {
        if (line->words == SCRIPT_WORDS) {
            reject(p, "more than %d words", SCRIPT_WORDS);
        }
        line->word[line->words++] = word;
    }
    if (line->words - 1 < known->least || line->words - 1 > known->most) {
        reject(p, "'%s' takes %u to %u words", verb, known->least, known->most);
    }
    if (line->kind == LINE_SETTING && p->script->count != 0 &&
        p->script->lines[p->script->count - 1].kind != LINE_SETTING) {
        reject(p, "'set' must come before all else");
    }
}

static void parse_event(struct parser *p, char *word)
{
    struct line *line = p->line;
    if (*word == '+') {
        parse_time(p, word + 1);
        word = next_word(p);
    }
    if (word && *word == '@') {
        uint32_t number;
        if (!parse_number(word + 1, &number) || number == 0 || number >= CONVERSATIONS) {
            reject(p, "'%s': conversations are @1 to @%d", word, CONVERSATIONS - 1);
        }
        line->conversation = number;
        word = next_word(p);
    }
    if (!word) {
        reject(p, "nothing happens in this line");
    }
    if (strcmp(word, "<") == 0 || strcmp(word, ">") == 0) {
        line->kind = *word == '<' ? LINE_INJECT : LINE_EXPECT;
        parse_frame(p);
    } else {
        parse_call(p, word);
    }
    if (!line->exact && line->kind != LINE_EXPECT) {
        reject(p, "a range of time can only be expected");
    }
}

static void parse_clause(struct parser *p, const char *word)
{
    struct script *script = p->script;
    script->clause = p->at + strspn(p->at, " ");
    if (strcmp(word, "clause") != 0 || *script->clause == 0) {
        reject(p, "the first line must be 'clause' and the clause that the script is about");
    }
}

static void parse_line(struct parser *p, char *text)
{
    struct script *script = p->script;
    *p->line = (struct line){.number = p->line->number, .conversation = 1, .exact = true};
    p->at = text;
    char *word = next_word(p);
    if (!word) {
        return;
    }
    if (!script->clause) {
        parse_clause(p, word);
    } else if (strcmp(word, "needs") == 0) {
        const char *need = next_word(p);
        if (!need || script->needs_count == SCRIPT_NEEDS || script->count) {
            reject(p, "'needs' wants a switch of net/features.h, before all else");
        }
        script->needs[script->needs_count++] = need;
    } else {
        parse_event(p, word);
        script->count++;
    }
}

/* All lines; the second half of the memory keeps them as they were written. */
static void parse_lines(struct parser *p, const char *text)
{
    struct script *script = p->script;
    size_t length = strlen(text);
    char *copy = malloc(2 * (length + 1)), *written = copy + length + 1;
    memcpy(copy, text, length + 1);
    memcpy(written, text, length + 1);
    for (char *c = written; *c; c++) {
        *c = *c == '\n' ? 0 : *c;
    }
    script->memory = copy;
    size_t offset = 0;
    for (unsigned number = 1; offset < length; number++) {
        size_t span = strcspn(text + offset, "\n");
        if (script->count == SCRIPT_LINES) {
            reject(p, "more than %d lines", SCRIPT_LINES);
        }
        p->line = &script->lines[script->count];
        p->line->number = number;
        copy[offset + span] = 0;
        parse_line(p, copy + offset);
        if (p->line->number != 0) {
            p->line->text = written + offset;
        }
        offset += span + 1;
    }
    if (!script->clause || script->count == 0) {
        reject(p, "the script is empty");
    }
}

struct script *script_parse(const char *name, const char *text)
{
    struct script *script = calloc(1, sizeof *script);
    struct parser p = {.script = script, .line = script->lines};
    script->name = name;
    if (setjmp(p.failed) == 0) {
        parse_lines(&p, text);
    }
    return script;
}

struct script *script_read(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = calloc(1, 65536);
    size_t length = file ? fread(text, 1, 65535, file) : 0;
    struct script *script = script_parse(path, text);
    if (!file || length == 65535) {
        script->error_line = UINT32_MAX;
        (void)snprintf(script->error, sizeof script->error, file ? "too long" : "cannot be read");
    }
    if (file) {
        (void)fclose(file);
    }
    free(text);
    return script;
}

void script_free(struct script *script)
{
    free(script->memory);
    free(script);
}
