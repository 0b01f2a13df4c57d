#include "app/app.h"

#include <string.h>

#include "app/config.h"
#include "app/crash_storm.h"
#include "app/identity.h"
#include "app/telemetry.h"
#include "app/telemetry_session.h"
#include "app/telemetry_tasks.h"
#include "app/time.h"
#include "log/log.h"
#include "target/nucleo-f429zi/board.h"
#include "target/nucleo-f429zi/button.h"
#include "target/nucleo-f429zi/phy.h"
#include "target/stm32f429/chip.h"
#include "target/stm32f429/clock.h"
#include "target/stm32f429/crash.h"
#include "target/stm32f429/ethernet.h"
#include "target/stm32f429/iwdg.h"
#include "target/stm32f429/rng.h"

KERNEL_DEFINE

static int clock_error;

#if MOTE_FULL
static struct crash_storm crash_storm __attribute__((section(".noinit")));
static uint64_t stable_us; /* from then on this run has lasted */
#endif

enum {
    WATCHDOG_MS = 8000,
    BUTTON_BOUNCE_MS = 50,
};

static uint32_t now_ms(void)
{
    return us_to_ms(clock_now());
}

/*
 * Lets the network do what it can, and sees to it that it is called again in
 * time. Under a flood that is at the lowest priority, with the interrupt of the
 * frames off, so that the link and the watchdog get their turn.
 */
static void serve(struct network *network)
{
    bool more;
    uint32_t wait_ms = network_run(network, now_ms(), &more);

    if (more)
        arm(network_more, 0);
    chip_interrupt(ETH_IRQn, !more);
    arm(network_due, more || wait_ms == UINT32_MAX ? KERNEL_NEVER : clock_now() + milliseconds(wait_ms));
    if (network_take_changes(network) & 1u << SETTING_TELEMETRY_PERIOD_MS)
        arm(telemetry, clock_now() + milliseconds(network->settings.telemetry.period_ms));
}

TASK(ethernet)
{
    uint32_t events = ethernet_interrupt();

    if (events & ETHERNET_FAILED)
        arm(link, 0);
    LOCK (network) {
        serve(network);
    }
}

TASK(network_due)
{
    LOCK (network) {
        serve(network);
    }
}

TASK(network_more)
{
    LOCK (network) {
        serve(network);
    }
}

/* Contacts bounce: an edge counts only after a time without any. */
TASK(button)
{
    static uint64_t quiet_us;
    bool first = clock_now() >= quiet_us;

    button_acknowledge();
    quiet_us = clock_now() + milliseconds(BUTTON_BOUNCE_MS);
    if (!first || !board_button())
        return;
    LOCK (network) {
        network_set_led(network, !network->settings.led);
        serve(network);
    }
}

static void show_link(const struct ethernet_link *link, bool up)
{
    board_led(BOARD_LD1, up);
    if (up)
        LOG_INFO("link up, %d Mbit/s %s duplex", link->fast ? 100 : 10, link->full_duplex ? "full" : "half");
    else
        LOG_WARNING("link down");
}

static void note_stable(void)
{
#if MOTE_FULL
    if (clock_now() >= stable_us)
        crash_storm_end(&crash_storm);
#endif
}

/* Whatever stops this task, or keeps its interrupts from coming, ends in the watchdog's reset. */
TASK(link)
{
    static struct phy phy;
    struct ethernet_link link;
    int change = ETHERNET_SAME;
    int next_ms = phy_poll(&phy, &link);

    if (next_ms < 0)
        LOG_WARNING("ethernet: no use of the PHY (%d)", next_ms);
    /* Before the update, so that a failure of the MAC meanwhile calls this task at once. */
    arm(link, clock_now() + milliseconds(next_ms < 0 ? PHY_POLL_SETTLED_MS : next_ms));
    LOCK (network) {
        change = ethernet_update(&link, now_ms());
        if (change == ETHERNET_UP || change == ETHERNET_DOWN)
            network_link(network, change == ETHERNET_UP, now_ms());
        if (change != ETHERNET_SAME)
            serve(network);
    }
    if (change == ETHERNET_UP || change == ETHERNET_DOWN)
        show_link(&link, change == ETHERNET_UP);
    else if (change == ETHERNET_RECOVERED)
        LOG_WARNING("ethernet: set up anew");
    iwdg_feed();
    note_stable();
}

/* What the full firmware says of its tasks; 0: nothing. */
static size_t write_tasks(const char **json)
{
    *json = "";
#if MOTE_FULL
    static struct telemetry_tasks tasks;
    static char buffer[TELEMETRY_TASKS_MAX];

    *json = buffer;
    return telemetry_write_tasks(&tasks, clock_now(), clock_hclk_hz() / 1000000, buffer);
#else
    return 0;
#endif
}

