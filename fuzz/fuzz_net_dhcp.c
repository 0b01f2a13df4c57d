/* net/wire/dhcp.h: an answer of a server. */
#include "fuzz/input.h"
#include "net/wire/dhcp.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 2};
    uint8_t *message = exact_copy(data, size);
    struct dhcp_reply reply, again;
    memset(&reply, 0, sizeof reply);
    memset(&again, 0, sizeof again);
    bool good = dhcp_parse(message, size, mac, &reply);
    MUST(dhcp_parse(message, size, mac, &again) == good);
    if (good) {
        MUST(size >= 240 && reply.type != 0 && memcmp(&reply, &again, sizeof reply) == 0);
    }
    free(message);
    return 0;
}
