#include "observe/timeline.h"

#include <stdarg.h>
#include <string.h>

#include "kernel/trace_events.h"

enum {
    TRACK_TRACED = 10,      /* plus the task's number */
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

static void name_track_at(struct timeline *t, unsigned track, unsigned sort_index, const char *name)
{
    begin_event(t, 'M', track);
    fputs(",\"name\":\"thread_name\",\"args\":{", t->file);
    write_name(t->file, name);
    fputs("}}", t->file);
    begin_event(t, 'M', track);
    fprintf(t->file, ",\"name\":\"thread_sort_index\",\"args\":{\"sort_index\":%u}}", sort_index);
}

static void name_track(struct timeline *t, unsigned track, const char *name)
{
    name_track_at(t, track, track, name);
}

static bool is_traced(const struct timeline *t)
{
    return t->tasks != NULL && t->tasks->traced;
}

/* The highest priority on top. */
static void name_tasks(struct timeline *t)
{
    for (unsigned i = 0; i <= TASK_IDLE; i++) {
        const struct task *task = &t->tasks->task[i];
        char name[TEXT_MAX];
        if (task->name != NULL) {
            snprintf(name, sizeof name, i == TASK_IDLE ? "%s" : "task %s, priority %u", task->name,
                     (unsigned)task->priority);
            name_track_at(t, TRACK_TRACED + i, TRACK_TRACED + TASK_LEVELS - (unsigned)task->priority, name);
        }
        t->preempted_by[i] = TIMELINE_NONE;
    }
}

void timeline_init(struct timeline *t, const struct functions *functions, const struct tasks *tasks,
                   FILE *file)
{
    static const char *const names[TIMELINE_FIXED_TRACKS] = {
        [TIMELINE_CORE] = "core",     [TIMELINE_LOG] = "log",     [TIMELINE_PINS] = "pins",
        [TIMELINE_FRAMES] = "frames", [TIMELINE_TIMER] = "timer",
    };
    *t = (struct timeline){.functions = functions, .tasks = tasks, .file = file};
    fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n"
          "{\"ph\":\"M\",\"pid\":1,\"name\":\"process_name\",\"args\":{\"name\":\"virtual board\"}}",
          file);
    for (unsigned i = 1; i < TIMELINE_FIXED_TRACKS; i++) {
        if (i != TIMELINE_TIMER || is_traced(t)) {
            name_track(t, i, names[i]);
        }
    }
    if (is_traced(t)) {
        name_tasks(t);
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

/* The format does not ask for the name, but speedscope does. */
static void close_span(struct timeline *t, vtime at, unsigned track, const char *name)
{
    begin_event(t, 'E', track);
    write_time(t->file, "ts", at);
    fputc(',', t->file);
    write_name(t->file, name);
    fputc('}', t->file);
}

/* Of an interrupt that is a hardware task; such a task has no other track, unless it is traced. */
static const char *hardware_task(const struct timeline *t, unsigned exception)
{
    for (size_t i = 0; t->tasks != NULL && !t->tasks->traced && i < TASKS_MAX; i++) {
        const struct task *task = &t->tasks->task[i];
        if (task->name != NULL && task->hardware && task->exception == exception) {
            return task->name;
        }
    }
    return NULL;
}

static void open_interrupt(struct timeline *t, vtime at, unsigned exception, const char *handler)
{
    if (first_time(t->interrupts_named, exception)) {
        char name[TEXT_MAX];
        const char *task = hardware_task(t, exception);
        if (exception < EXCEPTION_IRQ0) {
            snprintf(name, sizeof name, "exception %u: %s", exception, handler);
        } else if (task != NULL) {
            snprintf(name, sizeof name, "interrupt %u: %s, task %s", exception - EXCEPTION_IRQ0, handler,
                     task);
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
    bool task = !is_traced(t) && function < TIMELINE_FUNCTIONS &&
                strncmp(name, task_prefix, sizeof task_prefix - 1) == 0;
    return task ? name + sizeof task_prefix - 1 : NULL;
}

static void begin(void *context, struct machine *m, size_t function)
{
    struct timeline *t = context;
    const char *task = task_name(t, function);
    if (t->entering) {
        t->entering = false;
        t->handler[t->depth - 1] = t->functions->list[function].name;
        open_interrupt(t, machine_now(m), t->entered[t->depth - 1], t->handler[t->depth - 1]);
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
    const char *task = task_name(t, function);
    if (task != NULL) {
        close_span(t, machine_now(m), TRACK_TASKS + (unsigned)function, task);
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
    if (t->entering) { /* it ended before its first function was told of */
        t->entering = false;
        return;
    }
    close_span(t, machine_now(m), TRACK_INTERRUPTS + exception, t->handler[t->depth]);
}

struct call_listener timeline_listener(struct timeline *t)
{
    return (struct call_listener){.context = t, .begin = begin, .end = end, .entered = entered, .left = left};
}

/* ---- What the program tells of its tasks ---- */

typedef void write_span(struct timeline *t, vtime at, unsigned track, const char *name);

static const char *resource_name(const struct timeline *t, unsigned number)
{
    for (size_t i = 0; i < t->tasks->resource_count; i++) {
        const struct resource *resource = &t->tasks->resource[i];
        if (resource->kind == RESOURCE_LOCKED && resource->number == number) {
            return resource->name;
        }
    }
    return "?";
}

static void write_lock(struct timeline *t, vtime at, unsigned track, unsigned resource, write_span *write)
{
    char name[TEXT_MAX];
    snprintf(name, sizeof name, "lock %s", resource_name(t, resource));
    write(t, at, track, name);
}

static void write_preempted(struct timeline *t, vtime at, unsigned task, unsigned by, write_span *write)
{
    char name[TEXT_MAX];
    snprintf(name, sizeof name, "preempted by %s", t->tasks->task[by].name);
    write(t, at, TRACK_TRACED + task, name);
}

static struct timeline_run *top(struct timeline *t)
{
    return t->run_count > 0 ? &t->runs[t->run_count - 1] : NULL;
}

/* Where it stands what the running task does. */
static unsigned running_track(struct timeline *t)
{
    return TRACK_TRACED + (top(t) != NULL ? top(t)->task : TASK_IDLE);
}

/* An arrow leads through points of its number, each bound to the span around it. */
static void arrow_point(struct timeline *t, vtime at, char phase, unsigned track, unsigned number)
{
    if (number != 0) {
        begin_event(t, phase, track);
        write_time(t->file, "ts", at);
        fprintf(t->file, ",\"cat\":\"spawn\",\"name\":\"spawn\",\"id\":%u%s}", number,
                phase == 'f' ? ",\"bp\":\"e\"" : "");
    }
}

static void task_starts(struct timeline *t, vtime at, unsigned task)
{
    if (t->run_count == TIMELINE_RUNS) {
        return;
    }
    t->runs[t->run_count++] =
        (struct timeline_run){.task = (uint8_t)task, .preempted = t->preempted_by[task]};
    t->preempted_by[task] = TIMELINE_NONE;
    open_span(t, at, TRACK_TRACED + task, t->tasks->task[task].name);
    arrow_point(t, at, 'f', TRACK_TRACED + task, t->arrow[task]);
    t->arrow[task] = 0;
}

static void close_locks(struct timeline *t, vtime at, unsigned task, struct timeline_locks *locks)
{
    while (locks->count > 0) {
        write_lock(t, at, TRACK_TRACED + task, locks->resource[--locks->count], close_span);
    }
}

static void close_run(struct timeline *t, vtime at)
{
    struct timeline_run *run = &t->runs[--t->run_count];
    close_locks(t, at, run->task, &run->locks);
    close_span(t, at, TRACK_TRACED + run->task, t->tasks->task[run->task].name);
    if (run->preempted != TIMELINE_NONE) {
        write_preempted(t, at, run->preempted, run->task, close_span);
    }
}

static void task_ends(struct timeline *t, vtime at, unsigned task)
{
    if (top(t) != NULL && top(t)->task == task) {
        close_run(t, at);
    }
}

static void task_is_preempted(struct timeline *t, vtime at, unsigned task, unsigned by)
{
    if (t->preempted_by[by] != TIMELINE_NONE) {
        return; /* it has not started since: no word of the kernel's */
    }
    t->preempted_by[by] = (uint8_t)task;
    write_preempted(t, at, task, by, open_span);
}

static void lock_changes(struct timeline *t, vtime at, unsigned resource, bool taken)
{
    struct timeline_locks *locks = top(t) != NULL ? &top(t)->locks : &t->idle_locks;
    bool innermost = locks->count > 0 && locks->resource[locks->count - 1] == resource;
    if (taken && locks->count < TIMELINE_LOCKS) {
        locks->resource[locks->count++] = (uint8_t)resource;
        write_lock(t, at, running_track(t), resource, open_span);
    } else if (!taken && innermost) {
        locks->count--;
        write_lock(t, at, running_track(t), resource, close_span);
    }
}

static void task_is_spawned(struct timeline *t, vtime at, unsigned task)
{
    unsigned track = running_track(t);
    timeline_instant(t, at, track, "spawn %s", t->tasks->task[task].name);
    if (top(t) != NULL) {
        t->arrow[task] = ++t->arrows;
        arrow_point(t, at, 's', track, t->arrow[task]);
    }
}

void timeline_traced(struct timeline *t, vtime at, uint32_t word)
{
    unsigned whom = word & 0xFF, other = word >> 8 & 0xFF;
    enum kernel_trace_event event = word >> 24;
    if (event == KERNEL_TRACE_LOCK || event == KERNEL_TRACE_UNLOCK) {
        lock_changes(t, at, whom, event == KERNEL_TRACE_LOCK);
        return;
    }
    if (whom > TASK_IDLE || other > TASK_IDLE || t->tasks->task[whom].name == NULL ||
        (event == KERNEL_TRACE_PREEMPT && t->tasks->task[other].name == NULL)) {
        return; /* no word of the kernel's */
    }
    switch (event) {
    case KERNEL_TRACE_START: task_starts(t, at, whom); break;
    case KERNEL_TRACE_END: task_ends(t, at, whom); break;
    case KERNEL_TRACE_PREEMPT: task_is_preempted(t, at, whom, other); break;
    case KERNEL_TRACE_SPAWN: task_is_spawned(t, at, whom); break;
    case KERNEL_TRACE_TIMER:
        timeline_instant(t, at, TIMELINE_TIMER, "time of %s", t->tasks->task[whom].name);
        break;
    default: break;
    }
}

void timeline_close_runs(struct timeline *t, vtime at)
{
    if (!is_traced(t)) {
        return;
    }
    for (unsigned i = 0; i <= TASK_IDLE; i++) {
        if (t->preempted_by[i] != TIMELINE_NONE) { /* it was about to start */
            write_preempted(t, at, t->preempted_by[i], i, close_span);
            t->preempted_by[i] = TIMELINE_NONE;
        }
        t->arrow[i] = 0;
    }
    while (t->run_count > 0) {
        close_run(t, at);
    }
    close_locks(t, at, TASK_IDLE, &t->idle_locks);
}

/* ---- The rest ---- */

void timeline_instant(struct timeline *t, vtime at, unsigned track, const char *format, ...)
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
