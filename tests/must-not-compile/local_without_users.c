// expect: LOCAL_RESOURCES: no task uses the resource orphan
#define MORE_LOCALS(LOCAL) LOCAL(orphan, int)
#include "base.h"
