#include "host/recording.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/file.h"

static const char magic[8] = "moteREC\n";

enum {
    VERSION = 2,
    HEADER_BYTES = 48,
    HEADER_CHECKED = 40,
    RECORD_BYTES = 24,
    RECORD_CHECKED = 16,
    END_BYTES = 24,
    FILE_MAX = 1 << 30,
};

uint64_t recording_hash(uint64_t hash, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ bytes[i]) * 0x100000001B3u;
    }
    return hash;
}

static void put(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        at[i] = (uint8_t)(value >> 8 * i);
    }
}

static uint64_t get(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++) {
        value |= (uint64_t)at[i] << 8 * i;
    }
    return value;
}

/* ---- Writing ---- */

struct recorder {
    FILE *file;
    uint64_t check;   /* of the record before */
    uint64_t firings; /* the machine's count at that */
    bool any;
    bool failed;
};

static void put_bytes(struct recorder *r, const void *data, size_t size)
{
    if (size > 0) {
        r->failed = r->failed || fwrite(data, 1, size, r->file) != size;
    }
}

struct recorder *recorder_open(const char *path, const struct recording_start *start, char *error,
                               size_t error_size)
{
    uint8_t header[HEADER_BYTES];
    struct recorder *r = calloc(1, sizeof *r);
    if (r == NULL) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    r->file = fopen(path, "wb");
    if (r->file == NULL) {
        snprintf(error, error_size, "cannot write the recording %s: %s", path, strerror(errno));
        free(r);
        return NULL;
    }
    memcpy(header, magic, sizeof magic);
    put(header + 8, VERSION, 4);
    put(header + 12, start->options, 4);
    put(header + 16, start->elf, 8);
    put(header + 24, start->seed, 8);
    put(header + 32, start->lsi_hz, 8);
    r->check = recording_hash(RECORDING_HASH, header, HEADER_CHECKED);
    put(header + HEADER_CHECKED, r->check, 8);
    put_bytes(r, header, sizeof header);
    return r;
}

/* Each goes to the disk at once: a run that crashes is the one whose recording is wanted. */
void recorder_add(struct recorder *r, const struct machine *m, const struct input *input)
{
    uint8_t record[RECORD_BYTES];
    record[0] = (uint8_t)input->kind;
    record[1] = r->any && m->firings == r->firings;
    put(record + 2, input->length, 2);
    put(record + 4, input->value, 4);
    put(record + 8, machine_instant(m), 8);
    r->check = recording_hash(r->check, record, RECORD_CHECKED);
    r->check = recording_hash(r->check, input->bytes, input->length);
    put(record + RECORD_CHECKED, r->check, 8);
    put_bytes(r, record, sizeof record);
    put_bytes(r, input->bytes, input->length);
    r->failed = fflush(r->file) != 0 || r->failed;
    r->firings = m->firings;
    r->any = true;
}

uint64_t recorder_check(const struct recorder *r)
{
    return r->check;
}

void recorder_end(struct recorder *r, const struct machine *m, const struct recording_end *end)
{
    uint8_t payload[END_BYTES];
    put(payload, end->cycles, 8);
    put(payload + 8, end->instructions, 8);
    put(payload + 16, end->hash, 8);
    recorder_add(
        r, m,
        &(struct input){
            .kind = INPUT_END, .value = (uint32_t)end->status, .bytes = payload, .length = sizeof payload});
}

bool recorder_close(struct recorder *r)
{
    if (r == NULL) {
        return true;
    }
    bool good = fclose(r->file) == 0 && !r->failed;
    free(r);
    return good;
}

/* ---- Reading ---- */

struct reader {
    const char *name;
    const uint8_t *data;
    size_t size;
    size_t at;
    uint64_t check;
    char *error;
    size_t error_size;
};

static bool refuse(struct reader *x, const char *what)
{
    snprintf(x->error, x->error_size, "%s: %s", x->name, what);
    return false;
}

static bool damaged(struct reader *x)
{
    char what[80];
    snprintf(what, sizeof what, "damaged at byte %zu: record the run again", x->at);
    return refuse(x, what);
}

static bool read_header(struct reader *x, struct recording_start *start)
{
    const uint8_t *header = x->data;
    if (x->size < sizeof magic || memcmp(header, magic, sizeof magic) != 0) {
        return refuse(x, "not a recording: --record makes one");
    }
    if (x->size < HEADER_BYTES) {
        return refuse(x, "the recording breaks off in its header");
    }
    if (get(header + 8, 4) != VERSION) {
        char what[100];
        snprintf(what, sizeof what, "a recording of version %u, this virtual board reads version %u",
                 (unsigned)get(header + 8, 4), (unsigned)VERSION);
        return refuse(x, what);
    }
    x->check = recording_hash(RECORDING_HASH, header, HEADER_CHECKED);
    *start = (struct recording_start){.options = (uint32_t)get(header + 12, 4),
                                      .elf = get(header + 16, 8),
                                      .seed = get(header + 24, 8),
                                      .lsi_hz = (uint32_t)get(header + 32, 4)};
    if (get(header + HEADER_CHECKED, 8) != x->check || (start->options & ~(uint32_t)RECORDING_OPTIONS) != 0) {
        return damaged(x);
    }
    x->at = HEADER_BYTES;
    return true;
}

