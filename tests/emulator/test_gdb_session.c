/* A GDB session: registers, memory, breakpoints, watchpoints, steps, faults, flash, monitor commands. */
#include "gdb_client.h"

static struct gdb_client client;

static int open_session(void **state)
{
    set_up(state);
    client_open(&client, *state);
    return 0;
}

static int close_session(void **state)
{
    client_close(&client);
    return tear_down(state);
}

/* ---- Registers ---- */

static void test_attaching_halts(void **state)
{
    struct machine *m = *state;
    assert_int_equal(m->stop, STOP_DEBUG);
    client_expect(&client, "?", "T05thread:1;");
    assert_int_equal(client_register(&client, 15), MAIN);
    assert_int_equal(m->instructions, 0);
    client_close(&client);
    assert_int_equal(m->stop, STOP_NONE);
    assert_null(m->debug);
    client_open(&client, m);
}

static void test_registers_by_number(void **state)
{
    struct machine *m = *state;
    client_expect(&client, "P0=78563412", "OK");
    client_expect(&client, "p0", "78563412");
    client_expect(&client, "Pd=03000120", "OK"); /* SP's low bits are zero */
    assert_int_equal(m->cpu.r[13], 0x20010000);
    client_expect(&client, "P12=0000000000000840", "OK"); /* d1 = 3.0 */
    assert_int_equal(m->cpu.s[3], 0x40080000);
    client_expect(&client, "P23=00010020", "OK"); /* psp */
    assert_int_equal(m->cpu.banked_sp, 0x20000100);
    client_expect(&client, "P24=01", "OK");
    client_expect(&client, "P25=ff", "OK");
    client_expect(&client, "P26=01", "OK");
    assert_int_equal(m->cpu.primask, 1);
    assert_int_equal(m->cpu.basepri, 0xF0);
    assert_int_equal(m->cpu.faultmask, 1);
    client_expect(&client, "P27=02", "OK"); /* control: the process stack */
    assert_int_equal(m->cpu.r[13], 0x20000100);
    client_expect(&client, "p22", "00000120");
    client_expect(&client, "P10=000000a1", "OK");
    assert_int_equal(cpu_xpsr(&m->cpu), 0xA1000000);
    client_expect(&client, "p28", "E16");
    client_expect(&client, "pffffffff", "E16");
    client_expect(&client, "P0=1234", "E16");
}

static void test_all_registers_at_once(void **state)
{
    struct machine *m = *state;
    char all[1024];
    for (unsigned i = 0; i < 13; i++) {
        m->cpu.r[i] = 0x11111111 * i;
    }
    snprintf(all, sizeof all, "G%.1000s", client_ask(&client, "g"));
    assert_int_equal(strlen(all) - 1, 2 * (17 * 4 + 16 * 8 + 3 * 4 + 4));
    assert_memory_equal(all + 1 + 8, "11111111", 8);
    memset(m->cpu.r, 0, 13 * 4);
    client_expect(&client, all, "OK");
    assert_int_equal(m->cpu.r[12], 0x11111111u * 12);
    assert_int_equal(m->cpu.r[15], MAIN);
    all[strlen(all) - 2] = '\0';
    client_expect(&client, all, "E16");
}

static void test_documents_describe_all(void **state)
{
    (void)state;
    assert_non_null(
        strstr(client_ask(&client, "qSupported:hwbreak+;xmlRegisters=arm"), "qXfer:features:read+"));
    client_ask(&client, "qXfer:features:read:target.xml:0,fff");
    assert_int_equal(client.answer[0], 'l');
    assert_non_null(strstr(client.answer, "org.gnu.gdb.arm.m-profile"));
    assert_non_null(strstr(client.answer, "name=\"control\" bitsize=\"8\" regnum=\"39\""));
    client_ask(&client, "qXfer:features:read:target.xml:0,10");
    assert_int_equal(client.answer_length, 0x11);
    assert_int_equal(client.answer[0], 'm');
    client_expect(&client, "qXfer:features:read:target.xml:ffffff,10", "l");
    client_expect(&client, "qXfer:features:read:other.xml:0,10", "");
    client_ask(&client, "qXfer:memory-map:read::0,fff");
    assert_non_null(strstr(client.answer, "start=\"0x20000000\" length=\"0x30000\""));
    assert_non_null(strstr(client.answer, "<property name=\"blocksize\">0x20000</property>"));
}

/* ---- Memory ---- */

