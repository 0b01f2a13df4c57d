/* Domain Name System messages (RFC 1035 4). */
#ifndef NET_WIRE_DNS_H
#define NET_WIRE_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DNS_PORT = 53, DNS_HEADER = 12 };

enum dns_answer {
    DNS_ADDRESS, /* there is one */
    DNS_IGNORED, /* malformed, or not the answer to this query: wait for the true one */
    DNS_NO_NAME, /* the name does not exist, or has no address */
    DNS_FAILURE, /* the server cannot or will not, or the answer is cut short */
};

/* Bytes that `name` takes in a message, 0 when it is no name: empty, an empty label, one above 63, above 255
 * in all. */
size_t dns_name_length(const char *name);

/* Builds a query for the address of a valid `name`: DNS_HEADER + dns_name_length + 4 bytes, which it returns.
 */
size_t dns_build_query(uint8_t *message, uint16_t id, const char *name);

/* Follows aliases (CNAME) within the answer. */
enum dns_answer dns_parse(const uint8_t *message, size_t length, uint16_t id, const char *name,
                          uint32_t *address);

#endif
