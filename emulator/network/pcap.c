/* pcap files as Wireshark opens them: nanosecond format, link type Ethernet. */
#include "network/network.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PCAP_LINKTYPE_ETHERNET = 1,
    PCAP_SNAPLEN = 65535,
};
#define PCAP_MAGIC_NANOSECONDS 0xA1B23C4Du

struct pcap {
    FILE *file;
};

struct pcap_file_header {
    uint32_t magic;
    uint16_t version_major;
    uint16_t version_minor;
    int32_t zone;
    uint32_t accuracy;
    uint32_t snaplen;
    uint32_t linktype;
};

struct pcap_record_header {
    uint32_t seconds;
    uint32_t nanoseconds;
    uint32_t captured;
    uint32_t length;
};

struct pcap *pcap_open(const char *path, char *message, size_t size)
{
    const struct pcap_file_header header = {
        .magic = PCAP_MAGIC_NANOSECONDS,
        .version_major = 2,
        .version_minor = 4,
        .snaplen = PCAP_SNAPLEN,
        .linktype = PCAP_LINKTYPE_ETHERNET,
    };
    struct pcap *p = calloc(1, sizeof *p);
    if (p == NULL) {
        (void)snprintf(message, size, "out of memory");
        return NULL;
    }
    p->file = fopen(path, "wbe");
    if (p->file == NULL || fwrite(&header, sizeof header, 1, p->file) != 1 || fflush(p->file) != 0) {
        (void)snprintf(message, size, "cannot write the capture '%.120s': %s", path, strerror(errno));
        pcap_close(p);
        return NULL;
    }
    return p;
}

bool pcap_write(struct pcap *p, uint64_t time_ps, const uint8_t *frame, size_t length)
{
    const uint64_t time_ns = time_ps / 1000u;
    const struct pcap_record_header header = {
        .seconds = (uint32_t)(time_ns / 1000000000u),
        .nanoseconds = (uint32_t)(time_ns % 1000000000u),
        .captured = (uint32_t)length,
        .length = (uint32_t)length,
    };
    /* Flushed each time: a capture is most wanted when the run ends badly. */
    return fwrite(&header, sizeof header, 1, p->file) == 1 && fwrite(frame, 1, length, p->file) == length &&
           fflush(p->file) == 0;
}

void pcap_close(struct pcap *p)
{
    if (p == NULL)
        return;
    if (p->file != NULL)
        (void)fclose(p->file);
    free(p);
}