static void test_memory(void **state)
{
    struct machine *m = *state;
    client_expect(&client, "M20000101,3:aabbcc", "OK");
    client_expect(&client, "m20000100,5", "00aabbcc00");
    client_send(&client, "X20000200,4:a#$}", 16);
    assert_string_equal(client.answer, "OK");
    assert_memory_equal(m->sram + 0x200, "a#$}", 4);
    client_expect(&client, "X20000200,0:", "OK");
    client_expect(&client, "m60000000,4", "E0e");  /* nothing answers there */
    client_expect(&client, "m2002fffe,4", "0000"); /* as far as it goes */
    client_expect(&client, "M60000000,1:00", "E0e");
    /* What an earlier, longer packet has left in the buffer is no part of a short one. */
    client_expect(&client, "M20000108,4:01020304", "OK");
    client_expect(&client, "M20000108,4:aa", "E16");
    assert_int_equal(m->sram[0x108], 1);
    client_expect(&client, "me000ed00,4", "41c20f41"); /* CPUID */
    client_expect(&client, "m00000000,4", "00000120"); /* the alias of flash */
    client_expect(&client, "m22002000,4", "00000000"); /* bit 0 of 0x20000100 */
    client_expect(&client, "M22002000,4:01000000", "OK");
    assert_int_equal(m->sram[0x100], 1);
    assert_int_equal(seen.warnings + seen.errors, 0);
}

static void test_looking_leaves_no_trace(void **state)
{
    struct machine *m = *state;
    uint64_t before = machine_hash(m);
    for (uint32_t address = 0x40000000; address < 0x40030000; address += 0x400) {
        char packet[32];
        snprintf(packet, sizeof packet, "m%x,80", address);
        client_ask(&client, packet);
    }
    client_ask(&client, "me000e000,400");
    client_ask(&client, "me000ed00,400");
    client_ask(&client, "me0001000,40");
    client_ask(&client, "m50060800,c"); /* RNG: its next number stays the next */
    assert_int_equal(machine_hash(m), before);
    assert_int_equal(m->stop, STOP_DEBUG);
    assert_int_equal(seen.warnings + seen.errors, 0);
}

static void test_code_written_is_executed(void **state)
{
    struct machine *m = *state;
    CODE(m, DATA, NOP, NOP, LOOP);
    client_expect(&client, "Pf=00010020", "OK");
    client_ask(&client, "s");
    client_wait(&client);
    client_expect(&client, "M20000102,2:0920", "OK"); /* movs r0, #9 */
    client_ask(&client, "s");
    client_wait(&client);
    assert_int_equal(m->cpu.r[0], 9);
}

static void test_reset_request_is_carried_out(void **state)
{
    struct machine *m = *state;
    client_ask(&client, "s");
    client_wait(&client);
    assert_int_equal(client_register(&client, 15), MAIN + 2);
    client_expect(&client, "Me000ed0c,4:0400fa05", "OK");
    assert_int_equal(client_register(&client, 15), MAIN);
    assert_int_equal(m->stop, STOP_DEBUG);
}

static void test_flash_is_loaded(void **state)
{
    struct machine *m = *state;
    client_expect(&client, "vFlashErase:08004000,4000", "OK");
    client_send(&client, "vFlashWrite:8004100:ab\x00", 23);
    assert_string_equal(client.answer, "OK");
    assert_int_equal(m->flash[0x4100], 0xFF);
    client_expect(&client, "vFlashDone", "OK");
    assert_memory_equal(m->flash + 0x4100, "ab\0\xff", 4);
    assert_int_equal(m->flash[0x4000], 0xFF);
    client_ask(&client, "vFlashErase:20000000,100");
    assert_int_equal(client.answer[0], 'E');
    client_ask(&client, "vFlashErase:081fff00,200");
    assert_int_equal(client.answer[0], 'E');
    client_expect(&client, "vFlashDone", "OK");
    client_expect(&client, "qCRC:8004100,2", "C166c0232");
}

/* ---- Breakpoints, steps, watchpoints ---- */

static void load_loop(struct machine *m)
{
    CODE(m, MAIN, 0x2000, /* movs r0, #0 */
         0x3001,          /* 1: adds r0, #1 */
         0x6008,          /* str r0, [r1] */
         0x680A,          /* ldr r2, [r1] */
         0xBF00, 0xE7FA); /* nop; b 1b */
    m->cpu.r[1] = DATA;
}

