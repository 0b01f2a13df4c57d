/*
 * Snapshots: the whole machine between two instructions, in a file.
 *
 * A snapshot belongs to one ELF and to one build of the virtual board: names
 * and sizes of all state must agree. What is outside (the network and its
 * peers, the script) is not in it.
 *
 * The file, little-endian: "moteSNP\n", u32 version, u32 0, u64 hash of the
 * ELF, u64 hash of the state's layout; then the machine's clocks, its blocks of
 * state, the block of the host's, its events, its memories in pages (a byte
 * that all of a page equals, or the page), and a u64 FNV-1a of all before.
 */
#ifndef EMULATOR_HOST_SNAPSHOT_H
#define EMULATOR_HOST_SNAPSHOT_H

#include "machine.h"

/*
 * `host` is what the host keeps with it; it may not hold pointers. Not from
 * within machine_run. False: `error` says what is wrong, for the user; after a
 * failed load the machine is unchanged.
 */
bool snapshot_save(const struct machine *m, uint64_t elf, const struct state_block *host, const char *path,
                   char *error, size_t error_size) __attribute__((warn_unused_result));
/* In the place of machine_power_on. */
bool snapshot_load(struct machine *m, uint64_t elf, const struct state_block *host, const char *path,
                   char *error, size_t error_size) __attribute__((warn_unused_result));

#endif
