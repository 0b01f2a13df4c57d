// expect: LOCAL_RESOURCES: both has more than one user; put it into RESOURCES
#define MORE_LOCALS(LOCAL) LOCAL(both, int, report, print)
#include "base.h"
