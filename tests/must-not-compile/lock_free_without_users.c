// expect: LOCK_FREE_RESOURCES: no task uses the resource orphan
#define MORE_LOCK_FREE(LOCK_FREE) LOCK_FREE(orphan, int)
#include "base.h"
