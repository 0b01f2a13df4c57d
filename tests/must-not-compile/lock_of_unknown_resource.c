// expect: 'RESOURCE_reedings_USERS' undeclared
#include "base.h"

TASK(report)
{
    LOCK (reedings) {
    }
}
