/* No stack: what of a program's size is neither `net`'s nor lwIP's. Never executed. */
#include "bench/lwip/versus.h"

static struct net_device bench_device;

static void stack_set_up(void)
{
    bench_device = device;
    __asm__ volatile("" : : "r"(&bench_device) : "memory");
}

static void stack_connect(void)
{
}

static bool stack_connected(void)
{
    return true;
}

static void stack_poll(void)
{
    uint8_t *frame;
    (void)bench_device.receive(NULL, &frame);
}

static void stack_take(size_t length)
{
    (void)length;
}

static void stack_send(size_t length)
{
    (void)bench_device.send(NULL, 54, tx, length);
}

static bool stack_take_datagram(size_t length)
{
    return length > 0;
}

static void stack_send_datagram(size_t length)
{
    stack_send(length);
}

static void stack_idle(void)
{
}

static void stack_find_broker(void)
{
}
