/* The cable and the switch at its other end, which buffers what it has for the board and sends it at line
 * rate. */
#include <string.h>

#include "ethernet/ethernet.h"

enum {
    PREAMBLE_BYTES = 8,
    GAP_BYTES = 12,
    PARTNER_ABILITIES = 0x01E1, /* 10 and 100 Mbit/s, half and full duplex */
};

void cable_create(struct ethernet *e)
{
    e->s->line.cable = true;
    e->s->line.partner = PARTNER_ABILITIES;
}

void cable_send(struct machine *m, struct ethernet *e, const uint8_t *frame, size_t length)
{
    if (e->s->phy.link && m->host.frame_out != NULL)
        m->host.frame_out(m->host.context, m, frame, length);
}

static bool half_duplex_busy(const struct ethernet *e)
{
    return !phy_full_duplex(e) && e->s->tx.on_wire;
}

void cable_next_arrival(struct machine *m, struct ethernet *e)
{
    struct switch_state *line = &e->s->line;
    if (line->arriving || line->count == 0 || !e->s->phy.link || half_duplex_busy(e))
        return;
    const uint64_t bytes = PREAMBLE_BYTES + line->queue[line->head].length + FCS_BYTES;
    const vtime byte_time = 8 * (phy_100_mbit(e) ? VTIME_NS(10) : VTIME_NS(100));
    const vtime now = machine_now(m), start = line->free_at > now ? line->free_at : now;
    line->arriving = true;
    line->free_at = start + (bytes + GAP_BYTES) * byte_time;
    event_at(m, &e->event[EVENT_RX_WIRE], start + bytes * byte_time);
}

void cable_arrival_event(struct machine *m, void *context)
{
    struct ethernet *e = context;
    struct switch_state *line = &e->s->line;
    const struct wire_frame *frame = &line->queue[line->head];
    line->arriving = false;
    line->head = (line->head + 1) % SWITCH_SLOTS;
    line->count--;
    const uint32_t maccr = e->s->mac.effective[MACCR];
    if ((maccr & MACCR_RE) && !(maccr & MACCR_LM) && mac_fits_phy(m, e))
        receive_frame(m, e, frame->data, frame->length, frame->bad_fcs);
    cable_next_arrival(m, e);
    transmit_kick(m, e);
}

void cable_link_lost(struct machine *m, struct ethernet *e)
{
    struct switch_state *line = &e->s->line;
    event_cancel(m, &e->event[EVENT_RX_WIRE]);
    line->dropped += line->count;
    line->count = 0;
    line->arriving = false;
}

static void enqueue(struct machine *m, const uint8_t *data, size_t length, bool bad_fcs)
{
    struct ethernet *e = ethernet_of(m);
    struct switch_state *line = &e->s->line;
    if (!e->s->phy.link || line->count == SWITCH_SLOTS || length > FRAME_MAX) {
        line->dropped++;
        return;
    }
    struct wire_frame *frame = &line->queue[(line->head + line->count++) % SWITCH_SLOTS];
    memset(frame->data, 0, FRAME_MIN); /* the sender pads what is too short */
    memcpy(frame->data, data, length);
    frame->length = (uint32_t)(length < FRAME_MIN ? FRAME_MIN : length);
    frame->bad_fcs = bad_fcs;
    cable_next_arrival(m, e);
}

void ethernet_receive(struct machine *m, const uint8_t *frame, size_t length)
{
    enqueue(m, frame, length, false);
}

void ethernet_receive_damaged(struct machine *m, const uint8_t *frame, size_t length)
{
    enqueue(m, frame, length, true);
}

void ethernet_cable(struct machine *m, bool plugged)
{
    struct ethernet *e = ethernet_of(m);
    if (e->s->line.cable == plugged)
        return;
    e->s->line.cable = plugged;
    phy_line_changed(m, e);
}

void ethernet_partner(struct machine *m, uint16_t abilities)
{
    struct ethernet *e = ethernet_of(m);
    e->s->line.partner = abilities;
    phy_line_changed(m, e);
}

void ethernet_partner_forced(struct machine *m, enum phy_resolution resolution)
{
    struct ethernet *e = ethernet_of(m);
    e->s->line.partner = 0;
    e->s->line.partner_forced = resolution;
    phy_line_changed(m, e);
}
