/* A KERNEL_TRACE header: notes two letters for each event, what and of whom. */
#ifndef TESTS_KERNEL_TRACE_HOOKS_H
#define TESTS_KERNEL_TRACE_HOOKS_H

void note(char what, unsigned whom);

#define kernel_trace_start(task)       note('s', task)
#define kernel_trace_end(task)         note('e', task)
#define kernel_trace_preempt(task, by) (note('p', task), note('b', by))
#define kernel_trace_lock(resource)    note('l', resource)
#define kernel_trace_unlock(resource)  note('u', resource)
#define kernel_trace_spawn(task)       note('w', task)
#define kernel_trace_timer(task)       note('t', task)

#endif
