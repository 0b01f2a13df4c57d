/*
 * The virtual Nucleo-F429ZI as one value.
 *
 * A machine is a CPU (cpu.h), memories, peripherals on a bus (bus.h) and a
 * queue of events in virtual time. It does no I/O of its own: whatever comes
 * from or goes to the outside passes through `struct host` below, so that the
 * same machine runs under the command line (main.c), under tests and, with a
 * host that does nothing, the same way to the last bit each time.
 *
 * Nothing here is thread-safe; a machine belongs to one thread.
 */
#ifndef EMULATOR_MACHINE_H
#define EMULATOR_MACHINE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cpu/cpu.h"

struct machine;

/* ---- Virtual time: picoseconds since power-on; wraps after 213 days. ---- */

typedef uint64_t vtime;
#define VTIME_PS(n) ((vtime)(n))
#define VTIME_NS(n) ((vtime)(n)*1000u)
#define VTIME_US(n) ((vtime)(n)*1000000u)
#define VTIME_MS(n) ((vtime)(n)*1000000000u)
#define VTIME_S(n)  ((vtime)(n)*1000000000000u)
#define VTIME_NEVER UINT64_MAX

/*
 * A one-shot event. The owner keeps the memory (usually in its peripheral's
 * state) and may re-arm it from `fire`. Events due at the same instant fire in
 * the order in which they were armed, those of the outside after the machine's.
 */
struct event {
    const char *name;
    void (*fire)(struct machine *m, void *context);
    void *context;
    vtime at; /* valid while armed */
    uint64_t order;
    struct event *next;
    bool armed;
    bool outside; /* the host's: no part of the machine's state, of its hash and of snapshots */
};

vtime machine_now(const struct machine *m);
/* Arms or re-arms; a time in the past fires at the next instruction boundary. */
void event_at(struct machine *m, struct event *event, vtime at);
void event_cancel(struct machine *m, struct event *event);
/*
 * The time of whatever the host is doing to the machine: that for which the
 * event now firing was armed, otherwise the present. An input that comes at its
 * instant again, from an event of the outside, finds the machine as it was.
 */
vtime machine_instant(const struct machine *m);

/*
 * Cycles of HCLK and time, at the present frequency: the first cycle at or
 * after a time, and the time of a cycle. machine_cycle_at(machine_time_at(c))
 * is c, so whoever counts cycles arms an event with machine_time_at and loses
 * nothing; after a change of HCLK it must arm it again (machine_on_clock).
 */
uint64_t machine_cycle_at(const struct machine *m, vtime at);
vtime machine_time_at(const struct machine *m, uint64_t cycle);

/* ---- Memory map (RM0090 2.3; DS9405 figure 19) ---- */

enum {
    FLASH_BASE = 0x08000000,
    FLASH_SIZE = 0x200000,
    SRAM_BASE = 0x20000000,
    SRAM_SIZE = 0x30000,
    CCM_BASE = 0x10000000,
    CCM_SIZE = 0x10000,
    SYSTEM_MEMORY_BASE = 0x1FFF0000, /* unique id, flash size, option bytes */
    SYSTEM_MEMORY_SIZE = 0x10000,
};

/* ---- What the machine tells, and is told ---- */

enum report_level {
    REPORT_NOTE,    /* worth a line: LED changed, link up */
    REPORT_WARNING, /* real hardware would ignore or punish this: go on */
    REPORT_ERROR,   /* cannot go on faithfully: the run stops, exit status 3 */
};

struct host {
    void *context;
    /*
     * A remark about the running program. `pc` is the instruction concerned
     * (0: none). The host adds time, function and source line. Identical
     * remarks from one pc are the host's to fold.
     */
    void (*report)(void *context, struct machine *m, enum report_level level, uint32_t pc, const char *format,
                   va_list arguments);
    /* An output pin changed (port 0 = A, B, …). */
    void (*pin)(void *context, struct machine *m, unsigned port, unsigned pin, bool level);
    /* A byte left a UART or semihosting's console. */
    void (*console)(void *context, struct machine *m, uint8_t byte);
    /* The program wrote `bytes` bytes to an ITM stimulus port, which is open. NULL: nobody listens. */
    void (*itm)(void *context, struct machine *m, unsigned port, unsigned bytes, uint32_t value);
    /* The MAC put a frame on the wire (no FCS). */
    void (*frame_out)(void *context, struct machine *m, const uint8_t *frame, size_t length);
    /*
     * The core sleeps and nothing will happen before `until`. The host may let
     * real time pass and feed the machine (ethernet_receive, gpio_drive…);
     * what it feeds happens at machine_now, so a host that has waited returns
     * the time reached first, and feeds when it is called again.
     * Returns the virtual time to advance to, at most `until`.
     * NULL: go straight to `until`.
     */
    vtime (*sleep)(void *context, struct machine *m, vtime until);
    /*
     * The core has entered the handler of a fault (HardFault, MemManage,
     * BusFault, UsageFault), or locked up: note->taken is EXCEPTION_NONE. The
     * fault status registers hold what the handler will find. NULL: not told.
     */
    void (*fault)(void *context, struct machine *m, const struct cpu_fault_note *note);
};

