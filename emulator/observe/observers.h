/*
 * Everything that watches a run and writes what it saw: --profile, --coverage,
 * --trace, --timeline.
 * A run is the same with and without them.
 */
#ifndef EMULATOR_OBSERVE_OBSERVERS_H
#define EMULATOR_OBSERVE_OBSERVERS_H

#include "host/elf.h"
#include "host/options.h"
#include "host/symbols.h"

struct observers;

/*
 * Begins to watch, before power-on. *observers is NULL when the options ask for
 * none. False: `error` says which file cannot be written. ELF and symbols must
 * outlive the observers, they the machine's last run.
 */
bool observers_open(struct observers **observers, const struct options *options, const struct elf *elf,
                    struct symbols *symbols, struct machine *m, char *error, size_t error_size)
    __attribute__((warn_unused_result));

/* What the machine's host hears; NULL is allowed. */
void observers_line(struct observers *o, const char *line);
void observers_pin(struct observers *o, unsigned port, unsigned pin, bool level);
void observers_frame(struct observers *o, bool out, size_t length);
void observers_slept(struct observers *o, vtime from, vtime until);

/* Ends the watching and writes the files; the observers are gone. False: `error` says what failed. */
bool observers_close(struct observers *o, char *error, size_t error_size);

#endif
