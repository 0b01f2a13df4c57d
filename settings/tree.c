#include "settings/tree.h"

#include <string.h>

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static bool is_path(const char *path)
{
    size_t length = strlen(path);
    unsigned depth = 0;

    if (length == 0 || length > SETTINGS_PATH_MAX || path[0] != '/' || path[length - 1] == '/')
        return false;
    for (size_t i = 0; i < length; i++) {
        if (path[i] == '/')
            depth++;
        if (path[i] == '/' ? path[i + 1] == '/' : !is_name_byte(path[i]))
            return false;
    }
    return depth <= SETTINGS_DEPTH_MAX;
}

/* How many parts two paths share from the start. `b` has `length` bytes. */
static unsigned shared_parts(const char *a, const char *b, size_t length)
{
    unsigned parts = 0;

    for (size_t i = 0;; i++) {
        bool b_ends = i >= length;
        char in_b = b_ends ? '\0' : b[i];

        if (i > 0 && (a[i] == '\0' || a[i] == '/') && (b_ends || in_b == '/'))
            parts++;
        if (b_ends || a[i] == '\0' || a[i] != in_b)
            return parts;
    }
}

/* Do leaves `first` and `last` lie below an inner node that a leaf between them does not? */
static bool is_torn(const struct settings_tree *tree, size_t first, size_t between, size_t last)
{
    const char *a = tree->leaves[first].path;
    const char *b = tree->leaves[between].path;
    const char *c = tree->leaves[last].path;

    return shared_parts(a, c, strlen(c)) > shared_parts(a, b, strlen(b));
}

/* Does a path begin with these `length` bytes? */
static bool begins_with(const char *path, const char *start, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (path[i] == '\0' || path[i] != start[i])
            return false;
    return true;
}

/* Is leaf `inner` an inner node of leaf `outer`'s path? */
static bool is_within(const struct settings_tree *tree, size_t outer, size_t inner)
{
    const char *path = tree->leaves[inner].path;
    size_t length = strlen(path);

    return begins_with(tree->leaves[outer].path, path, length) && tree->leaves[outer].path[length] == '/';
}

bool settings_tree_is_valid(const struct settings_tree *tree)
{
    for (size_t i = 0; i < tree->leaf_count; i++) {
        const char *path = tree->leaves[i].path;

        if (!is_path(path) || settings_find(tree, path, strlen(path)) != (int)i)
            return false;
        for (size_t j = 0; j < tree->leaf_count; j++)
            if (is_within(tree, j, i) || (j > i + 1 && is_torn(tree, i, j - 1, j)))
                return false;
    }
    return tree->leaf_count > 0;
}

int settings_find(const struct settings_tree *tree, const char *path, size_t length)
{
    bool inner = length == 0;

    for (size_t i = 0; i < tree->leaf_count; i++) {
        const char *leaf = tree->leaves[i].path;

        if (!begins_with(leaf, path, length))
            continue;
        if (leaf[length] == '\0')
            return (int)i;
        if (leaf[length] == '/')
            inner = true;
    }
    return inner ? SETTINGS_ERROR_NOT_LEAF : SETTINGS_ERROR_NOT_FOUND;
}

unsigned settings_depth(const struct settings_tree *tree, const char *path, size_t length)
{
    unsigned depth = 0;

    for (size_t i = 0; i < tree->leaf_count; i++) {
        unsigned parts = shared_parts(tree->leaves[i].path, path, length);

        if (parts > depth)
            depth = parts;
    }
    return depth;
}

/* ---- JSON ---- */

struct text {
    const char *at;
    size_t length;
};

#define TEXT(literal) ((struct text){(literal), sizeof(literal) - 1})

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct text trim(const void *json, size_t length)
{
    struct text text = {json, length};

    while (text.length > 0 && is_space(text.at[0])) {
        text.at++;
        text.length--;
    }
    while (text.length > 0 && is_space(text.at[text.length - 1]))
        text.length--;
    return text;
}

static bool text_is(struct text text, struct text word)
{
    return text.length == word.length && memcmp(text.at, word.at, word.length) == 0;
}

/*
 * The error for a value that is not what the leaf takes: TYPE if it begins like JSON of another type. The
 * value is refused either way, so it is not parsed any further.
 */
