#include "host/snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/file.h"
#include "host/recording.h"

static const char magic[8] = "moteSNP\n";

enum {
    VERSION = 1,
    PAGE = 1024,
    PAGE_WHOLE = 0,
    PAGE_UNIFORM = 1,
    FILE_MAX = 16 << 20,
    FIXED_BYTES = 4096, /* more than header, clocks, events and check take */
    BLOCKS_MAX = MACHINE_STATE_BLOCKS + 1,
};

/* The file, being written or read. */
struct stream {
    uint8_t *data;
    size_t size, at;
    bool failed; /* reading went beyond the end */
};

static void put(struct stream *s, const void *data, size_t size)
{
    memcpy(s->data + s->at, data, size);
    s->at += size;
}

static void put64(struct stream *s, uint64_t value)
{
    put(s, &value, sizeof value);
}

static const uint8_t *take(struct stream *s, size_t size)
{
    if (s->failed || size > s->size - s->at) {
        s->failed = true;
        return NULL;
    }
    s->at += size;
    return s->data + s->at - size;
}

static uint64_t take64(struct stream *s)
{
    uint64_t value = 0;
    const uint8_t *data = take(s, sizeof value);
    if (data != NULL) {
        memcpy(&value, data, sizeof value);
    }
    return value;
}

/* ---- What there is ---- */

struct memory {
    uint8_t *bytes;
    size_t size;
};

enum { MEMORIES = 4 };

static struct memory memory_at(const struct machine *m, size_t i)
{
    const struct memory memories[MEMORIES] = {
        {m->flash, FLASH_SIZE},
        {m->sram, SRAM_SIZE},
        {m->ccm, CCM_SIZE},
        {m->system_memory, SYSTEM_MEMORY_SIZE},
    };
    return memories[i];
}

/* The machine's blocks and the host's after them. */
static struct state_block block_at(const struct machine *m, const struct state_block *host, size_t i)
{
    return i < m->state_count ? m->state[i] : *host;
}

static uint64_t layout_of(const struct machine *m, const struct state_block *host)
{
    uint64_t hash = RECORDING_HASH;
    for (size_t i = 0; i <= m->state_count; i++) {
        struct state_block block = block_at(m, host, i);
        hash = recording_hash(hash, block.name, strlen(block.name) + 1);
        hash = recording_hash(hash, &block.size, sizeof block.size);
    }
    for (size_t i = 0; i < m->known_event_count; i++) {
        hash = recording_hash(hash, m->known_events[i]->name, strlen(m->known_events[i]->name) + 1);
    }
    return hash;
}

static size_t file_room(const struct machine *m, const struct state_block *host)
{
    size_t room = FIXED_BYTES;
    for (size_t i = 0; i <= m->state_count; i++) {
        room += block_at(m, host, i).size;
    }
    for (size_t i = 0; i < MEMORIES; i++) {
        room += memory_at(m, i).size / PAGE * (PAGE + 1);
    }
    return room;
}

/* ---- The machine's clocks, in their order in the file ---- */

enum { CLOCKS = 12 };

static void get_clocks(const struct machine *m, uint64_t clock[CLOCKS])
{
    const uint64_t clocks[CLOCKS] = {
        m->cycles, m->instructions,    m->epoch,       m->epoch_cycle, m->hclk_hz, m->event_order,
        m->seed,   m->reset_requested, m->reset_cause, m->power_off,   m->firings, (uint64_t)m->exit_status,
    };
    memcpy(clock, clocks, sizeof clocks);
}

static void set_clocks(struct machine *m, const uint64_t clock[CLOCKS])
{
    m->cycles = clock[0];
    m->instructions = clock[1];
    m->epoch = clock[2];
    m->epoch_cycle = clock[3];
    m->hclk_hz = (uint32_t)clock[4];
    m->event_order = clock[5];
    m->seed = clock[6];
    m->reset_requested = clock[7] != 0;
    m->reset_cause = (enum reset_cause)clock[8];
    m->power_off = clock[9] != 0;
    m->firings = clock[10];
    m->exit_status = (int)clock[11];
    m->stop = STOP_NONE;
    m->event_cycle = m->cycles;
}

