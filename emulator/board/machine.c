/*
 * The machine as a whole: creation, power-on and reset, the run loop, and what
 * it tells the host. Time and events are in time.c.
 */
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peripheral.h"

enum { HSI_HZ = 16000000 };

/* ---- Creation ---- */

static void create_peripherals(struct machine *m)
{
    rcc_create(m); /* first: it is reset first, so that the others see the clocks of after the reset */
    pwr_create(m);
    flash_create(m);
    syscfg_create(m);
    exti_create(m);
    gpio_create(m);
    tim_create(m);
    rng_create(m);
    iwdg_create(m);
    usart_create(m);
    dbgmcu_create(m);
    crc_create(m);
    adc_create(m);
    bkpsram_create(m);
    rtc_create(m);
    wwdg_create(m);
    ethernet_create(m);
}

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static uint8_t decimal_digit(uint64_t random, unsigned position)
{
    return (uint8_t)('0' + (random >> position) % 10);
}

/* RM0090 39.1 and 39.2: wafer coordinates, wafer number, lot number in ASCII; then the flash size in KB. */
static void fill_system_memory(struct machine *m)
{
    enum { UID = 0x7A10, FLASH_KB = 0x7A22 };
    uint64_t seed = ~m->seed;
    uint64_t random = splitmix64(&seed);
    uint8_t *uid = m->system_memory + UID;

    memset(m->system_memory, 0xFF, SYSTEM_MEMORY_SIZE);
    uid[0] = (uint8_t)(random & 0x7F);
    uid[1] = 0;
    uid[2] = (uint8_t)((random >> 8) & 0x7F);
    uid[3] = 0;
    uid[4] = (uint8_t)(1 + (random >> 16) % 25);
    for (unsigned i = 5; i < 12; i++)
        uid[i] = decimal_digit(random, 5 * i);
    m->system_memory[FLASH_KB] = (uint8_t)(FLASH_SIZE / 1024 & 0xFF);
    m->system_memory[FLASH_KB + 1] = (uint8_t)(FLASH_SIZE / 1024 >> 8);
}

static bool allocate_memories(struct machine *m)
{
    m->flash = malloc(FLASH_SIZE);
    m->sram = calloc(1, SRAM_SIZE);
    m->ccm = calloc(1, CCM_SIZE);
    m->system_memory = malloc(SYSTEM_MEMORY_SIZE);
    m->arena = calloc(1, MACHINE_ARENA_BYTES);
    return m->flash && m->sram && m->ccm && m->system_memory && m->arena;
}

static void release(struct machine *m)
{
    free(m->flash);
    free(m->sram);
    free(m->ccm);
    free(m->system_memory);
    free(m->arena);
    free(m);
}

struct machine *machine_create(const struct host *host, uint64_t seed)
{
    struct machine *m = calloc(1, sizeof *m);

    if (!m)
        return NULL;
    if (!allocate_memories(m)) {
        release(m);
        return NULL;
    }
    m->host = *host;
    m->seed = seed;
    m->hclk_hz = HSI_HZ;
    m->event_cycle = UINT64_MAX;
    m->surroundings =
        (struct surroundings){.temperature_mc = 30000, .vdda_mv = 3300, .vbat_mv = 3300, .lsi_hz = 32000};
    machine_register_state(m, "surroundings", &m->surroundings, sizeof m->surroundings);
    machine_register_state(m, "bus", &m->bus, sizeof m->bus);
    memset(m->flash, 0xFF, FLASH_SIZE);
    fill_system_memory(m);
    if (!cpu_create(m)) {
        release(m);
        return NULL;
    }
    create_peripherals(m);
    return m;
}

void machine_destroy(struct machine *m)
{
    if (!m)
        return;
    cpu_destroy(m);
    release(m);
}

static _Noreturn void out_of_room(const char *what)
{
    fprintf(stderr, "virtual board: no room left for %s; raise its limit in machine.h\n", what);
    abort();
}

