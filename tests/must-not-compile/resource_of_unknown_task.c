// expect: 'TASK_nobody' undeclared
#define MORE_RESOURCES(RESOURCE) RESOURCE(orphan, int, nobody)
#include "base.h"
