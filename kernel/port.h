/* The port of what is compiled for: an ARMv7-M core, or a Linux process in virtual time. */
#ifndef KERNEL_PORT_H
#define KERNEL_PORT_H

#ifdef __arm__
#include "kernel/port_cortex_m.h"
#else
#include "target/posix/kernel_port.h"
#endif

#endif
