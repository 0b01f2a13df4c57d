/* net/wire/sntp.h: an answer of a server. */
#include "fuzz/input.h"
#include "net/wire/sntp.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t cookie[2] = {0x01020304, 0x05060708};
    uint8_t *message = exact_copy(data, size);
    struct sntp_reply reply;
    if (sntp_parse(message, size, cookie, &reply) == SNTP_TIME) {
        MUST(size >= SNTP_MESSAGE && reply.unix_ms < 1000);
    }
    free(message);
    return 0;
}
