#include "target/stm32f429/smi.h"

#include "target/stm32f429/registers.h"
#include "target/stm32f429/wait.h"

/* 64 bits at HCLK / 102 are 36 us, that is 6528 cycles; a read of the register and its loop take four or
 * more. */
enum { READS_MAX = 3000 };

static int access(unsigned phy, unsigned reg, uint32_t direction)
{
    ETH_MAC->MACMIIAR =
        ETH_MACMIIAR_PA(phy) | ETH_MACMIIAR_MR(reg) | ETH_MACMIIAR_CR_DIV102 | direction | ETH_MACMIIAR_MB;
    return wait_reads(&ETH_MAC->MACMIIAR, ETH_MACMIIAR_MB, 0, READS_MAX) ? 0 : SMI_TIMEOUT;
}

int smi_read(unsigned phy, unsigned reg)
{
    int error = access(phy, reg, 0);
    return error ? error : (int)(ETH_MAC->MACMIIDR & 0xFFFFu);
}

int smi_write(unsigned phy, unsigned reg, uint16_t value)
{
    ETH_MAC->MACMIIDR = value;
    return access(phy, reg, ETH_MACMIIAR_MW);
}