static int other_type(struct text text)
{
    char first = text.length > 0 ? text.at[0] : '\0';
    bool starts = first == '"' || first == '[' || first == '{' || first == '-' || is_digit(first);

    return starts || text_is(text, TEXT("true")) || text_is(text, TEXT("false")) ||
                   text_is(text, TEXT("null"))
               ? SETTINGS_ERROR_TYPE
               : SETTINGS_ERROR_SYNTAX;
}

static int parse_bool(struct text text, bool *value)
{
    bool is_true = text_is(text, TEXT("true"));

    if (!is_true && !text_is(text, TEXT("false")))
        return other_type(text);
    *value = is_true;
    return SETTINGS_OK;
}

/* RFC 8259 6, integers without fraction and exponent; no leading zero. */
static int parse_u32(struct text text, uint32_t *value)
{
    uint64_t sum = 0;

    if (text.length > 1 && text.at[0] == '-' && is_digit(text.at[1]))
        return SETTINGS_ERROR_RANGE;
    if (text.length == 0 || !is_digit(text.at[0]))
        return other_type(text);
    for (size_t i = 0; i < text.length; i++) {
        char c = text.at[i];

        if (c == '.' || c == 'e' || c == 'E')
            return SETTINGS_ERROR_TYPE;
        if (!is_digit(c) || (i == 1 && text.at[0] == '0'))
            return SETTINGS_ERROR_SYNTAX;
        if (sum <= UINT32_MAX)
            sum = sum * 10 + (unsigned)(c - '0');
    }
    if (sum > UINT32_MAX)
        return SETTINGS_ERROR_RANGE;
    *value = (uint32_t)sum;
    return SETTINGS_OK;
}

int settings_set(const struct settings_tree *tree, void *values, size_t leaf, const void *json, size_t length)
{
    const struct settings_leaf *description = &tree->leaves[leaf];
    void *place = (char *)values + description->offset;
    struct text text = trim(json, length);
    uint32_t number = 0;
    int error;

    if (description->type == SETTINGS_TYPE_BOOL)
        return parse_bool(text, place);
    error = parse_u32(text, &number);
    if (error != SETTINGS_OK)
        return error;
    if (number < description->minimum || number > description->maximum)
        return SETTINGS_ERROR_RANGE;
    memcpy(place, &number, sizeof number);
    return SETTINGS_OK;
}

static size_t write_u32(uint32_t value, char *text)
{
    char digits[10];
    size_t count = 0;

    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    for (size_t i = 0; i < count; i++)
        text[i] = digits[count - 1 - i];
    return count;
}

size_t settings_get(const struct settings_tree *tree, const void *values, size_t leaf,
                    char json[SETTINGS_JSON_MAX])
{
    const struct settings_leaf *description = &tree->leaves[leaf];
    const char *place = (const char *)values + description->offset;

    if (description->type == SETTINGS_TYPE_BOOL) {
        const char *word = *(const bool *)place ? "true" : "false";
        size_t length = strlen(word);

        memcpy(json, word, length);
        return length;
    }
    uint32_t number;
    memcpy(&number, place, sizeof number);
    return write_u32(number, json);
}

static const struct {
    const char *name;
    const char *text;
} errors[] = {
    [-SETTINGS_OK] = {"Ok", "ok"},
    [-SETTINGS_ERROR_NOT_FOUND] = {"NotFound", "no such setting"},
    [-SETTINGS_ERROR_NOT_LEAF] = {"TooShort", "this is a group of settings: name one of them"},
    [-SETTINGS_ERROR_SYNTAX] = {"Syntax", "not a JSON value"},
    [-SETTINGS_ERROR_TYPE] = {"Type", "a JSON value of another type is expected"},
    [-SETTINGS_ERROR_RANGE] = {"Range", "the number is outside the limits"},
};

const char *settings_error_name(int error)
{
    return errors[-error].name;
}

const char *settings_error_text(int error)
{
    return errors[-error].text;
}

/* ---- Schema ---- */

struct line {
    char *at;
    size_t left;
    bool cut;
};

