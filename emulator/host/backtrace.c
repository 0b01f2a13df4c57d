#include "host/backtrace.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/engine.h"
#include "host/gdb_view.h"
#include "host/inlines.h"

enum {
    SP = 13,
    LR = 14,
    PC = 15,
    EXPRESSION_DEPTH = 8,
    FRAME_WORDS = 8,
    FRAME_BASIC = 0x20,
    FRAME_EXTENDED = 0x68,
    RETURN_NO_FP = 1 << 4,
    RETURN_PSP = 1 << 2,
    XPSR_ALIGN = 1 << 9,
};

struct unwinder {
    struct machine *machine;
    Dwarf_CFI *frames;
    uint32_t r[16];
    uint32_t place;
};

static bool read_word(struct unwinder *u, uint32_t address, uint32_t *word)
{
    return view_read(u->machine, address, (uint8_t *)word, 4) == 4;
}

/* ---- DWARF expressions, as far as compilers use them in call frame
 * information ---- */

struct stack {
    uint32_t value[EXPRESSION_DEPTH];
    size_t depth;
    bool good;
};

static void push(struct stack *s, uint32_t value)
{
    if (s->depth == EXPRESSION_DEPTH) {
        s->good = false;
    } else {
        s->value[s->depth++] = value;
    }
}

static uint32_t pop(struct stack *s)
{
    if (s->depth == 0) {
        s->good = false;
        return 0;
    }
    return s->value[--s->depth];
}

static void push_based(struct stack *s, const struct unwinder *u, Dwarf_Word number, Dwarf_Word offset)
{
    s->good = s->good && number < PC;
    push(s, s->good ? u->r[number] + (uint32_t)offset : 0);
}

static void push_memory(struct stack *s, struct unwinder *u)
{
    uint32_t word = 0;
    s->good = read_word(u, pop(s), &word) && s->good;
    push(s, word);
}

static void execute(struct stack *s, struct unwinder *u, const Dwarf_Op *op, uint32_t cfa)
{
    switch (op->atom) {
    case DW_OP_call_frame_cfa: push(s, cfa); break;
    case DW_OP_plus_uconst: push(s, pop(s) + (uint32_t)op->number); break;
    case DW_OP_plus: push(s, pop(s) + pop(s)); break; // NOLINT(misc-redundant-expression)
    case DW_OP_and: push(s, pop(s) & pop(s)); break;  // NOLINT(misc-redundant-expression)
    case DW_OP_deref: push_memory(s, u); break;
    case DW_OP_bregx: push_based(s, u, op->number, op->number2); break;
    case DW_OP_stack_value: break;
    default:
        if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31) {
            push_based(s, u, op->atom - DW_OP_breg0, op->number);
        } else if (op->atom >= DW_OP_lit0 && op->atom <= DW_OP_lit31) {
            push(s, op->atom - DW_OP_lit0);
        } else if (op->atom >= DW_OP_const1u && op->atom <= DW_OP_consts) {
            push(s, (uint32_t)op->number);
        } else {
            s->good = false;
        }
    }
}

static bool evaluate(struct unwinder *u, const Dwarf_Op *ops, size_t count, uint32_t cfa, uint32_t *value)
{
    struct stack s = {.good = true};
    for (size_t i = 0; i < count && s.good; i++) {
        execute(&s, u, &ops[i], cfa);
    }
    *value = pop(&s);
    return s.good;
}

/* ---- One frame ---- */

static bool is_register(const Dwarf_Op *op, size_t count, Dwarf_Word *number)
{
    if (count != 1) {
        return false;
    }
    *number = op->atom == DW_OP_regx ? op->number : (Dwarf_Word)op->atom - DW_OP_reg0;
    return op->atom == DW_OP_regx || (op->atom >= DW_OP_reg0 && op->atom <= DW_OP_reg31);
}

/* What a register was in the caller; as it is now, if nothing is said of it. */
static bool caller_register(struct unwinder *u, Dwarf_Frame *frame, int number, uint32_t cfa, uint32_t *value)
{
    Dwarf_Op room[3], *ops;
    size_t count;
    Dwarf_Word other;
    *value = u->r[number];
    if (dwarf_frame_register(frame, number, room, &ops, &count) != 0 || count == 0) {
        return true;
    }
    if (is_register(ops, count, &other)) {
        *value = other < PC ? u->r[other] : *value;
        return true;
    }
    if (!evaluate(u, ops, count, cfa, value)) {
        return false;
    }
    return ops[count - 1].atom == DW_OP_stack_value || read_word(u, *value, value);
}

