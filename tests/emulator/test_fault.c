/* Faults in words: what was done where, status bits, registers, who called. */
#include "cpu_fixture.h"

#include <unistd.h>

#include "host/fault.h"
#include "host/virtual_board.h"
#include "host_tiny_elf.h"

static struct tiny_elf tiny;
static struct elf elf;
static struct symbols *symbols;
static struct faults faults;
static char text[16384];

static void take_line(void *context, const char *line)
{
    (void)context;
    size_t length = strlen(text);
    snprintf(text + length, sizeof text - length, "%s\n", line);
}

static void on_fault(void *context, struct machine *m, const struct cpu_fault_note *note)
{
    (void)context;
    if (fault_is_new(&faults, note)) {
        fault_explain(m, note, symbols, take_line, NULL);
    }
}

static int open_machine(void **state)
{
    set_up(state);
    struct machine *m = *state;
    m->host.fault = on_fault;
    tiny_init(&tiny);
    tiny.no_symbols = true;
    elf = tiny_open(&tiny);
    symbols = symbols_create(&elf);
    faults = (struct faults){0};
    text[0] = '\0';
    return symbols == NULL;
}

static int close_machine(void **state)
{
    symbols_destroy(symbols);
    elf_close(&elf);
    return tear_down(state);
}

static void says(const char *wanted)
{
    if (strstr(text, wanted) == NULL) {
        fail_msg("no \"%s\" in:\n%s", wanted, text);
    }
}

static void says_not(const char *unwanted)
{
    if (strstr(text, unwanted) != NULL) {
        fail_msg("\"%s\" in:\n%s", unwanted, text);
    }
}

static void test_bad_load(void **state)
{
    struct machine *m = *state;
    CODE(m, MAIN, 0x6888); /* ldr r0, [r1, #8] */
    m->cpu.r[1] = 0x30000000;
    m->cpu.r[7] = 0x77777777;
    step(m);
    assert_in_handler(m, EXCEPTION_HARDFAULT);
    says("BusFault at 0x08000400, taken as HardFault (ARMv7-M B1.5.14)\n");
    says("instruction 6888: reads 4 bytes at 0x30000008\n");
    says("CFSR 0x00008200\n");
    says("PRECISERR: ");
    says("BFAR 0x30000008\n");
    says("FORCED: ");
    says("r7  77777777");
    says("pc  08000400");
    says("#0 0x08000400");
    says_not("STKERR");
}

static void test_bad_store_of_several(void **state)
{
    struct machine *m = *state;
    CODE(m, MAIN, 0xE8A1, 0x00FC); /* stmia r1!, {r2-r7} */
    m->cpu.r[1] = 0x30000000;
    poke(m, SHCSR_, 1 << 17); /* BusFault enabled */
    step(m);
    assert_in_handler(m, EXCEPTION_BUSFAULT);
    says("BusFault at 0x08000400");
    says("instruction e8a100fc: writes 24 bytes at 0x30000000\n");
    says_not("taken as");
    says_not("HFSR");
}

static void test_undefined_instruction(void **state)
{
    struct machine *m = *state;
    CODE(m, MAIN, UDF);
    step(m);
    says("UsageFault at 0x08000400, taken as HardFault");
    says("instruction de00\n");
    says("UNDEFINSTR: ");
}

static void test_unaligned(void **state)
{
    struct machine *m = *state;
    CODE(m, MAIN, 0xE9D1, 0x2300); /* ldrd r2, r3, [r1] */
    m->cpu.r[1] = DATA + 2;
    step(m);
    says("reads 8 bytes at 0x20000102\n");
    says("UNALIGNED: ");
}

static void test_division_by_zero(void **state)
{
    struct machine *m = *state;
    CODE(m, MAIN, 0xFBB2, 0xF0F3); /* udiv r0, r2, r3 */
    poke(m, CCR_, CCR_DIV_0_TRP);
    step(m);
    says("instruction fbb2f0f3\n");
    says("DIVBYZERO: ");
}

static void test_fpu_is_off(void **state)
{
    struct machine *m = *state;
    CODE(m, MAIN, 0xEE30, 0x0A20);
    step(m);
    says("NOCP: ");
}

static void test_branch_to_even_address(void **state)
{
    struct machine *m = *state;
    CODE(m, MAIN, 0x4780); /* blx r0 */
    m->cpu.r[0] = MAIN + 0x100;
    steps(m, 2);
    says("UsageFault at 0x08000500");
    says("INVSTATE: ");
    says("#1 0x08000402 ?, by LR alone\n");
}

static void test_wild_branch(void **state)
{
    struct machine *m = *state;
    CODE(m, MAIN, 0x4780); /* blx r0 */
    m->cpu.r[0] = 0x30000001;
    steps(m, 2);
    says("BusFault at 0x30000000");
    says("no instruction can be read there\n");
    says("IBUSERR: ");
    says("#1 0x08000402");
}

static void test_stacking_fails(void **state)
{
    struct machine *m = *state;
    CODE(m, MAIN, UDF);
    m->cpu.r[13] = SRAM_BASE + 8;
    step(m);
    says("UNDEFINSTR: ");
    says("STKERR: ");
    says("could not be stacked below SP 0x20000008 (ARMv7-M B1.5.6)");
    says("sp  20000008");
}

static void test_stacking_for_an_interrupt_fails(void **state)
{
    struct machine *m = *state;
    enable_irq(m, 3, 0x40);
    m->cpu.r[13] = SRAM_BASE + 8;
    poke(m, NVIC_ISPR_, 1 << 3);
    step(m);
    assert_in_handler(m, EXCEPTION_HARDFAULT);
    says("BusFault at 0x08000400, taken as HardFault");
    says("could not be stacked below SP 0x20000008");
}

