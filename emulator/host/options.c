#include "host/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/duration.h"

const char options_help[] =
    "usage: virtual-board [options] firmware.elf\n"
    "\n"
    "Runs an ELF for the STM32F429 on a virtual Nucleo-F429ZI.\n"
    "\n"
    "network\n"
    "  --net slirp[:…]        user-mode network, no root needed; the host is 10.0.2.2 (default)\n"
    "  --net tap:NAME         a TAP device\n"
    "  --net socket:PATH      another virtual board\n"
    "  --net none             nothing at the other end of the cable\n"
    "  --pcap FILE            record all frames\n"
    "  --cable in|out         the cable at power-on (default in)\n"
    "what is shown\n"
    "  --rtt, --no-rtt        RTT up-channel 0 (default on)\n"
    "  --itm FILE|-           what is written to the ITM's stimulus ports: port 0 as text, the others\n"
    "                         as numbers; - shows it among the board's lines\n"
    "  --leds[=all], --no-leds  LED changes (default on; LD2 follows the traffic and is only\n"
    "                         counted without =all)\n"
    "  --hash                 at the end, hash of the whole machine state\n"
    "  --stats                at the end, instructions, cycles, time asleep, wake-ups, speed\n"
    "what is observed\n"
    "  --profile FILE         executed instructions by call stack, folded, and FILE.svg, a flame graph\n"
    "  --coverage FILE        lines and branches of the firmware, as lcov's tracefile\n"
    "  --trace FILE           functions, interrupts and register accesses in virtual time\n"
    "  --trace-filter LIST    only these: functions, interrupts, registers, net_*, ETH_*, -ETH_MACMII*\n"
    "  --timeline FILE        tasks and interrupts in virtual time, for Perfetto or chrome://tracing\n"
    "from outside\n"
    "  --keys, --no-keys      b presses the button, c pulls or plugs the cable, r resets, q quits\n"
    "                         (default on when standard input is a terminal)\n"
    "  --button up|down       the button at power-on (default up)\n"
    "  --script FILE          timed and conditional events, see below\n"
    "  --record FILE          everything that comes from outside, with its virtual times\n"
    "  --replay FILE          repeats a recorded run to the bit, without network and keys;\n"
    "                         status 3 if it departs from the recording\n"
    "debugging (docs/debugging.md)\n"
    "  --gdb PORT             serves GDB on 127.0.0.1; 0: any free port\n"
    "  --gdb-wait             holds the core before its first instruction until GDB comes\n"
    "  --save-snapshot FILE   at the end, the whole machine; scripts can at any time\n"
    "  --load-snapshot FILE   begins there instead of at power-on\n"
    "when it ends\n"
    "  --until TEXT           status 0 when a log line contains TEXT\n"
    "  --fail-on TEXT         status 1 when a log line contains TEXT\n"
    "  --timeout SECONDS      status 4 after this much virtual time\n"
    "  --timeout-real SECONDS status 4 after this much real time\n"
    "  --strict               status 3 at the first warning\n"
    "  --races on|off         status 3 at the first access to a resource of the kernel's that breaks\n"
    "                         its rules (default on)\n"
    "time and chance\n"
    "  --pace real|fast       keep to real time, or as fast as possible (default: real with a\n"
    "                         network, fast with --net none)\n"
    "  --seed N               random numbers, unique id and RAM at power-on (default 1)\n"
    "  --flash-timing         count the flash's wait states and caches (estimate; default off)\n"
    "  --lsi HZ|random        the watchdog's oscillator, 17000 to 47000 (default 32000); random: by the "
    "seed\n"
    "\n"
    "  --help, --version\n"
    "\n"
    "Script: one step a line, each looked at when the one before it is done; # begins a comment.\n"
    "  at 2.5s ACTION         at a virtual time since power-on\n"
    "  at +100ms ACTION       that long after the step before\n"
    "  on \"TEXT\" [within 10s] [after 50ms] ACTION\n"
    "                         at the next log line with TEXT; status 1 if none comes within the limit\n"
    "  ACTION                 at once\n"
    "  expect \"TEXT\" within 10s\n"
    "                         only waits\n"
    "  ACTION is cable in, cable out, button press, button down, button up, reset, power-cycle,\n"
    "  power-cut, power-on, interrupt N, uart \"TEXT\", drop frame N in, duplicate frame N out,\n"
    "  corrupt frame N in [at BYTE], dump NAME, save-snapshot \"FILE\", stop [STATUS] or\n"
    "  print \"TEXT\": docs/scripts.md.\n"
    "\n"
    "Exit status: 0 as asked, or the firmware's own by semihosting; 1 --fail-on, a script's\n"
    "expectation or --until failed; 2 bad use; 3 the run could not go on faithfully; 4 timeout.\n";

