/*
 * Virtual time, reckoned in cycles of HCLK from the last change of its
 * frequency, and the queue of events.
 */
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>

__extension__ typedef unsigned __int128 uint128;

static const uint64_t ps_per_s = 1000000000000u;

vtime machine_time_at(const struct machine *m, uint64_t cycle)
{
    uint64_t elapsed = cycle > m->epoch_cycle ? cycle - m->epoch_cycle : 0;

    if (elapsed <= UINT64_MAX / ps_per_s)
        return m->epoch + elapsed * ps_per_s / m->hclk_hz;
    return m->epoch + (vtime)((uint128)elapsed * ps_per_s / m->hclk_hz);
}

vtime machine_now(const struct machine *m)
{
    return machine_time_at(m, m->cycles);
}

uint64_t machine_cycle_at(const struct machine *m, vtime at)
{
    if (at <= m->epoch)
        return m->epoch_cycle;
    uint128 cycles = ((uint128)(at - m->epoch) * m->hclk_hz + (ps_per_s - 1)) / ps_per_s;
    return cycles > UINT64_MAX - m->epoch_cycle ? UINT64_MAX : m->epoch_cycle + (uint64_t)cycles;
}

void machine_set_hclk(struct machine *m, uint32_t hz)
{
    if (hz == m->hclk_hz)
        return;
    m->epoch = machine_now(m);
    m->epoch_cycle = m->cycles;
    m->hclk_hz = hz;
    m->event_cycle = m->cycles; /* the run loop reckons anew */
}

void machine_on_clock(struct machine *m, void (*changed)(struct machine *m, void *context), void *context)
{
    if (m->clock_listener_count == MACHINE_CLOCK_LISTENERS) {
        fprintf(stderr, "virtual board: no room left for clock listeners; raise its limit in machine.h\n");
        abort();
    }
    m->clock_listeners[m->clock_listener_count++] =
        (struct clock_listener){.changed = changed, .context = context};
}

void event_cancel(struct machine *m, struct event *event)
{
    if (!event->armed)
        return;
    for (struct event **link = &m->events; *link; link = &(*link)->next) {
        if (*link == event) {
            *link = event->next;
            break;
        }
    }
    event->armed = false;
}

static bool fires_before(const struct event *queued, const struct event *event)
{
    return queued->at < event->at || (queued->at == event->at && (event->outside || !queued->outside));
}

vtime machine_instant(const struct machine *m)
{
    return m->firing ? m->instant : machine_now(m);
}

void event_at(struct machine *m, struct event *event, vtime at)
{
    event_cancel(m, event);
    event->at = at;
    event->order = m->event_order++;
    event->armed = true;

    struct event **link = &m->events;
    while (*link && fires_before(*link, event))
        link = &(*link)->next;
    event->next = *link;
    *link = event;

    uint64_t cycle = machine_cycle_at(m, at);
    if (cycle < m->event_cycle)
        m->event_cycle = cycle;
}
