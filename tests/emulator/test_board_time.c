/* Virtual time, events, the run loop, and that cutting a run in pieces changes nothing. */
#include "board_fixture.h"

static struct {
    char order[32];
    vtime at[32];
    size_t count;
} fired;

static void note(struct machine *m, void *context)
{
    fired.at[fired.count] = machine_now(m);
    fired.order[fired.count++] = *(const char *)context;
}

static struct event labelled(const char *label)
{
    return (struct event){.name = label, .fire = note, .context = (void *)(uintptr_t)label};
}

static int set_up_events(void **state)
{
    memset(&fired, 0, sizeof fired);
    return set_up(state);
}

static void cycles_and_time_convert_exactly(void **state)
{
    struct machine *m = *state;
    static const uint32_t frequencies[] = {16000000, 180000000, 168000000, 33333333, 1, 179999999};

    for (size_t i = 0; i < sizeof frequencies / sizeof frequencies[0]; i++) {
        machine_set_hclk(m, frequencies[i]);
        for (uint64_t cycle = m->cycles; cycle < m->cycles + 3000; cycle += 7)
            assert_int_equal(machine_cycle_at(m, machine_time_at(m, cycle)), cycle);
        uint64_t far = m->cycles + 0x10000000000u / (frequencies[i] == 1 ? 1000000 : 1);
        assert_int_equal(machine_cycle_at(m, machine_time_at(m, far)), far);
    }
}

static void a_deadline_is_never_early(void **state)
{
    struct machine *m = *state;

    machine_set_hclk(m, 180000000); /* 5555.5… ps a cycle */
    assert_int_equal(machine_cycle_at(m, 1), 1);
    assert_int_equal(machine_cycle_at(m, 5555), 1);
    assert_int_equal(machine_cycle_at(m, 5556), 2);
    assert_int_equal(machine_cycle_at(m, VTIME_S(1)), 180000000);
    assert_true(machine_cycle_at(m, VTIME_NEVER) > machine_cycle_at(m, VTIME_S(200 * 24 * 3600)));
}

static void changing_hclk_loses_no_time(void **state)
{
    struct machine *m = *state;
    vtime before = machine_now(m);

    for (int i = 0; i < 1000; i++) { /* a thousand changes, a millisecond apart */
        pass(m, VTIME_MS(1));
        machine_set_hclk(m, i % 2 ? 16000000 : 180000000);
        assert_true(machine_now(m) >= before);
        before = machine_now(m);
    }
    assert_int_equal(machine_now(m) / VTIME_US(1), 1000000);
    assert_true(machine_now(m) % VTIME_US(1) <
                VTIME_NS(100)); /* each run ends on a whole cycle, never early */
}

static void an_armed_event_keeps_its_time_when_hclk_changes(void **state)
{
    struct machine *m = *state;
    struct event event = labelled("a");

    event_at(m, &event, VTIME_MS(10));
    pass(m, VTIME_MS(3));
    machine_set_hclk(m, 180000000);
    pass(m, VTIME_MS(6));
    assert_int_equal(fired.count, 0);
    pass(m, VTIME_MS(2));
    assert_int_equal(fired.count, 1);
    assert_true(fired.at[0] >= VTIME_MS(10) && fired.at[0] < VTIME_MS(10) + VTIME_NS(6));
}

static void events_fire_by_time_then_by_arming(void **state)
{
    struct machine *m = *state;
    struct event a = labelled("a"), b = labelled("b"), c = labelled("c"), d = labelled("d");

    event_at(m, &a, VTIME_US(5));
    event_at(m, &b, VTIME_US(3));
    event_at(m, &c, VTIME_US(5));
    event_at(m, &d, VTIME_US(4));
    event_at(m, &a, VTIME_US(5)); /* armed again: now behind c */
    event_cancel(m, &d);
    pass(m, VTIME_US(10));
    assert_string_equal(fired.order, "bca");
    assert_false(a.armed || b.armed || c.armed || d.armed);
}

static void an_event_in_the_past_fires_at_once(void **state)
{
    struct machine *m = *state;
    struct event event = labelled("a");

    pass(m, VTIME_MS(1));
    vtime now = machine_now(m);
    event_at(m, &event, VTIME_US(1));
    machine_run(m, now);
    assert_int_equal(fired.count, 1);
    assert_int_equal(fired.at[0], now);
}