static void test_breakpoint(void **state)
{
    struct machine *m = *state;
    load_loop(m);
    client_expect(&client, "Z1,8000404,2", "OK");
    client_ask(&client, "c");
    assert_string_equal(client_wait(&client), "T05thread:1;");
    assert_int_equal(m->cpu.r[15], MAIN + 4);
    assert_int_equal(m->instructions, 2);
    client_ask(&client, "qSupported:hwbreak+");
    client_ask(&client, "vCont;c");
    assert_string_equal(client_wait(&client), "T05thread:1;hwbreak:;");
    assert_int_equal(m->cpu.r[0], 2);
    client_expect(&client, "z1,8000404,2", "OK");
    client_ask(&client, "c");
    machine_run(m, machine_now(m) + VTIME_US(100));
    assert_int_equal(m->stop, STOP_NONE);
    client_send_raw(&client, "\3", 1);
    assert_string_equal(client_wait(&client), "T02thread:1;");
}

static void test_too_many_breakpoints(void **state)
{
    char packet[32];
    (void)state;
    for (unsigned i = 0; i < DEBUG_POINTS; i++) {
        snprintf(packet, sizeof packet, "Z0,%x,2", 0x8000000 + 2 * i);
        client_expect(&client, packet, "OK");
        client_expect(&client, packet, "OK");
    }
    assert_int_equal(strncmp(client_ask(&client, "Z0,8010000,2"), "E.", 2), 0);
    client_expect(&client, "z0,8000000,2", "OK");
    client_expect(&client, "Z0,8010000,2", "OK");
    client_expect(&client, "Z5,8010000,2", "E16");
}

static void test_step(void **state)
{
    struct machine *m = *state;
    load_loop(m);
    for (unsigned i = 1; i <= 5; i++) {
        client_ask(&client, i % 2 ? "s" : "vCont;s:1");
        assert_string_equal(client_wait(&client), "T05thread:1;");
        assert_int_equal(m->instructions, i);
        assert_int_equal(m->cpu.r[15], MAIN + 2 * i);
    }
    client_ask(&client, "s8000400");
    client_wait(&client);
    assert_int_equal(m->cpu.r[15], MAIN + 2);
}

/* Interrupts that are due are served, and the step ends where the program goes on. */
static void test_step_serves_interrupts(void **state)
{
    struct machine *m = *state;
    load_loop(m);
    CODE(m, handler(EXCEPTION_IRQ0 + 3), 0x2763, BX_LR); /* movs r7, #99 */
    enable_irq(m, 3, 0x40);
    poke(m, NVIC_ISPR_, 1 << 3);
    client_ask(&client, "s");
    client_wait(&client);
    assert_int_equal(m->cpu.r[15], MAIN + 2);
    assert_int_equal(m->cpu.r[7], 99);
    assert_int_equal(m->cpu.exception, 0);
    poke(m, NVIC_ISPR_, 1 << 3);
    char packet[32];
    snprintf(packet, sizeof packet, "Z1,%x,2", handler(EXCEPTION_IRQ0 + 3));
    client_expect(&client, packet, "OK");
    client_ask(&client, "s");
    client_wait(&client);
    assert_int_equal(m->cpu.exception, EXCEPTION_IRQ0 + 3); /* a breakpoint in the handler still holds */
}

static void test_step_into_svc_and_fault(void **state)
{
    struct machine *m = *state;
    CODE(m, MAIN, SVC_1, UDF);
    CODE(m, handler(EXCEPTION_SVCALL), BX_LR);
    client_ask(&client, "s");
    client_wait(&client);
    assert_in_handler(m, EXCEPTION_SVCALL);
    client_ask(&client, "s");
    client_wait(&client);
    assert_int_equal(m->cpu.r[15], MAIN + 2);
    client_ask(&client, "s");
    assert_string_equal(client_wait(&client), "T04thread:1;");
    assert_in_handler(m, EXCEPTION_HARDFAULT);
}

static void test_step_ends_sleep(void **state)
{
    struct machine *m = *state;
    CODE(m, MAIN, WFI, NOP, LOOP);
    client_ask(&client, "c");
    machine_run(m, machine_now(m) + VTIME_US(10));
    client_send_raw(&client, "\3", 1);
    assert_string_equal(client_wait(&client), "T02thread:1;");
    assert_int_equal(m->cpu.sleep, SLEEP_WFI);
    assert_non_null(strstr(client_monitor(&client, "info"), "halted asleep"));
    client_ask(&client, "s");
    client_wait(&client);
    assert_int_equal(m->cpu.r[15], MAIN + 4);
}

