// expect: DISPATCHERS: the priority of SPI3 is not within 1 (lowest) to 16 (highest)
#define MORE_DISPATCHERS(DISPATCHER) DISPATCHER(17, SPI3)
#include "base.h"
