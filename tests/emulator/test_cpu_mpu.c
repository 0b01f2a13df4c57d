/* The memory protection unit (ARMv7-M B3.5), unprivileged access, and its faults in stacking. */
#include "cpu_fixture.h"

enum {
    MPU_CTRL_ = 0xE000ED94,
    MPU_RNR_ = 0xE000ED98,
    MPU_RBAR_ = 0xE000ED9C,
    MPU_RASR_ = 0xE000EDA0,
    MPU_RBAR_A1_ = 0xE000EDA4,
    FPCCR_ = 0xE000EF34,

    ENABLE = 1,
    HFNMIENA = 2,
    PRIVDEFENA = 4,
    XN = 1 << 28,

    AP_NONE = 0,
    AP_PRIVILEGED = 1 << 24,
    AP_USER_READS = 2 << 24,
    AP_FULL = 3 << 24,
    AP_PRIVILEGED_READS = 5 << 24,
    AP_READ_ONLY = 6 << 24,

    SECRET = 0x20004000,
};

static uint32_t size_of(unsigned bits)
{
    return (bits - 1) << 1 | 1;
}

static void region(struct machine *m, unsigned number, uint32_t base, uint32_t attributes)
{
    poke(m, MPU_RBAR_, base | 16 | number);
    poke(m, MPU_RASR_, attributes);
}

static void enable(struct machine *m, uint32_t ctrl)
{
    poke(m, MPU_CTRL_, ctrl);
    poke(m, SHCSR_, 7 << 16);
}

/* Flash and SRAM for everybody */
static void open_memory(struct machine *m)
{
    region(m, 0, FLASH_BASE, AP_READ_ONLY | size_of(21));
    region(m, 1, SRAM_BASE, AP_FULL | size_of(18));
}

static void be_unprivileged(struct machine *m)
{
    cpu_set_control(&m->cpu, 1);
}

/* Executes one instruction on r0, [r1]. */
static void access(struct machine *m, uint16_t first, uint16_t second, uint32_t address)
{
    CODE(m, MAIN, first, second);
    m->cpu.r[1] = address;
    m->cpu.r[15] = MAIN;
    step(m);
}

static void expect_denied(struct machine *m, uint32_t address)
{
    assert_in_handler(m, EXCEPTION_MEMMANAGE);
    assert_int_equal(m->cpu.cfsr, CFSR_DACCVIOL | CFSR_MMARVALID);
    assert_int_equal(m->cpu.mmfar, address);
}

static void expect_allowed(struct machine *m)
{
    assert_int_equal(m->cpu.exception, 0);
    assert_int_equal(m->cpu.cfsr, 0);
}

static void load(struct machine *m, uint32_t address)
{
    access(m, 0x6808, NOP, address); /* ldr r0, [r1] */
}

static void store(struct machine *m, uint32_t address)
{
    access(m, 0x6008, NOP, address); /* str r0, [r1] */
}

/* B3.5.3: AP against privilege and direction, through loads, stores and their unprivileged forms */
static void test_permissions(void **state)
{
    static const struct {
        uint32_t ap;
        bool privileged_read, privileged_write, read, write;
    } rows[] = {
        {AP_NONE, false, false, false, false},
        {AP_PRIVILEGED, true, true, false, false},
        {AP_USER_READS, true, true, true, false},
        {AP_FULL, true, true, true, true},
        {AP_PRIVILEGED_READS, true, false, false, false},
        {AP_READ_ONLY, true, false, true, false},
        {7 << 24, true, false, true, false},
    };
    static const struct {
        uint16_t code[2];
        bool write, unprivileged;
    } kinds[] = {
        {{0x6808, NOP}, false, false},   /* ldr r0, [r1] */
        {{0x6008, NOP}, true, false},    /* str r0, [r1] */
        {{0xF851, 0x0E00}, false, true}, /* ldrt r0, [r1] */
        {{0xF841, 0x0E00}, true, true},  /* strt r0, [r1] */
        {{0xF811, 0x0E00}, false, true}, /* ldrbt r0, [r1] */
        {{0xF821, 0x0E00}, true, true},  /* strht r0, [r1] */
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t k = 0; k < 2 * sizeof kinds / sizeof *kinds; k++) {
            bool user = k % 2, low = user || kinds[k / 2].unprivileged, allowed;
            struct machine *m;
            tear_down(state);
            set_up(state);
            m = *state;
            open_memory(m);
            region(m, 2, SECRET, rows[i].ap | size_of(8));
            enable(m, ENABLE);
            if (user)
                be_unprivileged(m);
            access(m, kinds[k / 2].code[0], kinds[k / 2].code[1], SECRET + 8);
            allowed = kinds[k / 2].write ? (low ? rows[i].write : rows[i].privileged_write)
                                         : (low ? rows[i].read : rows[i].privileged_read);
            if (allowed)
                expect_allowed(m);
            else
                expect_denied(m, SECRET + 8);
        }
    }
}

