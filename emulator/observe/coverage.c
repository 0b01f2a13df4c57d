#include "observe/coverage.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/engine.h"
#include "observe/branches.h"

bool coverage_init(struct coverage *c)
{
    *c = (struct coverage){.passed = calloc(FLASH_SIZE / 2, sizeof *c->passed),
                           .acted = calloc(FLASH_SIZE / 2, sizeof *c->acted)};
    return c->passed != NULL && c->acted != NULL;
}

void coverage_free(struct coverage *c)
{
    free(c->passed);
    free(c->acted);
    *c = (struct coverage){0};
}

static bool in_flash(uint32_t address, size_t *index)
{
    *index = (address - FLASH_BASE) / 2;
    return address - FLASH_BASE < FLASH_SIZE;
}

void coverage_executed(struct coverage *c, const struct op *op, const struct op *next, bool skipped)
{
    size_t index;
    if (in_flash(op->pc, &index)) {
        c->passed[index]++;
        c->acted[index] += branch_is_conditional(op->code, op->length) ? next != op + op->length : !skipped;
    }
}

/* ---- Places in the source ---- */

/* A row of the line table: where a line's instructions begin. */
struct row {
    uint32_t address;
    bool end; /* of a sequence: what follows belongs to nobody */
    size_t order;
    const char *file;
    int line;
};

struct place {
    const char *file;
    int line;
    uint32_t address;
    uint64_t passed, acted; /* for a line and a function, passed only */
    const char *name;       /* of a function */
};

struct places {
    struct place *list;
    size_t count, room;
};

struct report {
    const struct coverage *coverage;
    struct row *rows;
    size_t row_count, row_room;
    struct places lines, branches, functions;
    bool failed;
};

static void *grow(struct report *r, void *list, size_t count, size_t *room, size_t size)
{
    if (count < *room) {
        return list;
    }
    size_t wanted = *room > 0 ? 2 * *room : 1024;
    void *more = realloc(list, wanted * size);
    if (more == NULL) {
        r->failed = true;
        return list;
    }
    *room = wanted;
    return more;
}

static void add_row(struct report *r, struct row row)
{
    r->rows = grow(r, r->rows, r->row_count, &r->row_room, sizeof *r->rows);
    if (!r->failed) {
        row.order = r->row_count;
        r->rows[r->row_count++] = row;
    }
}

static void add_place(struct report *r, struct places *places, struct place place)
{
    places->list = grow(r, places->list, places->count, &places->room, sizeof *places->list);
    if (!r->failed) {
        places->list[places->count++] = place;
    }
}

static int by_address(const void *left, const void *right)
{
    const struct row *a = left, *b = right;
    if (a->address != b->address) {
        return a->address < b->address ? -1 : 1;
    }
    if (a->end != b->end) {
        return a->end ? -1 : 1;
    }
    return a->order < b->order ? -1 : 1;
}

static int by_line(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    int files = strcmp(a->file, b->file);
    if (files != 0) {
        return files;
    }
    if (a->line != b->line) {
        return a->line < b->line ? -1 : 1;
    }
    return a->address < b->address ? -1 : a->address > b->address;
}

static void read_unit(struct report *r, Dwarf_Die *unit)
{
    Dwarf_Lines *lines;
    size_t count;
    if (dwarf_getsrclines(unit, &lines, &count) != 0) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        Dwarf_Line *line = dwarf_onesrcline(lines, i);
        Dwarf_Addr address;
        bool end;
        int number;
        const char *file = dwarf_linesrc(line, NULL, NULL);
        /* Without an absolute path it is a library's, built elsewhere. */
        if (file != NULL && *file == '/' && dwarf_lineaddr(line, &address) == 0 &&
            dwarf_lineendsequence(line, &end) == 0 && dwarf_lineno(line, &number) == 0 &&
            address - FLASH_BASE < FLASH_SIZE) {
            add_row(r, (struct row){.address = (uint32_t)address, .end = end, .file = file, .line = number});
        }
    }
}

static void read_rows(struct report *r, Dwarf *debug)
{
    Dwarf_CU *cu = NULL;
    Dwarf_Die unit;
    uint8_t type;
    while (dwarf_get_units(debug, cu, &cu, NULL, &type, &unit, NULL) == 0) {
        if (type == DW_UT_compile || type == DW_UT_partial) {
            read_unit(r, &unit);
        }
    }
    if (r->row_count > 0) {
        qsort(r->rows, r->row_count, sizeof *r->rows, by_address);
    }
}

