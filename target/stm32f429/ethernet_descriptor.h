/* The DMA's descriptors, normal format, chained (RM0090 33.6.7, 33.6.8). */
#ifndef STM32F429_ETHERNET_DESCRIPTOR_H
#define STM32F429_ETHERNET_DESCRIPTOR_H

#include <stdint.h>

struct ethernet_descriptor {
    uint32_t status;  /* TDES0, RDES0 */
    uint32_t control; /* TDES1, RDES1 */
    uint32_t buffer;
    uint32_t next;
};

#define DESCRIPTOR_OWN (1u << 31) /* the DMA's, until it clears the bit */

#define TDES0_IC         (1u << 30)
#define TDES0_LS         (1u << 29)
#define TDES0_FS         (1u << 28)
#define TDES0_CIC_HEADER (1u << 22)
#define TDES0_CIC_FULL   (3u << 22)
#define TDES0_TCH        (1u << 20)
#define TDES0_ES         (1u << 15)

#define RDES0_FL(status) ((status) >> 16 & 0x3FFFu)
#define RDES0_ES         (1u << 15)
#define RDES0_FS         (1u << 9)
#define RDES0_LS         (1u << 8)
#define RDES0_IPHCE      (1u << 7)
#define RDES0_FT         (1u << 5)
#define RDES0_PCE        (1u << 0)
#define RDES1_RCH        (1u << 14)

#endif