static void an_event_shortens_the_run_of_an_awake_core(void **state)
{
    struct machine *m = *state;
    struct event event = labelled("a");

    core.awake = true;
    event_at(m, &event, VTIME_US(1));
    pass(m, VTIME_US(2));
    assert_int_equal(fired.at[0], VTIME_US(1)); /* 16 cycles of HSI exactly */
    assert_int_equal(m->cycles, 32);
    assert_int_equal(m->instructions, 32);
}

static vtime short_naps(void *context, struct machine *m, vtime until)
{
    vtime nap = machine_now(m) + VTIME_NS(700);
    unsigned *calls = context;

    ++*calls;
    return nap < until ? nap : until;
}

static void the_host_may_cut_a_sleep_short(void **state)
{
    struct machine *m = *state;
    struct event event = labelled("a");
    unsigned calls = 0;

    m->host.sleep = short_naps;
    m->host.context = &calls;
    event_at(m, &event, VTIME_US(7));
    pass(m, VTIME_US(7));
    assert_true(calls >= 10);
    assert_int_equal(fired.count, 1);
    assert_int_equal(fired.at[0], VTIME_US(7));
}

static vtime arming_nap(void *context, struct machine *m, vtime until)
{
    struct event *event = context;

    if (fired.count == 0 && !event->armed)
        event_at(m, event, machine_now(m) + VTIME_US(1));
    return until;
}

static void what_the_host_feeds_during_sleep_is_not_slept_over(void **state)
{
    struct machine *m = *state;
    struct event event = labelled("a");

    m->host.sleep = arming_nap;
    m->host.context = &event;
    pass(m, VTIME_MS(1));
    assert_int_equal(fired.count, 1);
    assert_int_equal(fired.at[0], VTIME_US(1));
    assert_int_equal(machine_now(m), VTIME_MS(1));
}

static void deep_sleep_is_not_passed_over(void **state)
{
    struct machine *m = *state;

    m->cpu.scr = 1u << 2;
    pass(m, VTIME_MS(1));
    assert_int_equal(m->stop, STOP_ERROR);
}

/* A machine with timers, RNG and watchdog at work; run it for 80 ms in steps of `step`. */
static uint64_t hash_after_steps(vtime step, bool awake)
{
    enum { TIM5 = 0x40000C00, RNG = 0x50060800 };
    struct machine *m = new_board(42);

    core.awake = awake;
    clock_to_180_mhz(m);
    set_bits(m, RCC_APB1ENR_, 1u << 3);
    set_bits(m, RCC_AHB2ENR_, 1u << 6);
    set(m, RNG, 4);
    set(m, TIM5 + 0x28, 6);
    set(m, TIM5 + 0x2C, 777);
    set(m, TIM5 + 0x0C, 1);
    set(m, TIM5 + 0x00, 1);
    for (vtime end = machine_now(m) + VTIME_MS(awake ? 2 : 80), next = machine_now(m) + step;; next += step) {
        machine_run(m, next < end ? next : end);
        if (next >= end)
            break;
    }
    assert_true(core.irq[50]);
    uint64_t hash = machine_hash(m);
    machine_destroy(m);
    return hash;
}

static void a_run_in_pieces_is_the_same_run(void **state)
{
    uint64_t whole = hash_after_steps(VTIME_S(1), false);
    (void)state;

    assert_int_equal(hash_after_steps(VTIME_US(997), false), whole);
    assert_int_equal(hash_after_steps(VTIME_PS(123456789), false), whole);
    whole = hash_after_steps(VTIME_S(1), true);
    assert_int_equal(hash_after_steps(VTIME_PS(7777), true), whole);
}

static void the_seed_decides_about_everything_random(void **state)
{
    struct machine *m = *state;
    struct machine *same = new_board(1), *other = new_board(2);

    assert_int_equal(machine_hash(m), machine_hash(same));
    assert_int_not_equal(machine_hash(m), machine_hash(other));
    assert_memory_equal(m->sram, same->sram, SRAM_SIZE);
    assert_memory_not_equal(m->sram, other->sram, 64);
    assert_memory_not_equal(m->system_memory + 0x7A10, other->system_memory + 0x7A10, 12);
    machine_destroy(same);
    machine_destroy(other);
}

