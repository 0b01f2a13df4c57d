/*
 * Frames come out of the driver in the order of the wire, each once and whole: behind ones that are no good,
 * and while the buffer of one is being sent back. Through the MAC's loopback.
 */
// board: --net slirp --pace fast --strict
#include "ethernet_program.h"

#define MACCR_LM (1u << 12)

enum {
    NUMBER_AT = 14,
    SHORT_LENGTH = 60,
    LONGEST = NET_FRAME_MAX,
    TYPE_HIGH = 0x88, /* for experiments (IEEE 802): no checksums */
    TYPE_LOW = 0xB5,
};

static uint8_t payload[LONGEST];

static void loop_back(void)
{
    uint8_t *frame;

    wait_cycles(CYCLES_PER_MS / 10);
    ETH_MAC->MACCR |= MACCR_LM;
    pass_ms(1);
    while (device.receive(device.context, &frame) != 0)
        device.release(device.context);
}

/* To ourselves. */
static void send_number(uint8_t number, size_t length)
{
    uint8_t *frame = device.reserve(device.context);

    CHECK(frame);
    memcpy(frame, own_mac, 6);
    memcpy(frame + 6, own_mac, 6);
    frame[12] = TYPE_HIGH;
    frame[13] = TYPE_LOW;
    frame[NUMBER_AT] = number;
    (void)device.send(device.context, NUMBER_AT + 1, payload, length - NUMBER_AT - 1);
}

/* The number of the frame that is there; -1: none. */
static int take(size_t length)
{
    uint8_t *frame;
    size_t arrived = device.receive(device.context, &frame);

    if (arrived == 0)
        return -1;
    CHECK(arrived == length && frame[12] == TYPE_HIGH);
    return frame[NUMBER_AT];
}

/* One look finds the good frame behind as many that are too long as there is room for. */
static void behind_bad_ones(void)
{
    struct ethernet_statistics before, after;

    ethernet_statistics(&before);
    for (uint8_t i = 0; i < ETHERNET_RX_FRAMES - 1; i++)
        send_number(i, LONGEST + 1);
    send_number(77, SHORT_LENGTH);
    pass_ms(2);
    CHECK(take(SHORT_LENGTH) == 77);
    CHECK(take(SHORT_LENGTH) == 77); /* still borrowed, and counted once */
    device.release(device.context);
    CHECK(take(SHORT_LENGTH) == -1);
    ethernet_statistics(&after);
    CHECK(after.errors_in - before.errors_in == ETHERNET_RX_FRAMES - 1);
    CHECK(after.frames_in - before.frames_in == 1);
}

/*
 * A long frame is sent back behind as many short ones as fill all other descriptors and want its own. Until
 * it is on the wire its buffer is not received again; then it comes once, after them.
 */
static void behind_one_that_is_sent_back(void)
{
    const unsigned shorts = ETHERNET_RX_FRAMES;

    send_number(100, LONGEST);
    pass_ms(1);
    CHECK(take(LONGEST) == 100);
    for (unsigned i = 0; i < shorts; i++)
        send_number((uint8_t)i, SHORT_LENGTH);
    CHECK(device.bounce(device.context, LONGEST));
    for (unsigned i = 0; i <= shorts; i++) {
        int number = -1;

        for (unsigned polls = 0; number < 0; polls++) {
            CHECK(polls < CYCLES_PER_MS);
            number = take(i < shorts ? SHORT_LENGTH : LONGEST);
        }
        CHECK(number == (i < shorts ? (int)i : 100));
        device.release(device.context);
    }
    pass_ms(1);
    CHECK(take(SHORT_LENGTH) == -1);
}

int main(void)
{
    start_ethernet();
    bring_link_up();
    find_gateway();
    loop_back();
    behind_bad_ones();
    OK("a good frame behind bad ones");
    for (unsigned i = 0; i < ETHERNET_RX_FRAMES; i++)
        behind_one_that_is_sent_back();
    OK("frames behind one that is sent back");
    semihosting_exit(0);
}
