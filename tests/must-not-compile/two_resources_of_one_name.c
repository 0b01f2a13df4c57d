// expect: redeclaration of enumerator 'RESOURCE_readings_KIND'
#define MORE_LOCALS(LOCAL) LOCAL(readings, struct reading, report)
#include "base.h"
