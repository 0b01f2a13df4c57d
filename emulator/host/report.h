/*
 * Remarks of the machine about the firmware, folded: the same remark from the
 * same instruction is shown once and then counted. Notes tell of what happened
 * (the link came up) and are never folded.
 */
#ifndef EMULATOR_HOST_REPORT_H
#define EMULATOR_HOST_REPORT_H

#include "machine.h"

enum {
    REPORT_TEXT_MAX = 400,
    REPORTS_MAX = 1024, /* distinct remarks kept; more are only counted */
};

struct remark {
    enum report_level level;
    uint32_t pc;
    const char *format; /* identity, with pc; the machine's formats are literals */
    unsigned long count;
    char text[REPORT_TEXT_MAX];
};

struct reports {
    struct remark *remarks; /* REPORTS_MAX of them */
    size_t count;
    size_t latest; /* index that matched last: a loop repeats itself */
    unsigned long warnings;
    unsigned long errors;
    unsigned long unfolded; /* remarks beyond REPORTS_MAX */
};

/* False: out of memory. */
bool reports_init(struct reports *r);
void reports_free(struct reports *r);

/*
 * Takes a remark. Returns it when it is to be shown, its text formatted and
 * valid until the next call; NULL when it was only counted.
 */
const struct remark *reports_add(struct reports *r, enum report_level level, uint32_t pc, const char *format,
                                 va_list arguments);

const char *report_level_name(enum report_level level);

#endif
