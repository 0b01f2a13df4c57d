/*
 * A file of frames for Wireshark and tcpdump (pcapng: draft-ietf-opsawg-pcapng), each with the interface that
 * it left, the virtual time, and a comment on what has become of it.
 */
#ifndef TESTS_NET_SIM_CAPTURE_H
#define TESTS_NET_SIM_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Two interfaces with these names. NULL: the file cannot be written. */
FILE *capture_open(const char *path, const char *const names[2]);
void capture_frame(FILE *file, unsigned interface, uint64_t time_ms, const uint8_t *frame, size_t length,
                   const char *comment);
/* False: something could not be written. */
bool capture_close(FILE *file);

#endif
