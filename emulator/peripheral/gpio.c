/* GPIOA to GPIOK, general-purpose I/O (RM0090 8.4). */
#include "peripheral.h"

enum {
    GPIO_MODER,
    GPIO_OTYPER,
    GPIO_OSPEEDR,
    GPIO_PUPDR,
    GPIO_IDR,
    GPIO_ODR,
    GPIO_BSRR,
    GPIO_LCKR,
    GPIO_AFRL,
    GPIO_AFRH,
    GPIO_REGISTERS
};
enum { GPIO_BASE = 0x40020000, GPIO_STRIDE = 0x400, PORTS = 11, PINS = 16 };
enum pin_mode { MODE_INPUT, MODE_OUTPUT, MODE_ALTERNATE, MODE_ANALOG };
enum pin_pull { PULL_NONE, PULL_UP, PULL_DOWN };
enum { LCKR_LCKK = 1 << 16 };

struct gpio_state {
    uint16_t driven;      /* pins that the outside drives … */
    uint16_t drive_level; /* … and to what */
    uint16_t level;       /* of each pin */
    uint16_t shown;       /* output pins that the host knows to be high */
    uint8_t lock_step;    /* how far the lock key sequence has come (8.4.8) */
    bool locked;
    uint16_t lock_candidate;
    uint16_t alternate_drives[PINS]; /* bit: what peripherals drive as that alternate function … */
    uint16_t alternate_level[PINS];  /* … and to what */
};

static struct peripheral *port_of(const struct machine *m, unsigned port)
{
    return peripheral_find(m, GPIO_BASE + GPIO_STRIDE * port);
}

static unsigned port_number(const struct peripheral *p)
{
    return (p->base - GPIO_BASE) / GPIO_STRIDE;
}

static enum pin_mode mode_of(const struct peripheral *p, unsigned pin)
{
    return (enum pin_mode)(p->value[GPIO_MODER] >> (2 * pin) & 3);
}

static unsigned alternate_of(const struct peripheral *p, unsigned pin)
{
    return p->value[pin < 8 ? GPIO_AFRL : GPIO_AFRH] >> (4 * (pin % 8)) & 0xF;
}

/* Does something of the chip drive the pin, ODR or a peripheral, and to what? */
static bool is_output(const struct peripheral *p, unsigned pin, bool *level)
{
    const struct gpio_state *s = p->state;
    unsigned af = alternate_of(p, pin);

    if (mode_of(p, pin) == MODE_OUTPUT) {
        *level = p->value[GPIO_ODR] >> pin & 1;
        return true;
    }
    *level = s->alternate_level[pin] >> af & 1;
    return mode_of(p, pin) == MODE_ALTERNATE && s->alternate_drives[pin] >> af & 1;
}

static bool level_without_output(const struct peripheral *p, unsigned pin)
{
    const struct gpio_state *s = p->state;

    if (s->driven >> pin & 1)
        return s->drive_level >> pin & 1;
    return (p->value[GPIO_PUPDR] >> (2 * pin) & 3) == PULL_UP;
}

static bool pin_level(const struct peripheral *p, unsigned pin)
{
    bool open_drain = p->value[GPIO_OTYPER] >> pin & 1, high;

    if (!is_output(p, pin, &high) || (open_drain && high))
        return level_without_output(p, pin);
    return high;
}

static void show_outputs(struct machine *m, struct peripheral *p, uint16_t outputs)
{
    struct gpio_state *s = p->state;
    uint16_t visible = s->level & outputs;
    uint16_t changed = visible ^ s->shown;

    s->shown = visible;
    for (unsigned pin = 0; pin < PINS; pin++) {
        if (changed >> pin & 1 && m->host.pin)
            m->host.pin(m->host.context, m, port_number(p), pin, visible >> pin & 1);
    }
}

/* After anything that decides about a pin's level has changed. */
static void update(struct machine *m, struct peripheral *p)
{
    struct gpio_state *s = p->state;
    uint16_t level = 0, outputs = 0;

    for (unsigned pin = 0; pin < PINS; pin++) {
        // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): it takes a bool for a signed bit
        level |= (uint16_t)((uint32_t)pin_level(p, pin) << pin);
        bool unused;
        outputs |= (uint16_t)((uint32_t)is_output(p, pin, &unused) << pin);
    }
    uint16_t changed = level ^ s->level;
    s->level = level;
    show_outputs(m, p, outputs);
    for (unsigned pin = 0; pin < PINS; pin++) {
        if (changed >> pin & 1)
            exti_pin_changed(m, port_number(p), pin, level >> pin & 1);
    }
}