/* ---- Saving ---- */

static bool all_known(const struct machine *m, char *error, size_t error_size)
{
    for (const struct event *event = m->events; event != NULL; event = event->next) {
        bool known = event->outside;
        for (size_t i = 0; !known && i < m->known_event_count; i++) {
            known = m->known_events[i] == event;
        }
        if (!known) {
            snprintf(error, error_size,
                     "no snapshot: the event \"%s\" is not registered (machine_register_event)", event->name);
            return false;
        }
    }
    return true;
}

static bool uniform(const uint8_t *page)
{
    return memcmp(page, page + 1, PAGE - 1) == 0;
}

static void put_memory(struct stream *s, struct memory memory)
{
    for (size_t at = 0; at < memory.size; at += PAGE) {
        bool same = uniform(memory.bytes + at);
        put(s, &(uint8_t){same ? PAGE_UNIFORM : PAGE_WHOLE}, 1);
        put(s, memory.bytes + at, same ? 1 : PAGE);
    }
}

static void put_events(struct stream *s, const struct machine *m)
{
    for (size_t i = 0; i < m->known_event_count; i++) {
        const struct event *event = m->known_events[i];
        put64(s, event->armed ? event->at : VTIME_NEVER);
        put64(s, event->armed ? event->order : 0);
    }
}

static void put_all(struct stream *s, const struct machine *m, uint64_t elf, const struct state_block *host)
{
    uint64_t clocks[CLOCKS];
    put(s, magic, sizeof magic);
    put64(s, VERSION);
    put64(s, elf);
    put64(s, layout_of(m, host));
    get_clocks(m, clocks);
    put(s, clocks, sizeof clocks);
    for (size_t i = 0; i <= m->state_count; i++) {
        struct state_block block = block_at(m, host, i);
        put(s, block.data, block.size);
    }
    put_events(s, m);
    for (size_t i = 0; i < MEMORIES; i++) {
        put_memory(s, memory_at(m, i));
    }
    put64(s, recording_hash(RECORDING_HASH, s->data, s->at));
}

static bool write_file(const struct stream *s, const char *path, char *error, size_t error_size)
{
    FILE *file = fopen(path, "wb");
    bool good = file != NULL && fwrite(s->data, 1, s->at, file) == s->at;
    good = file != NULL && fclose(file) == 0 && good;
    if (!good) {
        snprintf(error, error_size, "cannot write the snapshot %s: %s", path, strerror(errno));
    }
    return good;
}

bool snapshot_save(const struct machine *m, uint64_t elf, const struct state_block *host, const char *path,
                   char *error, size_t error_size)
{
    if (!all_known(m, error, error_size)) {
        return false;
    }
    struct stream s = {.size = file_room(m, host)};
    s.data = malloc(s.size);
    if (s.data == NULL) {
        snprintf(error, error_size, "no snapshot: out of memory");
        return false;
    }
    put_all(&s, m, elf, host);
    bool good = write_file(&s, path, error, error_size);
    free(s.data);
    return good;
}

/* ---- Loading ---- */

/* The file's content, found and checked before any of it is used. */
struct content {
    uint64_t clocks[CLOCKS];
    const uint8_t *block[BLOCKS_MAX];
    uint64_t event_at[MACHINE_EVENTS], event_order[MACHINE_EVENTS];
    size_t memories; /* where they begin */
};

static bool skip_memory(struct stream *s, size_t size)
{
    for (size_t at = 0; at < size && !s->failed; at += PAGE) {
        const uint8_t *kind = take(s, 1);
        if (kind == NULL || *kind > PAGE_UNIFORM) {
            return false;
        }
        (void)take(s, *kind == PAGE_UNIFORM ? 1 : PAGE);
    }
    return !s->failed;
}

static bool find_content(struct stream *s, const struct machine *m, const struct state_block *host,
                         struct content *c)
{
    for (size_t i = 0; i < CLOCKS; i++) {
        c->clocks[i] = take64(s);
    }
    for (size_t i = 0; i <= m->state_count; i++) {
        c->block[i] = take(s, block_at(m, host, i).size);
    }
    for (size_t i = 0; i < m->known_event_count; i++) {
        c->event_at[i] = take64(s);
        c->event_order[i] = take64(s);
    }
    c->memories = s->at;
    for (size_t i = 0; i < MEMORIES; i++) {
        if (!skip_memory(s, memory_at(m, i).size)) {
            return false;
        }
    }
    return !s->failed && s->at == s->size && c->clocks[4] != 0;
}