static bool frame_at(struct unwinder *u, Dwarf_Frame **frame)
{
    return u->frames != NULL && dwarf_cfi_addrframe(u->frames, u->place, frame) == 0;
}

/* To the caller's registers; r[PC] is then the return address. */
static bool unwind_call(struct unwinder *u)
{
    Dwarf_Frame *frame = NULL;
    Dwarf_Op *ops;
    size_t count;
    uint32_t cfa = 0, r[16];
    if (!frame_at(u, &frame)) {
        return false;
    }
    bool good = dwarf_frame_cfa(frame, &ops, &count) == 0 && evaluate(u, ops, count, 0, &cfa);
    for (int i = 0; i < PC && good; i++) {
        good = caller_register(u, frame, i, cfa, &r[i]);
    }
    free(frame);
    if (!good || cfa < u->r[SP]) {
        return false;
    }
    memcpy(u->r, r, sizeof u->r);
    u->r[SP] = cfa;
    u->r[PC] = r[LR];
    return true;
}

static bool is_exception_return(uint32_t value)
{
    return value >= 0xFFFFFFE0 && value != 0xFFFFFFFF;
}

/* From a handler to what it interrupted; r[PC] is EXC_RETURN. */
static bool unwind_exception(struct unwinder *u)
{
    uint32_t value = u->r[PC], word[FRAME_WORDS];
    uint32_t at = value & RETURN_PSP ? cpu_psp(&u->machine->cpu) : u->r[SP];
    for (size_t i = 0; i < FRAME_WORDS; i++) {
        if (!read_word(u, at + 4 * (uint32_t)i, &word[i])) {
            return false;
        }
    }
    memcpy(u->r, word, 16);
    u->r[12] = word[4];
    u->r[LR] = word[5];
    u->r[PC] = word[6];
    u->r[SP] = at + (value & RETURN_NO_FP ? FRAME_BASIC : FRAME_EXTENDED) + (word[7] & XPSR_ALIGN ? 4 : 0);
    return true;
}

static bool unwind(struct unwinder *u, struct backtrace_frame *next, bool innermost)
{
    uint32_t before = u->r[SP], pc = u->r[PC];
    *next = (struct backtrace_frame){0};
    if (!unwind_call(u)) {
        if (!innermost) {
            return false;
        }
        u->r[PC] = u->r[LR];
        next->guessed = true;
    }
    if (is_exception_return(u->r[PC])) {
        next->interrupted = true;
        if (!unwind_exception(u)) {
            return false;
        }
        u->place = u->r[PC];
    } else {
        u->r[PC] &= ~1u;
        u->place = u->r[PC] - 1;
    }
    next->pc = u->r[PC];
    next->place = u->place;
    return u->r[PC] != 0 && u->r[PC] != 0xFFFFFFFE && (u->r[SP] != before || u->r[PC] != pc);
}

size_t backtrace_unwind(struct machine *m, struct symbols *symbols, const uint32_t r[16],
                        struct backtrace_frame frames[BACKTRACE_MAX])
{
    Dwarf *debug = symbols_debug(symbols);
    struct unwinder u = {.machine = m, .frames = debug != NULL ? dwarf_getcfi(debug) : NULL, .place = r[PC]};
    size_t count = 1;
    memcpy(u.r, r, sizeof u.r);
    frames[0] = (struct backtrace_frame){.pc = r[PC], .place = r[PC]};
    while (count < BACKTRACE_MAX && unwind(&u, &frames[count], count == 1)) {
        count++;
    }
    return count;
}

/* "crash (crash.c:12) in main (main.c:40)"; false: no debug information. */
static bool describe_inlined(struct symbols *symbols, uint32_t place, char *text, size_t size)
{
    struct inline_call calls[INLINES_MAX];
    size_t count = inlines_at(symbols, place, calls), length = 0;
    for (size_t i = 0; i < count && length < size; i++) {
        const struct inline_call *call = &calls[i];
        int added = snprintf(text + length, size - length, "%s%s (%s:%d)", i > 0 ? " in " : "",
                             call->function, call->file, call->line);
        length += added > 0 ? (size_t)added : 0;
    }
    return count > 0;
}

void backtrace_describe(struct symbols *symbols, const struct backtrace_frame *frame, size_t index,
                        char *text, size_t size)
{
    char place[300];
    if (!describe_inlined(symbols, frame->place, place, sizeof place)) {
        symbols_describe(symbols, frame->place, place, sizeof place);
    }
    snprintf(text, size, "#%zu 0x%08x %s%s%s", index, frame->pc, place[0] != '\0' ? place : "?",
             frame->interrupted ? ", interrupted by the frame before" : "",
             frame->guessed && !frame->interrupted ? ", by LR alone" : "");
}