static void test_no_region_is_a_fault(void **state)
{
    struct machine *m = *state;

    open_memory(m);
    enable(m, ENABLE);
    load(m, CCM_BASE);
    expect_denied(m, CCM_BASE);
}

/* PRIVDEFENA: the default map for privileged code only */
static void test_background_region(void **state)
{
    struct machine *m = *state;

    open_memory(m);
    enable(m, ENABLE | PRIVDEFENA);
    load(m, CCM_BASE);
    expect_allowed(m);
    be_unprivileged(m);
    load(m, CCM_BASE);
    expect_denied(m, CCM_BASE);
}

static void test_highest_region_decides(void **state)
{
    struct machine *m = *state;

    open_memory(m);
    region(m, 5, SECRET, AP_NONE | size_of(10));
    region(m, 6, SECRET + 0x100, AP_FULL | size_of(8));
    enable(m, ENABLE);
    store(m, SECRET + 0x1FC);
    expect_allowed(m);
    store(m, SECRET + 0x200);
    expect_denied(m, SECRET + 0x200);
}

/* A sub-region that is switched off leaves the decision to the regions below. */
static void test_sub_regions(void **state)
{
    struct machine *m = *state;

    open_memory(m);
    region(m, 3, SECRET, AP_NONE | size_of(8) | 0x24 << 8); /* 32 bytes each: 2 and 5 off */
    enable(m, ENABLE);
    for (unsigned i = 0; i < 8; i++) {
        m->cpu.cfsr = 0;
        m->cpu.r[13] = STACK;
        m->cpu.active[0] = 0;
        m->cpu.exception = 0;
        load(m, SECRET + 32 * i + 28);
        if (i == 2 || i == 5)
            expect_allowed(m);
        else
            expect_denied(m, SECRET + 32 * i + 28);
    }
}

/* An access over the edge of a region: the part that is outside faults. */
static void test_unaligned_access_over_the_edge(void **state)
{
    struct machine *m = *state;

    open_memory(m);
    region(m, 3, SECRET, AP_NONE | size_of(5));
    enable(m, ENABLE);
    load(m, SECRET - 2);
    expect_denied(m, SECRET);
}

static void test_the_whole_address_space_as_a_region(void **state)
{
    struct machine *m = *state;

    region(m, 0, 0, AP_FULL | size_of(32));
    enable(m, ENABLE);
    store(m, SECRET);
    expect_allowed(m);
}

static void test_execute_never(void **state)
{
    struct machine *m = *state;

    CODE(m, SECRET, NOP, NOP);
    CODE(m, MAIN, 0x4700); /* bx r0 */
    open_memory(m);
    region(m, 2, SECRET, AP_FULL | XN | size_of(8));
    enable(m, ENABLE);
    m->cpu.r[0] = SECRET | 1;
    steps(m, 2);
    assert_in_handler(m, EXCEPTION_MEMMANAGE);
    assert_int_equal(m->cpu.cfsr, CFSR_IACCVIOL); /* no MMARVALID */
    assert_int_equal(peek(m, m->cpu.r[13] + 24), SECRET);
}

/* A 32-bit instruction whose second half lies where nothing may be executed */
static void test_execute_never_over_the_edge(void **state)
{
    struct machine *m = *state;

    CODE(m, SECRET - 2, 0xF04F, 0x0001); /* mov.w r0, #1 */
    CODE(m, MAIN, 0x4700);
    open_memory(m);
    region(m, 2, SECRET, AP_FULL | XN | size_of(8));
    enable(m, ENABLE);
    m->cpu.r[0] = (SECRET - 2) | 1;
    steps(m, 2);
    assert_in_handler(m, EXCEPTION_MEMMANAGE);
    assert_int_equal(peek(m, m->cpu.r[13] + 24), SECRET - 2);
}

/* One region, which leaves flash and SRAM alone: its accesses are refused, the others cost nothing. */
static void test_a_guard_beside_the_memories(void **state)
{
    enum { GUARD = SRAM_BASE - 0x8000 };
    struct machine *m = *state;

    region(m, 7, GUARD, AP_NONE | XN | size_of(15));
    enable(m, PRIVDEFENA | ENABLE);
    assert_false(m->cpu.guarded);
    assert_int_equal(m->cpu.direct_sram_bytes, SRAM_SIZE);
    store(m, SECRET);
    expect_allowed(m);
    store(m, GUARD + 0x7FFC);
    expect_denied(m, GUARD + 0x7FFC);
}

