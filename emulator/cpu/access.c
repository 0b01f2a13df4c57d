/* The addressing modes of A5.2 and A5.3, once more: the instructions themselves
 * never tell their address. */
#include "access.h"

#include <stddef.h>

static uint32_t field(uint32_t code, unsigned high, unsigned low)
{
    return code >> low & ((2u << (high - low)) - 1);
}

static uint32_t literal_base(uint32_t pc)
{
    return (pc + 4) & ~3u;
}

static uint32_t base_of(uint32_t n, const uint32_t *r, uint32_t pc)
{
    return n == 15 ? literal_base(pc) : r[n];
}

static uint32_t list_bytes(uint32_t list)
{
    return 4 * (uint32_t)__builtin_popcount(list);
}

static bool found(struct cpu_access *access, uint32_t address, uint32_t bytes, bool write)
{
    *access = (struct cpu_access){.address = address, .bytes = bytes, .write = write};
    return bytes != 0;
}

/* ---- 16-bit encodings ---- */

static bool access_register16(uint32_t code, const uint32_t *r, struct cpu_access *access)
{
    static const uint8_t bytes[8] = {4, 2, 1, 1, 4, 2, 1, 2};
    uint32_t kind = field(code, 11, 9);

    return found(access, r[field(code, 5, 3)] + r[field(code, 8, 6)], bytes[kind], kind < 3);
}

static bool access_immediate16(uint32_t code, uint32_t bytes, const uint32_t *r, struct cpu_access *access)
{
    return found(access, r[field(code, 5, 3)] + field(code, 10, 6) * bytes, bytes, !field(code, 11, 11));
}

static bool access_stack16(uint32_t code, const uint32_t *r, struct cpu_access *access)
{
    uint32_t bytes = list_bytes(code & 0x1FF);

    if ((code & 0xFE00) == 0xB400)
        return found(access, r[13] - bytes, bytes, true);
    return (code & 0xFE00) == 0xBC00 && found(access, r[13], bytes, false);
}

static bool access16(uint32_t code, const uint32_t *r, uint32_t pc, struct cpu_access *access)
{
    switch (field(code, 15, 12)) {
    case 4: return field(code, 11, 11) && found(access, literal_base(pc) + (code & 0xFF) * 4, 4, false);
    case 5: return access_register16(code, r, access);
    case 6: return access_immediate16(code, 4, r, access);
    case 7: return access_immediate16(code, 1, r, access);
    case 8: return access_immediate16(code, 2, r, access);
    case 9: return found(access, r[13] + (code & 0xFF) * 4, 4, !field(code, 11, 11));
    case 11: return access_stack16(code, r, access);
    case 12: return found(access, r[field(code, 10, 8)], list_bytes(code & 0xFF), !field(code, 11, 11));
    default: return false;
    }
}

/* ---- 32-bit encodings; bits are numbered over both halfwords ---- */

static bool is_load(uint32_t code)
{
    return field(code, 20, 20) != 0;
}

static bool adds(uint32_t code)
{
    return field(code, 23, 23) != 0;
}

static bool access_multiple(uint32_t code, const uint32_t *r, struct cpu_access *access)
{
    uint32_t base = r[field(code, 19, 16)], bytes = list_bytes(code & 0xFFFF);

    return found(access, adds(code) ? base : base - bytes, bytes, !is_load(code));
}

/* TBB, TBH, LDREXB, LDREXH, STREXB, STREXH */
static bool access_table(uint32_t code, uint32_t base, const uint32_t *r, struct cpu_access *access)
{
    switch (field(code, 7, 4)) {
    case 0: return found(access, base + r[field(code, 3, 0)], 1, false);
    case 1: return found(access, base + 2 * r[field(code, 3, 0)], 2, false);
    case 4: return found(access, base, 1, !is_load(code));
    case 5: return found(access, base, 2, !is_load(code));
    default: return false;
    }
}

/* LDRD, STRD, exclusives, table branches */
static bool access_dual(uint32_t code, const uint32_t *r, uint32_t pc, struct cpu_access *access)
{
    uint32_t n = field(code, 19, 16), offset = (code & 0xFF) * 4;
    bool index = field(code, 24, 24), write_back = field(code, 21, 21);

    if (!index && !write_back && adds(code))
        return access_table(code, n == 15 ? pc + 4 : r[n], r, access);
    if (!index && !write_back)
        return found(access, r[n] + offset, 4, !is_load(code));
    offset = adds(code) ? offset : 0 - offset;
    return found(access, base_of(n, r, pc) + (index ? offset : 0), 8, !is_load(code));
}

static bool access_single(uint32_t code, const uint32_t *r, uint32_t pc, struct cpu_access *access)
{
    uint32_t n = field(code, 19, 16), size = field(code, 22, 21), address = r[n];

    if (size == 3 || (is_load(code) && size != 2 && field(code, 15, 12) == 15))
        return false; /* undefined, or a preload */
    if (n == 15)
        address = literal_base(pc) + (adds(code) ? code & 0xFFF : 0 - (code & 0xFFF));
    else if (adds(code))
        address += code & 0xFFF;
    else if (!field(code, 11, 11))
        address += r[field(code, 3, 0)] << field(code, 5, 4);
    else if (field(code, 10, 10))
        address += field(code, 9, 9) ? code & 0xFF : 0 - (code & 0xFF);
    return found(access, address, 1u << size, !is_load(code));
}

static bool access_float(uint32_t code, const uint32_t *r, uint32_t pc, struct cpu_access *access)
{
    uint32_t offset = (code & 0xFF) * 4, base = base_of(field(code, 19, 16), r, pc);
    bool index = field(code, 24, 24), write_back = field(code, 21, 21);

    if (index && !write_back)
        return found(access, adds(code) ? base + offset : base - offset, field(code, 8, 8) ? 8 : 4,
                     !is_load(code));
    if (!index && !adds(code))
        return false; /* VMOV between registers */
    return found(access, adds(code) ? base : base - offset, offset, !is_load(code));
}

static bool access32(uint32_t code, const uint32_t *r, uint32_t pc, struct cpu_access *access)
{
    if ((code & 0xFE400000) == 0xE8000000)
        return access_multiple(code, r, access);
    if ((code & 0xFE400000) == 0xE8400000)
        return access_dual(code, r, pc, access);
    if ((code & 0xFE000000) == 0xF8000000)
        return access_single(code, r, pc, access);
    if ((code & 0xFE000E00) == 0xEC000A00)
        return access_float(code, r, pc, access);
    return false;
}

bool cpu_access_of(uint32_t code, unsigned halfwords, const uint32_t r[16], uint32_t pc,
                   struct cpu_access *access)
{
    return halfwords == 1 ? access16(code, r, pc, access) : access32(code, r, pc, access);
}
