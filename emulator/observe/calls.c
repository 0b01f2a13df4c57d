#include "observe/calls.h"

#include "cpu/engine.h"

/* What called this one lies beyond an exception or the beginning. */
#define NO_RETURN 0xFFFFFFFFu

void calls_init(struct calls *calls, const struct functions *functions)
{
    *calls = (struct calls){.functions = functions};
}

void calls_listen(struct calls *calls, const struct call_listener *listener)
{
    calls->listeners[calls->listener_count++] = *listener;
}

/* ---- Frames ---- */

static void tell(struct calls *calls, struct machine *m, const struct call_frame *frame, bool begins)
{
    for (size_t i = 0; i < calls->listener_count; i++) {
        const struct call_listener *l = &calls->listeners[i];
        if (frame->exception != 0) {
            (begins ? l->entered : l->left)(l->context, m, frame->exception);
        } else {
            (begins ? l->begin : l->end)(l->context, m, frame->function);
        }
    }
}

static void push(struct calls *calls, struct machine *m, struct call_frame frame, size_t limit)
{
    if (calls->depth >= limit) {
        calls->beyond++;
        return;
    }
    calls->frames[calls->depth++] = frame;
    tell(calls, m, &frame, true);
}

static void pop_to(struct calls *calls, struct machine *m, size_t depth)
{
    calls->beyond = 0;
    while (calls->depth > depth) {
        struct call_frame frame = calls->frames[--calls->depth];
        tell(calls, m, &frame, false);
    }
}

static struct call_frame frame_of(const struct calls *calls, uint32_t address, uint32_t return_address)
{
    return (struct call_frame){.function = (uint32_t)functions_find(calls->functions, address),
                               .return_address = return_address};
}

static void push_function(struct calls *calls, struct machine *m, uint32_t address, uint32_t return_address)
{
    push(calls, m, frame_of(calls, address, return_address), CALLS_DEPTH);
}

/* ---- Instructions that leave the sequence ---- */

static bool is_call(const struct op *op)
{
    return op->length == 2 ? (op->code & 0xF800D000) == 0xF000D000 : (op->code & 0xFF87) == 0x4780;
}

/* B, CBZ, CBNZ: their targets are fixed, none of them returns. */
static bool is_plain_branch(const struct op *op)
{
    uint32_t code = op->code;
    if (op->length == 2) {
        return (code & 0xF800D000) == 0xF0008000 || (code & 0xF800D000) == 0xF0009000;
    }
    return (code & 0xF000) == 0xD000 || (code & 0xF800) == 0xE000 || (code & 0xF500) == 0xB100;
}

/* True: it was a return to one of the callers within the present exception, or from it a longjmp. */
static bool take_return(struct calls *calls, struct machine *m, uint32_t target)
{
    for (size_t i = calls->depth; i-- > 0 && calls->frames[i].exception == 0;) {
        if (calls->frames[i].return_address == target) {
            pop_to(calls, m, i);
            return true;
        }
    }
    return false;
}

static bool within(const struct calls *calls, size_t function, uint32_t address)
{
    const struct function *f = &calls->functions->list[function];
    return address - f->start < f->size;
}

/* The function of an exception or of the reset stays, for its name says what runs. */
static bool is_first(const struct calls *calls)
{
    return calls->depth == 1 || calls->frames[calls->depth - 2].exception != 0;
}

static void take_jump(struct calls *calls, struct machine *m, uint32_t target)
{
    if (calls->depth == 0 || calls->beyond > 0) {
        return;
    }
    struct call_frame *top = &calls->frames[calls->depth - 1];
    if (top->exception != 0 || within(calls, top->function, target)) {
        return;
    }
    uint32_t return_address = top->return_address;
    if (functions_find(calls->functions, target) == top->function) {
        return;
    }
    if (!is_first(calls)) {
        pop_to(calls, m, calls->depth - 1);
    }
    push_function(calls, m, target, return_address);
}

static void take_branch(struct calls *calls, struct machine *m, const struct op *op, uint32_t target)
{
    if (is_call(op)) {
        push_function(calls, m, target, op->pc + 2u * op->length);
    } else if (is_plain_branch(op) || !take_return(calls, m, target)) {
        take_jump(calls, m, target);
    }
}

void calls_executed(struct calls *calls, struct machine *m, const struct op *op, const struct op *next)
{
    if (next == op + op->length && !is_call(op)) {
        return;
    }
    if (calls->switched_at == m->instructions) {
        return; /* it raised or ended an exception: where it leads is told already */
    }
    take_branch(calls, m, op, op_address(m, next));
}

/* ---- Exceptions ---- */

void calls_entered(struct calls *calls, struct machine *m, unsigned exception, uint32_t handler)
{
    push(calls, m, (struct call_frame){.exception = exception}, CALLS_ROOM);
    push(calls, m, frame_of(calls, handler, NO_RETURN), CALLS_ROOM);
    calls->switched_at = m->instructions;
}

void calls_left(struct calls *calls, struct machine *m)
{
    calls->switched_at = m->instructions;
    for (size_t i = calls->depth; i-- > 0;) {
        if (calls->frames[i].exception != 0) {
            pop_to(calls, m, i);
            return;
        }
    }
}

void calls_reset(struct calls *calls, struct machine *m, uint32_t start)
{
    pop_to(calls, m, 0);
    calls->switched_at = UINT64_MAX;
    push_function(calls, m, start, NO_RETURN);
}

void calls_finish(struct calls *calls, struct machine *m)
{
    pop_to(calls, m, 0);
}