static void test_a_guard_refuses_fetches(void **state)
{
    enum { GUARD = SRAM_BASE - 0x8000 };
    struct machine *m = *state;

    CODE(m, MAIN, 0x4700); /* bx r0 */
    region(m, 7, GUARD, AP_NONE | XN | size_of(15));
    enable(m, PRIVDEFENA | ENABLE);
    m->cpu.r[0] = GUARD | 1;
    steps(m, 2);
    assert_in_handler(m, EXCEPTION_MEMMANAGE);
    assert_int_equal(m->cpu.cfsr, CFSR_IACCVIOL);
}

/* PRIVDEFENA is for privileged code alone: LDRT finds nothing. */
static void test_a_guard_does_not_open_memory_to_the_unprivileged(void **state)
{
    struct machine *m = *state;

    region(m, 7, SRAM_BASE - 0x8000, AP_NONE | XN | size_of(15));
    enable(m, PRIVDEFENA | ENABLE);
    access(m, 0xF851, 0x0E00, SECRET); /* ldrt r0, [r1] */
    expect_denied(m, SECRET);
}

static void test_a_guard_leaves_unprivileged_code_nothing(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, 0xF380, 0x8814, NOP); /* msr control, r0 */
    region(m, 7, SRAM_BASE - 0x8000, AP_NONE | XN | size_of(15));
    enable(m, PRIVDEFENA | ENABLE);
    m->cpu.r[0] = 1;
    steps(m, 2);
    assert_in_handler(m, EXCEPTION_MEMMANAGE);
    assert_int_equal(m->cpu.cfsr, CFSR_IACCVIOL | CFSR_MSTKERR);
}

static void test_code_that_unprivileged_may_not_read(void **state)
{
    struct machine *m = *state;

    region(m, 0, FLASH_BASE, AP_PRIVILEGED | size_of(21));
    region(m, 1, SRAM_BASE, AP_FULL | size_of(18));
    enable(m, ENABLE);
    step(m);
    expect_allowed(m);
    be_unprivileged(m);
    step(m);
    assert_in_handler(m, EXCEPTION_MEMMANAGE);
    assert_int_equal(m->cpu.cfsr, CFSR_IACCVIOL);
}

/* HFNMIENA: without it the MPU is off at priorities below zero. */
static void test_hardfault_and_faultmask(void **state)
{
    struct machine *m = *state;

    open_memory(m);
    region(m, 2, SECRET, AP_NONE | size_of(8));
    enable(m, ENABLE);
    CODE(m, MAIN, CPSID_F, 0x6808, 0xB661, 0x6808); /* ldr; cpsie f; ldr */
    m->cpu.r[1] = SECRET;
    steps(m, 3);
    expect_allowed(m);
    step(m);
    expect_denied(m, SECRET);
}

static void test_hfnmiena(void **state)
{
    struct machine *m = *state;

    open_memory(m);
    region(m, 2, SECRET, AP_NONE | size_of(8));
    enable(m, ENABLE | HFNMIENA);
    CODE(m, MAIN, CPSID_F, 0x6808);
    m->cpu.r[1] = SECRET;
    steps(m, 2);
    assert_int_equal(m->stop, STOP_LOCKUP);
}

/* B3.5.3: the private peripheral bus is outside the MPU's reach, and unprivileged code's. */
static void test_private_peripheral_bus(void **state)
{
    struct machine *m = *state;

    open_memory(m);
    region(m, 2, 0xE0000000, AP_NONE | size_of(29));
    enable(m, ENABLE);
    load(m, CPACR_);
    expect_allowed(m);
    access(m, 0xF851, 0x0E00, CPACR_); /* ldrt */
    assert_in_handler(m, EXCEPTION_BUSFAULT);
}

static void test_disabled_memmanage_escalates(void **state)
{
    struct machine *m = *state;

    open_memory(m);
    poke(m, MPU_CTRL_, ENABLE);
    load(m, CCM_BASE);
    assert_in_handler(m, EXCEPTION_HARDFAULT);
    assert_int_equal(m->cpu.hfsr, HFSR_FORCED);
}