/* ---- Registers ---- */

/* Bits of the register that belong to locked pins. */
static uint32_t locked_bits(const struct peripheral *p, size_t index)
{
    const struct gpio_state *s = p->state;
    unsigned bits_per_pin = index == GPIO_OTYPER ? 1 : index == GPIO_AFRL || index == GPIO_AFRH ? 4 : 2;
    unsigned first = index == GPIO_AFRH ? 8 : 0;
    uint32_t mask = 0;

    for (unsigned i = 0; i < 32 / bits_per_pin && first + i < PINS; i++) {
        if (s->locked && p->value[GPIO_LCKR] >> (first + i) & 1)
            mask |= ((1u << bits_per_pin) - 1) << (i * bits_per_pin);
    }
    return mask;
}

static void configuration_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old,
                                  uint32_t written)
{
    uint32_t frozen = locked_bits(p, index) & (p->value[index] ^ old);
    (void)written;

    if (frozen) {
        machine_report(m, REPORT_WARNING, "%s_%s: locked pins keep their configuration (RM0090 8.4.8)",
                       p->name, p->regs[index].name);
        p->value[index] ^= frozen;
    }
    update(m, p);
}

static void idr_read(struct machine *m, struct peripheral *p, size_t index)
{
    const struct gpio_state *s = p->state;
    uint16_t analog = 0;
    (void)m;

    for (unsigned pin = 0; pin < PINS; pin++)
        analog |= (uint16_t)((mode_of(p, pin) == MODE_ANALOG) << pin);
    p->value[index] = s->level & (uint16_t)~analog; /* 8.3.12: the Schmitt trigger is off */
}

static void odr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    (void)index;
    (void)old;
    (void)written;
    update(m, p);
}

/* 8.4.7: set wins over reset */
static void bsrr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old,
                         uint32_t written)
{
    (void)index;
    (void)old;
    p->value[GPIO_ODR] = (p->value[GPIO_ODR] & ~(written >> 16)) | (written & 0xFFFF);
    update(m, p);
}

/* 8.4.8: LCKK = 1, 0, 1 with the same pins, then a read; until reset */
static void lckr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old,
                         uint32_t written)
{
    struct gpio_state *s = p->state;
    bool key = written & LCKR_LCKK, wanted = s->lock_step != 1;
    uint16_t pins = (uint16_t)written;
    (void)m;

    if (s->locked) {
        p->value[index] = old;
        return;
    }
    if (s->lock_step == 0 || s->lock_step > 2)
        s->lock_candidate = pins;
    s->lock_step = key == wanted && pins == s->lock_candidate ? (uint8_t)(s->lock_step % 3 + 1) : 0;
}

static void lckr_read(struct machine *m, struct peripheral *p, size_t index)
{
    struct gpio_state *s = p->state;
    (void)m;

    if (s->lock_step == 3 && !s->locked) {
        s->locked = true;
        p->value[index] |= LCKR_LCKK;
    }
    s->lock_step = 0;
}

