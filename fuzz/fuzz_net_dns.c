/* net/wire/dns.h: an answer to one of three questions, and each name and record in it. */
#include "fuzz/input.h"
#include "net/wire/dns.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"a", "broker.example", "mote-000002.local"};

static void walk(const uint8_t *message, size_t size)
{
    struct dns_record record;
    for (size_t at = DNS_HEADER; at < size;) {
        size_t behind = dns_skip_name(message, size, at);
        MUST(behind == 0 || (behind > at && behind <= size));
        size_t next = dns_read_record(message, size, at, &record);
        MUST(next == 0 || (next > at && next <= size));
        if (next == 0) {
            break;
        }
        MUST(record.name == at && WITHIN(message + record.data, record.length, message, size));
        at = next;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    const char *name = names[input_byte(&input) % 3];
    uint8_t *message = input_copy(&input, &size), wire[64];
    struct dns_found found = {0, 0};
    if (dns_parse(message, size, 0x1234, name, &found) == DNS_ADDRESS) {
        MUST(size > DNS_HEADER && message[0] == 0x12 && message[1] == 0x34 && found.ttl_s <= 0x80000000U);
    }
    walk(message, size);
    (void)dns_put_name(wire, name);
    for (size_t at = DNS_HEADER; at < size; at++) {
        (void)dns_name_is(message, size, at, wire);
        char text[80];
        if (dns_get_name(message, size, at, text, sizeof text)) { /* reads as a name, and as the same */
            MUST(dns_name_length(text) >= 3 && strlen(text) < sizeof text);
            uint8_t again[sizeof text + 1];
            (void)dns_put_name(again, text);
            MUST(dns_name_is(message, size, at, again));
        }
    }
    free(message);
    return 0;
}
