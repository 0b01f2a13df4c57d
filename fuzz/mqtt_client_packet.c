/* The strict reading of what a client sends belongs to no library that these programs are linked with. */
#include "tests/mqtt/client_packet.c"