void *machine_allocate(struct machine *m, size_t size)
{
    size_t room = (size + 15) & ~(size_t)15;

    if (room > MACHINE_ARENA_BYTES - m->arena_used)
        out_of_room("peripherals' state");
    void *memory = m->arena + m->arena_used;
    m->arena_used += room;
    return memory;
}

void machine_register_state(struct machine *m, const char *name, void *data, size_t size)
{
    if (m->state_count == MACHINE_STATE_BLOCKS)
        out_of_room("state blocks");
    m->state[m->state_count++] = (struct state_block){.name = name, .data = data, .size = size};
}

void machine_register_event(struct machine *m, struct event *event)
{
    if (m->known_event_count == MACHINE_EVENTS)
        out_of_room("events");
    m->known_events[m->known_event_count++] = event;
}

static bool copy_into(uint8_t *memory, uint32_t base, uint32_t size, uint32_t address, const void *data,
                      size_t length)
{
    if (address < base || address - base > size || length > size - (address - base))
        return false;
    if (length > 0)
        memcpy(memory + (address - base), data, length);
    return true;
}

bool machine_load(struct machine *m, uint32_t address, const void *data, size_t length)
{
    if (!copy_into(m->flash, FLASH_BASE, FLASH_SIZE, address, data, length) &&
        !copy_into(m->system_memory, SYSTEM_MEMORY_BASE, SYSTEM_MEMORY_SIZE, address, data, length))
        return false;
    cpu_code_written(m, address, length);
    return true;
}

/* ---- Power-on and reset ---- */

uint64_t machine_random(struct machine *m)
{
    return splitmix64(&m->seed);
}

static void fill_random(struct machine *m, uint8_t *memory, size_t size)
{
    for (size_t i = 0; i < size; i += 8) {
        uint64_t random = machine_random(m);
        memcpy(memory + i, &random, 8);
    }
}

static void carry_out_reset(struct machine *m, enum reset_cause cause)
{
    m->reset_cause = cause;
    m->reset_requested = false;
    for (size_t i = 0; i < m->peripheral_count; i++)
        peripheral_reset(m, m->peripherals[i]);
    cpu_reset(m);
    m->reset_cause = RESET_SOFTWARE;
}

void machine_power_on(struct machine *m)
{
    fill_random(m, m->sram, SRAM_SIZE);
    fill_random(m, m->ccm, CCM_SIZE);
    cpu_code_written(m, SRAM_BASE, SRAM_SIZE);
    m->stop = STOP_NONE;
    m->power_off = false;
    carry_out_reset(m, RESET_POWER_ON);
}

void machine_power_off(struct machine *m)
{
    carry_out_reset(m, RESET_POWER_ON);
    m->power_off = true;
}

void machine_request_reset(struct machine *m, enum reset_cause cause)
{
    if (!m->reset_requested)
        m->reset_cause = cause;
    m->reset_requested = true;
    m->event_cycle = m->cycles;
}

/* ---- Running ---- */

static vtime next_event(const struct machine *m, vtime until)
{
    return m->events && m->events->at < until ? m->events->at : until;
}

static void fire_due_events(struct machine *m)
{
    while (m->events && m->events->at <= machine_now(m)) {
        struct event *event = m->events;
        m->events = event->next;
        event->armed = false;
        m->instant = event->at;
        m->firings++;
        m->firing = true;
        event->fire(m, event->context);
        m->firing = false;
    }
}

/* HCLK runs on while the core sleeps (RM0090 5.3.3), so sleeping is passing cycles. */
static void sleep_until(struct machine *m, vtime until)
{
    enum { SCR_SLEEPDEEP = 1 << 2 };

    if (m->cpu.scr & SCR_SLEEPDEEP) {
        machine_report(m, REPORT_ERROR, "SLEEPDEEP: Stop and Standby mode are not modelled");
        return;
    }
    if (!m->power_off)
        rcc_sleep(m, true);
    vtime limit = next_event(m, until);
    vtime reached = m->host.sleep ? m->host.sleep(m->host.context, m, limit) : limit;

    limit = next_event(m, until); /* what the host fed may have armed an earlier one */
    uint64_t cycle = machine_cycle_at(m, reached < limit ? reached : limit);
    if (cycle > m->cycles)
        m->cycles = cycle;
}

