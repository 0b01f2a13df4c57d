// expect: READ_ONLY_RESOURCES: no task uses the resource orphan
#define MORE_READ_ONLY(READ_ONLY) READ_ONLY(orphan, int)
#include "base.h"
