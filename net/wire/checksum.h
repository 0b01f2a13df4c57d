/* The Internet checksum (RFC 1071), a word at a time. */
#ifndef NET_WIRE_CHECKSUM_H
#define NET_WIRE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/*
 * Add `length` bytes to a running sum, which starts at 0. Pieces of one sum must
 * be of even length, but for the last. The sum is in the machine's byte order.
 */
uint32_t checksum_add(uint32_t sum, const void *data, size_t length);

/* The pseudo-header of TCP and UDP. Addresses in host order. */
uint32_t checksum_pseudo_header(uint32_t source, uint32_t destination, uint8_t protocol, size_t length);

/*
 * The complement, to be stored as it is (store_native16). Over data that
 * contains its own checksum it is 0 if that is right.
 */
uint16_t checksum_finish(uint32_t sum);

#endif
