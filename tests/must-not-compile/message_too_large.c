// expect: TASKS: the message of bulky is larger than 64 bytes; put it into a resource
struct large {
    char bytes[65];
};
#define MORE_TASKS(HARDWARE, SOFTWARE) SOFTWARE(bulky, 2, 1, struct large)
#include "base.h"