/* What each kind may carry; a file that passes the check may still have been made by hand. */
static bool sensible(const struct input *input)
{
    bool frame = input->kind == INPUT_FRAME || input->kind == INPUT_DAMAGED_FRAME;
    if (!frame && input->length != (input->kind == INPUT_END ? END_BYTES : 0)) {
        return false;
    }
    switch (input->kind) {
    case INPUT_CABLE:
    case INPUT_BUTTON: return input->value <= 1;
    case INPUT_POWER: return input->value <= POWER_CYCLE;
    case INPUT_UART: return input->value <= 0xFF;
    case INPUT_INTERRUPT: return input->value < CPU_IRQS;
    case INPUT_END:
    case INPUT_FRAME:
    case INPUT_DAMAGED_FRAME:
    case INPUT_ALTERED:
    case INPUT_RESET: return true;
    default: return false;
    }
}

static bool whole_record(const struct reader *x)
{
    size_t rest = x->size - x->at;
    return rest >= RECORD_BYTES && rest - RECORD_BYTES >= get(x->data + x->at + 2, 2);
}

/* The record at x->at, which is whole. False: damaged. */
static bool read_record(struct reader *x, struct recording_entry *entry)
{
    const uint8_t *record = x->data + x->at;
    *entry = (struct recording_entry){
        .input = {.kind = (enum input_kind)record[0],
                  .value = (uint32_t)get(record + 4, 4),
                  .bytes = record + RECORD_BYTES,
                  .length = (size_t)get(record + 2, 2)},
        .instant = get(record + 8, 8),
        .same_event = record[1] == 1,
    };
    x->check = recording_hash(x->check, record, RECORD_CHECKED);
    x->check = recording_hash(x->check, entry->input.bytes, entry->input.length);
    if (x->check != get(record + RECORD_CHECKED, 8) || record[1] > 1 || record[0] >= INPUT_KINDS ||
        entry->input.length > RECORDING_PAYLOAD_MAX || !sensible(&entry->input)) {
        return false;
    }
    entry->check = x->check;
    x->at += RECORD_BYTES + entry->input.length;
    return true;
}

static void take_end(struct recording *r, const struct recording_entry *entry)
{
    const uint8_t *payload = entry->input.bytes;
    r->has_end = true;
    r->end = (struct recording_end){.status = (int)(entry->input.value & 0xFF),
                                    .cycles = get(payload, 8),
                                    .instructions = get(payload + 8, 8),
                                    .hash = get(payload + 16, 8)};
}

static bool read_records(struct reader *x, struct recording *r)
{
    while (!r->has_end && whole_record(x)) {
        struct recording_entry *entry = &r->entries[r->count];
        size_t before = x->at;
        if (!read_record(x, entry) || entry->instant < r->end_instant) {
            x->at = before;
            return damaged(x);
        }
        r->end_instant = entry->instant;
        if (entry->input.kind == INPUT_END) {
            take_end(r, entry);
        } else {
            r->count++;
        }
    }
    return !r->has_end || x->at == x->size || damaged(x);
}

static bool parse_data(struct recording *r, const char *name, size_t size, char *error, size_t error_size)
{
    struct reader x = {.name = name, .data = r->data, .size = size, .error = error, .error_size = error_size};
    if (!read_header(&x, &r->start)) {
        return false;
    }
    r->entries = calloc((size - HEADER_BYTES) / RECORD_BYTES + 1, sizeof *r->entries);
    if (r->entries == NULL) {
        return refuse(&x, "out of memory");
    }
    return read_records(&x, r);
}

static bool parse_own(struct recording *r, const char *name, size_t size, char *error, size_t error_size)
{
    if (!parse_data(r, name, size, error, error_size)) {
        recording_close(r);
        return false;
    }
    return true;
}

bool recording_parse(struct recording *r, const char *name, const void *data, size_t size, char *error,
                     size_t error_size)
{
    *r = (struct recording){.data = malloc(size + 1)};
    if (r->data == NULL) {
        snprintf(error, error_size, "out of memory");
        return false;
    }
    memcpy(r->data, data, size);
    return parse_own(r, name, size, error, error_size);
}

bool recording_open(struct recording *r, const char *path, char *error, size_t error_size)
{
    size_t size;
    *r = (struct recording){.data = file_read(path, FILE_MAX, &size)};
    if (r->data == NULL) {
        snprintf(error, error_size, "cannot read the recording %s: %s", path, strerror(errno));
        return false;
    }
    return parse_own(r, path, size, error, error_size);
}

void recording_close(struct recording *r)
{
    free(r->entries);
    free(r->data);
    *r = (struct recording){0};
}
