#define _GNU_SOURCE /* program_invocation_short_name */
#include "target/posix/linux_host.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "target/posix/argument.h"

void linux_host_leave(int status, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)fprintf(stderr, "%s: ", program_invocation_short_name);
    (void)vfprintf(stderr, format, arguments);
    (void)fputc('\n', stderr);
    va_end(arguments);
    exit(status);
}

uint32_t linux_now_ms(void)
{
    return (uint32_t)(linux_now_us() / 1000);
}

static uint64_t clock_us(void *clock)
{
    (void)clock;
    return linux_now_us();
}

/* ---- Command line ---- */

bool linux_host_option(struct linux_host_options *o, int option, const char *text)
{
    char message[IMPAIRMENT_MESSAGE];

    switch (option) {
    case 'n': o->net = text; return true;
    case 'i': return argument_host(text, &o->config.address, &o->config.netmask);
    case 'g': return argument_address(text, &o->config.gateway);
    case 'm': return argument_mac(text, o->config.mac);
    case 'x':
        o->impaired = true;
        if (!impairment_parse(text, &o->impairment, message, sizeof message))
            linux_host_leave(2, "%s", message);
        return true;
    case 'c': return o->checksums = true;
    case 'p': o->pcap = text; return true;
    default: return false;
    }
}

void linux_host_arguments(int argc, char **argv, const struct option *known,
                          bool (*take)(int option, const char *text))
{
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (!take(option, optarg))
            linux_host_leave(2, "%s%s cannot be meant; --help lists the options", option == '?' ? "that" : "",
                             optarg ? optarg : "");
    }
}

/* ---- The host ---- */

void linux_host_open(struct linux_host *h, struct linux_host_options *o)
{
    const struct net_device *device = &h->wire.device;
    char message[NETWORK_MESSAGE];

    if (!linux_device_open(&h->wire, o->net, linux_now_us, message, sizeof message) ||
        (o->pcap && !(h->wire.pcap = pcap_open(o->pcap, message, sizeof message))))
        linux_host_leave(EXIT_FAILURE, "%s", message);
    h->impaired = o->impaired;
    if (h->impaired) {
        if (!impaired_device_init(&h->link, device, &o->impairment, &o->impairment, clock_us, NULL))
            linux_host_leave(EXIT_FAILURE, "such a link cannot be made over this device");
        device = &h->link.device;
    }
    if (o->checksums) {
        checksum_device_init(&h->mac, device);
        device = &h->mac.device;
    }
    if (getrandom(o->config.seed, sizeof o->config.seed, 0) != (ssize_t)sizeof o->config.seed)
        linux_host_leave(EXIT_FAILURE, "the kernel gives no random numbers");
    net_init(&h->net, &o->config, device);
    net_link(&h->net, true, linux_now_ms());
}

void linux_host_close(struct linux_host *h)
{
    if (h->impaired)
        impaired_device_close(&h->link);
    pcap_close(h->wire.pcap);
    linux_device_close(&h->wire);
}

bool linux_host_poll(struct linux_host *h)
{
    if (h->impaired)
        impaired_device_run(&h->link);
    return net_poll(&h->net, linux_now_ms());
}

/* Until a frame comes out of the bad link. */
static uint32_t link_wait_ms(const struct linux_host *h)
{
    uint64_t due_us = h->impaired ? impaired_device_due_us(&h->link) : UINT64_MAX, now_us = linux_now_us();

    if (due_us == UINT64_MAX)
        return UINT32_MAX;
    return due_us > now_us ? (uint32_t)((due_us - now_us + 999) / 1000) : 0;
}

void linux_host_rest(struct linux_host *h, uint32_t limit_ms)
{
    net_flush(&h->net, linux_now_ms());
    uint32_t wait_ms = net_wait_ms(&h->net, linux_now_ms()), link_ms = link_wait_ms(h);
    wait_ms = link_ms < wait_ms ? link_ms : wait_ms;
    linux_device_wait(&h->wire, wait_ms < limit_ms ? wait_ms : limit_ms);
}
