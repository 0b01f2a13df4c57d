/*
 * What every peripheral is made of: a table of registers with reset value,
 * readable, writable and write-one-to-clear bits, and hooks where a register
 * does something. One file a peripheral; its table stands next to the
 * chapter of RM0090 that it models.
 *
 * The generic part (peripheral.c) answers plain accesses from the table,
 * refuses what the manual refuses and reports what a real board would ignore or
 * punish: clock off, reserved offset, read-only register, wrong access width.
 */
#ifndef EMULATOR_PERIPHERAL_H
#define EMULATOR_PERIPHERAL_H

#include "machine.h"

enum {
    WIDTH_8 = 1,
    WIDTH_16 = 2,
    WIDTH_32 = 4,
    WIDTH_ANY = 7,
    WIDTH_READ_ANY = 8, /* with another: that is for writing, reading is possible in all widths */
};

struct peripheral;
struct peripheral_event;

struct reg {
    const char *name; /* NULL: the chip has none at the offset, though others of the kind have */
    uint16_t offset;
    uint8_t widths;    /* accepted access widths, WIDTH_* */
    uint32_t reset;    /* value after reset */
    uint32_t writable; /* bits that keep what is written */
    uint32_t w1c;      /* bits cleared by writing 1 */
    uint32_t w0c;      /* bits cleared by writing 0 (rc_w0) */
    /* Before a read: bring p->value[index] up to date, or act on the read. May be NULL. */
    void (*on_read)(struct machine *m, struct peripheral *p, size_t index);
    /* After a write: p->value[index] is updated by the masks above; `old` was there, `written` is what the
     * bus carried. May be NULL. */
    void (*on_write)(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written);
    /* Bits to be kept at their reset value: a write that changes one is reported. 0: no check. */
    uint32_t reserved;
};

/* Where in RCC the enable and reset bits are; offset 0: no clock gate. */
struct clock_gate {
    uint8_t enable_offset;
    uint8_t enable_bit;
    uint8_t reset_offset;
    uint8_t reset_bit;
};

struct peripheral {
    const char *name;
    uint32_t base;
    uint32_t size;
    struct clock_gate gate;
    const struct reg *regs; /* ascending offsets */
    size_t reg_count;
    uint32_t *value;                 /* one per register; registered as state by peripheral_add */
    void *state;                     /* the rest, if any; registered as state by its owner */
    struct peripheral_event *events; /* if any; hashed with the queue, not as state */
    /* Before any access: brings the values up to date. May be NULL. */
    void (*before_access)(struct machine *m, struct peripheral *p);
    /* After the table's values were set. May be NULL. */
    void (*reset)(struct machine *m, struct peripheral *p);
    bool survives_reset; /* only power-on resets it */
    bool keeps_values;   /* a reset leaves the registers alone: they are of the backup domain */
    /* Plain memory of `size` bytes in place of registers; `may_write` reports where it refuses. NULL: none.
     */
    uint8_t *memory;
    bool (*may_write)(struct machine *m, const struct peripheral *p, uint32_t offset);
};

/*
 * `*template` with room for its values, and `state_size` bytes of state
 * (registered; 0: none), all owned by the machine and added to it.
 */
struct peripheral *peripheral_new(struct machine *m, const struct peripheral *template, size_t state_size);

/*
 * An event that knows whose it is and which: `index` counts within
 * p->events. Arm it with event_at(m, &p->events[i].event, at).
 */
struct peripheral_event {
    struct event event;
    struct peripheral *owner;
    size_t index;
    void (*fire)(struct machine *m, struct peripheral *p, size_t index);
};
/* Gives it `count` events, one for each name. */
void peripheral_events(struct machine *m, struct peripheral *p, const char *const *names, size_t count,
                       void (*fire)(struct machine *m, struct peripheral *p, size_t index));
/* The peripheral that answers at the address, or NULL. */
struct peripheral *peripheral_find(const struct machine *m, uint32_t address);
/* An access of the bus: `bytes` at `offset`, aligned. */
uint32_t peripheral_read(struct machine *m, struct peripheral *p, uint32_t offset, unsigned bytes);
void peripheral_write(struct machine *m, struct peripheral *p, uint32_t offset, unsigned bytes,
                      uint32_t value);

/* Called once by machine_create for each; the machine keeps the pointer. */
void peripheral_add(struct machine *m, struct peripheral *p);
void peripheral_reset(struct machine *m, struct peripheral *p);
/* Is its clock running: switched on, and not stopped by Sleep mode (RCC)? */
bool peripheral_clocked(const struct machine *m, const struct peripheral *p);

