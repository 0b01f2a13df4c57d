#include "observe/observers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/trace_events.h"
#include "observe/coverage.h"
#include "observe/profile.h"
#include "observe/timeline.h"
#include "observe/trace.h"

/* A file that is opened at the beginning, so that a bad name is told at once. */
struct output {
    FILE *file; /* NULL: not asked for */
    char *name;
    bool failed;
};

struct observers {
    struct machine *machine;
    const struct elf *elf;
    struct symbols *symbols;
    struct functions functions;
    struct calls calls;
    struct cpu_observer core;

    struct output folded;
    struct output flamegraph;
    struct profile profile;
    struct output tracefile; /* lcov's word for a coverage report */
    struct coverage coverage;
    struct output log;
    struct trace trace;
    struct output trace_events;
    struct timeline timeline;
    struct tasks tasks;
    bool traced; /* the program tells the timeline of its tasks */
};

/* ---- What the core tells ---- */

static void executed(void *context, struct machine *m, const struct op *op, const struct op *next,
                     bool skipped)
{
    struct observers *o = context;
    if (o->tracefile.file != NULL) {
        coverage_executed(&o->coverage, op, next, skipped);
    }
    calls_executed(&o->calls, m, op, next);
}

static void entered(void *context, struct machine *m, unsigned exception, uint32_t handler)
{
    struct observers *o = context;
    calls_entered(&o->calls, m, exception, handler);
}

static void left(void *context, struct machine *m)
{
    struct observers *o = context;
    calls_left(&o->calls, m);
}

static void accessed(void *context, struct machine *m, uint32_t address, unsigned bytes, bool write,
                     uint32_t value)
{
    struct observers *o = context;
    if (o->log.file != NULL) {
        trace_accessed(&o->trace, m, address, bytes, write, value);
    }
    if (o->traced && address == KERNEL_TRACE_ITM_ADDRESS && write && bytes == 4) {
        timeline_traced(&o->timeline, machine_now(m), value);
    }
}

static void was_reset(void *context, struct machine *m, uint32_t start)
{
    struct observers *o = context;
    if (o->traced) {
        timeline_close_runs(&o->timeline, machine_now(m));
    }
    calls_reset(&o->calls, m, start);
}

/* ---- What the host hears ---- */

void observers_line(struct observers *o, const char *line)
{
    if (o != NULL && o->trace_events.file != NULL) {
        timeline_instant(&o->timeline, machine_now(o->machine), TIMELINE_LOG, "%s", line);
    }
}

void observers_pin(struct observers *o, unsigned port, unsigned pin, bool level)
{
    if (o != NULL && o->trace_events.file != NULL) {
        timeline_instant(&o->timeline, machine_now(o->machine), TIMELINE_PINS, "P%c%u %s", 'A' + (int)port,
                         pin, level ? "high" : "low");
    }
}

void observers_frame(struct observers *o, bool out, size_t length)
{
    if (o != NULL && o->trace_events.file != NULL) {
        timeline_instant(&o->timeline, machine_now(o->machine), TIMELINE_FRAMES, "%s, %zu bytes",
                         out ? "out" : "in", length);
    }
}

void observers_slept(struct observers *o, vtime from, vtime until)
{
    if (o != NULL && o->trace_events.file != NULL) {
        timeline_asleep(&o->timeline, from, until);
    }
}

/* ---- Opening ---- */

static bool open_output(struct output *output, const char *name, const char *suffix, char *error, size_t size)
{
    size_t length = strlen(name) + strlen(suffix) + 1;
    output->name = malloc(length);
    if (output->name == NULL) {
        snprintf(error, size, "out of memory");
        return false;
    }
    snprintf(output->name, length, "%s%s", name, suffix);
    output->file = fopen(output->name, "w");
    if (output->file == NULL) {
        snprintf(error, size, "cannot write %s: %s", output->name, strerror(errno));
    }
    return output->file != NULL;
}

static bool open_profile(struct observers *o, const char *name, char *error, size_t size)
{
    if (!open_output(&o->folded, name, "", error, size) ||
        !open_output(&o->flamegraph, name, ".svg", error, size)) {
        return false;
    }
    if (!profile_init(&o->profile, &o->functions, o->machine)) {
        snprintf(error, size, "out of memory");
        return false;
    }
    const struct call_listener listener = profile_listener(&o->profile);
    calls_listen(&o->calls, &listener);
    return true;
}

static bool open_timeline(struct observers *o, const char *name, char *error, size_t size)
{
    if (!open_output(&o->trace_events, name, "", error, size)) {
        return false;
    }
    bool described = tasks_read(&o->tasks, o->elf);
    o->traced = described && o->tasks.traced;
    timeline_init(&o->timeline, &o->functions, described ? &o->tasks : NULL, o->trace_events.file);
    const struct call_listener listener = timeline_listener(&o->timeline);
    calls_listen(&o->calls, &listener);
    return true;
}

