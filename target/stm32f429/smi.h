/*
 * The station management interface: 16-bit registers of a PHY (RM0090 33.4.1).
 * Uses MACMIIAR and MACMIIDR only, so it needs no lock against the frame path;
 * calls come from one context at a time (the link task). Each takes some 40 us
 * of waiting at HCLK 150 to 180 MHz, 70 at most.
 */
#ifndef STM32F429_SMI_H
#define STM32F429_SMI_H

#include <stdint.h>

enum smi_error {
    SMI_TIMEOUT = -1, /* the MAC did not finish: reset meanwhile, or without clock */
};

/* The register's value, 0 to 0xFFFF, or SMI_TIMEOUT. 0xFFFF comes from an address where nobody answers. */
int smi_read(unsigned phy, unsigned reg) __attribute__((warn_unused_result));

int smi_write(unsigned phy, unsigned reg, uint16_t value) __attribute__((warn_unused_result));

#endif
