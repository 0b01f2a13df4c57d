/*
 * What programs share that are a host of their own on Linux: `net` over a linux_device, with a bad link and
 * computed checksums where the command line wants them. In real time; a failure ends the program with a line
 * that says why.
 */
#ifndef TARGET_POSIX_LINUX_HOST_H
#define TARGET_POSIX_LINUX_HOST_H

#include <getopt.h>

#include "net/net.h"
#include "target/posix/checksum_device.h"
#include "target/posix/impaired_device.h"
#include "target/posix/linux_device.h"

struct linux_host_options {
    const char *net;  /* as linux_device_open takes it */
    const char *pcap; /* NULL, or the file that records the frames */
    bool impaired, checksums;
    struct impairment_config impairment; /* of both directions */
    struct net_config config;            /* its seed is drawn when the host opens */
};

/* Those of the command line: rows of a table for getopt_long, and lines of the help. */
#define LINUX_HOST_OPTIONS                                                                                   \
    {"net", required_argument, NULL, 'n'}, {"ip", required_argument, NULL, 'i'},                             \
        {"gateway", required_argument, NULL, 'g'}, {"mac", required_argument, NULL, 'm'},                    \
        {"impair", required_argument, NULL, 'x'}, {"checksums", no_argument, NULL, 'c'},                     \
    {                                                                                                        \
        "pcap", required_argument, NULL, 'p'                                                                 \
    }
#define LINUX_HOST_HELP                                                                                      \
    "  --net NETWORK    tap:NAME, socket:PATH, slirp (default)\n"                                            \
    "  --ip ADDRESS/PREFIX, --gateway ADDRESS    unset: DHCP\n"                                              \
    "  --mac ADDRESS    a unicast one\n"                                                                     \
    "  --impair LIST    "                                                                                    \
    "loss=1.5,dup=1,reorder=2,corrupt=0.1,delay=20,jitter=5,hold=10,rate=10000,queue=50,seed=7\n"            \
    "  --checksums      the device computes them, not the stack\n"                                           \
    "  --pcap FILE      records the frames\n"

struct linux_host {
    struct linux_device wire;
    struct impaired_device link;
    struct checksum_device mac;
    bool impaired;
    struct net net;
};

/* "NAME-OF-THE-PROGRAM: …", and ends it. */
_Noreturn void linux_host_leave(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Takes one of LINUX_HOST_OPTIONS. False: it is none, or its argument cannot be meant. */
bool linux_host_option(struct linux_host_options *o, int option, const char *text)
    __attribute__((warn_unused_result));

/* Gives `take` each option of the command line; where that is false, the program ends with status 2. */
void linux_host_arguments(int argc, char **argv, const struct option *known,
                          bool (*take)(int option, const char *text));

/* `o` must outlive it. */
void linux_host_open(struct linux_host *h, struct linux_host_options *o);
void linux_host_close(struct linux_host *h);

/* Handles at most one frame, and says whether there may be more: net_poll. */
bool linux_host_poll(struct linux_host *h);
/* Sends what is queued and sleeps until something is to be done, at most `limit_ms`. */
void linux_host_rest(struct linux_host *h, uint32_t limit_ms);

/* linux_now_us in the stack's unit. */
uint32_t linux_now_ms(void);

#endif
