#define _GNU_SOURCE
#include "target/posix/board/options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target/posix/argument.h"
#include "target/posix/board/config.h"

struct options options = {.net = "slirp", .end_us = UINT64_MAX};

enum { HOST_NAME = 128 };

static const char help[] =
    "mote-posix [OPTION...]\n"
    "The firmware as a process. It logs to standard error; keys on standard input:\n"
    "b presses the button, c pulls or plugs the cable, r resets, q quits.\n"
    "\n"
    "  --net NETWORK     slirp[:hostfwd=tcp:127.0.0.1:8080-:80] (default: the host is 10.0.2.2),\n"
    "                    tap:NAME, socket:PATH (a virtual board), peer (in process, 10.0.2.2), none\n"
    "  --clock CLOCK     real (default), or virtual: as fast as it goes, with --net peer or none\n"
    "  --impair LIST     loss=1.5,dup=1,reorder=2,corrupt=0.1 (percent), delay=20,jitter=5,hold=10 (ms),\n"
    "                    rate=10000 (kbit/s), queue=50 (frames), seed=7\n"
    "  --cable out       starts without link\n"
    "  --at SECONDS:KEY  presses a key by itself, up to 32 times\n"
    "  --for SECONDS     ends then\n"
    "  --seed NUMBER     random numbers from it; with --clock virtual 1\n"
    "  --instance NUMBER another unique id, so another MAC address\n"
    "  --pcap FILE       records the frames\n"
    "instead of what it was built for:\n"
    "  --mac 02-00-00-03-02-00, --ip ADDRESS[/PREFIX], --gateway ADDRESS, --dns ADDRESS,\n"
    "  --broker ADDRESS or NAME[:PORT], --ntp ADDRESS or NAME (mote-posix-full)\n";

static _Noreturn __attribute__((format(printf, 1, 2))) void refuse(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)fputs("mote-posix: ", stderr);
    (void)vfprintf(stderr, format, arguments);
    (void)fputc('\n', stderr);
    va_end(arguments);
    exit(OPTIONS_BAD_USE);
}

static uint64_t number(const char *name, const char *text, uint64_t most)
{
    uint64_t value;

    if (!argument_number(text, 0, most, &value))
        refuse("--%s %s: a number from 0 to %llu is wanted", name, text, (unsigned long long)most);
    return value;
}

static uint64_t microseconds_of(const char *name, const char *text, char **end)
{
    double value = strtod(text, end);

    if (*end == text || !(value >= 0 && value <= 1e9))
        refuse("--%s %s: seconds from 0 to 1000000000 are wanted, as in 1.5", name, text);
    return (uint64_t)(value * 1e6 + 0.5);
}

static uint32_t address(const char *name, const char *text)
{
    uint32_t value;

    if (!argument_address(text, &value))
        refuse("--%s %s: not an IPv4 address, as in 192.168.1.10", name, text);
    return value;
}

/* ---- One option each ---- */

static void take_net(const char *text)
{
    options.net = text;
}

static void take_clock(const char *text)
{
    options.virtual_time = strcmp(text, "virtual") == 0;
    if (!options.virtual_time && strcmp(text, "real") != 0)
        refuse("--clock %s: real or virtual", text);
}

static void take_impair(const char *text)
{
    char message[IMPAIRMENT_MESSAGE];

    options.impaired = true;
    if (!impairment_parse(text, &options.impairment, message, sizeof message))
        refuse("%s", message);
}

static void take_cable(const char *text)
{
    options.cable_out = strcmp(text, "out") == 0;
    if (!options.cable_out && strcmp(text, "in") != 0)
        refuse("--cable %s: in or out", text);
}

static void take_at(const char *text)
{
    char *end;
    uint64_t at_us = microseconds_of("at", text, &end);
    unsigned place = options.event_count;

    if (*end != ':' || !strchr("bcrq", end[1]) || end[1] == '\0' || end[2] != '\0')
        refuse("--at %s: seconds, a colon and one of b, c, r, q are wanted, as in 1.5:b", text);
    if (options.event_count == OPTIONS_EVENTS)
        refuse("--at %s: %d of them are the most", text, OPTIONS_EVENTS);
    for (; place > 0 && options.events[place - 1].at_us > at_us; place--)
        options.events[place] = options.events[place - 1];
    options.events[place] = (struct options_event){at_us, end[1]};
    options.event_count++;
}

static void take_for(const char *text)
{
    char *end;

    options.end_us = microseconds_of("for", text, &end);
    if (*end != '\0')
        refuse("--for %s: seconds are wanted, as in 1.5", text);
}

