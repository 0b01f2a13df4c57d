#include "host/script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/duration.h"

enum { SOURCE_MAX = 1 << 20 };

/* ---- Parsing ---- */

struct parser {
    const char *name;
    unsigned line;
    char *p; /* in the line, which ends with NUL */
    char *error;
    size_t error_size;
};

static bool fault(struct parser *x, const char *what)
{
    snprintf(x->error, x->error_size, "%s:%u: %s", x->name, x->line, what);
    return false;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void skip_space(struct parser *x)
{
    while (is_space(*x->p)) {
        x->p++;
    }
}

static bool at_end(struct parser *x)
{
    skip_space(x);
    return *x->p == '\0' || *x->p == '#';
}

/* The next word, cut out of the line in place; "" at the end. */
static const char *take_word(struct parser *x)
{
    if (at_end(x)) {
        return "";
    }
    char *word = x->p;
    while (*x->p != '\0' && !is_space(*x->p)) {
        x->p++;
    }
    if (*x->p != '\0') {
        *x->p++ = '\0';
    }
    return word;
}

/* A text in quotes, unescaped in place. NULL: there is none. */
static const char *take_text(struct parser *x)
{
    skip_space(x);
    if (*x->p != '"') {
        return NULL;
    }
    char *text = ++x->p;
    char *to = text;
    while (*x->p != '"') {
        if (*x->p == '\\' && (x->p[1] == '"' || x->p[1] == '\\')) {
            x->p++;
        }
        if (*x->p == '\0') {
            return NULL;
        }
        *to++ = *x->p++;
    }
    x->p++;
    *to = '\0';
    return text;
}

static bool take_duration(struct parser *x, const char *word, vtime *duration)
{
    if (duration_parse(word, 0, duration)) {
        return true;
    }
    char what[160];
    snprintf(what, sizeof what, "'%.60s' is not a time: a number with a unit, as in 2.5s, 100ms or 20us",
             word);
    return fault(x, what);
}

static const struct {
    const char *first;
    const char *second;
    enum action_kind kind;
} phrases[] = {
    {"cable", "in", ACTION_CABLE_IN},
    {"cable", "out", ACTION_CABLE_OUT},
    {"button", "press", ACTION_BUTTON_PRESS},
    {"button", "down", ACTION_BUTTON_DOWN},
    {"button", "up", ACTION_BUTTON_UP},
    {"reset", NULL, ACTION_RESET},
    {"power-cycle", NULL, ACTION_POWER_CYCLE},
    {"power-cut", NULL, ACTION_POWER_CUT},
    {"power-on", NULL, ACTION_POWER_ON},
    {"interrupt", NULL, ACTION_INTERRUPT},
    {"uart", NULL, ACTION_UART},
    {"drop", "frame", ACTION_DROP},
    {"duplicate", "frame", ACTION_DUPLICATE},
    {"corrupt", "frame", ACTION_CORRUPT},
    {"dump", NULL, ACTION_DUMP},
    {"save-snapshot", NULL, ACTION_SAVE_SNAPSHOT},
    {"stop", NULL, ACTION_STOP},
    {"print", NULL, ACTION_PRINT},
};

/* Is the next word this one? Then it is taken. */
static bool take_keyword(struct parser *x, const char *keyword)
{
    size_t length = strlen(keyword);
    skip_space(x);
    if (strncmp(x->p, keyword, length) != 0 || !is_space(x->p[length])) {
        return false;
    }
    x->p += length;
    return true;
}

static bool take_number(struct parser *x, unsigned low, unsigned high, unsigned *number, const char *what)
{
    const char *word = take_word(x);
    char *end;
    unsigned long value = strtoul(word, &end, 10);
    if (*word < '0' || *word > '9' || *end != '\0' || value < low || value > high) {
        return fault(x, what);
    }
    *number = (unsigned)value;
    return true;
}

static bool take_status(struct parser *x, struct action *action)
{
    unsigned status = 0;
    bool good = at_end(x) || take_number(x, 0, 255, &status, "stop takes an exit status from 0 to 255");
    action->status = (int)status;
    return good;
}

static bool take_quoted(struct parser *x, struct action *action, const char *what)
{
    action->text = take_text(x);
    return (action->text != NULL && *action->text != '\0') || fault(x, what);
}

static bool take_frame(struct parser *x, struct action *action)
{
    enum { FRAMES_MAX = 1000000, BYTES_MAX = 2047 };
    unsigned byte;
    action->byte = -1;
    if (!take_number(x, 1, FRAMES_MAX, &action->number,
                     "frame takes a number from 1, which counts from this step on, as in drop frame 3 in")) {
        return false;
    }
    const char *direction = take_word(x);
    action->outward = strcmp(direction, "out") == 0;
    if (!action->outward && strcmp(direction, "in") != 0) {
        return fault(x, "a frame comes in or goes out: drop frame 3 in, drop frame 3 out");
    }
    if (action->kind != ACTION_CORRUPT || at_end(x) || !take_keyword(x, "at")) {
        return true;
    }
    if (!take_number(x, 0, BYTES_MAX, &byte,
                     "at takes the number of a byte, as in corrupt frame 3 in at 40")) {
        return false;
    }
    action->byte = (int)byte;
    return true;
}

static bool take_operand(struct parser *x, struct action *action)
{
    switch (action->kind) {
    case ACTION_STOP: return take_status(x, action);
    case ACTION_PRINT: return take_quoted(x, action, "print takes a text in quotes, as in print \"done\"");
    case ACTION_UART: return take_quoted(x, action, "uart takes a text in quotes, as in uart \"help\"");
    case ACTION_SAVE_SNAPSHOT:
        return take_quoted(x, action,
                           "save-snapshot takes a file name in quotes, as in save-snapshot \"run.snapshot\"");
    case ACTION_INTERRUPT:
        return take_number(x, 0, CPU_IRQS - 1, &action->number,
                           "interrupt takes a device's interrupt from 0 to 90 (RM0090 table 62)");
    case ACTION_DUMP:
        action->text = take_word(x);
        return *action->text != '\0' || fault(x, "dump takes the name of a variable, as in dump uptime");
    case ACTION_DROP:
    case ACTION_DUPLICATE:
    case ACTION_CORRUPT: return take_frame(x, action);
    default: return true;
    }
}

static bool take_action(struct parser *x, struct action *action)
{
    const char *first = take_word(x);
    const char *second = NULL;
    for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++) {
        if (strcmp(first, phrases[i].first) != 0) {
            continue;
        }
        if (phrases[i].second != NULL && second == NULL) {
            second = take_word(x);
        }
        if (phrases[i].second == NULL || strcmp(second, phrases[i].second) == 0) {
            action->kind = phrases[i].kind;
            return take_operand(x, action);
        }
    }
    char what[400];
    snprintf(
        what, sizeof what,
        "unknown action '%.40s%s%.40s': cable in, cable out, button press, button down, button up, reset, "
        "power-cycle, power-cut, power-on, interrupt N, uart \"TEXT\", drop, duplicate or corrupt frame N in "
        "or "
        "out, dump NAME, save-snapshot \"FILE\", stop [STATUS] or print \"TEXT\"",
        first, second != NULL ? " " : "", second != NULL ? second : "");
    return fault(x, what);
}