static void the_hash_sees_every_part(void **state)
{
    struct machine *m = *state;
    uint64_t hash = machine_hash(m);
    struct event event = labelled("a");

    m->sram[SRAM_SIZE - 1] ^= 1;
    assert_int_not_equal(machine_hash(m), hash);
    m->sram[SRAM_SIZE - 1] ^= 1;
    m->ccm[5] ^= 1;
    assert_int_not_equal(machine_hash(m), hash);
    m->ccm[5] ^= 1;
    m->flash[FLASH_SIZE - 1] ^= 1;
    assert_int_not_equal(machine_hash(m), hash);
    m->flash[FLASH_SIZE - 1] ^= 1;
    for (size_t i = 0; i < m->state_count; i++) {
        uint8_t *data = m->state[i].data;
        if (m->state[i].size == 0)
            continue;
        data[m->state[i].size - 1] ^= 0x80;
        assert_int_not_equal(machine_hash(m), hash);
        data[m->state[i].size - 1] ^= 0x80;
    }
    event_at(m, &event, VTIME_S(1));
    assert_int_not_equal(machine_hash(m), hash);
    event_cancel(m, &event);
    assert_int_equal(machine_hash(m), hash);
}

static void a_reset_keeps_memory_and_time(void **state)
{
    struct machine *m = *state;

    pass(m, VTIME_MS(1));
    m->sram[0] = 0x5A;
    set_bits(m, RCC_AHB1ENR_, 1);
    vtime before = machine_now(m);
    m->reset_requested = true; /* as SYSRESETREQ does */
    pass(m, VTIME_US(1));
    assert_int_equal(core.resets, 2);
    assert_int_equal(m->sram[0], 0x5A);
    assert_true(machine_now(m) > before);
    assert_int_equal(get(m, RCC_AHB1ENR_), 0x00100000);
    assert_int_equal(get(m, RCC + 0x74) >> 24, 0x0E | 0x10 | 0x04); /* SFTRSTF joins those of power-on */
    set(m, RCC + 0x74, 1u << 24);                                   /* RMVF */
    assert_int_equal(get(m, RCC + 0x74) >> 24, 0);
    machine_request_reset(m, RESET_PIN);
    pass(m, VTIME_US(1));
    assert_int_equal(get(m, RCC + 0x74) >> 24, 0x04);
}

static void an_error_stops_the_run(void **state)
{
    struct machine *m = *state;

    core.awake = true;
    machine_report(m, REPORT_ERROR, "as it were");
    pass(m, VTIME_MS(1));
    assert_int_equal(m->stop, STOP_ERROR);
    assert_int_equal(m->cycles, 0);
}

static void the_identity_is_where_the_manual_says(void **state)
{
    struct machine *m = *state;
    uint32_t size = 0;

    assert_true(bus_read(m, 0x1FFF7A22, 2, &size));
    assert_int_equal(size, 2048);
    for (uint32_t i = 5; i < 12; i++) { /* the lot number is ASCII */
        uint32_t digit = 0;
        assert_true(bus_read(m, 0x1FFF7A10 + i, 1, &digit));
        assert_in_range(digit, '0', '9');
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_events, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(cycles_and_time_convert_exactly),
        TEST(a_deadline_is_never_early),
        TEST(changing_hclk_loses_no_time),
        TEST(an_armed_event_keeps_its_time_when_hclk_changes),
        TEST(events_fire_by_time_then_by_arming),
        TEST(an_event_in_the_past_fires_at_once),
        TEST(an_event_shortens_the_run_of_an_awake_core),
        TEST(the_host_may_cut_a_sleep_short),
        TEST(what_the_host_feeds_during_sleep_is_not_slept_over),
        TEST(deep_sleep_is_not_passed_over),
        TEST(a_run_in_pieces_is_the_same_run),
        TEST(the_seed_decides_about_everything_random),
        TEST(the_hash_sees_every_part),
        TEST(a_reset_keeps_memory_and_time),
        TEST(an_error_stops_the_run),
        TEST(the_identity_is_where_the_manual_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
