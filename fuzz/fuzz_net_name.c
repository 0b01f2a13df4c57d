/* net/wire/dns.h: a name as text, into a query of exactly the size that is told, and back. */
#include "fuzz/input.h"
#include "net/wire/dns.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *name = malloc(size + 1);
    MUST(name);
    memcpy(name, data, size);
    name[size] = '\0';
    size_t length = dns_name_length(name);
    MUST(length <= 255);
    if (length) {
        size_t whole = DNS_HEADER + length + 4;
        uint8_t *query = malloc(whole);
        MUST(query && dns_build_query(query, 1, name) == whole);
        MUST(dns_skip_name(query, whole, DNS_HEADER) == DNS_HEADER + length);
        MUST(dns_name_is(query, whole, DNS_HEADER, query + DNS_HEADER));
        free(query);
    }
    free(name);
    return 0;
}
