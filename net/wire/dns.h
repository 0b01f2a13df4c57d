/* Domain Name System messages (RFC 1035 4). */
#ifndef NET_WIRE_DNS_H
#define NET_WIRE_DNS_H

#include "net/features.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DNS_PORT = 53,
    DNS_HEADER = 12,
    DNS_CLASS_IN = 1,
    DNS_TYPE_A = 1,
    DNS_TYPE_CNAME = 5,
    DNS_TYPE_SOA = 6,
};

enum dns_answer {
    DNS_ADDRESS, /* there is one */
    DNS_IGNORED, /* malformed, or not the answer to this query: wait for the true one */
    DNS_NO_NAME, /* the name does not exist, or has no address */
    DNS_FAILURE, /* the server cannot or will not, or the answer is cut short */
#if NET_WITH_DNS_ALIASES
    DNS_ALIAS, /* the name is an alias, of one that the answer has nothing about */
#endif
};

struct dns_found {
    uint32_t address; /* with DNS_ADDRESS; with DNS_ALIAS where in the message the alias's name lies */
    /* With NET_WITH_DNS_CACHE, but of DNS_FAILURE: how long this holds; 0 above 2^31 (RFC 2181 8) */
    uint32_t ttl_s;
};

/* Bytes that `name` takes in a message, 0 when it is no name: empty, an empty label, one above 63, above 255
 * in all. */
size_t dns_name_length(const char *name);

/* Writes a valid `name`, dns_name_length bytes; returns the place behind it. */
uint8_t *dns_put_name(uint8_t *at, const char *name);

/* Builds a query for the address of a valid `name`: DNS_HEADER + dns_name_length + 4 bytes, which it returns.
 */
size_t dns_build_query(uint8_t *message, uint16_t id, const char *name);

/* Follows aliases (CNAME) within the answer. */
enum dns_answer dns_parse(const uint8_t *message, size_t length, uint16_t id, const char *name,
                          struct dns_found *found);

/* ---- For other kinds of messages ---- */

/* The place behind the name at `at`, 0 when malformed. */
size_t dns_skip_name(const uint8_t *message, size_t length, size_t at);

#if NET_WITH_DNS_ALIASES
/*
 * The name at `at` as text, without a final dot. False: malformed, empty, too long for `size` bytes with the
 * final zero, or with a label that has a dot or a zero in it and so would read as another name.
 */
bool dns_get_name(const uint8_t *message, size_t length, size_t at, char *text, size_t size);
#endif

/* Is the name at `at` this one, which is as dns_put_name writes it? Upper and lower case are the same. */
bool dns_name_is(const uint8_t *message, size_t length, size_t at, const uint8_t *name);

struct dns_record {
    size_t name;   /* where it lies in the message */
    size_t data;   /* likewise */
    size_t length; /* of the data */
    uint32_t type_and_class;
    uint32_t ttl_s; /* with NET_WITH_DNS_CACHE or NET_WITH_MDNS; 0 above 2^31 */
};

/* Reads the record at `at`; returns the place behind it, 0 when malformed. */
size_t dns_read_record(const uint8_t *message, size_t length, size_t at, struct dns_record *record);

#endif