static bool parse_at(struct parser *x, struct script_step *step)
{
    const char *word = take_word(x);
    step->trigger = TRIGGER_AT;
    if (*word == '+') {
        step->trigger = TRIGGER_DELAY;
        word++;
    }
    return take_duration(x, word, &step->time) && take_action(x, &step->action);
}

static bool parse_on(struct parser *x, struct script_step *step)
{
    step->trigger = TRIGGER_LINE;
    step->text = take_text(x);
    if (step->text == NULL || *step->text == '\0') {
        return fault(x, "on takes a text in quotes, as in on \"link up\" cable out");
    }
    if (take_keyword(x, "within") && !take_duration(x, take_word(x), &step->within)) {
        return false;
    }
    if (take_keyword(x, "after") && !take_duration(x, take_word(x), &step->after)) {
        return false;
    }
    return take_action(x, &step->action);
}

/* Only waits; that the line comes is all that is asked. */
static bool parse_expect(struct parser *x, struct script_step *step)
{
    static const char usage[] = "expect takes a text and a limit, as in expect \"link up\" within 5s";
    step->trigger = TRIGGER_LINE;
    step->text = take_text(x);
    if (step->text == NULL || *step->text == '\0' || !take_keyword(x, "within")) {
        return fault(x, usage);
    }
    return take_duration(x, take_word(x), &step->within);
}

/* Does an action stand here, without a trigger? */
static bool at_action(const struct parser *x)
{
    size_t length = strcspn(x->p, " \t\r");
    for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++) {
        if (strlen(phrases[i].first) == length && strncmp(x->p, phrases[i].first, length) == 0) {
            return true;
        }
    }
    return false;
}