enum argument {
    ARGUMENT_NONE,
    ARGUMENT_REQUIRED,
    ARGUMENT_OPTIONAL, /* only as --name=value */
};

struct option {
    const char *name;
    enum argument argument;
    const char *accepted; /* what the argument may be, for the message; NULL: anything */
    bool (*set)(struct options *o, const char *argument);
};

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static bool set_net(struct options *o, const char *argument)
{
    o->network = argument;
    return *argument != '\0';
}

static bool set_pcap(struct options *o, const char *argument)
{
    o->pcap = argument;
    return *argument != '\0';
}

static bool set_itm(struct options *o, const char *argument)
{
    o->itm = argument;
    return *argument != '\0';
}

static bool set_script(struct options *o, const char *argument)
{
    o->script = argument;
    return *argument != '\0';
}

static bool set_record(struct options *o, const char *argument)
{
    o->record = argument;
    return *argument != '\0';
}

static bool set_replay(struct options *o, const char *argument)
{
    o->replay = argument;
    return *argument != '\0';
}

static bool set_save_snapshot(struct options *o, const char *argument)
{
    o->save_snapshot = argument;
    return *argument != '\0';
}

static bool set_load_snapshot(struct options *o, const char *argument)
{
    o->load_snapshot = argument;
    return *argument != '\0';
}

static bool set_profile(struct options *o, const char *argument)
{
    o->profile = argument;
    return *argument != '\0';
}

static bool set_coverage(struct options *o, const char *argument)
{
    o->coverage = argument;
    return *argument != '\0';
}

static bool set_trace(struct options *o, const char *argument)
{
    o->trace = argument;
    return *argument != '\0';
}

static bool set_trace_filter(struct options *o, const char *argument)
{
    o->trace_filter = argument;
    return *argument != '\0';
}

static bool set_timeline(struct options *o, const char *argument)
{
    o->timeline = argument;
    return *argument != '\0';
}

static bool set_gdb(struct options *o, const char *argument)
{
    char *end;
    unsigned long port = strtoul(argument, &end, 10);
    o->gdb = true;
    o->gdb_port = (unsigned)port;
    return end != argument && *end == '\0' && *argument != '-' && *argument != '+' && port <= 65535;
}

static bool set_gdb_wait(struct options *o, const char *argument)
{
    (void)argument;
    o->gdb_wait = true;
    return true;
}

static bool set_until(struct options *o, const char *argument)
{
    o->until = argument;
    return *argument != '\0';
}

static bool set_fail_on(struct options *o, const char *argument)
{
    o->fail_on = argument;
    return *argument != '\0';
}

static bool set_rtt(struct options *o, const char *argument)
{
    (void)argument;
    o->rtt = true;
    return true;
}

static bool set_no_rtt(struct options *o, const char *argument)
{
    (void)argument;
    o->rtt = false;
    return true;
}

static bool set_leds(struct options *o, const char *argument)
{
    if (argument == NULL) {
        o->leds = LEDS_STEADY;
        return true;
    }
    o->leds = LEDS_ALL;
    return is(argument, "all");
}

static bool set_no_leds(struct options *o, const char *argument)
{
    (void)argument;
    o->leds = LEDS_NONE;
    return true;
}

static bool set_keys(struct options *o, const char *argument)
{
    (void)argument;
    o->keys = CHOICE_YES;
    return true;
}

static bool set_no_keys(struct options *o, const char *argument)
{
    (void)argument;
    o->keys = CHOICE_NO;
    return true;
}

static bool set_cable(struct options *o, const char *argument)
{
    o->cable_in = is(argument, "in");
    return o->cable_in || is(argument, "out");
}