static void test_bad_exception_return(void **state)
{
    struct machine *m = *state;
    CODE(m, MAIN, SVC_1);
    CODE(m, handler(EXCEPTION_SVCALL), 0xF06F, 0x0E0F, BX_LR); /* mvn lr, #15: EXC_RETURN 0xfffffff0 */
    poke(m, SHCSR_, 1 << 18);
    steps(m, 3);
    assert_in_handler(m, EXCEPTION_USAGEFAULT);
    says("at an exception return, EXC_RETURN 0xfffffff0 (ARMv7-M B1.5.8)\n");
    says("INVPC: ");
}

static void test_lock_up(void **state)
{
    struct machine *m = *state;
    CODE(m, MAIN, UDF);
    CODE(m, handler(EXCEPTION_HARDFAULT), 0x6808); /* ldr r0, [r1] */
    m->cpu.r[1] = 0x30000000;
    steps(m, 3);
    assert_int_equal(m->stop, STOP_LOCKUP);
    says("Lock-up by a BusFault at 0x080010c0");
    says("(ARMv7-M B1.5.15)");
    says("reads 4 bytes at 0x30000000\n");
    says("#1 0x08000400 ?, interrupted by the frame before\n");
}

static void test_fault_in_an_interrupt(void **state)
{
    struct machine *m = *state;
    CODE(m, handler(EXCEPTION_IRQ0 + 3), UDF);
    enable_irq(m, 3, 0x40);
    cpu_set_control(&m->cpu, 2); /* on the process stack */
    m->cpu.r[13] = 0x20008000;
    poke(m, NVIC_ISPR_, 1 << 3);
    steps(m, 2);
    char wanted[64];
    snprintf(wanted, sizeof wanted, "#0 0x%08x", handler(EXCEPTION_IRQ0 + 3));
    says(wanted);
    says("#1 0x08000400 ?, interrupted by the frame before\n");
}

static void test_pended_by_software(void **state)
{
    struct machine *m = *state;
    poke(m, SHCSR_, 1 << 17 | 1 << 14); /* BusFault, enabled and pended */
    step(m);
    assert_in_handler(m, EXCEPTION_BUSFAULT);
    says("BusFault at 0x");
}

static void test_each_instruction_once(void **state)
{
    struct machine *m = *state;
    CODE(m, MAIN, UDF);
    step(m);
    assert_true(strlen(text) > 0);
    text[0] = '\0';
    machine_request_reset(m, RESET_PIN);
    step(m);
    assert_in_handler(m, EXCEPTION_HARDFAULT);
    assert_string_equal(text, "");
    CODE(m, MAIN, NOP, UDF);
    machine_request_reset(m, RESET_PIN);
    steps(m, 2);
    says("0x08000402");
}

/* The handler finds its stack and status as without anybody looking. */
static void test_explaining_changes_nothing(void **state)
{
    struct machine *m = *state, *other;
    CODE(m, MAIN, 0x6808);
    m->cpu.r[1] = 0x30000000;
    m->cpu.r[13] = 0x40000000; /* the backtrace meets registers of peripherals */
    steps(m, 5);
    assert_true(strlen(text) > 0);
    assert_int_equal(set_up((void **)&other), 0);
    CODE(other, MAIN, 0x6808);
    other->cpu.r[1] = 0x30000000;
    other->cpu.r[13] = 0x40000000;
    steps(other, 5);
    assert_int_equal(machine_hash(m), machine_hash(other));
    machine_destroy(other);
}

/* The real firmware's program that crashes: names, lines and callers from its debug information. */
static void test_firmware(void **state)
{
    (void)state;
    static const char path[] = MOTE_FIRMWARE_DIR "/target-crash.elf";
    char error[VIRTUAL_BOARD_ERROR], *output = NULL;
    size_t size;
    struct options o = options_default();
    if (access(path, R_OK) != 0) {
        print_message("%s is not built\n", path);
        skip();
    }
    o.firmware = path;
    o.network = "none";
    o.timeout = VTIME_S(60);
    FILE *out = open_memstream(&output, &size);
    struct virtual_board *board = virtual_board_open(&o, out, error, sizeof error);
    assert_non_null(board);
    assert_int_equal(virtual_board_run_to_end(board), EXIT_AS_ASKED);
    virtual_board_close(board);
    fclose(out);
    snprintf(text, sizeof text, "%s", output);
    free(output);
    says("UsageFault at 0x");
    says(" undefined_instruction (prog_crash.c:");
    says("taken as HardFault");
    says("#0 0x");
    says("#1 0x");
    says(" crash_again (prog_crash.c:");
    says(" main (prog_crash.c:");
    says(" Reset_Handler (startup.c:");
    says("overflow_the_stack (prog_crash.c:");
    says("writes 32 bytes at 0x1fffffe0\n");
    says("could not be stacked below SP 0x20000000");
}

#define FAULT(name) cmocka_unit_test_setup_teardown(name, open_machine, close_machine)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAULT(test_bad_load),
        FAULT(test_bad_store_of_several),
        FAULT(test_undefined_instruction),
        FAULT(test_unaligned),
        FAULT(test_division_by_zero),
        FAULT(test_fpu_is_off),
        FAULT(test_branch_to_even_address),
        FAULT(test_wild_branch),
        FAULT(test_stacking_fails),
        FAULT(test_stacking_for_an_interrupt_fails),
        FAULT(test_bad_exception_return),
        FAULT(test_lock_up),
        FAULT(test_fault_in_an_interrupt),
        FAULT(test_pended_by_software),
        FAULT(test_each_instruction_once),
        FAULT(test_explaining_changes_nothing),
        cmocka_unit_test(test_firmware),
    };
    return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
