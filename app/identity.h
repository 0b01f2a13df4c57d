/* What the device is called, after its MAC address. Filled once at boot, before anything reads it. */
#ifndef APP_IDENTITY_H
#define APP_IDENTITY_H

#include <stdint.h>

#define IDENTITY_MAC_TEXT "xx-xx-xx-xx-xx-xx"

/* "mote-02-00-00-03-02-00": host name and MQTT client id. */
extern char identity_name[sizeof "mote-" IDENTITY_MAC_TEXT];
/* "02-00-00-03-02-00", the part of it that is the address. */
#define IDENTITY_MAC (identity_name + sizeof "mote-" - 1)
/* "dt/mote/02-00-00-03-02-00": what all its topics begin with. */
extern char identity_topics[sizeof "dt/mote/" IDENTITY_MAC_TEXT];

void identity_set(const uint8_t mac[6]);

#endif