static bool open_coverage(struct observers *o, const char *name, char *error, size_t size)
{
    if (!open_output(&o->tracefile, name, "", error, size)) {
        return false;
    }
    if (!coverage_init(&o->coverage)) {
        snprintf(error, size, "out of memory");
        return false;
    }
    return true;
}

static bool open_trace(struct observers *o, const char *name, const char *filter, char *error, size_t size)
{
    if (!open_output(&o->log, name, "", error, size) ||
        !trace_init(&o->trace, &o->functions, filter, o->log.file, error, size)) {
        return false;
    }
    const struct call_listener listener = trace_listener(&o->trace);
    calls_listen(&o->calls, &listener);
    return true;
}

/* In the order in which they are told of what happens. */
static bool open_all(struct observers *o, const struct options *options, char *error, size_t size)
{
    return (options->profile == NULL || open_profile(o, options->profile, error, size)) &&
           (options->coverage == NULL || open_coverage(o, options->coverage, error, size)) &&
           (options->trace == NULL || open_trace(o, options->trace, options->trace_filter, error, size)) &&
           (options->timeline == NULL || open_timeline(o, options->timeline, error, size));
}

static bool any_asked_for(const struct options *options)
{
    return options->profile != NULL || options->coverage != NULL || options->trace != NULL ||
           options->timeline != NULL;
}

/* ---- Closing ---- */

static struct output *output_at(struct observers *o, size_t i)
{
    struct output *const outputs[] = {&o->folded, &o->flamegraph, &o->tracefile, &o->log, &o->trace_events};
    return i < sizeof outputs / sizeof outputs[0] ? outputs[i] : NULL;
}

static bool close_output(struct output *output)
{
    bool good = true;
    if (output->file != NULL) {
        good = !ferror(output->file) && !output->failed;
        good = fclose(output->file) == 0 && good;
        output->file = NULL;
    }
    return good;
}

static void release(struct observers *o)
{
    for (size_t i = 0; output_at(o, i) != NULL; i++) {
        (void)close_output(output_at(o, i));
        free(output_at(o, i)->name);
    }
    profile_free(&o->profile);
    coverage_free(&o->coverage);
    trace_free(&o->trace);
    functions_free(&o->functions);
    free(o);
}

static void write_all(struct observers *o)
{
    if (o->folded.file != NULL) {
        profile_settle(&o->profile, o->machine);
        o->folded.failed = !profile_write(&o->profile, o->folded.file);
        o->flamegraph.failed = !flamegraph_write(&o->profile, o->folded.name, o->flamegraph.file);
    }
    if (o->tracefile.file != NULL) {
        o->tracefile.failed = !coverage_write(&o->coverage, o->elf, &o->functions, symbols_debug(o->symbols),
                                              o->machine->flash, o->tracefile.file);
    }
    if (o->trace_events.file != NULL) {
        timeline_close_runs(&o->timeline, machine_now(o->machine));
        timeline_finish(&o->timeline);
    }
}

bool observers_close(struct observers *o, char *error, size_t error_size)
{
    bool good = true;
    if (o == NULL) {
        return true;
    }
    calls_finish(&o->calls, o->machine);
    cpu_observe(o->machine, NULL);
    write_all(o);
    for (size_t i = 0; output_at(o, i) != NULL; i++) {
        if (!close_output(output_at(o, i))) {
            snprintf(error, error_size, "writing %s failed: it is not complete", output_at(o, i)->name);
            good = false;
        }
    }
    release(o);
    return good;
}

/* ---- Opening as a whole ---- */

bool observers_open(struct observers **observers, const struct options *options, const struct elf *elf,
                    struct symbols *symbols, struct machine *m, char *error, size_t error_size)
{
    *observers = NULL;
    if (options->trace_filter != NULL && options->trace == NULL) {
        snprintf(error, error_size, "--trace-filter without --trace: give the file to write as well");
        return false;
    }
    if (!any_asked_for(options)) {
        return true;
    }
    struct observers *o = calloc(1, sizeof *o);
    if (o == NULL || !functions_init(&o->functions, elf)) {
        snprintf(error, error_size, "out of memory");
        free(o);
        return false;
    }
    o->machine = m;
    o->elf = elf;
    o->symbols = symbols;
    calls_init(&o->calls, &o->functions);
    if (!open_all(o, options, error, error_size)) {
        release(o);
        return false;
    }
    o->core = (struct cpu_observer){.context = o,
                                    .executed = executed,
                                    .entered = entered,
                                    .left = left,
                                    .reset = was_reset,
                                    .accessed = o->log.file != NULL || o->traced ? accessed : NULL};
    cpu_observe(m, &o->core);
    *observers = o;
    return true;
}