static void test_watchpoints(void **state)
{
    static const struct {
        const char *set, *clear, *reply;
        uint32_t pc;
    } cases[] = {
        {"Z2,20000100,4", "z2,20000100,4", "T05thread:1;watch:20000100;", MAIN + 4},
        {"Z3,20000102,1", "z3,20000102,1", "T05thread:1;rwatch:20000102;", MAIN + 6},
        {"Z4,200000fe,4", "z4,200000fe,4", "T05thread:1;awatch:20000100;", MAIN + 4},
    };
    struct machine *m = *state;
    load_loop(m);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        client_expect(&client, cases[i].set, "OK");
        client_ask(&client, "c");
        assert_string_equal(client_wait(&client), cases[i].reply);
        assert_int_equal(m->cpu.r[15], cases[i].pc); /* before the access, as GDB expects on ARM */
        client_expect(&client, cases[i].clear, "OK");
        client_ask(&client, "s");
        client_wait(&client);
    }
    client_expect(&client, "Z2,20000104,4", "OK"); /* beside it */
    client_ask(&client, "c");
    machine_run(m, machine_now(m) + VTIME_US(100));
    assert_int_equal(m->stop, STOP_NONE);
}

static void test_watchpoint_in_it_block(void **state)
{
    struct machine *m = *state;
    CODE(m, MAIN, 0x2000, 0x2801, /* movs r0, #0; cmp r0, #1 */
         0xBF0C, 0x6008, 0x604A,  /* ite eq; streq r0, [r1]; strne r2, [r1, #4] */
         LOOP);
    m->cpu.r[1] = DATA;
    client_expect(&client, "Z2,20000100,8", "OK");
    client_ask(&client, "c");
    assert_string_equal(client_wait(&client), "T05thread:1;watch:20000104;");
    assert_int_equal(m->cpu.r[15], MAIN + 8);
}

static void test_bkpt_stops_and_is_passed(void **state)
{
    struct machine *m = *state;
    CODE(m, MAIN, NOP, 0xBE00, 0x2005, LOOP); /* bkpt #0; movs r0, #5 */
    client_ask(&client, "c");
    assert_string_equal(client_wait(&client), "T05thread:1;");
    assert_int_equal(m->cpu.r[15], MAIN + 2);
    client_ask(&client, "s");
    client_wait(&client);
    assert_int_equal(m->cpu.r[15], MAIN + 6);
    assert_int_equal(m->cpu.r[0], 5);
    assert_int_equal(m->cpu.dfsr, 0);
}

/* Stopping a hundred times at breakpoints and watchpoints changes nothing of the run. */
static void test_stops_leave_no_trace(void **state)
{
    struct machine *m = *state;
    const vtime end = VTIME_US(500);
    load_loop(m);
    enable_irq(m, 3, 0x40);
    CODE(m, handler(EXCEPTION_SYSTICK), 0xBF00, BX_LR);
    poke(m, SYST_RVR_, 700);
    poke(m, SYST_CSR_, 7);
    client_close(&client);
    struct machine *other;
    assert_int_equal(set_up((void **)&other), 0);
    load_loop(other);
    enable_irq(other, 3, 0x40);
    CODE(other, handler(EXCEPTION_SYSTICK), 0xBF00, BX_LR);
    poke(other, SYST_RVR_, 700);
    poke(other, SYST_CSR_, 7);
    machine_run(other, end);

    client_open(&client, m);
    client_expect(&client, "Z1,8000408,2", "OK");
    client_expect(&client, "Z4,20000100,4", "OK");
    unsigned stops = 0;
    for (; stops < 200; stops++) {
        client_ask(&client, "c");
        client_wait(&client);
    }
    assert_true(machine_now(m) < end);
    client_expect(&client, "D", "OK");
    assert_int_equal(gdb_mode(client.gdb), GDB_DETACHED);
    client_close(&client);
    machine_run(m, end);
    assert_int_equal(m->instructions, other->instructions);
    assert_int_equal(m->cycles, other->cycles);
    assert_int_equal(machine_hash(m), machine_hash(other));
    machine_destroy(other);
    client_open(&client, m);
}

/* ---- Faults and the end ---- */