static bool set_button(struct options *o, const char *argument)
{
    o->button_down = is(argument, "down");
    return o->button_down || is(argument, "up");
}

static bool set_timeout(struct options *o, const char *argument)
{
    return duration_parse(argument, VTIME_S(1), &o->timeout);
}

static bool set_timeout_real(struct options *o, const char *argument)
{
    return duration_parse(argument, VTIME_S(1), &o->timeout_real);
}

static bool set_pace(struct options *o, const char *argument)
{
    o->pace = is(argument, "real") ? PACE_REAL : PACE_FAST;
    return o->pace == PACE_REAL || is(argument, "fast");
}

static bool set_seed(struct options *o, const char *argument)
{
    char *end;
    errno = 0;
    o->seed = strtoull(argument, &end, 0);
    return errno == 0 && end != argument && *end == '\0' && *argument != '-';
}

static bool set_hash(struct options *o, const char *argument)
{
    (void)argument;
    o->hash = true;
    return true;
}

static bool set_stats(struct options *o, const char *argument)
{
    (void)argument;
    o->stats = true;
    return true;
}

static bool set_flash_timing(struct options *o, const char *argument)
{
    (void)argument;
    o->flash_timing = true;
    return true;
}

/* DS9405 table 42 */
static bool set_lsi(struct options *o, const char *argument)
{
    enum { SLOWEST = 17000, FASTEST = 47000 };
    char *end;
    unsigned long hz = strtoul(argument, &end, 10);
    o->lsi_random = strcmp(argument, "random") == 0;
    o->lsi_hz = (uint32_t)hz;
    return o->lsi_random ||
           (*argument >= '0' && *argument <= '9' && *end == '\0' && hz >= SLOWEST && hz <= FASTEST);
}

static bool set_strict(struct options *o, const char *argument)
{
    (void)argument;
    o->strict = true;
    return true;
}

static bool set_races(struct options *o, const char *argument)
{
    o->races = is(argument, "on");
    return o->races || is(argument, "off");
}

static bool set_help(struct options *o, const char *argument)
{
    (void)argument;
    o->help = true;
    return true;
}

static bool set_version(struct options *o, const char *argument)
{
    (void)argument;
    o->version = true;
    return true;
}

static const struct option table[] = {
    {"net", ARGUMENT_REQUIRED, "slirp[:…], tap:NAME, socket:PATH or none", set_net},
    {"pcap", ARGUMENT_REQUIRED, "a file name", set_pcap},
    {"itm", ARGUMENT_REQUIRED, "a file name, or -", set_itm},
    {"rtt", ARGUMENT_NONE, NULL, set_rtt},
    {"no-rtt", ARGUMENT_NONE, NULL, set_no_rtt},
    {"leds", ARGUMENT_OPTIONAL, "all, or nothing", set_leds},
    {"no-leds", ARGUMENT_NONE, NULL, set_no_leds},
    {"script", ARGUMENT_REQUIRED, "a file name", set_script},
    {"record", ARGUMENT_REQUIRED, "a file name", set_record},
    {"save-snapshot", ARGUMENT_REQUIRED, "a file name", set_save_snapshot},
    {"load-snapshot", ARGUMENT_REQUIRED, "a file name", set_load_snapshot},
    {"profile", ARGUMENT_REQUIRED, "a file name", set_profile},
    {"coverage", ARGUMENT_REQUIRED, "a file name", set_coverage},
    {"trace", ARGUMENT_REQUIRED, "a file name", set_trace},
    {"trace-filter", ARGUMENT_REQUIRED, "functions, interrupts, registers, net_*, -ETH_*, between commas",
     set_trace_filter},
    {"timeline", ARGUMENT_REQUIRED, "a file name", set_timeline},
    {"replay", ARGUMENT_REQUIRED, "a file name", set_replay},
    {"keys", ARGUMENT_NONE, NULL, set_keys},
    {"no-keys", ARGUMENT_NONE, NULL, set_no_keys},
    {"cable", ARGUMENT_REQUIRED, "in or out", set_cable},
    {"button", ARGUMENT_REQUIRED, "up or down", set_button},
    {"timeout", ARGUMENT_REQUIRED, "seconds such as 10 or 2.5, or 100ms", set_timeout},
    {"timeout-real", ARGUMENT_REQUIRED, "seconds such as 10 or 2.5, or 100ms", set_timeout_real},
    {"gdb", ARGUMENT_REQUIRED, "a port from 1 to 65535, or 0 for any", set_gdb},
    {"gdb-wait", ARGUMENT_NONE, NULL, set_gdb_wait},
    {"until", ARGUMENT_REQUIRED, "a text that is not empty", set_until},
    {"fail-on", ARGUMENT_REQUIRED, "a text that is not empty", set_fail_on},
    {"pace", ARGUMENT_REQUIRED, "real or fast", set_pace},
    {"seed", ARGUMENT_REQUIRED, "a number of 64 bits", set_seed},
    {"hash", ARGUMENT_NONE, NULL, set_hash},
    {"stats", ARGUMENT_NONE, NULL, set_stats},
    {"strict", ARGUMENT_NONE, NULL, set_strict},
    {"races", ARGUMENT_REQUIRED, "on or off", set_races},
    {"flash-timing", ARGUMENT_NONE, NULL, set_flash_timing},
    {"lsi", ARGUMENT_REQUIRED, "17000 to 47000, or random", set_lsi},
    {"help", ARGUMENT_NONE, NULL, set_help},
    {"version", ARGUMENT_NONE, NULL, set_version},
};

