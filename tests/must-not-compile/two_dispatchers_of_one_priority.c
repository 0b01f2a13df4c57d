// expect: DISPATCHERS: a priority has two dispatchers
#define MORE_DISPATCHERS(DISPATCHER) DISPATCHER(2, SPI3)
#include "base.h"
