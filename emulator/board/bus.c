/*
 * RM0090 2.1 and 2.3: which address reaches what. Memories, and
 * peripherals through a table of 1 KB pages; the rest is a bus error. (Bit-band
 * aliases are the core's.)
 */
#include "bus.h"

#include <string.h>

#include "peripheral.h"
#include "unmodelled.h"

enum { ALIAS_SIZE = FLASH_SIZE /* at address 0 */ };

/* SYSCFG_MEMRMP.MEM_MODE (RM0090 9.2.1) */
enum { BOOT_FROM_FLASH = 0, BOOT_FROM_SYSTEM_MEMORY = 1, BOOT_FROM_SRAM = 3 };

/* Where an address in the alias region at 0 leads. */
static uint32_t resolve_alias(const struct machine *m, uint32_t address)
{
    if (address >= ALIAS_SIZE)
        return address;
    switch (syscfg_memory_mode(m)) {
    case BOOT_FROM_FLASH: return FLASH_BASE + address;
    case BOOT_FROM_SYSTEM_MEMORY: return SYSTEM_MEMORY_BASE + address;
    case BOOT_FROM_SRAM: return SRAM_BASE + address;
    default: return address;
    }
}

struct memory {
    uint32_t base, size;
    uint8_t *bytes;
};

static uint8_t *within(struct memory memory, uint32_t address, size_t length)
{
    uint32_t offset = address - memory.base;

    if (offset >= memory.size || length > memory.size - offset)
        return NULL;
    return memory.bytes + offset;
}

static uint8_t *writable_memory(const struct machine *m, uint32_t address, size_t length)
{
    uint8_t *bytes = within((struct memory){SRAM_BASE, SRAM_SIZE, m->sram}, address, length);

    return bytes ? bytes : within((struct memory){CCM_BASE, CCM_SIZE, m->ccm}, address, length);
}

static uint8_t *flash_memory(const struct machine *m, uint32_t address, size_t length)
{
    return within((struct memory){FLASH_BASE, FLASH_SIZE, m->flash}, address, length);
}

static uint8_t *system_memory(const struct machine *m, uint32_t address, size_t length)
{
    return within((struct memory){SYSTEM_MEMORY_BASE, SYSTEM_MEMORY_SIZE, m->system_memory}, address, length);
}

static const uint8_t *readable_memory(const struct machine *m, uint32_t address, size_t length)
{
    const uint8_t *bytes = flash_memory(m, address, length);

    if (!bytes)
        bytes = writable_memory(m, address, length);
    return bytes ? bytes : system_memory(m, address, length);
}

static uint32_t load(const uint8_t *bytes, unsigned count)
{
    uint32_t value = 0;

    memcpy(&value, bytes, count);
    return value;
}

static void report_unmapped(struct machine *m, const char *what, uint32_t address)
{
    const char *name = unmodelled_peripheral(address);

    if (name)
        machine_report(m, REPORT_ERROR, "%s 0x%08x: %s is not modelled", what, address, name);
    else
        machine_report(m, REPORT_WARNING, "%s 0x%08x: nothing answers there (bus error)", what, address);
}

bool bus_read(struct machine *m, uint32_t address, unsigned bytes, uint32_t *value)
{
    struct peripheral *peripheral = peripheral_find(m, address);
    if (peripheral) {
        *value = peripheral_read(m, peripheral, address - peripheral->base, bytes);
        return true;
    }
    const uint8_t *memory = readable_memory(m, resolve_alias(m, address), bytes);
    if (memory) {
        if (flash_memory(m, resolve_alias(m, address), 1))
            flash_read(m, address);
        *value = load(memory, bytes);
        return true;
    }
    *value = 0;
    report_unmapped(m, "read of", address);
    return false;
}

static bool write_memory(struct machine *m, uint32_t address, unsigned bytes, uint32_t value)
{
    uint8_t *memory = writable_memory(m, address, bytes);

    if (memory) {
        memcpy(memory, &value, bytes);
        cpu_code_written(m, address, bytes);
        return true;
    }
    if (flash_memory(m, address, bytes)) {
        flash_write(m, address, bytes, value);
        return true;
    }
    return false;
}

static bool end_access(struct machine *m)
{
    bool good = !m->bus.error;

    m->bus.error = false;
    return good;
}

bool bus_write(struct machine *m, uint32_t address, unsigned bytes, uint32_t value)
{
    struct peripheral *peripheral = peripheral_find(m, address);
    if (peripheral) {
        peripheral_write(m, peripheral, address - peripheral->base, bytes, value);
        return end_access(m);
    }
    if (write_memory(m, resolve_alias(m, address), bytes, value))
        return true;
    report_unmapped(m, "write to", address);
    return false;
}

uint8_t *bus_dma(struct machine *m, uint32_t address, size_t length, bool write)
{
    uint8_t *bytes = within((struct memory){SRAM_BASE, SRAM_SIZE, m->sram}, address, length);

    if (!bytes && !write)
        bytes = flash_memory(m, address, length);
    if (!bytes)
        machine_report(m, REPORT_WARNING, "DMA %s 0x%08x, %zu bytes: %s (bus error)",
                       write ? "write to" : "read of", address, length,
                       address - CCM_BASE < CCM_SIZE ? "CCM cannot be reached by DMA" : "not SRAM or flash");
    return bytes;
}
