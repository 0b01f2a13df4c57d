/*
 * The registers of the STM32F429 that mote uses: RM0090 for the peripherals,
 * ARMv7-M ARM B3 for the core. Layouts are checked against the manual's
 * offsets at compile time; bits are named as there.
 *
 * Addresses are macros over volatile structures: RCC->CR reads one register.
 */
#ifndef STM32F429_REGISTERS_H
#define STM32F429_REGISTERS_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define REGISTERS_AT(type, address) ((volatile struct type *)(address))
#define OFFSET_IS(type, member, offset)                                                                      \
    static_assert(offsetof(struct type, member) == (offset), #type "." #member " must lie at " #offset)

/* ---- RCC: RM0090 6.3 (STM32F42x) ---- */

struct rcc_registers {
    uint32_t CR;
    uint32_t PLLCFGR;
    uint32_t CFGR;
    uint32_t CIR;
    uint32_t AHB1RSTR;
    uint32_t AHB2RSTR;
    uint32_t AHB3RSTR;
    uint32_t reserved_1c;
    uint32_t APB1RSTR;
    uint32_t APB2RSTR;
    uint32_t reserved_28[2];
    uint32_t AHB1ENR;
    uint32_t AHB2ENR;
    uint32_t AHB3ENR;
    uint32_t reserved_3c;
    uint32_t APB1ENR;
    uint32_t APB2ENR;
    uint32_t reserved_48[2];
    uint32_t AHB1LPENR;
    uint32_t AHB2LPENR;
    uint32_t AHB3LPENR;
    uint32_t reserved_5c;
    uint32_t APB1LPENR;
    uint32_t APB2LPENR;
    uint32_t reserved_68[2];
    uint32_t BDCR;
    uint32_t CSR;
};
OFFSET_IS(rcc_registers, AHB1RSTR, 0x10);
OFFSET_IS(rcc_registers, AHB1ENR, 0x30);
OFFSET_IS(rcc_registers, APB1ENR, 0x40);
OFFSET_IS(rcc_registers, AHB1LPENR, 0x50);
OFFSET_IS(rcc_registers, BDCR, 0x70);
OFFSET_IS(rcc_registers, CSR, 0x74);
#define RCC REGISTERS_AT(rcc_registers, 0x40023800u)

#define RCC_CR_HSION            (1u << 0)
#define RCC_CR_HSIRDY           (1u << 1)
#define RCC_CR_HSEON            (1u << 16)
#define RCC_CR_HSERDY           (1u << 17)
#define RCC_CR_HSEBYP           (1u << 18)
#define RCC_CR_PLLON            (1u << 24)
#define RCC_CR_PLLRDY           (1u << 25)
#define RCC_PLLCFGR_RESERVED_29 (1u << 29) /* reads 1 after reset: kept */
#define RCC_PLLCFGR_M(m)        ((uint32_t)(m) << 0)
#define RCC_PLLCFGR_N(n)        ((uint32_t)(n) << 6)
#define RCC_PLLCFGR_P(p)        (((uint32_t)(p) / 2 - 1) << 16)
#define RCC_PLLCFGR_SRC_HSE     (1u << 22)
#define RCC_PLLCFGR_Q(q)        ((uint32_t)(q) << 24)
#define RCC_CFGR_SW_PLL         (2u << 0)
#define RCC_CFGR_SWS_MASK       (3u << 2)
#define RCC_CFGR_SWS_PLL        (2u << 2)
#define RCC_CFGR_PPRE1_DIV4     (5u << 10)
#define RCC_CFGR_PPRE2_DIV2     (4u << 13)
#define RCC_AHB1_GPIO(port)     (1u << (port)) /* 0 = A … 10 = K */
#define RCC_AHB1_ETHMAC         (1u << 25)
#define RCC_AHB1_ETHMACTX       (1u << 26)
#define RCC_AHB1_ETHMACRX       (1u << 27)
#define RCC_AHB2_RNG            (1u << 6)
#define RCC_APB1_TIM2           (1u << 0)
#define RCC_APB1_TIM5           (1u << 3)
#define RCC_APB1_USART3         (1u << 18)
#define RCC_APB1_PWR            (1u << 28)
#define RCC_APB2_SYSCFG         (1u << 14)
#define RCC_CSR_RMVF            (1u << 24)

/* ---- PWR: RM0090 5.4.2 (STM32F42x) ---- */

struct pwr_registers {
    uint32_t CR;
    uint32_t CSR;
};
#define PWR REGISTERS_AT(pwr_registers, 0x40007000u)

#define PWR_CR_VOS_SCALE_1 (3u << 14)
#define PWR_CR_ODEN        (1u << 16)
#define PWR_CR_ODSWEN      (1u << 17)
#define PWR_CSR_ODRDY      (1u << 16)
#define PWR_CSR_ODSWRDY    (1u << 17)

/* ---- FLASH: RM0090 3.9 ---- */

struct flash_registers {
    uint32_t ACR;
    uint32_t KEYR;
    uint32_t OPTKEYR;
    uint32_t SR;
    uint32_t CR;
    uint32_t OPTCR;
    uint32_t OPTCR1;
};
#define FLASH REGISTERS_AT(flash_registers, 0x40023C00u)

#define FLASH_ACR_LATENCY(n) ((uint32_t)(n))
#define FLASH_ACR_PRFTEN     (1u << 8)
#define FLASH_ACR_ICEN       (1u << 9)
#define FLASH_ACR_DCEN       (1u << 10)

/* ---- GPIO: RM0090 8.4 ---- */

struct gpio_registers {
    uint32_t MODER;
    uint32_t OTYPER;
    uint32_t OSPEEDR;
    uint32_t PUPDR;
    uint32_t IDR;
    uint32_t ODR;
    uint32_t BSRR;
    uint32_t LCKR;
    uint32_t AFR[2];
};
OFFSET_IS(gpio_registers, BSRR, 0x18);
OFFSET_IS(gpio_registers, AFR, 0x20);
#define GPIO(port) REGISTERS_AT(gpio_registers, 0x40020000u + 0x400u * (port)) /* 0 = A … 10 = K */

/* ---- SYSCFG: RM0090 9.2 ---- */

struct syscfg_registers {
    uint32_t MEMRMP;
    uint32_t PMC;
    uint32_t EXTICR[4];
    uint32_t reserved_18[2];
    uint32_t CMPCR;
};
OFFSET_IS(syscfg_registers, CMPCR, 0x20);
#define SYSCFG REGISTERS_AT(syscfg_registers, 0x40013800u)

#define SYSCFG_PMC_MII_RMII_SEL (1u << 23)

/* ---- EXTI: RM0090 12.3 ---- */

struct exti_registers {
    uint32_t IMR;
    uint32_t EMR;
    uint32_t RTSR;
    uint32_t FTSR;
    uint32_t SWIER;
    uint32_t PR;
};
#define EXTI REGISTERS_AT(exti_registers, 0x40013C00u)

/* ---- TIM2 to TIM5: RM0090 18.4 ---- */

struct tim_registers {
    uint32_t CR1;
    uint32_t CR2;
    uint32_t SMCR;
    uint32_t DIER;
    uint32_t SR;
    uint32_t EGR;
    uint32_t CCMR1;
    uint32_t CCMR2;
    uint32_t CCER;
    uint32_t CNT;
    uint32_t PSC;
    uint32_t ARR;
    uint32_t reserved_30;
    uint32_t CCR1;
    uint32_t CCR2;
    uint32_t CCR3;
    uint32_t CCR4;
    uint32_t reserved_44;
    uint32_t DCR;
    uint32_t DMAR;
    uint32_t OR;
};
OFFSET_IS(tim_registers, CNT, 0x24);
OFFSET_IS(tim_registers, CCR1, 0x34);
OFFSET_IS(tim_registers, OR, 0x50);
#define TIM2 REGISTERS_AT(tim_registers, 0x40000000u)
#define TIM5 REGISTERS_AT(tim_registers, 0x40000C00u)

#define TIM_CR1_CEN    (1u << 0)
#define TIM_CR1_URS    (1u << 2)
#define TIM_DIER_UIE   (1u << 0)
#define TIM_DIER_CC1IE (1u << 1)
#define TIM_DIER_CC2IE (1u << 2)
#define TIM_SR_UIF     (1u << 0)
#define TIM_SR_CC1IF   (1u << 1)
#define TIM_SR_CC2IF   (1u << 2)
#define TIM_EGR_UG     (1u << 0)
#define TIM_EGR_CC1G   (1u << 1)
#define TIM_EGR_CC2G   (1u << 2)

/* ---- RNG: RM0090 24.4 ---- */

struct rng_registers {
    uint32_t CR;
    uint32_t SR;
    uint32_t DR;
};
#define RNG REGISTERS_AT(rng_registers, 0x50060800u)

#define RNG_CR_RNGEN (1u << 2)
#define RNG_SR_DRDY  (1u << 0)
#define RNG_SR_CECS  (1u << 1)
#define RNG_SR_SECS  (1u << 2)
#define RNG_SR_CEIS  (1u << 5)
#define RNG_SR_SEIS  (1u << 6)

/* ---- IWDG: RM0090 21.4 ---- */

struct iwdg_registers {
    uint32_t KR;
    uint32_t PR;
    uint32_t RLR;
    uint32_t SR;
};
#define IWDG REGISTERS_AT(iwdg_registers, 0x40003000u)

#define IWDG_KR_RELOAD 0xAAAAu
#define IWDG_KR_UNLOCK 0x5555u
#define IWDG_KR_START  0xCCCCu

/* ---- Ethernet: RM0090 33.8 ---- */

struct eth_mac_registers {
    uint32_t MACCR;
    uint32_t MACFFR;
    uint32_t MACHTHR;
    uint32_t MACHTLR;
    uint32_t MACMIIAR;
    uint32_t MACMIIDR;
    uint32_t MACFCR;
    uint32_t MACVLANTR;
    uint32_t reserved_20[2];
    uint32_t MACRWUFFR;
    uint32_t MACPMTCSR;
    uint32_t reserved_30;
    uint32_t MACDBGR;
    uint32_t MACSR;
    uint32_t MACIMR;
    uint32_t MACA0HR;
    uint32_t MACA0LR;
};
OFFSET_IS(eth_mac_registers, MACMIIAR, 0x10);
OFFSET_IS(eth_mac_registers, MACDBGR, 0x34);
OFFSET_IS(eth_mac_registers, MACA0HR, 0x40);
#define ETH_MAC REGISTERS_AT(eth_mac_registers, 0x40028000u)

#define ETH_MACCR_RE           (1u << 2)
#define ETH_MACCR_TE           (1u << 3)
#define ETH_MACCR_IPCO         (1u << 10)
#define ETH_MACCR_DM           (1u << 11)
#define ETH_MACCR_FES          (1u << 14)
#define ETH_MACCR_RESERVED_15  (1u << 15) /* reads 1 after reset: kept */
#define ETH_MACMIIAR_MB        (1u << 0)
#define ETH_MACMIIAR_MW        (1u << 1)
#define ETH_MACMIIAR_CR_DIV102 (4u << 2) /* HCLK 150 to 180 MHz */
#define ETH_MACMIIAR_MR(reg)   ((uint32_t)(reg) << 6)
#define ETH_MACMIIAR_PA(phy)   ((uint32_t)(phy) << 11)
#define ETH_MACIMR_PMTIM       (1u << 3)
#define ETH_MACIMR_TSTIM       (1u << 9)
#define ETH_MACFFR_HM          (1u << 2)
#define ETH_MACA0HR_MO         (1u << 31)

struct eth_mmc_registers {
    uint32_t MMCCR;
    uint32_t MMCRIR;
    uint32_t MMCTIR;
    uint32_t MMCRIMR;
    uint32_t MMCTIMR;
};
#define ETH_MMC REGISTERS_AT(eth_mmc_registers, 0x40028100u)

#define ETH_MMCRIMR_ALL ((1u << 5) | (1u << 6) | (1u << 17))
#define ETH_MMCTIMR_ALL ((1u << 14) | (1u << 15) | (1u << 21))

struct eth_dma_registers {
    uint32_t DMABMR;
    uint32_t DMATPDR;
    uint32_t DMARPDR;
    uint32_t DMARDLAR;
    uint32_t DMATDLAR;
    uint32_t DMASR;
    uint32_t DMAOMR;
    uint32_t DMAIER;
    uint32_t DMAMFBOCR;
    uint32_t DMARSWTR;
    uint32_t reserved_28[8];
    uint32_t DMACHTDR;
    uint32_t DMACHRDR;
    uint32_t DMACHTBAR;
    uint32_t DMACHRBAR;
};
OFFSET_IS(eth_dma_registers, DMASR, 0x14);
OFFSET_IS(eth_dma_registers, DMACHTDR, 0x48);
#define ETH_DMA REGISTERS_AT(eth_dma_registers, 0x40029000u)

#define ETH_DMABMR_SR            (1u << 0)
#define ETH_DMABMR_PBL(beats)    ((uint32_t)(beats) << 8)
#define ETH_DMABMR_FB            (1u << 16)
#define ETH_DMABMR_RDP(beats)    ((uint32_t)(beats) << 17)
#define ETH_DMABMR_USP           (1u << 23)
#define ETH_DMABMR_AAL           (1u << 25)
#define ETH_DMASR_TS             (1u << 0)
#define ETH_DMASR_TBUS           (1u << 2)
#define ETH_DMASR_RS             (1u << 6)
#define ETH_DMASR_RBUS           (1u << 7)
#define ETH_DMASR_FBES           (1u << 13)
#define ETH_DMASR_AIS            (1u << 15)
#define ETH_DMASR_NIS            (1u << 16)
#define ETH_DMAOMR_SR            (1u << 1)
#define ETH_DMAOMR_ST            (1u << 13)
#define ETH_DMAOMR_TSF           (1u << 21)
#define ETH_DMAOMR_DFRF          (1u << 24)
#define ETH_DMAOMR_RSF           (1u << 25)
#define ETH_DMAIER_TIE           (1u << 0)
#define ETH_DMAIER_RIE           (1u << 6)
#define ETH_DMAIER_FBEIE         (1u << 13)
#define ETH_DMAIER_AISE          (1u << 15)
#define ETH_DMAIER_NISE          (1u << 16)
#define ETH_DMAMFBOCR_MFC(value) ((value)&0xFFFFu)
#define ETH_DMAMFBOCR_MFA(value) (((value) >> 17) & 0x7FFu)

/* ---- Debug MCU: RM0090 38.16 ---- */

struct dbgmcu_registers {
    uint32_t IDCODE;
    uint32_t CR;
    uint32_t APB1FZ;
    uint32_t APB2FZ;
};
#define DBGMCU REGISTERS_AT(dbgmcu_registers, 0xE0042000u)

#define DBGMCU_CR_SLEEP_STOP_STANDBY 7u
#define DBGMCU_APB1FZ_IWDG           (1u << 12)

/* ---- Core: ARMv7-M ARM B3.2 to B3.4, C1.8 ---- */

struct systick_registers {
    uint32_t CSR;
    uint32_t RVR;
    uint32_t CVR;
    uint32_t CALIB;
};
#define SYSTICK REGISTERS_AT(systick_registers, 0xE000E010u)

struct nvic_registers {
    uint32_t ISER[8];
    uint32_t reserved_20[24];
    uint32_t ICER[8];
    uint32_t reserved_a0[24];
    uint32_t ISPR[8];
    uint32_t reserved_120[24];
    uint32_t ICPR[8];
    uint32_t reserved_1a0[24];
    uint32_t IABR[8];
    uint32_t reserved_220[56];
    uint8_t IPR[240];
};
OFFSET_IS(nvic_registers, ISPR, 0x100);
OFFSET_IS(nvic_registers, IPR, 0x300);
#define NVIC REGISTERS_AT(nvic_registers, 0xE000E100u)

struct scb_registers {
    uint32_t CPUID;
    uint32_t ICSR;
    uint32_t VTOR;
    uint32_t AIRCR;
    uint32_t SCR;
    uint32_t CCR;
    uint8_t SHPR[12]; /* exceptions 4 to 15 */
    uint32_t SHCSR;
    uint32_t CFSR;
    uint32_t HFSR;
    uint32_t DFSR;
    uint32_t MMFAR;
    uint32_t BFAR;
    uint32_t AFSR;
    uint32_t reserved_40[18];
    uint32_t CPACR;
};
OFFSET_IS(scb_registers, CFSR, 0x28);
OFFSET_IS(scb_registers, CPACR, 0x88);
#define SCB REGISTERS_AT(scb_registers, 0xE000ED00u)

#define SCB_AIRCR_RESET    0x05FA0004u
#define SCB_CCR_DIV_0_TRP  (1u << 4)
#define SCB_CPACR_FPU_FULL (0xFu << 20)
#define SCB_CFSR_DATA_ACCESS                                                                                 \
    0x3Au /* DACCVIOL, MUNSTKERR, MSTKERR, MLSPERR: all that the MPU can deny but fetches */

struct mpu_registers {
    uint32_t TYPE;
    uint32_t CTRL;
    uint32_t RNR;
    uint32_t RBAR;
    uint32_t RASR;
};
#define MPU REGISTERS_AT(mpu_registers, 0xE000ED90u)

#define MPU_CTRL_ENABLE        (1u << 0)
#define MPU_CTRL_PRIVDEFENA    (1u << 2)
#define MPU_RBAR_VALID         (1u << 4)
#define MPU_RASR_ENABLE        (1u << 0)
#define MPU_RASR_SIZE(bits)    ((uint32_t)((bits)-1) << 1) /* the region has 2^bits bytes */
#define MPU_RASR_NO_ACCESS     (0u << 24)
#define MPU_RASR_EXECUTE_NEVER (1u << 28)

struct dwt_registers {
    uint32_t CTRL;
    uint32_t CYCCNT;
};
#define DWT   REGISTERS_AT(dwt_registers, 0xE0001000u)
#define DEMCR (*(volatile uint32_t *)0xE000EDFCu)

#define DWT_CTRL_CYCCNTENA (1u << 0)
#define DEMCR_TRCENA       (1u << 24)

static inline void data_synchronization_barrier(void)
{
    __asm__ volatile("dsb" ::: "memory");
}

#endif