static void take_seed(const char *text)
{
    options.seed = number("seed", text, UINT64_MAX);
    options.seeded = true;
}

static void take_instance(const char *text)
{
    options.instance = (uint32_t)number("instance", text, UINT32_MAX);
}

static void take_pcap(const char *text)
{
    options.pcap = text;
}

static void take_mac(const char *text)
{
    if (!argument_mac(text, posix_config.mac))
        refuse("--mac %s: six pairs of hex digits are wanted, the first even, as in 02-00-00-03-02-00", text);
    posix_config.mac_given = true;
}

static void take_ip(const char *text)
{
    if (!argument_host(text, &posix_config.address, &posix_config.netmask))
        refuse("--ip %s: an address and a prefix of 1 to 30 are wanted, as in 192.168.1.10/24", text);
}

static void take_gateway(const char *text)
{
    posix_config.gateway = address("gateway", text);
}

static void take_dns(const char *text)
{
    posix_config.dns_server = address("dns", text);
}

/* An address, or a name, which `name` keeps and the address 0 tells of. */
static bool host(const char *text, size_t length, char name[HOST_NAME], uint32_t *host_address)
{
    if (length == 0 || length >= HOST_NAME)
        return false;
    memcpy(name, text, length);
    name[length] = '\0';
    if (!argument_address(name, host_address))
        *host_address = 0;
    return true;
}

static void take_broker(const char *text)
{
    static char name[HOST_NAME];
    size_t length = strcspn(text, ":");
    uint64_t port = posix_config.broker_port;

    if ((text[length] == ':' && !argument_number(text + length + 1, 1, UINT16_MAX, &port)) ||
        !host(text, length, name, &posix_config.brokers[0].address))
        refuse("--broker %s: an address or a name is wanted, as in 192.168.1.2 or broker.local:1884", text);
    posix_config.brokers[0].host = name;
#if MQTT_WITH_BROKERS
    posix_config.broker_count = 1;
#endif
    posix_config.broker_port = (uint16_t)port;
}

static void take_ntp(const char *text)
{
#if NET_WITH_SNTP
    static char name[HOST_NAME];

    if (!host(text, strlen(text), name, &posix_config.ntp_server))
        refuse("--ntp %s: an address or a name is wanted, as in 192.168.1.2 or pool.ntp.org", text);
    posix_config.ntp_host = name;
#else
    refuse("--ntp %s: the standard firmware asks no time server, mote-posix-full does", text);
#endif
}

static void take_help(const char *text)
{
    (void)text;
    (void)fputs(help, stdout);
    exit(EXIT_SUCCESS);
}

static const struct option long_options[] = {
    {"net", required_argument, NULL, 0},
    {"clock", required_argument, NULL, 1},
    {"impair", required_argument, NULL, 2},
    {"cable", required_argument, NULL, 3},
    {"at", required_argument, NULL, 4},
    {"for", required_argument, NULL, 5},
    {"seed", required_argument, NULL, 6},
    {"instance", required_argument, NULL, 7},
    {"pcap", required_argument, NULL, 8},
    {"mac", required_argument, NULL, 9},
    {"ip", required_argument, NULL, 10},
    {"gateway", required_argument, NULL, 11},
    {"dns", required_argument, NULL, 12},
    {"broker", required_argument, NULL, 13},
    {"ntp", required_argument, NULL, 14},
    {"help", no_argument, NULL, 15},
    {NULL, 0, NULL, 0},
};

/* By the number above. */
static void (*const take[])(const char *text) = {
    take_net,  take_clock, take_impair, take_cable,   take_at,  take_for,    take_seed, take_instance,
    take_pcap, take_mac,   take_ip,     take_gateway, take_dns, take_broker, take_ntp,  take_help,
};

void options_take(int argc, char **argv)
{
    int chosen;

    config_load();
    while ((chosen = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
        if (chosen == ':')
            refuse("%s: its value is missing; --help lists the options", argv[optind - 1]);
        if (chosen == '?')
            refuse("%s: there is no such option; --help lists them", argv[optind - 1]);
        take[chosen](optarg);
    }
    if (optind < argc)
        refuse("%s: it takes options only; --help lists them", argv[optind]);
    if (options.virtual_time && strcmp(options.net, "peer") != 0 && strcmp(options.net, "none") != 0)
        refuse("--clock virtual: whoever answers on --net %s lives in real time; use --net peer or none",
               options.net);
    if (options.virtual_time && !options.seeded)
        take_seed("1");
}
