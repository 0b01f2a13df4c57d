// expect: nothing
/* As many as there may be: 30 tasks, all of them and IDLE users of one resource, messages of 64 bytes, 255
 * places. */
struct full {
    char bytes[64];
};
#define FIVE(SOFTWARE, n)                                                                                    \
    SOFTWARE(a##n, 2, 255, struct full)                                                                      \
    SOFTWARE(b##n, 2, 1, nothing)                                                                            \
    SOFTWARE(c##n, 2, 1, nothing)                                                                            \
    SOFTWARE(d##n, 2, 1, nothing)                                                                            \
    SOFTWARE(e##n, 2, 1, nothing)
#define MORE_TASKS(HARDWARE, SOFTWARE)                                                                       \
    FIVE(SOFTWARE, 1)                                                                                        \
    FIVE(SOFTWARE, 2)                                                                                        \
    FIVE(SOFTWARE, 3)                                                                                        \
    FIVE(SOFTWARE, 4)                                                                                        \
    FIVE(SOFTWARE, 5)                                                                                        \
    SOFTWARE(one_more, 1, 1, nothing)
#define MORE_RESOURCES(RESOURCE)                                                                             \
    RESOURCE(everybodys, int, a1, b1, c1, d1, e1, a2, b2, c2, d2, e2, a3, b3, c3, d3, e3, a4, b4, c4, d4,    \
             e4, a5, b5, c5, d5, e5, one_more, store, report, print, button, idle)
#include "base.h"

_Static_assert(KERNEL_TASKS == 30, "");
_Static_assert(RESOURCE_everybodys_USERS == 0x7FFFFFFF, "");
_Static_assert(RESOURCE_everybodys_CEILING == 3, "");
_Static_assert(sizeof(kernel_message_a1) == 64, "");

TASK(one_more)
{
    LOCK (everybodys) {
        ++*everybodys;
    }
}

IDLE
{
    LOCK (everybodys) {
        ++*everybodys;
    }
}
