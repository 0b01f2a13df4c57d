/*
 * A settings tree: a C struct, and a constant table that names its leaves.
 *
 *     struct settings { bool led; uint32_t period_ms; };
 *     static const struct settings_leaf leaves[] = {
 *         SETTINGS_BOOL("/led", struct settings, led),
 *         SETTINGS_U32("/telemetry/period_ms", struct settings, period_ms, 100, 3600000),
 *     };
 *
 * The table is flat; the inner nodes are what the paths have in common, so the
 * leaves of one inner node must stand together (settings_tree_is_valid).
 * Values cross the border as JSON (RFC 8259). No function here allocates,
 * recurses or keeps a pointer beyond its return; each may be called from any
 * context that may touch the struct.
 */
#ifndef SETTINGS_TREE_H
#define SETTINGS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SETTINGS_DEPTH_MAX = 12, /* parts of a path */
    SETTINGS_PATH_MAX = 96,  /* bytes of a path, the first slash included */
    SETTINGS_JSON_MAX = 11,  /* bytes of the longest value */
    SETTINGS_SCHEMA_LINE_MAX = 256,
};

enum settings_error {
    SETTINGS_OK = 0,
    SETTINGS_ERROR_NOT_FOUND = -1, /* no such path */
    SETTINGS_ERROR_NOT_LEAF = -2,  /* the path ends at an inner node */
    SETTINGS_ERROR_SYNTAX = -3,    /* not one JSON value */
    SETTINGS_ERROR_TYPE = -4,      /* JSON of another type than the leaf's */
    SETTINGS_ERROR_RANGE = -5,     /* a number outside the leaf's limits */
};

enum settings_type {
    SETTINGS_TYPE_BOOL, /* bool */
    SETTINGS_TYPE_U32,  /* uint32_t from minimum to maximum */
};

struct settings_leaf {
    const char *path; /* "/led"; names of letters, digits, '_' and '-' */
    uint16_t offset;
    uint8_t type; /* enum settings_type */
    uint32_t minimum;
    uint32_t maximum;
};

/* A member of another type than the macro's does not compile. */
#define SETTINGS_OFFSET(structure, member, type_)                                                            \
    (uint16_t)(offsetof(structure, member) + 0 * sizeof((type_ *)0 == &((structure *)0)->member))
#define SETTINGS_BOOL(path_, structure, member)                                                              \
    {                                                                                                        \
        .path = (path_), .offset = SETTINGS_OFFSET(structure, member, bool), .type = SETTINGS_TYPE_BOOL      \
    }
#define SETTINGS_U32(path_, structure, member, minimum_, maximum_)                                           \
    {                                                                                                        \
        .path = (path_), .offset = SETTINGS_OFFSET(structure, member, uint32_t), .type = SETTINGS_TYPE_U32,  \
        .minimum = (minimum_), .maximum = (maximum_)                                                         \
    }

struct settings_tree {
    const struct settings_leaf *leaves;
    size_t leaf_count; /* at least 1 */
};

/* Paths well-formed, unique, within the limits, leaves of one inner node together. For tests and start-up. */
bool settings_tree_is_valid(const struct settings_tree *tree);

/* The leaf at a path of `length` bytes (not terminated). Returns its index, or NOT_FOUND or NOT_LEAF. */
int settings_find(const struct settings_tree *tree, const char *path, size_t length)
    __attribute__((warn_unused_result));

/* How many parts of a path exist, be it a leaf's or not. */
unsigned settings_depth(const struct settings_tree *tree, const char *path, size_t length);

/* Parses JSON into one leaf of `values`; unchanged on error. */
int settings_set(const struct settings_tree *tree, void *values, size_t leaf, const void *json, size_t length)
    __attribute__((warn_unused_result));

/* Writes one leaf as JSON, not terminated; returns the length, at most SETTINGS_JSON_MAX. */
size_t settings_get(const struct settings_tree *tree, const void *values, size_t leaf,
                    char json[SETTINGS_JSON_MAX]);

/* "NotFound", "TooShort", "Syntax", "Type", "Range": for machines. */
const char *settings_error_name(int error);
/* For people. */
const char *settings_error_text(int error);

/* ---- The compact schema (docs/settings.md): one definition a line, children first, the root last ---- */

size_t settings_schema_lines(const struct settings_tree *tree);
/* Definition `id` with its newline; returns the length, 0 when it does not fit. */
size_t settings_schema_line(const struct settings_tree *tree, size_t id, char *line, size_t size);

#endif