void machine_stall(struct machine *m, vtime until)
{
    while (m->stop == STOP_NONE && !m->reset_requested && machine_now(m) < until) {
        uint64_t cycle = machine_cycle_at(m, next_event(m, until));
        if (cycle > m->cycles)
            m->cycles = cycle;
        fire_due_events(m);
    }
    m->event_cycle = m->cycles; /* the run loop reckons anew */
}

void machine_time_flash(struct machine *m, bool on)
{
    m->bus.flash_timing = on;
    flash_update_direct(m);
}

void machine_halt_core(struct machine *m, bool halted)
{
    if (m->bus.core_halted == halted)
        return;
    m->bus.core_halted = halted;
    rcc_notify(m);
}

/* The core's fetch waits for the flash; unlike in Sleep mode the host has nothing to say about the time. */
static void wait_for_bus(struct machine *m, vtime until)
{
    vtime end = m->bus.core_waits_until < until ? m->bus.core_waits_until : until;
    uint64_t cycle = machine_cycle_at(m, next_event(m, end));

    if (cycle > m->cycles)
        m->cycles = cycle;
}

static enum cpu_exit run_core(struct machine *m, vtime until)
{
    if (rcc_sleeps(m) && cpu_wakes(m))
        rcc_sleep(m, false);
    m->event_cycle = machine_cycle_at(m, next_event(m, until));
    m->core_running = true;
    enum cpu_exit exit = cpu_run(m);
    m->core_running = false;
    return exit;
}

void machine_run(struct machine *m, vtime until)
{
    while (m->stop == STOP_NONE) {
        fire_due_events(m);
        if (m->reset_requested)
            carry_out_reset(m, m->reset_cause);
        if (m->stop != STOP_NONE || machine_now(m) >= until)
            return;
        if (m->power_off)
            sleep_until(m, until);
        else if (machine_now(m) < m->bus.core_waits_until)
            wait_for_bus(m, until);
        else if (run_core(m, until) == CPU_SLEEP && m->stop == STOP_NONE && !m->reset_requested)
            sleep_until(m, until);
    }
}

/* ---- Telling ---- */

void machine_report(struct machine *m, enum report_level level, const char *format, ...)
{
    va_list arguments;

    if (m->host.report) {
        va_start(arguments, format);
        m->host.report(m->host.context, m, level, m->core_running ? m->cpu.r[15] : 0, format, arguments);
        va_end(arguments);
    }
    if (level == REPORT_ERROR && m->stop == STOP_NONE) {
        m->stop = STOP_ERROR;
        m->event_cycle = m->cycles;
    }
}

static uint64_t fnv1a(uint64_t hash, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < size; i++)
        // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult)
        hash = (hash ^ bytes[i]) * 0x100000001B3u;
    return hash;
}

static uint64_t hash_events(const struct machine *m, uint64_t hash)
{
    for (const struct event *event = m->events; event; event = event->next) {
        if (event->outside)
            continue;
        hash = fnv1a(hash, event->name, strlen(event->name));
        hash = fnv1a(hash, &event->at, sizeof event->at);
    }
    return hash;
}

uint64_t machine_hash(const struct machine *m)
{
    const uint64_t clocks[] = {
        m->cycles,         m->instructions,          m->epoch,           m->epoch_cycle, m->hclk_hz, m->seed,
        (uint64_t)m->stop, (uint64_t)m->exit_status, m->reset_requested, m->power_off};
    uint64_t hash = fnv1a(0xCBF29CE484222325u, clocks, sizeof clocks);

    hash = hash_events(m, hash);
    for (size_t i = 0; i < m->state_count; i++) {
        hash = fnv1a(hash, m->state[i].name, strlen(m->state[i].name));
        hash = fnv1a(hash, m->state[i].data, m->state[i].size);
    }
    hash = fnv1a(hash, m->flash, FLASH_SIZE);
    hash = fnv1a(hash, m->sram, SRAM_SIZE);
    return fnv1a(hash, m->ccm, CCM_SIZE);
}
