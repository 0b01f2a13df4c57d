/*
 * The registers as RM0090 gives them, apart from the model: reset value, what
 * software can write, what is reserved, and the widths of access that are
 * allowed. docs/virtual-board.md says how this list was checked.
 */
#ifndef TESTS_EMULATOR_MANUAL_REGISTERS_H
#define TESTS_EMULATOR_MANUAL_REGISTERS_H

#include <stdint.h>

enum {
    BY_WORD = 4,                   /* "have to be accessed by words" */
    BY_HALF = 6,                   /* "by half-words or words" */
    BY_BYTE = 7,                   /* "by bytes, half-words or words" */
    WRITTEN_BY_WORD = BY_WORD | 8, /* and read in all widths */
};

struct manual_register {
    const char *name; /* as PERIPHERAL_REGISTER */
    uint32_t address;
    uint32_t reset; /* after power-on, as it reads */
    uint32_t rw;    /* rw, w, rs */
    uint32_t w1c;   /* rc_w1 */
    uint32_t w0c;   /* rc_w0 */
    uint32_t reserved;
    uint8_t widths;
    uint32_t plain; /* of rw: holds what is written, and writing it alone does nothing more */
};

#define GPIO(x, base, moder, ospeedr, pupdr)                                                                 \
    {"GPIO" x "_MODER", base + 0x00, moder, 0xFFFFFFFF, 0, 0, 0, BY_BYTE, 0xFFFFFFFF},                       \
        {"GPIO" x "_OTYPER", base + 0x04, 0, 0xFFFF, 0, 0, 0xFFFF0000, BY_BYTE, 0xFFFF},                     \
        {"GPIO" x "_OSPEEDR", base + 0x08, ospeedr, 0xFFFFFFFF, 0, 0, 0, BY_BYTE, 0xFFFFFFFF},               \
        {"GPIO" x "_PUPDR", base + 0x0C, pupdr, 0xFFFFFFFF, 0, 0, 0, BY_BYTE, 0xFFFFFFFF},                   \
        {"GPIO" x "_IDR", base + 0x10, 0, 0, 0, 0, 0, BY_BYTE, 0},                                           \
        {"GPIO" x "_ODR", base + 0x14, 0, 0xFFFF, 0, 0, 0xFFFF0000, BY_BYTE, 0xFFFF},                        \
        {"GPIO" x "_BSRR", base + 0x18, 0, 0, 0, 0, 0, BY_BYTE, 0},                                          \
        {"GPIO" x "_LCKR", base + 0x1C, 0, 0xFFFF, 0, 0, 0xFFFE0000, BY_WORD, 0xFFFF},                       \
        {"GPIO" x "_AFRL", base + 0x20, 0, 0xFFFFFFFF, 0, 0, 0, BY_BYTE, 0xFFFFFFFF},                        \
    {                                                                                                        \
        "GPIO" x "_AFRH", base + 0x24, 0, 0xFFFFFFFF, 0, 0, 0, BY_BYTE, 0xFFFFFFFF                           \
    }

