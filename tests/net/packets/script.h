/*
 * The language of packet scripts (docs/packet-scripts.md): text to lines, with every word checked that needs
 * no net to be checked.
 */
#ifndef TESTS_NET_PACKETS_SCRIPT_H
#define TESTS_NET_PACKETS_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SCRIPT_LINES = 256,
    SCRIPT_WORDS = 10,
    SCRIPT_NEEDS = 4,
    CONVERSATIONS = 17, /* named 1 to 16 */
    FIELDS_MAX = 40,
};

struct field {
    const char *key;
    const char *value; /* "" if the key stands alone */
    bool absent;       /* written with ! */
};

/* A frame, in words. The first field's key is the protocol, its value what kind of message of that. */
struct fields {
    size_t count;
    struct field list[FIELDS_MAX];
};

enum line_kind { LINE_SETTING, LINE_CALL, LINE_INJECT, LINE_EXPECT };

struct line {
    unsigned number;
    enum line_kind kind;
    bool exact;                      /* one time, not a range */
    uint32_t earliest_ms, latest_ms; /* after the event before */
    unsigned conversation;
    const char *text;     /* as written */
    struct fields fields; /* LINE_INJECT, LINE_EXPECT */
    unsigned words;       /* the others */
    const char *word[SCRIPT_WORDS];
};

struct script {
    const char *name;
    const char *clause;
    unsigned needs_count;
    const char *needs[SCRIPT_NEEDS];
    unsigned count;
    struct line lines[SCRIPT_LINES];
    char *memory;        /* of all text */
    unsigned error_line; /* 0: none */
    char error[300];
};

/* `name` stays the caller's. Never NULL; free with script_free whether it has an error or not. */
struct script *script_parse(const char *name, const char *text);
/* Reads the file; a file that cannot be read is an error in line 0 with a text. */
struct script *script_read(const char *path);
void script_free(struct script *script);

/* Last value of a key that is to be there; NULL: not given. */
const char *field_get(const struct fields *fields, const char *key);
bool field_has(const struct fields *fields, const char *key);

/* Decimal, or hexadecimal with 0x. False: no number. */
bool parse_number(const char *text, uint32_t *value);
/* 10.0.0.1 */
bool parse_address(const char *text, uint32_t *address);
/* Seconds with up to three decimals. */
bool parse_seconds(const char *text, uint32_t *ms);

#endif
