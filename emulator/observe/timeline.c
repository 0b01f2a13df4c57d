#include "observe/timeline.h"

#include <stdarg.h>
#include <string.h>

enum {
    TRACK_INTERRUPTS = 100, /* plus the exception's number */
    TRACK_TASKS = 1000,     /* plus the function's index */
    TEXT_MAX = 400,
};

static const char task_prefix[] = "kernel_run_"; /* kernel/table.h makes one function a software task */

/* The log may hold any bytes; JSON is UTF-8. */
static void write_text(FILE *file, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\') {
            fputc('\\', file);
        }
        fputc(byte < 0x20 || byte >= 0x7F ? '?' : byte, file);
    }
}

static void write_name(FILE *file, const char *name)
{
    fputs("\"name\":\"", file);
    write_text(file, name);
    fputc('"', file);
}

/* Microseconds, exact to the picosecond. */
static void write_time(FILE *file, const char *key, vtime at)
{
    fprintf(file, ",\"%s\":%llu.%06llu", key, (unsigned long long)(at / VTIME_US(1)),
            (unsigned long long)(at % VTIME_US(1)));
}

static void begin_event(struct timeline *t, char phase, unsigned track)
{
    fprintf(t->file, ",\n{\"ph\":\"%c\",\"pid\":1,\"tid\":%u", phase, track);
}

static void name_track(struct timeline *t, unsigned track, const char *name)
{
    begin_event(t, 'M', track);
    fputs(",\"name\":\"thread_name\",\"args\":{", t->file);
    write_name(t->file, name);
    fputs("}}", t->file);
    begin_event(t, 'M', track);
    fprintf(t->file, ",\"name\":\"thread_sort_index\",\"args\":{\"sort_index\":%u}}", track);
}

void timeline_init(struct timeline *t, const struct functions *functions, FILE *file)
{
    static const char *const names[TIMELINE_FIXED_TRACKS] = {
        [TIMELINE_CORE] = "core",
        [TIMELINE_LOG] = "log",
        [TIMELINE_PINS] = "pins",
        [TIMELINE_FRAMES] = "frames",
    };
    *t = (struct timeline){.functions = functions, .file = file};
    fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n"
          "{\"ph\":\"M\",\"pid\":1,\"name\":\"process_name\",\"args\":{\"name\":\"virtual board\"}}",
          file);
    for (unsigned i = 1; i < TIMELINE_FIXED_TRACKS; i++) {
        name_track(t, i, names[i]);
    }
}

/* ---- Tracks with a beginning and an end ---- */

static bool first_time(uint8_t *bits, size_t index)
{
    bool first = !(bits[index / 8] >> index % 8 & 1);
    bits[index / 8] |= (uint8_t)(1u << index % 8);
    return first;
}

static void open_span(struct timeline *t, vtime at, unsigned track, const char *name)
{
    begin_event(t, 'B', track);
    write_time(t->file, "ts", at);
    fputc(',', t->file);
    write_name(t->file, name);
    fputc('}', t->file);
}

static void close_span(struct timeline *t, vtime at, unsigned track)
{
    begin_event(t, 'E', track);
    write_time(t->file, "ts", at);
    fputc('}', t->file);
}

static void open_interrupt(struct timeline *t, vtime at, unsigned exception, const char *handler)
{
    if (first_time(t->interrupts_named, exception)) {
        char name[TEXT_MAX];
        if (exception < EXCEPTION_IRQ0) {
            snprintf(name, sizeof name, "exception %u: %s", exception, handler);
        } else {
            snprintf(name, sizeof name, "interrupt %u: %s", exception - EXCEPTION_IRQ0, handler);
        }
        name_track(t, TRACK_INTERRUPTS + exception, name);
    }
    open_span(t, at, TRACK_INTERRUPTS + exception, handler);
}

/* NULL: the function is no task. */
static const char *task_name(const struct timeline *t, size_t function)
{
    const char *name = t->functions->list[function].name;
    bool task = function < TIMELINE_FUNCTIONS && strncmp(name, task_prefix, sizeof task_prefix - 1) == 0;
    return task ? name + sizeof task_prefix - 1 : NULL;
}

static void begin(void *context, struct machine *m, size_t function)
{
    struct timeline *t = context;
    const char *task = task_name(t, function);
    if (t->entering) {
        t->entering = false;
        open_interrupt(t, machine_now(m), t->entered[t->depth - 1], t->functions->list[function].name);
    }
    if (task == NULL) {
        return;
    }
    if (first_time(t->tasks_named, function)) {
        char name[TEXT_MAX];
        snprintf(name, sizeof name, "task %s", task);
        name_track(t, TRACK_TASKS + (unsigned)function, name);
    }
    open_span(t, machine_now(m), TRACK_TASKS + (unsigned)function, task);
}

static void end(void *context, struct machine *m, size_t function)
{
    struct timeline *t = context;
    if (task_name(t, function) != NULL) {
        close_span(t, machine_now(m), TRACK_TASKS + (unsigned)function);
    }
}

static void entered(void *context, struct machine *m, unsigned exception)
{
    struct timeline *t = context;
    (void)m;
    t->entered[t->depth++] = exception;
    t->entering = true;
}

static void left(void *context, struct machine *m, unsigned exception)
{
    struct timeline *t = context;
    t->depth--;
    close_span(t, machine_now(m), TRACK_INTERRUPTS + exception);
}

struct call_listener timeline_listener(struct timeline *t)
{
    return (struct call_listener){.context = t, .begin = begin, .end = end, .entered = entered, .left = left};
}

/* ---- The rest ---- */

void timeline_instant(struct timeline *t, vtime at, enum timeline_track track, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    begin_event(t, 'i', track);
    write_time(t->file, "ts", at);
    fputs(",\"s\":\"t\",", t->file);
    write_name(t->file, text);
    fputc('}', t->file);
}

void timeline_asleep(struct timeline *t, vtime from, vtime until)
{
    if (until > from) {
        begin_event(t, 'X', TIMELINE_CORE);
        write_time(t->file, "ts", from);
        write_time(t->file, "dur", until - from);
        fputs(",\"name\":\"asleep\"}", t->file);
    }
}

void timeline_finish(struct timeline *t)
{
    fputs("\n]}\n", t->file);
}