static void test_multiple_store_stops_at_the_edge(void **state)
{
    struct machine *m = *state;

    open_memory(m);
    region(m, 2, SECRET, AP_READ_ONLY | size_of(5));
    enable(m, ENABLE);
    access(m, 0xC11C, NOP, SECRET - 4); /* stmia r1!, {r2-r4} */
    expect_denied(m, SECRET);
    assert_int_equal(m->cpu.r[1], SECRET - 4);
}

/* ---- Frames ---- */

static void test_stacking_denied(void **state)
{
    struct machine *m = *state;

    open_memory(m);
    region(m, 2, SECRET, AP_NONE | size_of(8));
    enable_irq(m, 1, 0x80);
    enable(m, ENABLE);
    m->cpu.r[13] = SECRET + 0x100;
    poke(m, NVIC_ISPR_, 2);
    step(m);
    assert_in_handler(m, EXCEPTION_MEMMANAGE); /* above the interrupt, which is pending still */
    assert_int_equal(m->cpu.cfsr, CFSR_MSTKERR);
    assert_int_equal(peek(m, NVIC_ISPR_), 2);
}

/* The interrupt is above MemManage: it is served first. */
static void test_stacking_denied_below_the_interrupt(void **state)
{
    struct machine *m = *state;

    open_memory(m);
    region(m, 2, SECRET, AP_NONE | size_of(8));
    CODE(m, handler(17), BX_LR);
    enable_irq(m, 1, 0x10);
    enable(m, ENABLE);
    m->cpu.priority[EXCEPTION_MEMMANAGE] = 0x80;
    m->cpu.r[13] = SECRET + 0x100;
    poke(m, NVIC_ISPR_, 2);
    step(m);
    assert_in_handler(m, 17);
    assert_int_equal(m->cpu.cfsr, CFSR_MSTKERR);
    step(m);
    assert_in_handler(m, EXCEPTION_MEMMANAGE);
}

/* An unprivileged thread's frame is stacked and unstacked with its rights. */
static void test_unprivileged_stack(void **state)
{
    struct machine *m = *state;
    struct cpu *c = &m->cpu;

    open_memory(m);
    region(m, 2, SECRET, AP_PRIVILEGED | size_of(8));
    enable_irq(m, 1, 0x80);
    enable(m, ENABLE);
    c->banked_sp = SECRET + 0x100;
    cpu_set_control(c, 3);
    poke(m, NVIC_ISPR_, 2);
    step(m);
    assert_in_handler(m, EXCEPTION_MEMMANAGE);
    assert_int_equal(c->cfsr, CFSR_MSTKERR);
}

static void test_unstacking_denied(void **state)
{
    struct machine *m = *state;

    open_memory(m);
    CODE(m, handler(17), NOP, BX_LR);
    enable_irq(m, 1, 0x80);
    enable(m, ENABLE);
    m->cpu.r[13] = SECRET + 0x100;
    poke(m, NVIC_ISPR_, 2);
    step(m);
    assert_in_handler(m, 17);
    region(m, 2, SECRET, AP_NONE | size_of(8));
    m->cpu.priority[EXCEPTION_MEMMANAGE] = 0x90;
    steps(m, 2);
    assert_in_handler(m, EXCEPTION_MEMMANAGE);
    assert_int_equal(m->cpu.cfsr, CFSR_MUNSTKERR);
    assert_int_equal(m->cpu.r[14], 0xFFFFFFF9); /* chained on the frame that could not be read */
}

/* Lazy saving happens with the rights, and as the fault, of the moment of stacking (B1.5.7). */
static void test_lazy_save_denied(void **state)
{
    struct machine *m = *state;
    struct cpu *c = &m->cpu;

    open_memory(m);
    CODE(m, MAIN, 0xEE30, 0x0A00, NOP, NOP); /* vadd s0, s0, s0 */
    CODE(m, handler(17), 0xEE30, 0x0A00, NOP, NOP);
    poke(m, CPACR_, 0xF00000);
    enable_irq(m, 1, 0x80);
    enable(m, ENABLE);
    c->r[13] = SECRET + 0x100;
    step(m);
    poke(m, NVIC_ISPR_, 2);
    step(m);
    assert_in_handler(m, 17);
    assert_int_equal(c->fpccr & (FPCCR_LSPACT | FPCCR_MMRDY), FPCCR_LSPACT | FPCCR_MMRDY);
    region(m, 2, SECRET, AP_READ_ONLY | size_of(8));
    cpu_select_sp(c, false);
    c->r[13] = STACK; /* the fault's own frame has room */
    step(m);
    assert_in_handler(m, EXCEPTION_MEMMANAGE);
    assert_int_equal(c->cfsr, CFSR_MLSPERR);
    assert_int_equal(c->fpccr & FPCCR_LSPACT, FPCCR_LSPACT);
    assert_int_equal(peek(m, c->r[13] + 24), handler(17));
}

