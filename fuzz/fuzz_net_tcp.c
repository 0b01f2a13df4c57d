/* net/wire/tcp.h: a segment with options. */
#include "fuzz/input.h"
#include "net/wire/tcp.h"

#include <stdlib.h>

static void check(const struct tcp_segment *segment, const uint8_t *packet, size_t size)
{
    MUST(WITHIN(segment->payload, segment->length, packet, size) && segment->payload >= packet + TCP_HEADER);
    if (segment->sack_blocks) {
        MUST(segment->sack_blocks <= TCP_SACK_BLOCKS_MAX);
        MUST(WITHIN(segment->sack, 8 * segment->sack_blocks, packet, (size_t)(segment->payload - packet)));
    }
    MUST(segment->syn.scale <= TCP_SCALE_MAX || segment->syn.scale == TCP_SCALE_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *packet = exact_copy(data, size);
    struct tcp_segment segment;
    if (tcp_parse(packet, size, &segment)) {
        check(&segment, packet, size);
        if (segment.payload == packet + TCP_HEADER + TCP_TIMESTAMPS_OPTION &&
            tcp_has_plain_timestamps(packet)) {
            MUST(segment.syn.timestamps);
        }
    }
    free(packet);
    return 0;
}
