/* The functions of an ELF, by address. */
#ifndef EMULATOR_OBSERVE_FUNCTIONS_H
#define EMULATOR_OBSERVE_FUNCTIONS_H

#include "host/elf.h"

struct function {
    uint32_t start;
    uint32_t size;
    const char *name; /* in the ELF, which must outlive it */
};

/* In the order of their addresses; index 0 stands for what no function covers. */
struct functions {
    struct function *list;
    size_t count;
};

/* False: out of memory. */
bool functions_init(struct functions *f, const struct elf *elf) __attribute__((warn_unused_result));
void functions_free(struct functions *f);
/* The index of the function that covers an address; 0: none. */
size_t functions_find(const struct functions *f, uint32_t address);

#endif