static const struct option *find(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strlen(table[i].name) == length && memcmp(table[i].name, name, length) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

/* Takes one option at argv[*index], with its argument if that is the next word. */
static bool take_option(struct options *o, int argc, char *const *argv, int *index, char *error, size_t size)
{
    const char *word = argv[*index] + 2;
    const char *equals = strchr(word, '=');
    size_t length = equals != NULL ? (size_t)(equals - word) : strlen(word);
    const struct option *option = find(word, length);
    if (option == NULL) {
        snprintf(error, size, "unknown option '%.*s': virtual-board --help lists all", (int)(length + 2),
                 argv[*index]);
        return false;
    }
    const char *argument = equals != NULL ? equals + 1 : NULL;
    if (option->argument == ARGUMENT_NONE && argument != NULL) {
        snprintf(error, size, "--%s takes no argument", option->name);
        return false;
    }
    if (option->argument == ARGUMENT_REQUIRED && argument == NULL) {
        if (*index + 1 >= argc) {
            snprintf(error, size, "--%s needs an argument: %s", option->name, option->accepted);
            return false;
        }
        argument = argv[++*index];
    }
    if (!option->set(o, argument)) {
        snprintf(error, size, "--%s cannot be '%s': it takes %s", option->name, argument, option->accepted);
        return false;
    }
    return true;
}

struct options options_default(void)
{
    return (struct options){
        .network = "slirp",
        .leds = LEDS_STEADY,
        .rtt = true,
        .cable_in = true,
        .timeout = VTIME_NEVER,
        .timeout_real = VTIME_NEVER,
        .seed = 1,
        .races = true,
        .lsi_hz = 32000,
    };
}

static bool take_firmware(struct options *o, const char *word, char *error, size_t size)
{
    if (o->firmware != NULL) {
        snprintf(error, size, "two firmware files, '%s' and '%s': give one", o->firmware, word);
        return false;
    }
    o->firmware = word;
    return true;
}

bool options_parse(struct options *o, int argc, char *const *argv, char *error, size_t size)
{
    *o = options_default();
    bool only_files = false;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        bool ok = true;
        if (only_files || word[0] != '-') {
            ok = take_firmware(o, word, error, size);
        } else if (is(word, "--")) {
            only_files = true;
        } else if (is(word, "-h")) {
            o->help = true;
        } else if (word[1] == '-') {
            ok = take_option(o, argc, argv, &i, error, size);
        } else {
            snprintf(error, size, "unknown option '%s': virtual-board --help lists all", word);
            ok = false;
        }
        if (!ok) {
            return false;
        }
    }
    if (o->gdb_wait && !o->gdb) {
        snprintf(error, size, "--gdb-wait needs --gdb PORT");
        return false;
    }
    if (o->firmware == NULL && !o->help && !o->version) {
        snprintf(error, size, "no firmware: give the ELF to run, as in virtual-board firmware.elf");
        return false;
    }
    return true;
}
