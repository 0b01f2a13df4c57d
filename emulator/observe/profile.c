#include "observe/profile.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM_AT_FIRST = 256, LINE_MAX_BYTES = 16384 };

bool profile_init(struct profile *p, const struct functions *functions, const struct machine *m)
{
    *p = (struct profile){.functions = functions,
                          .nodes = calloc(ROOM_AT_FIRST, sizeof *p->nodes),
                          .count = 1,
                          .room = ROOM_AT_FIRST,
                          .counted = m->instructions};
    return p->nodes != NULL;
}

void profile_free(struct profile *p)
{
    free(p->nodes);
    p->nodes = NULL;
}

/* ---- Counting ---- */

void profile_settle(struct profile *p, const struct machine *m)
{
    p->nodes[p->stack[p->depth]].own += m->instructions - p->counted;
    p->counted = m->instructions;
}

static bool grow(struct profile *p)
{
    if (p->count < p->room) {
        return true;
    }
    struct profile_node *more = realloc(p->nodes, 2 * p->room * sizeof *more);
    if (more == NULL) {
        p->failed = true;
        return false;
    }
    p->nodes = more;
    p->room *= 2;
    return true;
}

static uint32_t child_of(struct profile *p, uint32_t parent, uint32_t function)
{
    for (uint32_t i = p->nodes[parent].child; i != 0; i = p->nodes[i].sibling) {
        if (p->nodes[i].function == function) {
            return i;
        }
    }
    if (!grow(p)) {
        return parent;
    }
    uint32_t node = (uint32_t)p->count++;
    p->nodes[node] =
        (struct profile_node){.function = function, .parent = parent, .sibling = p->nodes[parent].child};
    p->nodes[parent].child = node;
    return node;
}

static void begin(void *context, struct machine *m, size_t function)
{
    struct profile *p = context;
    profile_settle(p, m);
    p->stack[p->depth + 1] = child_of(p, p->stack[p->depth], (uint32_t)function);
    p->depth++;
}

static void end(void *context, struct machine *m, size_t function)
{
    struct profile *p = context;
    (void)function;
    profile_settle(p, m);
    p->depth--;
}

/* An exception's function becomes a child of the root. */
static void entered(void *context, struct machine *m, unsigned exception)
{
    struct profile *p = context;
    (void)exception;
    profile_settle(p, m);
    p->stack[++p->depth] = 0;
}

static void left(void *context, struct machine *m, unsigned exception)
{
    end(context, m, exception);
}

struct call_listener profile_listener(struct profile *p)
{
    return (struct call_listener){.context = p, .begin = begin, .end = end, .entered = entered, .left = left};
}

/* ---- Writing ---- */

/* "root;…;leaf" of a node. False: longer than any line should be. */
static bool stack_text(const struct profile *p, uint32_t node, char *text, size_t size)
{
    size_t at = size - 1;
    text[at] = '\0';
    for (uint32_t i = node; i != 0; i = p->nodes[i].parent) {
        const char *name = p->functions->list[p->nodes[i].function].name;
        size_t length = strlen(name);
        if (at < length + 1) {
            return false;
        }
        at -= length;
        memcpy(text + at, name, length);
        if (p->nodes[i].parent != 0) {
            text[--at] = ';';
        }
    }
    memmove(text, text + at, size - at);
    return true;
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *line_of(const struct profile *p, uint32_t node)
{
    static const char outside[] = "(before)"; /* what a snapshot had executed already */
    char stack[LINE_MAX_BYTES] = "";
    if (!stack_text(p, node, stack, sizeof stack)) {
        return NULL;
    }
    size_t size = strlen(stack) + sizeof outside + 32;
    char *line = malloc(size);
    if (line != NULL) {
        snprintf(line, size, "%s %llu", node == 0 ? outside : stack, (unsigned long long)p->nodes[node].own);
    }
    return line;
}

bool profile_write(const struct profile *p, FILE *file)
{
    char **lines = calloc(p->count, sizeof *lines);
    size_t count = 0;
    bool good = lines != NULL && !p->failed;
    for (uint32_t i = 0; good && i < p->count; i++) {
        if (p->nodes[i].own > 0) {
            lines[count] = line_of(p, i);
            good = lines[count] != NULL;
            count += good;
        }
    }
    if (count > 0) {
        qsort(lines, count, sizeof *lines, compare_lines);
    }
    for (size_t i = 0; i < count; i++) {
        good = fprintf(file, "%s\n", lines[i]) > 0 && good;
        free(lines[i]);
    }
    free(lines);
    return good;
}