static bool parse_step(struct parser *x, struct script_step *step)
{
    if (at_action(x)) {
        step->trigger = TRIGGER_DELAY;
        return take_action(x, &step->action);
    }
    const char *word = take_word(x);
    if (strcmp(word, "at") == 0) {
        return parse_at(x, step);
    }
    if (strcmp(word, "on") == 0) {
        return parse_on(x, step);
    }
    if (strcmp(word, "expect") == 0) {
        return parse_expect(x, step);
    }
    char what[160];
    snprintf(what, sizeof what, "a line begins with at, on, expect or an action, not with '%.60s'", word);
    return fault(x, what);
}

/* One line; a line without a step leaves *any false. */
static bool parse_line(struct parser *x, struct script_step *step, bool *any)
{
    *step = (struct script_step){.line = x->line, .within = VTIME_NEVER};
    *any = !at_end(x);
    if (!*any) {
        return true;
    }
    bool ok = parse_step(x, step);
    if (ok && !at_end(x)) {
        char what[160];
        snprintf(what, sizeof what, "'%.60s' follows the action: one action a line", x->p);
        return fault(x, what);
    }
    return ok;
}

static size_t count_lines(const char *source)
{
    size_t lines = 1;
    for (; *source != '\0'; source++) {
        lines += *source == '\n';
    }
    return lines;
}

static bool parse_lines(struct script *s, struct parser *x)
{
    char *line = s->source;
    while (line != NULL) {
        char *end = strchr(line, '\n');
        if (end != NULL) {
            *end = '\0';
        }
        bool any;
        x->line++;
        x->p = line;
        if (!parse_line(x, &s->steps[s->count], &any)) {
            return false;
        }
        s->count += any;
        line = end != NULL ? end + 1 : NULL;
    }
    return true;
}

bool script_parse(struct script *s, const char *name, const char *source, char *error, size_t error_size)
{
    struct parser x = {.name = name, .error = error, .error_size = error_size};
    *s = (struct script){.due = VTIME_NEVER};
    s->source = strdup(source);
    s->steps = calloc(count_lines(source), sizeof *s->steps);
    if (s->source == NULL || s->steps == NULL) {
        script_close(s);
        return fault(&x, "out of memory");
    }
    if (!parse_lines(s, &x)) {
        script_close(s);
        return false;
    }
    return true;
}

bool script_open(struct script *s, const char *path, char *error, size_t error_size)
{
    *s = (struct script){.due = VTIME_NEVER};
    FILE *file = fopen(path, "r");
    char *source = malloc(SOURCE_MAX);
    size_t length = file != NULL && source != NULL ? fread(source, 1, SOURCE_MAX - 1, file) : 0;
    bool good = false;
    if (file == NULL || source == NULL || ferror(file)) {
        snprintf(error, error_size, "cannot read the script %s: %s", path, strerror(errno));
    } else if (length == SOURCE_MAX - 1 || memchr(source, '\0', length) != NULL) {
        snprintf(error, error_size, "%s is not a script: it is a text file of less than 1 MB", path);
    } else {
        source[length] = '\0';
        good = script_parse(s, path, source, error, error_size);
    }
    if (file != NULL) {
        fclose(file);
    }
    free(source);
    return good;
}

void script_close(struct script *s)
{
    free(s->source);
    free(s->steps);
    *s = (struct script){.due = VTIME_NEVER};
}

/* ---- Running ---- */

static vtime later(vtime a, vtime b)
{
    return a > VTIME_NEVER - b ? VTIME_NEVER : a + b;
}

/* The step `next` begins to be waited for. */
static void await(struct script *s, vtime now)
{
    s->matched = false;
    s->due = VTIME_NEVER;
    if (s->next == s->count) {
        return;
    }
    const struct script_step *step = &s->steps[s->next];
    switch (step->trigger) {
    case TRIGGER_AT: s->due = step->time > now ? step->time : now; break;
    case TRIGGER_DELAY: s->due = later(now, step->time); break;
    case TRIGGER_LINE: s->due = later(now, step->within); break;
    }
}

void script_begin(struct script *s, vtime now)
{
    s->next = 0;
    await(s, now);
}

bool script_line(struct script *s, const char *line, vtime now)
{
    if (s->next == s->count || s->matched) {
        return false;
    }
    const struct script_step *step = &s->steps[s->next];
    if (step->trigger != TRIGGER_LINE || strstr(line, step->text) == NULL) {
        return false;
    }
    s->matched = true;
    s->due = later(now, step->after);
    return true;
}

enum script_result script_due(struct script *s, vtime now, struct action *action)
{
    if (s->next == s->count || now < s->due) {
        return SCRIPT_WAIT;
    }
    const struct script_step *step = &s->steps[s->next];
    if (step->trigger == TRIGGER_LINE && !s->matched) {
        return SCRIPT_EXPIRED;
    }
    *action = step->action;
    s->next++;
    await(s, now);
    return SCRIPT_ACT;
}
