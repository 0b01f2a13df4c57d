#include "stepper.h"

#include <stdlib.h>
#include <string.h>

static _Noreturn void die(const char *what, const char *which)
{
    (void)fprintf(stderr, "%s: %s\n", what, which);
    exit(EXIT_FAILURE);
}

static void console(void *context, struct machine *m, uint8_t byte)
{
    struct stepper *stepper = context;
    (void)m;
    if (byte != '\n') {
        if (stepper->typed_length < STEPPER_LINE - 1)
            stepper->typed[stepper->typed_length++] = (char)byte;
        return;
    }
    stepper->typed[stepper->typed_length] = '\0';
    stepper->typed_length = 0;
    if (strncmp(stepper->typed, "not ok", 6) == 0)
        memcpy(stepper->line, stepper->typed, STEPPER_LINE);
}

void stepper_open(struct stepper *stepper, const char *path)
{
    char error[VIRTUAL_BOARD_ERROR];
    struct options options = options_default();
    options.firmware = path;
    options.network = "none";
    options.keys = false;
    if (!elf_open(&stepper->elf, path, error, sizeof error))
        die("cannot open", error);
    stepper->board = virtual_board_open(&options, NULL, error, sizeof error);
    if (!stepper->board)
        die("cannot start", error);
    stepper->machine = virtual_board_machine(stepper->board);
    /* What the board made of its host is not needed here. */
    stepper->machine->host = (struct host){.context = stepper, .console = console};
    stepper->line[0] = '\0';
    stepper->typed_length = 0;
}

void stepper_close(struct stepper *stepper)
{
    virtual_board_close(stepper->board);
    elf_close(&stepper->elf);
}

void stepper_restart(struct stepper *stepper)
{
    stepper->machine->stop = STOP_NONE;
    stepper->machine->exit_status = -1;
    stepper->line[0] = '\0';
    machine_power_on(stepper->machine);
}

bool stepper_step(struct stepper *stepper)
{
    struct machine *m = stepper->machine;
    uint64_t before = m->instructions;
    while (m->stop == STOP_NONE && m->instructions == before) {
        vtime until = machine_now(m) + 1;
        if (m->cpu.sleep != SLEEP_NONE)
            until += VTIME_MS(1);
        machine_run(m, until);
    }
    return m->stop == STOP_NONE;
}

uint32_t stepper_pc(const struct stepper *stepper)
{
    return stepper->machine->cpu.r[15];
}

void stepper_pend(struct stepper *stepper, unsigned irq)
{
    struct cpu *cpu = &stepper->machine->cpu;
    unsigned exception = EXCEPTION_IRQ0 + irq;
    cpu->pending[exception / 32] |= 1u << exception % 32;
    cpu->attention |= ATTEND_EXCEPTION;
}

uint32_t stepper_symbol(const struct stepper *stepper, const char *name)
{
    struct elf_symbol symbol;
    if (!elf_find(&stepper->elf, name, &symbol))
        die("no such symbol", name);
    return symbol.value & ~1u;
}

uint32_t stepper_word(const struct stepper *stepper, uint32_t address)
{
    uint32_t word;
    memcpy(&word, stepper->machine->sram + (address - SRAM_BASE), sizeof word);
    return word;
}
