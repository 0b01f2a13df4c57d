/* The host's transport belongs to no library that these tests are linked with. */
#include "target/posix/socket_transport.c"