static void publish_session(struct network *network)
{
#if MQTT_WITH_SESSION_STATISTICS
    static char json[TELEMETRY_SESSION_MAX];
    size_t length = telemetry_write_session(&network->mqtt, json);

    network_publish(network, "telemetry/session", json, length, now_ms());
#else
    (void)network;
#endif
}

TASK(telemetry)
{
    static struct telemetry telemetry;
    static uint64_t due_us;
    char json[TELEMETRY_MAX];
    const char *tasks_json;
    size_t tasks_length = write_tasks(&tasks_json);

    LOCK (network) {
        size_t length = telemetry_write(&telemetry, network, clock_now(), kernel_idle_us(), json);

        network_publish(network, "telemetry", json, length, now_ms());
        if (tasks_length > 0)
            network_publish(network, "telemetry/tasks", tasks_json, tasks_length, now_ms());
        publish_session(network);
        serve(network);
        /* From due time to due time, so that nothing adds up; anew when the period has changed. */
        uint64_t period_us = milliseconds(network->settings.telemetry.period_ms);
        due_us += period_us;
        if (due_us <= clock_now() || due_us > clock_now() + period_us)
            due_us = clock_now() + period_us;
        arm(telemetry, due_us);
    }
}

/* ---- Boot ---- */

/* Returns whether it was one. */
static bool log_crash(void)
{
    struct crash_record crash;

    if (!crash_take(&crash))
        return false;
    if (crash.reason == CRASH_ASSERTION)
        LOG_ERROR("last run: assertion %s %u", crash.module, (unsigned)crash.number);
    else
        LOG_ERROR("last run: %s %u, pc %08x lr %08x cfsr %08x hfsr %08x bfar %08x",
                  crash.reason == CRASH_EXCEPTION ? "exception" : "stack overflow in exception",
                  (unsigned)crash.number, (unsigned)crash.pc, (unsigned)crash.lr, (unsigned)crash.cfsr,
                  (unsigned)crash.hfsr, (unsigned)crash.bfar);
    return true;
}

/* Before anything is sent, and before the watchdog runs. */
static void pause_after_crashes(bool crashed)
{
#if MOTE_FULL
    uint32_t pause_s = crash_storm_begin(&crash_storm, crashed);
    uint64_t end_us = clock_now() + seconds(pause_s);

    if (pause_s > 0)
        LOG_WARNING("%u crashes in a row: waiting %u s", (unsigned)crash_storm.crashes, (unsigned)pause_s);
    while (clock_now() < end_us)
        ;
    stable_us = end_us + seconds(CRASH_STORM_STABLE_S);
#else
    (void)crashed;
#endif
}

/* Sequence numbers and ports must not be guessed: without the true random source the device would be weak. */
static void draw_seed(uint32_t seed[4])
{
    int error = rng_init();

    for (size_t i = 0; i < 4 && error == 0; i++)
        error = rng_read(&seed[i]);
    if (error == 0)
        return;
    LOG_ERROR("no true random numbers (%d): connections can be guessed", error);
    for (size_t i = 0; i < 4; i++)
        seed[i] ^= chip_uid()[i] + (uint32_t)clock_now();
}

static void choose_mac(uint8_t mac[6])
{
    if (config.mac_given)
        memcpy(mac, config.mac, 6);
    else
        board_mac_from_uid(mac);
    identity_set(mac);
    LOG_INFO("MAC %s, topics %s", IDENTITY_MAC, identity_topics);
}

INIT
{
    uint32_t seed[4] = {0};
    uint8_t mac[6];
    static struct net_device device; /* the stack keeps a pointer to it */
    const char *cause;
    int error;

    button_init();
    log_init(clock_now);
    cause = chip_reset_cause();
    LOG_INFO("mote " MOTE_VERSION ", started by %s", cause);
    if (clock_error != 0)
        LOG_ERROR("clock: not from the ST-LINK at 180 MHz (%d)", clock_error);
    pause_after_crashes(log_crash() || memcmp(cause, "watchdog", strlen("watchdog")) == 0);
    draw_seed(seed);
    choose_mac(mac);
    error = ethernet_init(mac);
    if (error != 0)
        LOG_WARNING("ethernet: no clock from the PHY (%d), trying again each second", error);
    ethernet_device(&device);
    LOCK (network) {
        network_init(network, mac, seed, &device);
    }
    if (iwdg_start(WATCHDOG_MS) != 0)
        LOG_WARNING("watchdog: runs with its shortest time");
    arm(link, 0);
    arm(telemetry, seconds(1));
}

int main(void)
{
    clock_error = board_init(); /* before the kernel, whose timer runs on this clock */
    kernel_start();
}