static void test_faults_stop_with_their_signal(void **state)
{
    static const struct {
        uint16_t code[2];
        const char *reply;
    } cases[] = {
        {{UDF, NOP}, "T04thread:1;"},
        {{0x6808, NOP}, "T0athread:1;"},    /* ldr r0, [r1]: nothing there */
        {{0xFBB2, 0xF0F3}, "T08thread:1;"}, /* udiv r0, r2, r3: by zero */
        {{0xEE30, 0x0A20}, "T04thread:1;"}, /* vadd.f32: the FPU is off */
    };
    struct machine *m = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CODE(m, MAIN, cases[i].code[0], cases[i].code[1], LOOP);
        client_monitor(&client, "reset halt");
        poke(m, CCR_, CCR_DIV_0_TRP | CCR_STKALIGN);
        m->cpu.r[1] = 0x30000000;
        client_ask(&client, "c");
        assert_string_equal(client_wait(&client), cases[i].reply);
        assert_in_handler(m, EXCEPTION_HARDFAULT);
        client_expect(&client, "?", cases[i].reply);
    }
}

static void test_vector_catch(void **state)
{
    struct machine *m = *state;
    CODE(m, MAIN, UDF, LOOP);
    assert_non_null(strstr(client_monitor(&client, "cortex_m vector_catch none"), "hard_err: ignore"));
    client_ask(&client, "c");
    machine_run(m, machine_now(m) + VTIME_US(100));
    assert_int_equal(m->stop, STOP_NONE);
    client_send_raw(&client, "\3", 1);
    client_wait(&client);
    client_monitor(&client, "reset halt");
    assert_non_null(
        strstr(client_monitor(&client, "cortex_m vector_catch chk_err bus_err"), "bus_err: catch"));
    poke(m, SHCSR_, 7 << 16);
    client_ask(&client, "c");
    assert_string_equal(client_wait(&client), "T04thread:1;");
    assert_in_handler(m, EXCEPTION_USAGEFAULT);
}

static void test_lock_up(void **state)
{
    struct machine *m = *state;
    CODE(m, MAIN, UDF);
    CODE(m, handler(EXCEPTION_HARDFAULT), UDF);
    client_monitor(&client, "cortex_m vector_catch none");
    client_ask(&client, "c");
    assert_string_equal(client_wait(&client), "T06thread:1;");
    assert_non_null(strstr(client.console, "locked up"));
    assert_string_equal(client_ask(&client, "c"), "T06thread:1;"); /* and stays so */
    assert_int_equal(m->stop, STOP_LOCKUP);
    client_monitor(&client, "reset halt");
    assert_int_equal(m->stop, STOP_DEBUG);
    assert_int_equal(m->cpu.r[15], MAIN);
}

static void test_semihosting_goes_on(void **state)
{
    struct machine *m = *state;
    CODE(m, MAIN, 0x2003, 0xBEAB,      /* movs r0, #SYS_WRITEC; bkpt #0xab */
         0x2018, 0x4901, 0xBEAB, LOOP, /* movs r0, #SYS_EXIT; ldr r1, =ApplicationExit; bkpt #0xab */
         0x0026, 0x0002);
    m->cpu.r[1] = DATA;
    m->sram[DATA - SRAM_BASE] = 'x';
    client_ask(&client, "c");
    assert_string_equal(client_wait(&client), "W00");
    assert_string_equal(seen.console, "x");
    assert_int_equal(gdb_mode(client.gdb), GDB_EXITED);
    assert_string_equal(client_ask(&client, "vRun;"), "T05thread:1;");
    assert_int_equal(client_register(&client, 15), MAIN);
}

static void test_kill_and_restart(void **state)
{
    (void)state;
    client_expect(&client, "!", "OK");
    client_ask(&client, "R00");
    assert_int_equal(gdb_mode(client.gdb), GDB_HALTED);
    client_expect(&client, "vKill;1", "OK");
    assert_int_equal(gdb_mode(client.gdb), GDB_KILLED);
}

/* ---- Manners of the protocol ---- */

static void test_acknowledgements(void **state)
{
    (void)state;
    client_ask(&client, "?");
    assert_int_equal(client.accepted, 1);
    client_send_raw(&client, "$?#00", 5);
    assert_int_equal(client.rejected, 1);
    assert_int_equal(client.packets, 1);
    client_send_raw(&client, "-", 1); /* again, please */
    assert_int_equal(client.packets, 2);
    assert_string_equal(client.answer, "T05thread:1;");
    client_expect(&client, "QStartNoAckMode", "OK");
    assert_int_equal(client.accepted, 2);
    client_ask(&client, "?");
    assert_int_equal(client.accepted, 2);
    client_send_raw(&client, "-", 1);
    assert_int_equal(client.packets, 4);
}

