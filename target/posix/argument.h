/* What the command lines of host programs are made of. False: the text is not one, and nothing is written. */
#ifndef TARGET_POSIX_ARGUMENT_H
#define TARGET_POSIX_ARGUMENT_H

#include <stdbool.h>
#include <stdint.h>

#define ARGUMENT_CHECKED __attribute__((warn_unused_result))

/* Decimal, or hexadecimal with 0x. */
ARGUMENT_CHECKED bool argument_number(const char *text, uint64_t least, uint64_t most, uint64_t *value);
/* "192.168.1.10", in host order. */
ARGUMENT_CHECKED bool argument_address(const char *text, uint32_t *address);
/* "192.168.1.10/24"; without the prefix, of 1 to 30, it is 24. */
ARGUMENT_CHECKED bool argument_host(const char *text, uint32_t *address, uint32_t *netmask);
/* "02-00-00-03-02-00", or with colons; not a group's. */
ARGUMENT_CHECKED bool argument_mac(const char *text, uint8_t mac[6]);

#endif
