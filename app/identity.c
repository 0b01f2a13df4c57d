#include "app/identity.h"

#include <string.h>

char identity_name[] = "mote-" IDENTITY_MAC_TEXT;
char identity_topics[] = "dt/mote/" IDENTITY_MAC_TEXT;

static char hex_digit(unsigned value)
{
    return (char)(value < 10 ? '0' + value : 'a' + value - 10);
}

void identity_set(const uint8_t mac[6])
{
    char *text = IDENTITY_MAC;

    for (size_t i = 0; i < 6; i++) {
        text[3 * i] = hex_digit(mac[i] >> 4);
        text[3 * i + 1] = hex_digit(mac[i] & 15);
    }
    memcpy(identity_topics + strlen("dt/mote/"), text, sizeof IDENTITY_MAC_TEXT);
}
