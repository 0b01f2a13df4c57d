#include "target/nucleo-f429zi/phy.h"

#include "target/stm32f429/smi.h"

enum {
    PHY_ADDRESS = 0,
    ID1_SMSC = 0x0007,
    ID2_LAN8742A = 0xC130,
    ID2_REVISION_MASK = 0x000F,
    RESET_CHECKS = 60, /* 600 ms; the datasheet promises 500 */
};

/* LAN8742A datasheet, 4.2. */
enum {
    BASIC_CONTROL = 0,
    BASIC_CONTROL_RESET = 1 << 15,
    BASIC_CONTROL_AUTO_NEGOTIATION = 1 << 12,
    BASIC_CONTROL_RESTART = 1 << 9,
    BASIC_STATUS = 1,
    BASIC_STATUS_NEGOTIATED = 1 << 5,
    BASIC_STATUS_LINK = 1 << 2, /* latches down: the first reading tells of a loss since the last one */
    PHY_ID1 = 2,
    PHY_ID2 = 3,
    SPECIAL_STATUS = 31,
    SPEED_MASK = 3 << 2,
    SPEED_10 = 1 << 2,
    SPEED_100 = 2 << 2,
    FULL_DUPLEX = 1 << 4,
};

enum state {
    STATE_RESET,
    STATE_RESETTING,
    STATE_RUNNING,
};

/* An MCU reset alone does not always reset the PHY. */
static int start_reset(struct phy *phy)
{
    if (smi_write(PHY_ADDRESS, BASIC_CONTROL, BASIC_CONTROL_RESET) < 0)
        return PHY_NO_ANSWER;
    phy->state = STATE_RESETTING;
    phy->checks = 0;
    return PHY_POLL_RESET_MS;
}

static int identify(void)
{
    int id1 = smi_read(PHY_ADDRESS, PHY_ID1);
    int id2 = smi_read(PHY_ADDRESS, PHY_ID2);
    if (id1 < 0 || id2 < 0 || id1 == 0xFFFF)
        return PHY_NO_ANSWER;
    return id1 == ID1_SMSC && (id2 & ~ID2_REVISION_MASK) == ID2_LAN8742A ? 0 : PHY_UNKNOWN;
}

static int finish_reset(struct phy *phy)
{
    int error = identify();
    int control = smi_read(PHY_ADDRESS, BASIC_CONTROL);
    if (error || control < 0)
        return error ? error : PHY_NO_ANSWER;
    if (control & BASIC_CONTROL_RESET)
        return ++phy->checks < RESET_CHECKS ? PHY_POLL_RESET_MS : PHY_RESET_FAILED;
    if (smi_write(PHY_ADDRESS, BASIC_CONTROL, BASIC_CONTROL_AUTO_NEGOTIATION | BASIC_CONTROL_RESTART) < 0)
        return PHY_NO_ANSWER;
    phy->state = STATE_RUNNING;
    return PHY_POLL_WAITING_MS;
}

static int watch_link(struct ethernet_link *link)
{
    enum { UP = BASIC_STATUS_LINK | BASIC_STATUS_NEGOTIATED };
    int status = smi_read(PHY_ADDRESS, BASIC_STATUS);
    if (status < 0 || status == 0xFFFF)
        return PHY_NO_ANSWER;
    if ((status & UP) != UP)
        return PHY_POLL_WAITING_MS;

    int special = smi_read(PHY_ADDRESS, SPECIAL_STATUS);
    if (special < 0)
        return PHY_NO_ANSWER;
    int speed = special & SPEED_MASK;
    if (speed != SPEED_10 && speed != SPEED_100)
        return PHY_POLL_WAITING_MS;
    link->up = true;
    link->fast = speed == SPEED_100;
    link->full_duplex = (special & FULL_DUPLEX) != 0;
    return PHY_POLL_SETTLED_MS;
}

int phy_poll(struct phy *phy, struct ethernet_link *link)
{
    int result;

    *link = (struct ethernet_link){0};
    switch (phy->state) {
    case STATE_RUNNING: result = watch_link(link); break;
    case STATE_RESETTING: result = finish_reset(phy); break;
    default: result = start_reset(phy); break;
    }
    if (result < 0)
        phy->state = STATE_RESET;
    return result;
}