#define TIM(x, base)                                                                                         \
    {"TIM" x "_CR1", base + 0x00, 0, 0x03FF, 0, 0, 0xFFFFFC00, BY_HALF, 0x039E},                             \
        {"TIM" x "_CR2", base + 0x04, 0, 0x00F8, 0, 0, 0xFFFFFF07, BY_HALF, 0},                              \
        {"TIM" x "_SMCR", base + 0x08, 0, 0xFFF7, 0, 0, 0xFFFF0008, BY_HALF, 0},                             \
        {"TIM" x "_DIER", base + 0x0C, 0, 0x5F5F, 0, 0, 0xFFFFA0A0, BY_HALF, 0x005F},                        \
        {"TIM" x "_SR", base + 0x10, 0, 0, 0, 0x1E5F, 0, BY_HALF, 0},                                        \
        {"TIM" x "_EGR", base + 0x14, 0, 0, 0, 0, 0xFFFFFFA0, BY_HALF, 0},                                   \
        {"TIM" x "_CCMR1", base + 0x18, 0, 0xFFFF, 0, 0, 0xFFFF0000, BY_HALF, 0x8C8C},                       \
        {"TIM" x "_CCMR2", base + 0x1C, 0, 0xFFFF, 0, 0, 0xFFFF0000, BY_HALF, 0x8C8C},                       \
        {"TIM" x "_CCER", base + 0x20, 0, 0xBBBB, 0, 0, 0xFFFF4444, BY_HALF, 0x3333},                        \
        {"TIM" x "_CNT", base + 0x24, 0, 0xFFFFFFFF, 0, 0, 0, BY_HALF, 0xFFFFFFFF},                          \
        {"TIM" x "_PSC", base + 0x28, 0, 0xFFFF, 0, 0, 0xFFFF0000, BY_HALF, 0xFFFF},                         \
        {"TIM" x "_ARR", base + 0x2C, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0, 0, BY_HALF, 0xFFFFFFFF},                 \
        {"TIM" x "_CCR1", base + 0x34, 0, 0xFFFFFFFF, 0, 0, 0, BY_HALF, 0xFFFFFFFF},                         \
        {"TIM" x "_CCR2", base + 0x38, 0, 0xFFFFFFFF, 0, 0, 0, BY_HALF, 0xFFFFFFFF},                         \
        {"TIM" x "_CCR3", base + 0x3C, 0, 0xFFFFFFFF, 0, 0, 0, BY_HALF, 0xFFFFFFFF},                         \
        {"TIM" x "_CCR4", base + 0x40, 0, 0xFFFFFFFF, 0, 0, 0, BY_HALF, 0xFFFFFFFF},                         \
        {"TIM" x "_DCR", base + 0x48, 0, 0x1F1F, 0, 0, 0xFFFFE0E0, BY_HALF, 0},                              \
    {                                                                                                        \
        "TIM" x "_DMAR", base + 0x4C, 0, 0xFFFF, 0, 0, 0xFFFF0000, BY_HALF, 0                                \
    }

#define TIM_BASIC(x, base)                                                                                   \
    {"TIM" x "_CR1", base + 0x00, 0, 0x008F, 0, 0, 0xFFFFFF70, BY_HALF, 0x008E},                             \
        {"TIM" x "_CR2", base + 0x04, 0, 0x0070, 0, 0, 0xFFFFFF8F, BY_HALF, 0},                              \
        {"TIM" x "_DIER", base + 0x0C, 0, 0x0101, 0, 0, 0xFFFFFEFE, BY_HALF, 0x0001},                        \
        {"TIM" x "_SR", base + 0x10, 0, 0, 0, 0x0001, 0xFFFFFFFE, BY_HALF, 0},                               \
        {"TIM" x "_EGR", base + 0x14, 0, 0, 0, 0, 0xFFFFFFFE, BY_HALF, 0},                                   \
        {"TIM" x "_CNT", base + 0x24, 0, 0xFFFF, 0, 0, 0xFFFF0000, BY_HALF, 0xFFFF},                         \
        {"TIM" x "_PSC", base + 0x28, 0, 0xFFFF, 0, 0, 0xFFFF0000, BY_HALF, 0xFFFF},                         \
    {                                                                                                        \
        "TIM" x "_ARR", base + 0x2C, 0xFFFF, 0xFFFF, 0, 0, 0xFFFF0000, BY_HALF, 0xFFFF                       \
    }

#define RTC_BACKUP(n)                                                                                        \
    {                                                                                                        \
        "RTC_BKP" #n "R", 0x40002850 + 4 * n, 0, 0xFFFFFFFF, 0, 0, 0, BY_WORD, 0xFFFFFFFF                    \
    }

