#include "observe/trace.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "observe/register_names.h"

enum { KIND_FUNCTION, KIND_INTERRUPT, KIND_REGISTER, KINDS };

static const char *const kinds[KINDS] = {"functions", "interrupts", "registers"};

/* ---- The filter ---- */

/* Does an item (without its minus) speak of this? `name` is NULL for what has none. */
static bool fits(const char *item, unsigned kind, const char *name)
{
    for (unsigned i = 0; i < KINDS; i++) {
        if (strcmp(item, kinds[i]) == 0) {
            return i == kind;
        }
    }
    return name != NULL && fnmatch(item, name, 0) == 0;
}

static bool wants(const struct trace *t, unsigned kind, const char *name)
{
    /* What a filter begins by leaving out, it leaves out of everything. */
    bool wanted = t->item_count == 0 || *t->items[0] == '-';
    for (size_t i = 0; i < t->item_count; i++) {
        bool negative = *t->items[i] == '-';
        if (fits(t->items[i] + negative, kind, name)) {
            wanted = !negative;
        }
    }
    return wanted;
}

static bool split(struct trace *t, char *error, size_t error_size)
{
    char *rest = t->filter;
    for (char *item = strsep(&rest, ","); item != NULL; item = strsep(&rest, ",")) {
        if (item[*item == '-'] == '\0' || t->item_count == TRACE_ITEMS) {
            snprintf(
                error, error_size,
                "--trace-filter takes up to %d items between commas: functions, interrupts, registers, or "
                "names such as net_* or ETH_*, with - in front to leave them out",
                (int)TRACE_ITEMS);
            return false;
        }
        t->items[t->item_count++] = item;
    }
    return true;
}

static bool any_register_wanted(const struct trace *t)
{
    bool any = t->item_count == 0 || *t->items[0] == '-';
    for (size_t i = 0; i < t->item_count; i++) {
        any = any || (*t->items[i] != '-' && strcmp(t->items[i], kinds[KIND_FUNCTION]) != 0 &&
                      strcmp(t->items[i], kinds[KIND_INTERRUPT]) != 0);
    }
    return any;
}

bool trace_init(struct trace *t, const struct functions *functions, const char *filter, FILE *file,
                char *error, size_t error_size)
{
    *t = (struct trace){.functions = functions, .file = file, .wanted = calloc(functions->count, 1)};
    t->filter = filter != NULL ? strdup(filter) : NULL;
    if (t->wanted == NULL || (filter != NULL && t->filter == NULL)) {
        snprintf(error, error_size, "out of memory");
        return false;
    }
    if (filter != NULL && !split(t, error, error_size)) {
        return false;
    }
    for (size_t i = 0; i < functions->count; i++) {
        t->wanted[i] = wants(t, KIND_FUNCTION, functions->list[i].name);
    }
    t->interrupts = wants(t, KIND_INTERRUPT, NULL);
    t->registers = any_register_wanted(t);
    return true;
}

void trace_free(struct trace *t)
{
    free(t->wanted);
    free(t->filter);
    t->wanted = NULL;
    t->filter = NULL;
}

/* ---- The log ---- */

static void begin_line(struct trace *t, const struct machine *m)
{
    vtime now = machine_now(m);
    fprintf(t->file, "%4llu.%09llu %*s", (unsigned long long)(now / VTIME_S(1)),
            (unsigned long long)(now % VTIME_S(1) / VTIME_NS(1)), (int)(2 * t->depth), "");
}

static void begin(void *context, struct machine *m, size_t function)
{
    struct trace *t = context;
    if (t->wanted[function]) {
        begin_line(t, m);
        fprintf(t->file, "> %s\n", t->functions->list[function].name);
        t->depth++;
    }
}

static void end(void *context, struct machine *m, size_t function)
{
    struct trace *t = context;
    if (t->wanted[function]) {
        t->depth--;
        begin_line(t, m);
        fprintf(t->file, "< %s\n", t->functions->list[function].name);
    }
}

static void write_exception(struct trace *t, struct machine *m, unsigned exception, char sign)
{
    begin_line(t, m);
    if (exception >= EXCEPTION_IRQ0) {
        fprintf(t->file, "%c interrupt %u\n", sign, exception - EXCEPTION_IRQ0);
    } else {
        fprintf(t->file, "%c exception %u\n", sign, exception);
    }
}

static void entered(void *context, struct machine *m, unsigned exception)
{
    struct trace *t = context;
    if (t->interrupts) {
        write_exception(t, m, exception, '!');
        t->depth++;
    }
}

static void left(void *context, struct machine *m, unsigned exception)
{
    struct trace *t = context;
    if (t->interrupts) {
        t->depth--;
        write_exception(t, m, exception, '~');
    }
}

struct call_listener trace_listener(struct trace *t)
{
    return (struct call_listener){.context = t, .begin = begin, .end = end, .entered = entered, .left = left};
}

void trace_accessed(struct trace *t, struct machine *m, uint32_t address, unsigned bytes, bool write,
                    uint32_t value)
{
    char name[REGISTER_NAME_MAX];
    if (!t->registers) {
        return;
    }
    register_name(m, address, name);
    if (wants(t, KIND_REGISTER, name)) {
        begin_line(t, m);
        fprintf(t->file, "%s %s = 0x%0*x\n", write ? "write" : "read ", name, (int)(2 * bytes), value);
    }
}
