/*
 * The virtual board's command line, for a firmware built with KERNEL_STATISTICS:
 * at the end it also prints what the kernel has measured, for cmake/schedule.py,
 * and how much of the stack was ever used.
 */
#include "host/virtual_board.h"
#include "target/stm32f429/memory.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>

static void print_words(const struct elf *elf, const struct machine *m, const char *name)
{
    struct elf_symbol symbol;
    if (!elf_find(elf, name, &symbol) || symbol.value < SRAM_BASE ||
        symbol.value + symbol.size > SRAM_BASE + SRAM_SIZE) {
        (void)fprintf(stderr, "no %s in the firmware: build it with -DKERNEL_STATISTICS\n", name);
        return;
    }
    (void)printf("measured %s", name);
    for (uint32_t at = 0; at + 4 <= symbol.size; at += 4) {
        uint32_t word;
        memcpy(&word, m->sram + (symbol.value - SRAM_BASE) + at, sizeof word);
        (void)printf(" %" PRIu32, word);
    }
    (void)printf("\n");
}

/* How far down the stack's paint is gone (target/stm32f429/startup.c). */
static void print_stack(const struct elf *elf, const struct machine *m)
{
    struct elf_symbol start, end;
    if (!elf_find(elf, "stack_start", &start) || !elf_find(elf, "stack_end", &end))
        return;
    const uint8_t *bottom = m->sram + (start.value - SRAM_BASE);
    uint32_t size = end.value - start.value;
    uint32_t untouched = 0;
    uint32_t word = STACK_PAINT;
    while (untouched + 4 <= size && memcmp(bottom + untouched, &word, sizeof word) == 0)
        untouched += 4;
    (void)printf("measured stack %" PRIu32 " %" PRIu32 "\n", size - untouched, size);
}

int main(int argc, char **argv)
{
    char error[VIRTUAL_BOARD_ERROR];
    struct options options = options_default();
    struct elf elf;
    options.keys = false;
    (void)signal(SIGPIPE, SIG_IGN); /* a peer of the board's network that is gone */
    if (!options_parse(&options, argc, argv, error, sizeof error) ||
        !elf_open(&elf, options.firmware, error, sizeof error)) {
        (void)fprintf(stderr, "%s\n", error);
        return 2;
    }
    struct virtual_board *board = virtual_board_open(&options, stdout, error, sizeof error);
    if (!board) {
        (void)fprintf(stderr, "%s\n", error);
        elf_close(&elf);
        return 2;
    }
    int status = virtual_board_run_to_end(board);
    const struct machine *m = virtual_board_machine(board);
    print_words(&elf, m, "kernel_statistics_of_tasks");
    print_words(&elf, m, "kernel_statistics_of_locks");
    (void)printf("measured hz %" PRIu32 "\n", m->hclk_hz);
    print_stack(&elf, m);
    virtual_board_close(board);
    elf_close(&elf);
    return status;
}