static void test_unknown_packets_get_the_empty_reply(void **state)
{
    (void)state;
    client_expect(&client, "vMustReplyEmpty", "");
    client_expect(&client, "qTStatus", "");
    client_expect(&client, "", "");
    client_expect(&client, "y", "");
    client_expect(&client, "Hg0", "OK");
    client_expect(&client, "qC", "QC1");
    client_expect(&client, "qfThreadInfo", "m1");
    client_expect(&client, "qsThreadInfo", "l");
    client_expect(&client, "qAttached", "1");
    assert_int_equal(gdb_mode(client.gdb), GDB_HALTED);
}

static void test_running_core_listens_to_ctrl_c_only(void **state)
{
    struct machine *m = *state;
    load_loop(m);
    client_ask(&client, "c");
    assert_string_equal(client_ask(&client, "g"), "");
    assert_int_equal(gdb_mode(client.gdb), GDB_RUNNING);
    client_send_raw(&client, "\3", 1);
    assert_string_equal(client_wait(&client), "T02thread:1;");
    client_send_raw(&client, "\3", 1); /* too late, no harm */
    client_expect(&client, "?", "T02thread:1;");
}

static void test_monitor(void **state)
{
    struct machine *m = *state;
    assert_non_null(strstr(client_monitor(&client, "help"), "reset [halt|init|run]"));
    assert_non_null(strstr(client_monitor(&client, "reset init"), "pc 0x08000400"));
    assert_non_null(strstr(client_monitor(&client, "reset"), "continue lets it run"));
    assert_non_null(strstr(client_monitor(&client, "reset sideways"), "takes halt"));
    assert_non_null(strstr(client_monitor(&client, "halt"), "halted"));
    client_monitor(&client, "mww 0x20000100 0x12345678");
    client_monitor(&client, "mwb 0x20000104 0xff");
    assert_string_equal(client_monitor(&client, "mdw 0x20000100 2"),
                        "0x20000100: 12345678\n0x20000104: 000000ff\n");
    assert_string_equal(client_monitor(&client, "mdh 0x20000102"), "0x20000102: 1234\n");
    assert_non_null(strstr(client_monitor(&client, "mdw 0x60000000"), "nothing answers"));
    assert_non_null(strstr(client_monitor(&client, "mdw"), "takes an address"));
    assert_non_null(strstr(client_monitor(&client, "mdw 1 999999"), "up to 256"));
    assert_non_null(strstr(client_monitor(&client, "mww 0x20000100 99999999999"), "takes an address"));
    assert_string_equal(client_monitor(&client, "reg r3 7"), "r3 (/32): 0x00000007\n");
    assert_int_equal(m->cpu.r[3], 7);
    assert_non_null(strstr(client_monitor(&client, "reg"), "control (/8): 0x00"));
    assert_non_null(strstr(client_monitor(&client, "reg r99"), "no register"));
    assert_non_null(strstr(client_monitor(&client, "frobnicate"), "unknown command"));
    assert_string_equal(client_monitor(&client, ""), "");
    client_monitor(&client, "shutdown");
    assert_int_equal(gdb_mode(client.gdb), GDB_KILLED);
}

#define SESSION(name) cmocka_unit_test_setup_teardown(name, open_session, close_session)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SESSION(test_attaching_halts),
        SESSION(test_registers_by_number),
        SESSION(test_all_registers_at_once),
        SESSION(test_documents_describe_all),
        SESSION(test_memory),
        SESSION(test_looking_leaves_no_trace),
        SESSION(test_code_written_is_executed),
        SESSION(test_reset_request_is_carried_out),
        SESSION(test_flash_is_loaded),
        SESSION(test_breakpoint),
        SESSION(test_too_many_breakpoints),
        SESSION(test_step),
        SESSION(test_step_serves_interrupts),
        SESSION(test_step_into_svc_and_fault),
        SESSION(test_step_ends_sleep),
        SESSION(test_watchpoints),
        SESSION(test_watchpoint_in_it_block),
        SESSION(test_bkpt_stops_and_is_passed),
        SESSION(test_stops_leave_no_trace),
        SESSION(test_faults_stop_with_their_signal),
        SESSION(test_vector_catch),
        SESSION(test_lock_up),
        SESSION(test_semihosting_goes_on),
        SESSION(test_kill_and_restart),
        SESSION(test_acknowledgements),
        SESSION(test_unknown_packets_get_the_empty_reply),
        SESSION(test_running_core_listens_to_ctrl_c_only),
        SESSION(test_monitor),
    };
    return cmocka_run_group_tests_name("gdb-session", tests, NULL, NULL);
}
