// expect: LOCK_FREE_RESOURCES: the users of uneven have different priorities; put it into RESOURCES
#define MORE_LOCK_FREE(LOCK_FREE) LOCK_FREE(uneven, int, store, report)
#include "base.h"