/* The row that covers an address; NULL: none does. */
static const struct row *row_of(const struct report *r, uint32_t address)
{
    size_t low = 0, high = r->row_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (r->rows[middle].address <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low > 0 && !r->rows[low - 1].end && r->rows[low - 1].line > 0 ? &r->rows[low - 1] : NULL;
}

/* ---- Collecting ---- */

static void collect_lines(struct report *r)
{
    for (size_t i = 0; i < r->row_count; i++) {
        const struct row *row = &r->rows[i];
        size_t index;
        if (!row->end && row->line > 0 && in_flash(row->address, &index)) {
            add_place(r, &r->lines,
                      (struct place){.file = row->file,
                                     .line = row->line,
                                     .address = row->address,
                                     .passed = r->coverage->passed[index]});
        }
    }
}

static void collect_branch(void *context, uint32_t address)
{
    struct report *r = context;
    const struct row *row = row_of(r, address);
    size_t index;
    if (row != NULL && in_flash(address, &index)) {
        add_place(r, &r->branches,
                  (struct place){.file = row->file,
                                 .line = row->line,
                                 .address = address,
                                 .passed = r->coverage->passed[index],
                                 .acted = r->coverage->acted[index]});
    }
}

static void collect_functions(struct report *r, const struct functions *functions)
{
    for (size_t i = 1; i < functions->count; i++) {
        const struct function *f = &functions->list[i];
        const struct row *row = row_of(r, f->start);
        size_t index;
        if (row != NULL && in_flash(f->start, &index)) {
            add_place(r, &r->functions,
                      (struct place){.file = row->file,
                                     .line = row->line,
                                     .address = f->start,
                                     .passed = r->coverage->passed[index],
                                     .name = f->name});
        }
    }
}

static void sort(struct places *places)
{
    if (places->count > 0) {
        qsort(places->list, places->count, sizeof *places->list, by_line);
    }
}

/* One entry a line, with the largest count. The list is sorted. */
static void merge_lines(struct places *lines)
{
    size_t kept = 0;
    for (size_t i = 0; i < lines->count; i++) {
        struct place *last = kept > 0 ? &lines->list[kept - 1] : NULL;
        if (last != NULL && last->line == lines->list[i].line &&
            strcmp(last->file, lines->list[i].file) == 0) {
            last->passed = last->passed > lines->list[i].passed ? last->passed : lines->list[i].passed;
        } else {
            lines->list[kept++] = lines->list[i];
        }
    }
    lines->count = kept;
}

/* ---- Writing ---- */

/* How many from `first` on are of this file. */
static size_t run_of(const struct places *places, size_t first, const char *file)
{
    size_t end = first;
    while (end < places->count && strcmp(places->list[end].file, file) == 0) {
        end++;
    }
    return end - first;
}

static void write_functions(FILE *file, const struct place *list, size_t count)
{
    size_t hit = 0;
    for (size_t i = 0; i < count; i++) {
        fprintf(file, "FN:%d,%s\n", list[i].line, list[i].name);
    }
    for (size_t i = 0; i < count; i++) {
        fprintf(file, "FNDA:%llu,%s\n", (unsigned long long)list[i].passed, list[i].name);
        hit += list[i].passed > 0;
    }
    fprintf(file, "FNF:%zu\nFNH:%zu\n", count, hit);
}

/* Two ways each; "-" where control never came. */
static void write_branches(FILE *file, const struct place *list, size_t count)
{
    size_t hit = 0;
    unsigned block = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned long long ways[2] = {list[i].acted, list[i].passed - list[i].acted};
        block = i > 0 && list[i - 1].line == list[i].line ? block + 1 : 0;
        for (unsigned way = 0; way < 2; way++) {
            if (list[i].passed == 0) {
                fprintf(file, "BRDA:%d,%u,%u,-\n", list[i].line, block, way);
            } else {
                fprintf(file, "BRDA:%d,%u,%u,%llu\n", list[i].line, block, way, ways[way]);
            }
            hit += ways[way] > 0;
        }
    }
    fprintf(file, "BRF:%zu\nBRH:%zu\n", 2 * count, hit);
}

static void write_lines(FILE *file, const struct place *list, size_t count)
{
    size_t hit = 0;
    for (size_t i = 0; i < count; i++) {
        fprintf(file, "DA:%d,%llu\n", list[i].line, (unsigned long long)list[i].passed);
        hit += list[i].passed > 0;
    }
    fprintf(file, "LF:%zu\nLH:%zu\n", count, hit);
}

/* All lists are sorted by file; each file with code has lines. */
static void write_report(const struct report *r, FILE *file)
{
    size_t line = 0, branch = 0, function = 0;
    fputs("TN:\n", file);
    while (line < r->lines.count) {
        const char *name = r->lines.list[line].file;
        size_t lines = run_of(&r->lines, line, name);
        size_t branches = run_of(&r->branches, branch, name);
        size_t functions = run_of(&r->functions, function, name);
        fprintf(file, "SF:%s\n", name);
        write_functions(file, r->functions.list + function, functions);
        write_branches(file, r->branches.list + branch, branches);
        write_lines(file, r->lines.list + line, lines);
        fputs("end_of_record\n", file);
        line += lines;
        branch += branches;
        function += functions;
    }
}

bool coverage_write(const struct coverage *c, const struct elf *elf, const struct functions *functions,
                    Dwarf *debug, const uint8_t *flash, FILE *file)
{
    struct report r = {.coverage = c};
    if (debug != NULL) {
        read_rows(&r, debug);
        collect_lines(&r);
        collect_functions(&r, functions);
        r.failed = !branches_find(elf, functions, flash, collect_branch, &r) || r.failed;
    }
    sort(&r.lines);
    merge_lines(&r.lines);
    sort(&r.branches);
    sort(&r.functions);
    write_report(&r, file);
    free(r.rows);
    free(r.lines.list);
    free(r.branches.list);
    free(r.functions.list);
    return !r.failed && !ferror(file);
}