/* Each creates its peripheral and adds it. One file each. */
void rcc_create(struct machine *m);
void pwr_create(struct machine *m);
void flash_create(struct machine *m);
void syscfg_create(struct machine *m);
void gpio_create(struct machine *m); /* GPIOA..K */
void exti_create(struct machine *m);
void tim_create(struct machine *m); /* TIM2, TIM5, TIM6, TIM7 */
void rng_create(struct machine *m);
void iwdg_create(struct machine *m);
void usart_create(struct machine *m); /* USART3 */
void dbgmcu_create(struct machine *m);
void crc_create(struct machine *m);
void adc_create(struct machine *m);     /* ADC1 */
void bkpsram_create(struct machine *m); /* backup SRAM */
void rtc_create(struct machine *m);     /* its backup registers */
void wwdg_create(struct machine *m);
void ethernet_create(struct machine *m); /* MAC, MMC, PTP, DMA and the PHY behind SMI */

/* Between peripherals */
uint32_t rcc_hclk_hz(const struct machine *m);
uint32_t rcc_pclk1_hz(const struct machine *m);
uint32_t rcc_pclk2_hz(const struct machine *m);
uint32_t rcc_timclk1_hz(const struct machine *m); /* clock of TIM2..7, 12..14 (APB1 timers, RM0090 6.2) */
uint32_t rcc_pll48_hz(const struct machine *m);   /* 0: off */
/* A bit of an RCC register by the register's offset: `rcc_bit(m, 0x30, 26)` is ETHMACTXEN. */
bool rcc_bit(const struct machine *m, unsigned offset, unsigned bit);
/* Does that clock of an enable register run: on, and in Sleep mode on in the LPENR register too? */
bool rcc_clock_runs(const struct machine *m, unsigned offset, unsigned bit);
/* The core falls asleep or wakes up. */
void rcc_sleep(struct machine *m, bool asleep);
/* Does it sleep with clocks stopped? */
bool rcc_sleeps(const struct machine *m);
/* Core cycles that one cycle of PCLK1, or of the timers on APB1, takes. */
uint32_t rcc_hclk_per_pclk1(const struct machine *m);
uint32_t rcc_hclk_per_timclk1(const struct machine *m);
unsigned flash_wait_states(const struct machine *m);
bool flash_prefetches(const struct machine *m);
bool flash_caches_instructions(const struct machine *m);
bool flash_caches_data(const struct machine *m);
bool flash_hardware_watchdog(const struct machine *m); /* the option byte WDG_SW is 0 */
/* After m->bus.flash_timing was changed. */
void flash_update_direct(struct machine *m);
/* A store to flash by the CPU. */
void flash_write(struct machine *m, uint32_t address, unsigned bytes, uint32_t value);
/* Before the core reads flash at or beyond m->bus.flash_direct: waits for the bank, counts wait states. */
void flash_read(struct machine *m, uint32_t address);
/* flash_timing.c: adds to m->cycles what the access waits. Only while m->bus.flash_timing. */
void flash_time_data(struct machine *m, uint32_t address);
void flash_forget_lines(struct machine *m, bool data); /* of the instruction or the data cache */
void flash_timing_create(struct machine *m);
/* The highest HCLK that the regulator allows in its present state (RM0090 5.1.4). */
uint32_t pwr_max_hclk_hz(const struct machine *m);
bool pwr_backup_writable(const struct machine *m); /* PWR_CR.DBP */
/* Does backup SRAM live through a power cut: battery, and the backup regulator on (RM0090 5.1.2)? */
bool pwr_holds_backup_sram(const struct machine *m);
void rtc_reset_backup_domain(struct machine *m); /* RCC_BDCR.BDRST, power lost */
/* Is the core halted by a debugger, and the peripheral with it? `bit` of DBGMCU_APB1_FZ. */
bool dbgmcu_freezes(const struct machine *m, unsigned bit);
void pwr_pll_changed(struct machine *m, bool on); /* VOS takes effect with the PLL */
void rcc_notify(struct machine *m);               /* calls what machine_on_clock was given */
void rcc_check_limits(struct machine *m);         /* after wait states or regulator changed */
void rcc_force_lsi(struct machine *m);            /* the watchdog needs it */
bool rcc_lsi_ready(const struct machine *m);
unsigned syscfg_memory_mode(const struct machine *m); /* SYSCFG_MEMRMP.MEM_MODE */
bool syscfg_rmii_selected(const struct machine *m);
uint32_t syscfg_exti_port(const struct machine *m, unsigned line); /* 0 = A … */
/* The level at a pin, as EXTI and a peripheral's input see it; calls exti_pin_changed on change. */
bool gpio_level(const struct machine *m, unsigned port, unsigned pin);
/* Is the pin set to alternate function `af`? The Ethernet MAC reports pins that are not routed to it. */
bool gpio_is_alternate(const struct machine *m, unsigned port, unsigned pin, unsigned af);
/* A peripheral's output, as alternate function `af` of a pin that may be set to it. */
void gpio_alternate_drive(struct machine *m, unsigned port, unsigned pin, unsigned af, bool drives,
                          bool level);
void exti_pin_changed(struct machine *m, unsigned port, unsigned pin, bool level);
void exti_line_event(struct machine *m, unsigned line); /* internal lines: 19 = Ethernet wake-up */

#endif