static void append(struct line *line, const char *text, size_t length)
{
    if (length > line->left) {
        line->cut = true;
        return;
    }
    memcpy(line->at, text, length);
    line->at += length;
    line->left -= length;
}

static void append_word(struct line *line, const char *word)
{
    append(line, word, strlen(word));
}

/* An inner node, named by a leaf below it and how many parts of that leaf's path lead to it. */
struct inner {
    size_t leaf;
    unsigned depth;
    bool begun;
};

static unsigned part_count(const char *path)
{
    unsigned parts = 0;

    for (; *path != '\0'; path++)
        parts += *path == '/';
    return parts;
}

/* Of leaf `leaf` and the next: how deep is the shallowest inner node that ends between them? */
static unsigned ends_at(const struct settings_tree *tree, size_t leaf)
{
    if (leaf + 1 == tree->leaf_count)
        return 0;
    const char *next = tree->leaves[leaf + 1].path;
    return shared_parts(tree->leaves[leaf].path, next, strlen(next)) + 1;
}

/* The next inner node in post-order. False: there is none; the one before was the root. */
static bool next_inner(const struct settings_tree *tree, struct inner *inner)
{
    if (!inner->begun) {
        inner->begun = true;
        inner->depth = part_count(tree->leaves[inner->leaf].path);
    }
    while (inner->depth <= ends_at(tree, inner->leaf)) {
        if (++inner->leaf == tree->leaf_count)
            return false;
        inner->depth = part_count(tree->leaves[inner->leaf].path);
    }
    inner->depth--;
    return true;
}

/* Does `leaf` lie below the inner node? */
static bool is_below(const struct settings_tree *tree, const struct inner *inner, size_t leaf)
{
    const char *path = tree->leaves[leaf].path;

    return shared_parts(tree->leaves[inner->leaf].path, path, strlen(path)) >= inner->depth;
}

/* The schema's line of the inner node `depth` parts down the path of `leaf`. Line 0 is the leaves'. */
static uint32_t inner_id(const struct settings_tree *tree, size_t leaf, unsigned depth)
{
    struct inner inner = {0};
    uint32_t id = 1;

    while (next_inner(tree, &inner) && !(inner.depth == depth && is_below(tree, &inner, leaf)))
        id++;
    return id;
}

/* Part number `depth` (from 0) of a path. */
static struct text part(const char *path, unsigned depth)
{
    struct text text = {0};

    for (unsigned slashes = 0; slashes <= depth; path++)
        slashes += *path == '/';
    text.at = path;
    while (path[text.length] != '\0' && path[text.length] != '/')
        text.length++;
    return text;
}

static void append_children(const struct settings_tree *tree, const struct inner *inner, struct line *line)
{
    bool first = true;

    for (size_t leaf = 0; leaf < tree->leaf_count; leaf++) {
        const char *path = tree->leaves[leaf].path;
        bool same_child =
            leaf > 0 && shared_parts(tree->leaves[leaf - 1].path, path, strlen(path)) > inner->depth;
        char number[10];

        if (!is_below(tree, inner, leaf) || same_child)
            continue;
        struct text name = part(path, inner->depth);
        bool is_leaf = name.at[name.length] == '\0';
        append_word(line, first ? "\"" : ",\"");
        append(line, name.at, name.length);
        append_word(line, "\":");
        append(line, number, write_u32(is_leaf ? 0 : inner_id(tree, leaf, inner->depth + 1), number));
        first = false;
    }
}

size_t settings_schema_lines(const struct settings_tree *tree)
{
    struct inner inner = {0};
    size_t lines = 1;

    while (next_inner(tree, &inner))
        lines++;
    return lines;
}

size_t settings_schema_line(const struct settings_tree *tree, size_t id, char *buffer, size_t size)
{
    struct line line = {.at = buffer, .left = size};

    if (id == 0) {
        append_word(&line, "{}\n");
    } else {
        struct inner inner = {0};

        while (id-- > 0 && next_inner(tree, &inner))
            ;
        append_word(&line, "{\"i\":{\"k\":\"n\",\"c\":{");
        append_children(tree, &inner, &line);
        append_word(&line, "}}}\n");
    }
    return line.cut ? 0 : size - line.left;
}
