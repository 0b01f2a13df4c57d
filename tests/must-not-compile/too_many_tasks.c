// expect: TASKS: there are more than 30 tasks
#define FIVE(SOFTWARE, n)                                                                                    \
    SOFTWARE(a##n, 1, 1, nothing)                                                                            \
    SOFTWARE(b##n, 1, 1, nothing)                                                                            \
    SOFTWARE(c##n, 1, 1, nothing)                                                                            \
    SOFTWARE(d##n, 1, 1, nothing)                                                                            \
    SOFTWARE(e##n, 1, 1, nothing)
#define MORE_TASKS(HARDWARE, SOFTWARE)                                                                       \
    FIVE(SOFTWARE, 1)                                                                                        \
    FIVE(SOFTWARE, 2)                                                                                        \
    FIVE(SOFTWARE, 3)                                                                                        \
    FIVE(SOFTWARE, 4)                                                                                        \
    FIVE(SOFTWARE, 5)                                                                                        \
    SOFTWARE(one_more, 1, 1, nothing) SOFTWARE(two_more, 1, 1, nothing)
#include "base.h"
