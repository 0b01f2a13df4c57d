// expect: RESOURCES: no task uses the resource orphan
#define MORE_RESOURCES(RESOURCE) RESOURCE(orphan, int)
#include "base.h"
