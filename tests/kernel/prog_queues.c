/* Queues: order, values, bounds; spawns from every level. */
#include "tests/kernel/check.h"

struct parcel {
    uint32_t words[16];
};

#define TASKS(HARDWARE, SOFTWARE)                                                                            \
    SOFTWARE(test, 1, 1, nothing)                                                                            \
    SOFTWARE(letter, 1, 3, char)                                                                             \
    SOFTWARE(other, 1, 2, char)                                                                              \
    SOFTWARE(last, 1, 1, nothing)                                                                            \
    SOFTWARE(parcels, 3, 2, struct parcel)                                                                   \
    SOFTWARE(burst, 3, 1, uint64_t)                                                                          \
    SOFTWARE(chain, 3, 1, uint8_t)                                                                           \
    HARDWARE(device, 5, EXTI0)
#define RESOURCES(RESOURCE)     RESOURCE(received, struct parcel, test, parcels)
#define DISPATCHERS(DISPATCHER) DISPATCHER(1, SPI1) DISPATCHER(3, DMA2_Stream7)
#include "kernel/table.h"

KERNEL_DEFINE

TASK(letter)
{
    trace(message);
}

TASK(other)
{
    trace(message);
}

TASK(parcels)
{
    LOCK (received) {
        *received = message;
    }
    trace('P');
}

TASK(burst)
{
    trace(message == 0x123456789ABCDEF0 ? 'B' : '!');
}

/* Spawns itself: its place is free again when its body starts. */
TASK(chain)
{
    trace((char)('0' + message));
    if (message > 0 && spawn(chain, (uint8_t)(message - 1)) < 0)
        trace('!');
}

TASK(device)
{
    trace('D');
    if (spawn(letter, 'd') < 0)
        trace('f');
    if (spawn(burst, 0x123456789ABCDEF0) < 0)
        trace('!');
    trace('d');
}

TASK(test)
{
    struct parcel parcel;
    for (uint32_t i = 0; i < 16; i++)
        parcel.words[i] = i * 0x01010101;
    CHECK("a spawn to a higher task is taken", spawn(parcels, parcel) == 0);
    parcel.words[15] = 0;
    CHECK("and runs at once", traced("P"));
    LOCK (received) {
        CHECK("64 bytes came by value", received->words[0] == 0 && received->words[7] == 0x07070707 &&
                                            received->words[15] == 0x0F0F0F0F);
    }

    LOCK (received) {
        CHECK("two places, first", spawn(parcels, parcel) == 0);
        CHECK("two places, second", spawn(parcels, parcel) == 0);
        CHECK("a full queue is an error value", spawn(parcels, parcel) == KERNEL_FULL);
        CHECK("for a spawn in the future too", spawn_after(parcels, seconds(1), parcel) == KERNEL_FULL);
    }
    CHECK("what was queued runs, the refused does not", traced("PP"));
    CHECK("the places are free again", spawn(parcels, parcel) == 0 && traced("P"));

    CHECK("a task may spawn itself from its only place", spawn(chain, 4) == 0 && traced("43210"));

    raise_interrupt(EXTI0_IRQn);
    CHECK("from a hardware task: the higher one first, after the device's end", traced("DdB"));

    bool taken = spawn(letter, 'a') == 0;
    taken = taken && spawn(other, 'b') == 0;
    taken = taken && spawn(letter, 'c') == 0;
    taken = taken && spawn(other, 'e') == 0;
    CHECK("all spawns are taken", taken);
    raise_interrupt(EXTI0_IRQn);
    CHECK("a full queue is seen from an interrupt", traced("DfdB"));
    CHECK("the last one is spawned", spawn(last) == 0);
}

TASK(last)
{
    CHECK("tasks of one priority run in the order spawned", traced("dabce"));
    finish(true);
}

INIT
{
    if (spawn(test) < 0)
        finish(false);
}

int main(void)
{
    kernel_start();
}