static const struct manual_register manual_registers[] = {
    /* 6.3 */
    {"RCC_CR", 0x40023800, 0x00000083, 0x150D00F9, 0, 0, 0xC0F00004, BY_BYTE, 0x000000F8},
    {"RCC_PLLCFGR", 0x40023804, 0x24003010, 0x0F437FFF, 0, 0, 0xF0BC8000, BY_BYTE, 0x0F437FFF},
    {"RCC_CFGR", 0x40023808, 0x00000000, 0xFFFFFCF3, 0, 0, 0x00000300, BY_BYTE, 0xFFFF0000},
    {"RCC_CIR", 0x4002380C, 0x00000000, 0x00007F00, 0, 0, 0xFF008000, BY_BYTE, 0x00007F00},
    {"RCC_AHB1RSTR", 0x40023810, 0x00000000, 0x22E017FF, 0, 0, 0xDD1FE800, BY_BYTE, 0},
    {"RCC_AHB2RSTR", 0x40023814, 0x00000000, 0x000000F1, 0, 0, 0xFFFFFF0E, BY_BYTE, 0},
    {"RCC_AHB3RSTR", 0x40023818, 0x00000000, 0x00000001, 0, 0, 0xFFFFFFFE, BY_BYTE, 0},
    {"RCC_APB1RSTR", 0x40023820, 0x00000000, 0xF6FEC9FF, 0, 0, 0x09013600, BY_BYTE, 0},
    {"RCC_APB2RSTR", 0x40023824, 0x00000000, 0x04777933, 0, 0, 0xFB8886CC, BY_BYTE, 0},
    {"RCC_AHB1ENR", 0x40023830, 0x00100000, 0x7EF417FF, 0, 0, 0x810BE800, BY_BYTE, 0},
    {"RCC_AHB2ENR", 0x40023834, 0x00000000, 0x000000F1, 0, 0, 0xFFFFFF0E, BY_BYTE, 0},
    {"RCC_AHB3ENR", 0x40023838, 0x00000000, 0x00000001, 0, 0, 0xFFFFFFFE, BY_BYTE, 0},
    {"RCC_APB1ENR", 0x40023840, 0x00000000, 0xF6FEC9FF, 0, 0, 0x09013600, BY_BYTE, 0},
    {"RCC_APB2ENR", 0x40023844, 0x00000000, 0x04777F33, 0, 0, 0xFB8880CC, BY_BYTE, 0},
    {"RCC_AHB1LPENR", 0x40023850, 0x7EEF97FF, 0x7EEF97FF, 0, 0, 0x81106800, BY_BYTE, 0x7EEF97FF},
    {"RCC_AHB2LPENR", 0x40023854, 0x000000F1, 0x000000F1, 0, 0, 0xFFFFFF0E, BY_BYTE, 0x000000F1},
    {"RCC_AHB3LPENR", 0x40023858, 0x00000001, 0x00000001, 0, 0, 0xFFFFFFFE, BY_BYTE, 0x00000001},
    {"RCC_APB1LPENR", 0x40023860, 0xF6FEC9FF, 0xF6FEC9FF, 0, 0, 0x09013600, BY_BYTE, 0xF6FEC9FF},
    {"RCC_APB2LPENR", 0x40023864, 0x04777F33, 0x04777F33, 0, 0, 0xFB8880CC, BY_BYTE, 0x04777F33},
    {"RCC_BDCR", 0x40023870, 0x00000000, 0x00018305, 0, 0, 0xFFFE7CF8, BY_BYTE, 0},
    {"RCC_CSR", 0x40023874, 0x0E000000, 0x00000001, 0, 0, 0x00FFFFFC, BY_BYTE, 0},
    {"RCC_SSCGR", 0x40023880, 0x00000000, 0xCFFFFFFF, 0, 0, 0x30000000, BY_BYTE, 0xCFFFFFFF},
    {"RCC_PLLI2SCFGR", 0x40023884, 0x24003000, 0x7F007FC0, 0, 0, 0x80FF803F, BY_BYTE, 0x7F007FC0},
    {"RCC_PLLSAICFGR", 0x40023888, 0x24003000, 0x7F007FC0, 0, 0, 0x80FF803F, BY_BYTE, 0x7F007FC0},
    {"RCC_DCKCFGR", 0x4002388C, 0x00000000, 0x01F31F1F, 0, 0, 0xFE0CE0E0, BY_BYTE, 0x01F31F1F},
    /* 5.4 */
    {"PWR_CR", 0x40007000, 0x0000C000, 0x000FEFF3, 0, 0, 0xFFF01000, BY_HALF, 0x00000DF3},
    {"PWR_CSR", 0x40007004, 0x00000000, 0x00000300, 0x000C0000, 0, 0xFFF0BCF0, BY_HALF, 0x00000100},
    /* 3.9 */
    {"FLASH_ACR", 0x40023C00, 0x00000000, 0x0000070F, 0, 0, 0xFFFFE0F0, BY_BYTE, 0x0000070F},
    {"FLASH_KEYR", 0x40023C04, 0x00000000, 0, 0, 0, 0, BY_WORD, 0},
    {"FLASH_OPTKEYR", 0x40023C08, 0x00000000, 0, 0, 0, 0, BY_WORD, 0},
    {"FLASH_SR", 0x40023C0C, 0x00000000, 0, 0x000001F3, 0, 0xFFFEFE0C, BY_BYTE, 0},
    {"FLASH_CR", 0x40023C10, 0x80000000, 0x830183FF, 0, 0, 0x7CFE7C00, BY_BYTE, 0},
    {"FLASH_OPTCR", 0x40023C14, 0x0FFFAAED, 0xCFFFFFFF, 0, 0, 0x30000000, BY_BYTE, 0},
    {"FLASH_OPTCR1", 0x40023C18, 0x0FFF0000, 0x0FFF0000, 0, 0, 0xF000FFFF, BY_BYTE, 0},
    /* 9.3 */
    {"SYSCFG_MEMRMP", 0x40013800, 0x00000000, 0x00000D07, 0, 0, 0xFFFFF2F8, BY_BYTE, 0},
    {"SYSCFG_PMC", 0x40013804, 0x00000000, 0x00870000, 0, 0, 0xFF78FFFF, BY_BYTE, 0x00070000},
    {"SYSCFG_EXTICR1", 0x40013808, 0x00000000, 0x0000FFFF, 0, 0, 0xFFFF0000, BY_BYTE, 0x0000FFFF},
    {"SYSCFG_EXTICR2", 0x4001380C, 0x00000000, 0x0000FFFF, 0, 0, 0xFFFF0000, BY_BYTE, 0x0000FFFF},
    {"SYSCFG_EXTICR3", 0x40013810, 0x00000000, 0x0000FFFF, 0, 0, 0xFFFF0000, BY_BYTE, 0x0000FFFF},
    {"SYSCFG_EXTICR4", 0x40013814, 0x00000000, 0x0000FFFF, 0, 0, 0xFFFF0000, BY_BYTE, 0x0000FFFF},
    {"SYSCFG_CMPCR", 0x40013820, 0x00000000, 0x00000001, 0, 0, 0xFFFFFEFE, BY_BYTE, 0},
    /* 12.3 */
    {"EXTI_IMR", 0x40013C00, 0x00000000, 0x007FFFFF, 0, 0, 0xFF800000, BY_WORD, 0x007FFFFF},
    {"EXTI_EMR", 0x40013C04, 0x00000000, 0x007FFFFF, 0, 0, 0xFF800000, BY_WORD, 0x007FFFFF},
    {"EXTI_RTSR", 0x40013C08, 0x00000000, 0x007FFFFF, 0, 0, 0xFF800000, BY_WORD, 0x007FFFFF},
    {"EXTI_FTSR", 0x40013C0C, 0x00000000, 0x007FFFFF, 0, 0, 0xFF800000, BY_WORD, 0x007FFFFF},
    {"EXTI_SWIER", 0x40013C10, 0x00000000, 0x007FFFFF, 0, 0, 0xFF800000, BY_WORD, 0},
    {"EXTI_PR", 0x40013C14, 0x00000000, 0, 0x007FFFFF, 0, 0xFF800000, BY_WORD, 0},
    /* 8.4 */
    GPIO("A", 0x40020000, 0xA8000000, 0x0C000000, 0x64000000),
    GPIO("B", 0x40020400, 0x00000280, 0x000000C0, 0x00000100),
    GPIO("C", 0x40020800, 0, 0, 0),
    GPIO("D", 0x40020C00, 0, 0, 0),
    GPIO("E", 0x40021000, 0, 0, 0),
    GPIO("F", 0x40021400, 0, 0, 0),
    GPIO("G", 0x40021800, 0, 0, 0),
    GPIO("H", 0x40021C00, 0, 0, 0),
    GPIO("I", 0x40022000, 0, 0, 0),
    GPIO("J", 0x40022400, 0, 0, 0),
    GPIO("K", 0x40022800, 0, 0, 0),
    /* 18.4 */
    TIM("2", 0x40000000),
    {"TIM2_OR", 0x40000050, 0, 0x0C00, 0, 0, 0xFFFFF3FF, BY_HALF, 0},
    TIM("5", 0x40000C00),
    {"TIM5_OR", 0x40000C50, 0, 0x00C0, 0, 0, 0xFFFFFF3F, BY_HALF, 0},
    /* 20.4 */
    TIM_BASIC("6", 0x40001000),
    TIM_BASIC("7", 0x40001400),
    /* 24.4 */
    {"RNG_CR", 0x50060800, 0, 0x0000000C, 0, 0, 0xFFFFFFF3, BY_WORD, 0x00000008},
    {"RNG_SR", 0x50060804, 0, 0, 0, 0x00000060, 0xFFFFFF98, BY_WORD, 0},
    {"RNG_DR", 0x50060808, 0, 0, 0, 0, 0, BY_WORD, 0},
    /* 21.4 */
    {"IWDG_KR", 0x40003000, 0, 0, 0, 0, 0xFFFF0000, BY_HALF, 0},
    {"IWDG_PR", 0x40003004, 0, 0x0007, 0, 0, 0xFFFFFFF8, BY_HALF, 0},
    {"IWDG_RLR", 0x40003008, 0x0FFF, 0x0FFF, 0, 0, 0xFFFFF000, BY_HALF, 0},
    {"IWDG_SR", 0x4000300C, 0, 0, 0, 0, 0, BY_HALF, 0},
    /* 22.6 */
    {"WWDG_CR", 0x40002C00, 0x7F, 0xFF, 0, 0, 0xFFFFFF00, BY_HALF, 0},
    {"WWDG_CFR", 0x40002C04, 0x7F, 0x3FF, 0, 0, 0xFFFFFC00, BY_HALF, 0x1FF},
    {"WWDG_SR", 0x40002C08, 0, 0, 0, 0x1, 0xFFFFFFFE, BY_HALF, 0},
    /* 30.6 */
    {"USART3_SR", 0x40004800, 0x00C0, 0, 0, 0x0360, 0, BY_HALF, 0},
    {"USART3_DR", 0x40004804, 0, 0, 0, 0, 0, BY_HALF, 0},
    {"USART3_BRR", 0x40004808, 0, 0xFFFF, 0, 0, 0xFFFF0000, BY_HALF, 0xFFFF},
    {"USART3_CR1", 0x4000480C, 0, 0xBFFF, 0, 0, 0xFFFF4000, BY_HALF, 0x202C},
    {"USART3_CR2", 0x40004810, 0, 0x7F6F, 0, 0, 0xFFFF8090, BY_HALF, 0},
    {"USART3_CR3", 0x40004814, 0, 0x0FFF, 0, 0, 0xFFFFF000, BY_HALF, 0},
    {"USART3_GTPR", 0x40004818, 0, 0xFFFF, 0, 0, 0xFFFF0000, BY_HALF, 0},
    /* 38.6.1, 38.16 */
    {"DBGMCU_IDCODE", 0xE0042000, 0x20036419, 0, 0, 0, 0, BY_WORD, 0},
    {"DBGMCU_CR", 0xE0042004, 0, 0x000000E7, 0, 0, 0xFFFFFF18, BY_WORD, 0x000000E7},
    {"DBGMCU_APB1_FZ", 0xE0042008, 0, 0x06E01DFF, 0, 0, 0xF91FE200, BY_WORD, 0x06E01DFF},
    {"DBGMCU_APB2_FZ", 0xE004200C, 0, 0x00070003, 0, 0, 0xFFF8FFFC, BY_WORD, 0x00070003},
    /* 4.4 */
    {"CRC_DR", 0x40023000, 0xFFFFFFFF, 0, 0, 0, 0, BY_WORD, 0},
    {"CRC_IDR", 0x40023004, 0, 0x000000FF, 0, 0, 0xFFFFFF00, BY_WORD, 0x000000FF},
    {"CRC_CR", 0x40023008, 0, 0, 0, 0, 0xFFFFFFFE, BY_WORD, 0},
    /* 13.13 */
    {"ADC1_SR", 0x40012000, 0, 0, 0, 0x3F, 0xFFFFFFC0, WRITTEN_BY_WORD, 0},
    {"ADC1_CR1", 0x40012004, 0, 0x07C0FFFF, 0, 0, 0xF83F0000, WRITTEN_BY_WORD, 0x07C0E7FF},
    {"ADC1_CR2", 0x40012008, 0, 0x7F7F0F03, 0, 0, 0x8080F0FC, WRITTEN_BY_WORD, 0x0F0F0E03},
    {"ADC1_SMPR1", 0x4001200C, 0, 0x07FFFFFF, 0, 0, 0xF8000000, WRITTEN_BY_WORD, 0x07FFFFFF},
    {"ADC1_SMPR2", 0x40012010, 0, 0x3FFFFFFF, 0, 0, 0xC0000000, WRITTEN_BY_WORD, 0x3FFFFFFF},
    {"ADC1_JOFR1", 0x40012014, 0, 0xFFF, 0, 0, 0xFFFFF000, WRITTEN_BY_WORD, 0xFFF},
    {"ADC1_JOFR2", 0x40012018, 0, 0xFFF, 0, 0, 0xFFFFF000, WRITTEN_BY_WORD, 0xFFF},
    {"ADC1_JOFR3", 0x4001201C, 0, 0xFFF, 0, 0, 0xFFFFF000, WRITTEN_BY_WORD, 0xFFF},
    {"ADC1_JOFR4", 0x40012020, 0, 0xFFF, 0, 0, 0xFFFFF000, WRITTEN_BY_WORD, 0xFFF},
    {"ADC1_HTR", 0x40012024, 0xFFF, 0xFFF, 0, 0, 0xFFFFF000, WRITTEN_BY_WORD, 0xFFF},
    {"ADC1_LTR", 0x40012028, 0, 0xFFF, 0, 0, 0xFFFFF000, WRITTEN_BY_WORD, 0xFFF},
    {"ADC1_SQR1", 0x4001202C, 0, 0x00FFFFFF, 0, 0, 0xFF000000, WRITTEN_BY_WORD, 0x00FFFFFF},
    {"ADC1_SQR2", 0x40012030, 0, 0x3FFFFFFF, 0, 0, 0xC0000000, WRITTEN_BY_WORD, 0x3FFFFFFF},
    {"ADC1_SQR3", 0x40012034, 0, 0x3FFFFFFF, 0, 0, 0xC0000000, WRITTEN_BY_WORD, 0x3FFFFFFF},
    {"ADC1_JSQR", 0x40012038, 0, 0x003FFFFF, 0, 0, 0xFFC00000, WRITTEN_BY_WORD, 0x003FFFFF},
    {"ADC1_JDR1", 0x4001203C, 0, 0, 0, 0, 0, WRITTEN_BY_WORD, 0},
    {"ADC1_JDR2", 0x40012040, 0, 0, 0, 0, 0, WRITTEN_BY_WORD, 0},
    {"ADC1_JDR3", 0x40012044, 0, 0, 0, 0, 0, WRITTEN_BY_WORD, 0},
    {"ADC1_JDR4", 0x40012048, 0, 0, 0, 0, 0, WRITTEN_BY_WORD, 0},
    {"ADC1_DR", 0x4001204C, 0, 0, 0, 0, 0, WRITTEN_BY_WORD, 0},
    {"ADC1_CSR", 0x40012300, 0, 0, 0, 0, 0, WRITTEN_BY_WORD, 0},
    {"ADC1_CCR", 0x40012304, 0, 0x00C3EF1F, 0, 0, 0xFF3C10E0, WRITTEN_BY_WORD, 0x00C32F00},
    {"ADC1_CDR", 0x40012308, 0, 0, 0, 0, 0, WRITTEN_BY_WORD, 0},
    /* 26.6.20 */
    RTC_BACKUP(0),
    RTC_BACKUP(1),
    RTC_BACKUP(2),
    RTC_BACKUP(3),
    RTC_BACKUP(4),
    RTC_BACKUP(5),
    RTC_BACKUP(6),
    RTC_BACKUP(7),
    RTC_BACKUP(8),
    RTC_BACKUP(9),
    RTC_BACKUP(10),
    RTC_BACKUP(11),
    RTC_BACKUP(12),
    RTC_BACKUP(13),
    RTC_BACKUP(14),
    RTC_BACKUP(15),
    RTC_BACKUP(16),
    RTC_BACKUP(17),
    RTC_BACKUP(18),
    RTC_BACKUP(19),
    /* 33.8.1: the MAC */
    {"ETH_MACCR", 0x40028000, 0x00008000, 0x02CF7EFC, 0, 0, 0xFD308103, BY_BYTE, 0x02CF7EFC},
    {"ETH_MACFFR", 0x40028004, 0, 0x800007FF, 0, 0, 0x7FFFF800, BY_BYTE, 0x800007FF},
    {"ETH_MACHTHR", 0x40028008, 0, 0xFFFFFFFF, 0, 0, 0, BY_BYTE, 0xFFFFFFFF},
    {"ETH_MACHTLR", 0x4002800C, 0, 0xFFFFFFFF, 0, 0, 0, BY_BYTE, 0xFFFFFFFF},
    {"ETH_MACMIIAR", 0x40028010, 0, 0x0000FFDF, 0, 0, 0xFFFF0020, BY_BYTE, 0x0000FFDE},
    {"ETH_MACMIIDR", 0x40028014, 0, 0x0000FFFF, 0, 0, 0xFFFF0000, BY_BYTE, 0x0000FFFF},
    {"ETH_MACFCR", 0x40028018, 0, 0xFFFF00BF, 0, 0, 0x0000FF40, BY_BYTE, 0xFFFF00BE},
    {"ETH_MACVLANTR", 0x4002801C, 0, 0x0001FFFF, 0, 0, 0xFFFE0000, BY_BYTE, 0x0001FFFF},
    {"ETH_MACRWUFFR", 0x40028028, 0, 0xFFFFFFFF, 0, 0, 0, BY_BYTE, 0},
    {"ETH_MACPMTCSR", 0x4002802C, 0, 0x80000207, 0, 0, 0x7FFFFD98, BY_BYTE, 0},
    {"ETH_MACDBGR", 0x40028034, 0, 0, 0, 0, 0, BY_BYTE, 0},
    {"ETH_MACSR", 0x40028038, 0, 0, 0, 0, 0, BY_BYTE, 0},
    {"ETH_MACIMR", 0x4002803C, 0, 0x00000208, 0, 0, 0xFFFFFDF7, BY_BYTE, 0x00000208},
    {"ETH_MACA0HR", 0x40028040, 0x8000FFFF, 0x0000FFFF, 0, 0, 0x7FFF0000, BY_BYTE, 0x0000FFFF},
    {"ETH_MACA0LR", 0x40028044, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0, 0, BY_BYTE, 0xFFFFFFFF},
    {"ETH_MACA1HR", 0x40028048, 0x0000FFFF, 0xFF00FFFF, 0, 0, 0x00FF0000, BY_BYTE, 0xFF00FFFF},
    {"ETH_MACA1LR", 0x4002804C, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0, 0, BY_BYTE, 0xFFFFFFFF},
    {"ETH_MACA2HR", 0x40028050, 0x0000FFFF, 0xFF00FFFF, 0, 0, 0x00FF0000, BY_BYTE, 0xFF00FFFF},
    {"ETH_MACA2LR", 0x40028054, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0, 0, BY_BYTE, 0xFFFFFFFF},
    {"ETH_MACA3HR", 0x40028058, 0x0000FFFF, 0xFF00FFFF, 0, 0, 0x00FF0000, BY_BYTE, 0xFF00FFFF},
    {"ETH_MACA3LR", 0x4002805C, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0, 0, BY_BYTE, 0xFFFFFFFF},
    /* 33.8.2: MMC */
    {"ETH_MMCCR", 0x40028100, 0, 0x0000003F, 0, 0, 0xFFFFFFC0, BY_BYTE, 0x0000000E},
    {"ETH_MMCRIR", 0x40028104, 0, 0, 0, 0, 0, BY_BYTE, 0},
    {"ETH_MMCTIR", 0x40028108, 0, 0, 0, 0, 0, BY_BYTE, 0},
    {"ETH_MMCRIMR", 0x4002810C, 0, 0x00020060, 0, 0, 0xFFFDFF9F, BY_BYTE, 0x00020060},
    {"ETH_MMCTIMR", 0x40028110, 0, 0x0020C000, 0, 0, 0xFFDF3FFF, BY_BYTE, 0x0020C000},
    {"ETH_MMCTGFSCCR", 0x4002814C, 0, 0, 0, 0, 0, BY_BYTE, 0},
    {"ETH_MMCTGFMSCCR", 0x40028150, 0, 0, 0, 0, 0, BY_BYTE, 0},
    {"ETH_MMCTGFCR", 0x40028168, 0, 0, 0, 0, 0, BY_BYTE, 0},
    {"ETH_MMCRFCECR", 0x40028194, 0, 0, 0, 0, 0, BY_BYTE, 0},
    {"ETH_MMCRFAECR", 0x40028198, 0, 0, 0, 0, 0, BY_BYTE, 0},
    {"ETH_MMCRGUFCR", 0x400281C4, 0, 0, 0, 0, 0, BY_BYTE, 0},
    /* 33.8.3: PTP */
    {"ETH_PTPTSCR", 0x40028700, 0x00002000, 0x0007FF3F, 0, 0, 0xFFF800C0, BY_BYTE, 0},
    {"ETH_PTPSSIR", 0x40028704, 0, 0x000000FF, 0, 0, 0xFFFFFF00, BY_BYTE, 0},
    {"ETH_PTPTSHR", 0x40028708, 0, 0, 0, 0, 0, BY_BYTE, 0},
    {"ETH_PTPTSLR", 0x4002870C, 0, 0, 0, 0, 0, BY_BYTE, 0},
    {"ETH_PTPTSHUR", 0x40028710, 0, 0xFFFFFFFF, 0, 0, 0, BY_BYTE, 0},
    {"ETH_PTPTSLUR", 0x40028714, 0, 0xFFFFFFFF, 0, 0, 0, BY_BYTE, 0},
    {"ETH_PTPTSAR", 0x40028718, 0, 0xFFFFFFFF, 0, 0, 0, BY_BYTE, 0},
    {"ETH_PTPTTHR", 0x4002871C, 0, 0xFFFFFFFF, 0, 0, 0, BY_BYTE, 0},
    {"ETH_PTPTTLR", 0x40028720, 0, 0xFFFFFFFF, 0, 0, 0, BY_BYTE, 0},
    {"ETH_PTPTSSR", 0x40028728, 0, 0, 0, 0, 0, BY_BYTE, 0},
    {"ETH_PTPPPSCR", 0x4002872C, 0, 0x0000000F, 0, 0, 0xFFFFFFF0, BY_BYTE, 0},
    /* 33.8.4: DMA */
    {"ETH_DMABMR", 0x40029000, 0x00020101, 0x07FFFFFE, 0, 0, 0xF8000000, BY_BYTE, 0x07FFFF7C},
    {"ETH_DMATPDR", 0x40029004, 0, 0, 0, 0, 0, BY_BYTE, 0},
    {"ETH_DMARPDR", 0x40029008, 0, 0, 0, 0, 0, BY_BYTE, 0},
    {"ETH_DMARDLAR", 0x4002900C, 0, 0xFFFFFFFC, 0, 0, 0, BY_BYTE, 0xFFFFFFFC},
    {"ETH_DMATDLAR", 0x40029010, 0, 0xFFFFFFFC, 0, 0, 0, BY_BYTE, 0xFFFFFFFC},
    {"ETH_DMASR", 0x40029014, 0, 0, 0x0001E7FF, 0, 0xC4001800, BY_BYTE, 0},
    {"ETH_DMAOMR", 0x40029018, 0, 0x0731E0DE, 0, 0, 0xF8CE1F21, BY_BYTE, 0x0721C0DC},
    {"ETH_DMAIER", 0x4002901C, 0, 0x0001E7FF, 0, 0, 0xFFFE1800, BY_BYTE, 0x0001E7FF},
    {"ETH_DMAMFBOCR", 0x40029020, 0, 0, 0, 0, 0, BY_BYTE, 0},
    {"ETH_DMARSWTR", 0x40029024, 0, 0x000000FF, 0, 0, 0xFFFFFF00, BY_BYTE, 0x000000FF},
    {"ETH_DMACHTDR", 0x40029048, 0, 0, 0, 0, 0, BY_BYTE, 0},
    {"ETH_DMACHRDR", 0x4002904C, 0, 0, 0, 0, 0, BY_BYTE, 0},
    {"ETH_DMACHTBAR", 0x40029050, 0, 0, 0, 0, 0, BY_BYTE, 0},
    {"ETH_DMACHRBAR", 0x40029054, 0, 0, 0, 0, 0, BY_BYTE, 0},
};

#endif
