/* net/wire/mdns.h: a query or response, and the answer to an ordinary resolver that it may lead to. */
#include "fuzz/input.h"
#include "net/wire/dns.h"
#include "net/wire/mdns.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t name[42], *message = exact_copy(data, size);
    (void)dns_put_name(name, "mote-000002.local");
    struct mdns_message parsed;
    if (mdns_parse(message, size, name, 0x0A000002, &parsed)) {
        MUST(size >= DNS_HEADER);
        uint8_t *answer = malloc(MDNS_MESSAGE_MAX);
        MUST(answer && mdns_build_legacy(answer, name, 0x0A000002, &parsed) <= MDNS_MESSAGE_MAX);
        free(answer);
    }
    free(message);
    return 0;
}
