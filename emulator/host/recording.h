/*
 * A recording: everything that reached the machine from outside, with the
 * virtual time at which the machine took it. Fed back at these times to the
 * same ELF with the same seed, the machine repeats the run to the bit, without
 * any network.
 *
 * The file, little-endian:
 *
 *   header    8 bytes "moteREC\n", u32 version, u32 options (RECORDING_*),
 *             u64 FNV-1a of the ELF file, u64 seed, u32 LSI in Hz, u32 0,
 *             u64 FNV-1a of the header up to here
 *   records   u8 kind, u8 1: taken by the same event as the one before,
 *             u16 length of the payload, u32 value, u64 instant in ps,
 *             u64 FNV-1a from the record before up to the payload's end,
 *             payload
 *
 * The last record is INPUT_END. A file without one comes from a run that was
 * killed; it is good up to its last whole record.
 */
#ifndef EMULATOR_HOST_RECORDING_H
#define EMULATOR_HOST_RECORDING_H

#include "machine.h"

enum {
    RECORDING_CABLE_IN = 1, /* at power-on */
    RECORDING_BUTTON_DOWN = 2,
    RECORDING_FLASH_TIMING = 4,
    RECORDING_LSI_RANDOM = 8,
    RECORDING_OPTIONS = 15,
    RECORDING_PAYLOAD_MAX = 2048,
};

/* What the outside can do to the machine. */
enum input_kind {
    INPUT_END,           /* the run ended with status `value`; no input */
    INPUT_FRAME,         /* bytes, for the MAC */
    INPUT_DAMAGED_FRAME, /* the same with a wrong FCS */
    INPUT_CABLE,         /* value: 1 in, 0 out */
    INPUT_BUTTON,        /* value: 1 down, 0 up */
    INPUT_UART,          /* value: a byte for USART3 */
    INPUT_RESET,         /* NRST */
    INPUT_POWER,         /* value: enum power */
    INPUT_INTERRUPT,     /* value: the IRQ that is made pending */
    INPUT_ALTERED,       /* someone wrote into the machine: what, is not recorded */
    INPUT_KINDS,
};

enum power {
    POWER_OFF,
    POWER_ON,
    POWER_CYCLE, /* off, and on at the same instant */
};

struct input {
    enum input_kind kind;
    uint32_t value;
    const uint8_t *bytes;
    size_t length;
};

/* What a run depends on besides its inputs. */
struct recording_start {
    uint64_t elf;
    uint64_t seed;
    uint32_t options;
    uint32_t lsi_hz;
};

/* Where the run ended, and in what state. */
struct recording_end {
    int status;
    uint64_t cycles;
    uint64_t instructions;
    uint64_t hash;
};

/* ---- Writing ---- */

struct recorder;

/* NULL: `error` says why. */
struct recorder *recorder_open(const char *path, const struct recording_start *start, char *error,
                               size_t error_size) __attribute__((warn_unused_result));
/* The machine is about to take an input; instants do not decrease. */
void recorder_add(struct recorder *r, const struct machine *m, const struct input *input);
/* That of the last record, as in recording_entry. */
uint64_t recorder_check(const struct recorder *r);
void recorder_end(struct recorder *r, const struct machine *m, const struct recording_end *end);
/* False: the disk refused something, the file is not complete. NULL is allowed. */
bool recorder_close(struct recorder *r);

/* ---- Reading ---- */

struct recording_entry {
    struct input input; /* its bytes are in the recording */
    vtime instant;
    bool same_event;
    uint64_t check; /* of the recording up to here */
};

struct recording {
    struct recording_start start;
    struct recording_entry *entries; /* without the end */
    size_t count;
    bool has_end;
    vtime end_instant; /* of the end, or of the last record */
    struct recording_end end;
    uint8_t *data;
};

/* Reads and checks a whole file. False: `error` says what is wrong, for the user. */
bool recording_open(struct recording *r, const char *path, char *error, size_t error_size)
    __attribute__((warn_unused_result));
/* The same with a copy of what is in memory. `name` stands in messages. */
bool recording_parse(struct recording *r, const char *name, const void *data, size_t size, char *error,
                     size_t error_size) __attribute__((warn_unused_result));
void recording_close(struct recording *r);

/* FNV-1a 64, continued from `hash`; RECORDING_HASH begins. */
#define RECORDING_HASH 0xCBF29CE484222325u
uint64_t recording_hash(uint64_t hash, const void *data, size_t size);

#endif
