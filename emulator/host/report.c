#include "host/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool reports_init(struct reports *r)
{
    /* The last one is scratch, for what is shown and not kept. */
    *r = (struct reports){.remarks = calloc(REPORTS_MAX + 1, sizeof(struct remark))};
    return r->remarks != NULL;
}

void reports_free(struct reports *r)
{
    free(r->remarks);
    *r = (struct reports){0};
}

const char *report_level_name(enum report_level level)
{
    switch (level) {
    case REPORT_NOTE: return "note";
    case REPORT_WARNING: return "warning";
    case REPORT_ERROR: return "error";
    }
    return "remark";
}

/* From one instruction the format is enough; a remark of no instruction's is known by its whole text. */
static bool same(const struct remark *a, const struct remark *b)
{
    return a->level == b->level && a->pc == b->pc &&
           (a->format == b->format || strcmp(a->format, b->format) == 0) &&
           (a->pc != 0 || strcmp(a->text, b->text) == 0);
}

static struct remark *find(struct reports *r, const struct remark *wanted)
{
    if (r->latest < r->count && same(&r->remarks[r->latest], wanted)) {
        return &r->remarks[r->latest];
    }
    for (size_t i = 0; i < r->count; i++) {
        if (same(&r->remarks[i], wanted)) {
            r->latest = i;
            return &r->remarks[i];
        }
    }
    return NULL;
}

static void count_level(struct reports *r, enum report_level level)
{
    r->warnings += level == REPORT_WARNING;
    r->errors += level == REPORT_ERROR;
}

const struct remark *reports_add(struct reports *r, enum report_level level, uint32_t pc, const char *format,
                                 va_list arguments)
{
    struct remark *scratch = &r->remarks[REPORTS_MAX];
    *scratch = (struct remark){.level = level, .pc = pc, .format = format, .count = 1};
    count_level(r, level);
    struct remark *known = pc != 0 && level != REPORT_NOTE ? find(r, scratch) : NULL;
    if (known == NULL) {
        vsnprintf(scratch->text, sizeof scratch->text, format, arguments);
        known = pc == 0 && level != REPORT_NOTE ? find(r, scratch) : NULL;
    }
    if (known != NULL) {
        known->count++;
        return NULL;
    }
    if (level == REPORT_NOTE) {
        return scratch;
    }
    if (r->count == REPORTS_MAX) {
        r->unfolded++;
        return NULL;
    }
    r->latest = r->count;
    r->remarks[r->count] = *scratch;
    return &r->remarks[r->count++];
}
