#include "observe/tasks.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "kernel/describe.h"

enum { NAME_MAX_BYTES = 128, INTERRUPTS = CPU_IRQS };

struct section {
    const uint8_t *data;
    uint32_t size;
};

static bool in_file(const struct elf *elf, uint64_t offset, uint64_t size)
{
    return offset <= elf->size && size <= elf->size - offset;
}

static bool section_at(const struct elf *elf, const Elf32_Ehdr *header, unsigned index, Elf32_Shdr *section)
{
    uint64_t offset = (uint64_t)header->e_shoff + (uint64_t)index * sizeof *section;
    if (index >= header->e_shnum || !in_file(elf, offset, sizeof *section)) {
        return false;
    }
    memcpy(section, elf->data + offset, sizeof *section);
    return section->sh_type == SHT_NOBITS || in_file(elf, section->sh_offset, section->sh_size);
}

static bool is_named(const struct elf *elf, const Elf32_Shdr *names, uint32_t name, const char *wanted)
{
    size_t length = strlen(wanted) + 1;
    return name <= names->sh_size && length <= names->sh_size - name &&
           memcmp(elf->data + names->sh_offset + name, wanted, length) == 0;
}

static bool find_section(const struct elf *elf, const char *name, struct section *found)
{
    Elf32_Ehdr header;
    Elf32_Shdr names, section;
    memcpy(&header, elf->data, sizeof header);
    if (header.e_shentsize != sizeof section || !section_at(elf, &header, header.e_shstrndx, &names) ||
        names.sh_type != SHT_STRTAB) {
        return false;
    }
    for (unsigned i = 0; i < header.e_shnum; i++) {
        if (section_at(elf, &header, i, &section) && section.sh_type == SHT_PROGBITS &&
            is_named(elf, &names, section.sh_name, name)) {
            *found = (struct section){.data = elf->data + section.sh_offset, .size = section.sh_size};
            return true;
        }
    }
    return false;
}

/* ---- Entries ---- */

static bool find_symbol(const struct elf *elf, const char *prefix, const char *name, bool function,
                        struct elf_symbol *symbol)
{
    char text[NAME_MAX_BYTES + 32];
    snprintf(text, sizeof text, "%s%s", prefix, name);
    return elf_find(elf, text, symbol) && symbol->function == function;
}

static bool take_task(struct tasks *tasks, const struct kernel_described *entry, const char *name)
{
    if (entry->number >= TASKS_MAX || entry->priority < 1 || entry->priority >= TASK_LEVELS ||
        entry->detail >= INTERRUPTS) {
        return false;
    }
    struct task *task = &tasks->task[entry->number];
    task->name = name;
    task->priority = entry->priority;
    task->hardware = entry->as == KERNEL_DESCRIBED_HARDWARE;
    if (task->hardware) {
        task->exception = EXCEPTION_IRQ0 + entry->detail;
    }
    return true;
}

static bool take_resource(struct tasks *tasks, const struct kernel_described *entry, const char *name)
{
    static const enum resource_kind kinds[] = {
        [KERNEL_DESCRIBED_RESOURCE] = RESOURCE_LOCKED,
        [KERNEL_DESCRIBED_LOCAL] = RESOURCE_LOCAL,
        [KERNEL_DESCRIBED_READ_ONLY] = RESOURCE_READ_ONLY,
        [KERNEL_DESCRIBED_LOCK_FREE] = RESOURCE_LOCK_FREE,
    };
    if (tasks->resource_count == RESOURCES_MAX || entry->priority >= TASK_LEVELS) {
        return false;
    }
    tasks->resource[tasks->resource_count++] = (struct resource){.name = name,
                                                                 .kind = kinds[entry->as],
                                                                 .number = entry->number,
                                                                 .ceiling = entry->priority,
                                                                 .users = entry->detail};
    return true;
}

static bool take_entry(struct tasks *tasks, const struct kernel_described *entry, const char *name)
{
    switch (entry->as) {
    case KERNEL_DESCRIBED_HARDWARE:
    case KERNEL_DESCRIBED_SOFTWARE: return take_task(tasks, entry, name);
    case KERNEL_DESCRIBED_RESOURCE:
    case KERNEL_DESCRIBED_LOCAL:
    case KERNEL_DESCRIBED_READ_ONLY:
    case KERNEL_DESCRIBED_LOCK_FREE: return take_resource(tasks, entry, name);
    case KERNEL_DESCRIBED_TRACE: tasks->traced = true; return true;
    case KERNEL_DESCRIBED_DISPATCHER:
    case KERNEL_DESCRIBED_TIMER: break;
    default: return false;
    }
    if (entry->priority >= TASK_LEVELS || entry->detail >= INTERRUPTS) {
        return false;
    }
    if (entry->as == KERNEL_DESCRIBED_TIMER) {
        tasks->timer = EXCEPTION_IRQ0 + entry->detail;
    } else {
        tasks->dispatcher[entry->priority] = EXCEPTION_IRQ0 + entry->detail;
    }
    return true;
}

static bool take_section(struct tasks *tasks, struct section section)
{
    while (section.size > 0) {
        struct kernel_described entry;
        if (section.size < sizeof entry) {
            return false;
        }
        memcpy(&entry, section.data, sizeof entry);
        if (entry.bytes <= sizeof entry || entry.bytes > section.size || entry.bytes % 4 != 0) {
            return false;
        }
        const char *name = (const char *)section.data + sizeof entry;
        size_t room = entry.bytes - sizeof entry;
        if (room > NAME_MAX_BYTES || memchr(name, '\0', room) == NULL || !take_entry(tasks, &entry, name)) {
            return false;
        }
        section.data += entry.bytes;
        section.size -= entry.bytes;
    }
    return true;
}

/* ---- Addresses ---- */

static void place(struct tasks *tasks, const struct elf *elf)
{
    struct elf_symbol symbol;
    for (size_t i = 0; i < TASKS_MAX; i++) {
        struct task *task = &tasks->task[i];
        if (task->name == NULL || task->hardware) {
            continue;
        }
        task->exception = tasks->dispatcher[task->priority];
        if (find_symbol(elf, "kernel_run_", task->name, true, &symbol)) {
            task->body = symbol.value & ~1u;
        }
    }
    for (size_t i = 0; i < tasks->resource_count; i++) {
        struct resource *resource = &tasks->resource[i];
        if (find_symbol(elf, "kernel_resource_", resource->name, false, &symbol)) {
            resource->address = symbol.value;
            resource->size = symbol.size;
        }
    }
}

bool tasks_read(struct tasks *tasks, const struct elf *elf)
{
    struct section section;
    *tasks = (struct tasks){.task[TASK_IDLE] = {.name = "idle"}};
    if (!find_section(elf, KERNEL_TABLE_SECTION, &section) || section.size == 0 ||
        !take_section(tasks, section)) {
        *tasks = (struct tasks){.traced = false};
        return false;
    }
    place(tasks, elf);
    return true;
}