/* The handler runs above MemManage: the fault waits, and the instruction goes on. */
static void test_lazy_save_denied_but_must_wait(void **state)
{
    struct machine *m = *state;
    struct cpu *c = &m->cpu;

    open_memory(m);
    CODE(m, MAIN, 0xEE30, 0x0A00, NOP, NOP);
    CODE(m, handler(17), 0xEE30, 0x0A00, NOP, NOP);
    poke(m, CPACR_, 0xF00000);
    enable_irq(m, 1, 0x10);
    enable(m, ENABLE);
    c->priority[EXCEPTION_MEMMANAGE] = 0x80;
    c->r[13] = SECRET + 0x100;
    c->s[0] = 0x3F800000;
    step(m);
    poke(m, NVIC_ISPR_, 2);
    step(m);
    region(m, 2, SECRET, AP_READ_ONLY | size_of(8));
    c->r[13] = STACK;
    step(m);
    assert_int_equal(c->r[15], handler(17) + 4);
    assert_int_equal(c->s[0], 0x40800000);
    assert_int_equal(c->cfsr, CFSR_MLSPERR);
    assert_int_equal(c->fpccr & FPCCR_LSPACT, 0);
    assert_int_equal(c->pending[0], 1 << EXCEPTION_MEMMANAGE);
}

/* ---- Registers (B3.5.4 to B3.5.10) ---- */

static void test_registers(void **state)
{
    struct machine *m = *state;

    assert_int_equal(peek(m, 0xE000ED90), 8 << 8);
    poke(m, MPU_CTRL_, 0xFFFFFFF8);
    assert_int_equal(peek(m, MPU_CTRL_), 0);
    poke(m, MPU_RNR_, 3);
    poke(m, MPU_RBAR_, 0x20000000); /* VALID clear: region 3 */
    poke(m, MPU_RASR_, 0xFFFFFFFE);
    assert_int_equal(peek(m, MPU_RBAR_), 0x20000003);
    assert_int_equal(peek(m, MPU_RASR_), 0x173FFF3E);
    poke(m, MPU_RBAR_A1_, 0x08000000 | 16 | 6); /* an alias: the same registers, region 6 from now on */
    assert_int_equal(peek(m, MPU_RNR_), 6);
    assert_int_equal(peek(m, MPU_RBAR_), 0x08000006);
    assert_int_equal(peek(m, MPU_RASR_), 0);
    assert_int_equal(seen.warnings, 0);
    poke(m, MPU_RASR_, size_of(4));
    assert_int_equal(seen.warnings, 1); /* too small */
    poke(m, MPU_CTRL_, HFNMIENA);
    assert_int_equal(seen.warnings, 2);
}

static void test_off_again(void **state)
{
    struct machine *m = *state;

    open_memory(m);
    enable(m, ENABLE);
    poke(m, MPU_CTRL_, 0);
    load(m, CCM_BASE);
    expect_allowed(m);
    assert_int_equal(m->cpu.direct_sram_bytes, SRAM_SIZE);
    assert_int_equal(m->cpu.attention & ATTEND_FETCH, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_permissions),
        TEST(test_no_region_is_a_fault),
        TEST(test_background_region),
        TEST(test_highest_region_decides),
        TEST(test_sub_regions),
        TEST(test_unaligned_access_over_the_edge),
        TEST(test_the_whole_address_space_as_a_region),
        TEST(test_execute_never),
        TEST(test_execute_never_over_the_edge),
        TEST(test_a_guard_beside_the_memories),
        TEST(test_a_guard_refuses_fetches),
        TEST(test_a_guard_does_not_open_memory_to_the_unprivileged),
        TEST(test_a_guard_leaves_unprivileged_code_nothing),
        TEST(test_code_that_unprivileged_may_not_read),
        TEST(test_hardfault_and_faultmask),
        TEST(test_hfnmiena),
        TEST(test_private_peripheral_bus),
        TEST(test_disabled_memmanage_escalates),
        TEST(test_multiple_store_stops_at_the_edge),
        TEST(test_stacking_denied),
        TEST(test_stacking_denied_below_the_interrupt),
        TEST(test_unprivileged_stack),
        TEST(test_unstacking_denied),
        TEST(test_lazy_save_denied),
        TEST(test_lazy_save_denied_but_must_wait),
        TEST(test_registers),
        TEST(test_off_again),
    };
    return cmocka_run_group_tests_name("cpu-mpu", tests, NULL, NULL);
}