#define REGISTER(n, o, at_reset, bits, hook)                                                                 \
    [GPIO_##n] = {#n, o, WIDTH_ANY, at_reset, bits, 0, 0, NULL, hook, ~(uint32_t)(bits)}

/* RM0090 8.4.1 to 8.4.10; port A has the SWD pins, port B the trace and JTAG pins at reset. */
#define REGISTERS(port, moder, ospeedr, pupdr)                                                               \
    static const struct reg registers_##port[GPIO_REGISTERS] = {                                             \
        REGISTER(MODER, 0x00, moder, UINT32_MAX, configuration_written),                                     \
        REGISTER(OTYPER, 0x04, 0, 0xFFFF, configuration_written),                                            \
        REGISTER(OSPEEDR, 0x08, ospeedr, UINT32_MAX, configuration_written),                                 \
        REGISTER(PUPDR, 0x0C, pupdr, UINT32_MAX, configuration_written),                                     \
        [GPIO_IDR] = {"IDR", 0x10, WIDTH_ANY, 0, 0, 0, 0, idr_read, NULL, 0},                                \
        REGISTER(ODR, 0x14, 0, 0xFFFF, odr_written),                                                         \
        [GPIO_BSRR] = {"BSRR", 0x18, WIDTH_ANY, 0, 0, 0, 0, NULL, bsrr_written, 0},                          \
        [GPIO_LCKR] = {"LCKR", 0x1C, WIDTH_32, 0, 0xFFFF, 0, 0, lckr_read, lckr_written, 0xFFFE0000},        \
        REGISTER(AFRL, 0x20, 0, UINT32_MAX, configuration_written),                                          \
        REGISTER(AFRH, 0x24, 0, UINT32_MAX, configuration_written),                                          \
    }

REGISTERS(a, 0xA8000000, 0x0C000000, 0x64000000);
REGISTERS(b, 0x00000280, 0x000000C0, 0x00000100);
REGISTERS(other, 0, 0, 0);

static void reset(struct machine *m, struct peripheral *p)
{
    struct gpio_state *s = p->state;

    s->lock_step = 0;
    s->locked = false;
    s->lock_candidate = 0;
    update(m, p);
}

/* ---- Outside and other peripherals ---- */

void gpio_drive(struct machine *m, unsigned port, unsigned pin, bool level)
{
    struct peripheral *p = port_of(m, port);
    struct gpio_state *s = p->state;
    uint16_t bit = (uint16_t)(1u << pin);

    s->driven |= bit;
    s->drive_level = (uint16_t)(level ? s->drive_level | bit : s->drive_level & ~bit);
    update(m, p);
    if (mode_of(p, pin) == MODE_OUTPUT && pin_level(p, pin) != level)
        machine_report(m, REPORT_WARNING, "P%c%u is an output, yet driven from outside to the other level",
                       'A' + (char)port, pin);
}

void gpio_release(struct machine *m, unsigned port, unsigned pin)
{
    struct peripheral *p = port_of(m, port);
    struct gpio_state *s = p->state;

    s->driven &= (uint16_t) ~(1u << pin);
    update(m, p);
}

bool gpio_level(const struct machine *m, unsigned port, unsigned pin)
{
    const struct gpio_state *s = port_of(m, port)->state;

    return s->level >> pin & 1;
}

bool gpio_is_alternate(const struct machine *m, unsigned port, unsigned pin, unsigned af)
{
    const struct peripheral *p = port_of(m, port);

    return mode_of(p, pin) == MODE_ALTERNATE && alternate_of(p, pin) == af;
}

void gpio_alternate_drive(struct machine *m, unsigned port, unsigned pin, unsigned af, bool drives,
                          bool level)
{
    struct peripheral *p = port_of(m, port);
    struct gpio_state *s = p->state;
    uint16_t bit = (uint16_t)(1u << af);

    s->alternate_drives[pin] = (uint16_t)((s->alternate_drives[pin] & ~bit) | (drives ? bit : 0));
    s->alternate_level[pin] = (uint16_t)((s->alternate_level[pin] & ~bit) | (level ? bit : 0));
    update(m, p);
}

void gpio_create(struct machine *m)
{
    static const char *const names[PORTS] = {"GPIOA", "GPIOB", "GPIOC", "GPIOD", "GPIOE", "GPIOF",
                                             "GPIOG", "GPIOH", "GPIOI", "GPIOJ", "GPIOK"};

    for (unsigned i = 0; i < PORTS; i++) {
        struct peripheral gpio = {.name = names[i],
                                  .base = GPIO_BASE + GPIO_STRIDE * i,
                                  .size = GPIO_STRIDE,
                                  .gate = {0x30, (uint8_t)i, 0x10, (uint8_t)i},
                                  .regs = i == 0   ? registers_a
                                          : i == 1 ? registers_b
                                                   : registers_other,
                                  .reg_count = GPIO_REGISTERS,
                                  .reset = reset};
        (void)peripheral_new(m, &gpio, sizeof(struct gpio_state));
    }
}
