/*
 * The kernel's table as KERNEL_DEFINE describes it in the ELF (kernel/describe.h):
 * tasks, dispatchers and resources, with the addresses that the symbol table
 * has for them. A damaged description counts as none.
 */
#ifndef EMULATOR_OBSERVE_TASKS_H
#define EMULATOR_OBSERVE_TASKS_H

#include "host/elf.h"

enum {
    TASKS_MAX = 30,
    TASK_IDLE = 30, /* its number among users, and the place of its task */
    RESOURCES_MAX = 63,
    TASK_LEVELS = 17, /* priorities 1 to 16; 0: idle */
};

struct task {
    const char *name; /* in the ELF; NULL: there is no such task */
    uint32_t priority;
    unsigned exception; /* that runs it: its own, or the dispatcher's */
    uint32_t body;      /* of a software task: where kernel_run_NAME begins; 0: not known */
    bool hardware;
};

enum resource_kind { RESOURCE_LOCKED, RESOURCE_LOCAL, RESOURCE_READ_ONLY, RESOURCE_LOCK_FREE };

struct resource {
    const char *name;
    enum resource_kind kind;
    uint32_t number; /* of a locked one: as LOCK's trace hooks tell it */
    uint32_t ceiling;
    uint32_t users;   /* a bit for each task's number */
    uint32_t address; /* 0: the linker has left it out, nobody uses it */
    uint32_t size;
};

struct tasks {
    struct task task[TASKS_MAX + 1];
    struct resource resource[RESOURCES_MAX];
    size_t resource_count;
    unsigned dispatcher[TASK_LEVELS]; /* exception, by priority; 0: none */
    unsigned timer;                   /* exception */
    bool traced;                      /* the program tells of its tasks through the ITM */
};

/* False: the ELF describes no kernel's table. The ELF must outlive the tasks. */
bool tasks_read(struct tasks *tasks, const struct elf *elf) __attribute__((warn_unused_result));

#endif