static const char *judge_header(struct stream *s, const struct machine *m, uint64_t elf,
                                const struct state_block *host)
{
    const uint8_t *begin = take(s, sizeof magic);
    if (begin == NULL || memcmp(begin, magic, sizeof magic) != 0) {
        return "not a snapshot: --save-snapshot makes one";
    }
    if (take64(s) != VERSION) {
        return "a snapshot of another version of the virtual board";
    }
    s->size -= s->size >= 8 ? 8 : s->size;
    uint64_t check;
    memcpy(&check, s->data + s->size, sizeof check);
    if (s->at > s->size || recording_hash(RECORDING_HASH, s->data, s->size) != check) {
        return "damaged: save it again";
    }
    if (take64(s) != elf) {
        return "a snapshot of another ELF";
    }
    if (take64(s) != layout_of(m, host)) {
        return "a snapshot of another build of the virtual board: save it again";
    }
    return NULL;
}

static void restore_memory(struct stream *s, struct memory memory)
{
    for (size_t at = 0; at < memory.size; at += PAGE) {
        if (*take(s, 1) == PAGE_UNIFORM) {
            memset(memory.bytes + at, *take(s, 1), PAGE);
        } else {
            memcpy(memory.bytes + at, take(s, PAGE), PAGE);
        }
    }
}

/* In the order in which they had been armed, which decides among those due at one instant. */
static void restore_events(struct machine *m, const struct content *c)
{
    bool done[MACHINE_EVENTS] = {false};
    for (size_t i = 0; i < m->known_event_count; i++) {
        event_cancel(m, m->known_events[i]);
    }
    for (;;) {
        size_t best = m->known_event_count;
        for (size_t i = 0; i < m->known_event_count; i++) {
            if (!done[i] && c->event_at[i] != VTIME_NEVER &&
                (best == m->known_event_count || c->event_order[i] < c->event_order[best])) {
                best = i;
            }
        }
        if (best == m->known_event_count) {
            break;
        }
        done[best] = true;
        event_at(m, m->known_events[best], c->event_at[best]);
        m->known_events[best]->order = c->event_order[best];
    }
}

static void restore(struct stream *s, struct machine *m, const struct state_block *host,
                    const struct content *c)
{
    for (size_t i = 0; i <= m->state_count; i++) {
        struct state_block block = block_at(m, host, i);
        memcpy(block.data, c->block[i], block.size);
    }
    s->at = c->memories;
    for (size_t i = 0; i < MEMORIES; i++) {
        restore_memory(s, memory_at(m, i));
    }
    set_clocks(m, c->clocks);
    restore_events(m, c);
    m->event_order = c->clocks[5];
    uint32_t attention = m->cpu.attention;
    cpu_state_replaced(m);
    m->cpu.attention = attention; /* as saved: what stands before the next instruction is part of the state */
}

static bool load_stream(struct stream *s, struct machine *m, uint64_t elf, const struct state_block *host,
                        const char *path, char *error, size_t error_size)
{
    struct content content;
    const char *fault = judge_header(s, m, elf, host);
    if (fault == NULL && !find_content(s, m, host, &content)) {
        fault = "damaged: save it again";
    }
    if (fault != NULL) {
        snprintf(error, error_size, "%s: %s", path, fault);
        return false;
    }
    restore(s, m, host, &content);
    return true;
}

bool snapshot_load(struct machine *m, uint64_t elf, const struct state_block *host, const char *path,
                   char *error, size_t error_size)
{
    struct stream s = {0};
    s.data = file_read(path, FILE_MAX, &s.size);
    if (s.data == NULL) {
        snprintf(error, error_size, "cannot read the snapshot %s: %s", path, strerror(errno));
        return false;
    }
    bool good = load_stream(&s, m, elf, host, path, error, error_size);
    free(s.data);
    return good;
}
