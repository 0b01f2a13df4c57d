#include "log/rtt.h"

#include <string.h>

#include "log/port.h"

#if defined(__arm__)
_Static_assert(offsetof(struct rtt_control_block, up) == 24, "RTT: channels follow id and counts");
_Static_assert(sizeof(struct rtt_channel) == 24, "RTT: a channel record has 24 bytes");
#endif
_Static_assert((RTT_RING_SIZE & (RTT_RING_SIZE - 1)) == 0, "RTT: the ring's size must be a power of two");

__attribute__((used)) struct rtt_control_block _SEGGER_RTT;
static char ring[RTT_RING_SIZE];

void rtt_init(void)
{
    static const char id[16] = "SEGGER RTT";
    struct rtt_control_block *rtt = &_SEGGER_RTT;

    memset(rtt->id, 0, sizeof rtt->id);
    rtt->up = (struct rtt_channel){.name = "Terminal", .buffer = ring, .size = RTT_RING_SIZE};
    rtt->up_channels = 1;
    rtt->down_channels = 0;
    log_port_barrier();
    memcpy(rtt->id, id, sizeof id);
    log_port_barrier();
}

/* With interrupts off. */
static bool write_locked(struct rtt_channel *up, const char *bytes, size_t length)
{
    uint32_t write = up->write;
    uint32_t room = (up->read - write - 1) & (RTT_RING_SIZE - 1);
    uint32_t to_end = RTT_RING_SIZE - write;

    if (length > room)
        return false;
    if (to_end > length)
        to_end = (uint32_t)length;
    memcpy(ring + write, bytes, to_end);
    memcpy(ring, bytes + to_end, length - to_end);
    log_port_barrier();
    up->write = (write + (uint32_t)length) & (RTT_RING_SIZE - 1);
    return true;
}

bool rtt_write(const char *bytes, size_t length)
{
    uint32_t state = log_port_lock();
    bool written = write_locked(&_SEGGER_RTT.up, bytes, length);
    log_port_unlock(state);
    return written;
}
