// expect: DISPATCHERS: no software task has priority 5, which SPI3 is to serve; take its line out
#define MORE_DISPATCHERS(DISPATCHER) DISPATCHER(5, SPI3)
#include "base.h"