void machine_report(struct machine *m, enum report_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

enum machine_stop {
    STOP_NONE,
    STOP_EXIT,   /* semihosting SYS_EXIT, or the host asked; see exit_status */
    STOP_ERROR,  /* a REPORT_ERROR was made */
    STOP_LOCKUP, /* ARMv7-M B1.5.15 */
    STOP_DEBUG,  /* a breakpoint, a step, or the debugger asked; set to STOP_NONE to go on */
};

/* Every block of machine state, by name: for hashing and snapshots. No pointers inside. */
struct state_block {
    const char *name;
    void *data;
    size_t size;
};
enum { MACHINE_STATE_BLOCKS = 128, MACHINE_EVENTS = 128 };

struct peripheral; /* peripheral.h */
enum {
    MACHINE_PERIPHERALS = 48,
    MACHINE_CLOCK_LISTENERS = 32,
    MACHINE_ARENA_BYTES = 0x40000,
    MACHINE_PERIPHERAL_PAGES = 2049, /* 1 KB each: 0x4000_0000 + 1 MB, 0x5000_0000 + 1 MB, 0xE004_2000 */
};

/* RCC_CSR's flags (RM0090 6.3.21) */
enum reset_cause {
    RESET_SOFTWARE, /* SYSRESETREQ; what machine_run assumes when only reset_requested was set */
    RESET_POWER_ON,
    RESET_PIN, /* NRST from outside: the reset button, the debugger */
    RESET_IWDG,
    RESET_WWDG,
    RESET_LOW_POWER, /* Stop or Standby entered against the option bytes */
    RESET_BROWN_OUT, /* the supply fell, but memory has kept its content */
};

/* What surrounds the chip. Set before machine_power_on or at any time; machine_create sets the defaults. */
struct surroundings {
    int32_t temperature_mc; /* of the die, in thousandths of a degree Celsius: 30000 */
    uint32_t vdda_mv;       /* 3300 */
    uint32_t vbat_mv;       /* 3300: on the board VBAT hangs on VDD */
    uint32_t lsi_hz;        /* 32000; DS9405 table 42 allows 17000 to 47000 */
    bool hse_stopped;       /* the ST-LINK gives no clock: HSE never gets ready; rcc_stop_hse. False */
    bool battery;           /* VBAT outlives VDD: the backup domain survives a power cut. False */
};

/* How the bus holds the core up; state. */
struct bus_state {
    vtime core_waits_until; /* its next fetch is from a bank of flash that is busy */
    uint32_t flash_direct;  /* the core may read so many bytes of flash, from its start, without flash_read */
    bool flash_timing;      /* estimate wait states; machine_time_flash */
    bool error;             /* the access under way ends in a bus error */
    bool core_halted;       /* by a debugger; machine_halt_core */
};

struct clock_listener {
    void (*changed)(struct machine *m, void *context);
    void *context;
};

struct machine {
    struct cpu cpu;
    uint8_t *flash; /* FLASH_SIZE bytes; the CPU reads these four directly */
    uint8_t *sram;
    uint8_t *ccm;
    uint8_t *system_memory;

    /* Time: `cycles` counts HCLK cycles since reset of the counter, monotonic. */
    uint64_t cycles;
    uint64_t instructions;
    uint64_t event_cycle; /* the CPU hands control back when cycles reaches this */
    vtime epoch;          /* virtual time at epoch_cycle, from which time is reckoned at hclk_hz */
    uint64_t epoch_cycle;
    uint32_t hclk_hz;
    struct event *events;
    uint64_t event_order;
    vtime instant;    /* what the event being fired was armed for */
    bool firing;      /* an event is being fired */
    uint64_t firings; /* events fired so far */

    enum machine_stop stop;
    int exit_status;
    bool power_off;       /* time passes, nothing runs */
    bool reset_requested; /* SYSRESETREQ, IWDG: carried out by machine_run */
    uint64_t seed;        /* feeds the RNG model and whatever else is random */
    struct debug *debug;  /* cpu/debug.h; NULL: no debugger, which costs nothing */

    struct host host;
    struct peripheral *peripherals[MACHINE_PERIPHERALS];
    size_t peripheral_count;
    struct state_block state[MACHINE_STATE_BLOCKS];
    size_t state_count;
    struct event *known_events[MACHINE_EVENTS]; /* all that is not of the outside, for snapshots */
    size_t known_event_count;

    struct surroundings surroundings;
    struct bus_state bus;
    struct flash_timing *flash_timing; /* peripheral/flash_timing.c */

    enum reset_cause reset_cause; /* of the reset requested, under way, or last carried out */
    bool core_running;            /* inside cpu_run: reports carry the pc */
    struct clock_listener clock_listeners[MACHINE_CLOCK_LISTENERS];
    size_t clock_listener_count;
    uint8_t peripheral_at[MACHINE_PERIPHERAL_PAGES]; /* 1 + index into peripherals; 0: none */
    uint8_t *arena;
    size_t arena_used;
};

/* Allocates all memory and peripherals, powered off. NULL: out of memory. */
struct machine *machine_create(const struct host *host, uint64_t seed);
void machine_destroy(struct machine *m);
/* Flash is erased (0xFF) at creation; the loader writes here. False: outside flash and system memory. */
bool machine_load(struct machine *m, uint32_t address, const void *data, size_t length);
/*
 * Power-on reset, and so also a power cut: an operation of the flash under way
 * is torn. Memories random from the seed (flash kept), every peripheral and the
 * core reset.
 */
void machine_power_on(struct machine *m);
/* Power fails: everything as at reset, and nothing runs until machine_power_on. Not from within machine_run.
 */
void machine_power_off(struct machine *m);
/* Runs until `until` or until m->stop. */
void machine_run(struct machine *m, vtime until);
/* Asks for a system reset at the next instruction boundary; the first cause stays. */
void machine_request_reset(struct machine *m, enum reset_cause cause);
/*
 * The core waits, in the middle of an instruction, until `until`; events fire
 * on time meanwhile. Ends early at a stop or a reset.
 */
void machine_stall(struct machine *m, vtime until);
/* Wait states and the ART accelerator in the cycle count: an estimate, off at creation. */
void machine_time_flash(struct machine *m, bool on);
/* A debugger halts the core or lets it go: peripherals that DBGMCU freezes stop with it (RM0090 38.16.2). */
void machine_halt_core(struct machine *m, bool halted);
/* Called by RCC when the core clock changes: re-bases time, so that none is lost. */
void machine_set_hclk(struct machine *m, uint32_t hz);
/*
 * `changed` is called after HCLK, a prescaler or a peripheral's clock gate has
 * changed. m->cycles is that of the change, so a counter that is derived from
 * cycles first catches up at its old rate, then arms its event anew.
 */
void machine_on_clock(struct machine *m, void (*changed)(struct machine *m, void *context), void *context);
/* Zeroed memory that lives as long as the machine; for peripherals' state, at creation only. */
void *machine_allocate(struct machine *m, size_t size);
void machine_register_state(struct machine *m, const char *name, void *data, size_t size);
/* Once for each event of the machine's own, at creation and in the same order each time. */
void machine_register_event(struct machine *m, struct event *event);
/* FNV-1a 64 over all registered blocks and the memories. */
uint64_t machine_hash(const struct machine *m);

/* Deterministic random numbers from the seed (splitmix64). */
uint64_t machine_random(struct machine *m);

/* ---- From outside, any time the machine is not inside cpu_run, or from `sleep` ---- */

void gpio_drive(struct machine *m, unsigned port, unsigned pin, bool level);
void gpio_release(struct machine *m, unsigned port, unsigned pin); /* drive it no longer */
void usart_receive(struct machine *m, uint8_t byte); /* at USART3's RX: a whole character has come */
void ethernet_receive(struct machine *m, const uint8_t *frame, size_t length);
void ethernet_cable(struct machine *m, bool plugged);
void rcc_stop_hse(struct machine *m); /* the ST-LINK's 8 MHz stop, for good */
void adc_drive(struct machine *m, unsigned channel, uint32_t millivolts); /* at ADC1's input 0..15 */

/* ---- Flash cells, for tests of what is stored in them ---- */

/* Sectors stand so many erase cycles, then keep some bits at 0; 0: no end (at creation). Outlives power. */
void flash_set_endurance(struct machine *m, uint32_t cycles);
uint32_t flash_erase_count(const struct machine *m, unsigned sector);

#endif
