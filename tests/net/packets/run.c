/* The course of a script: time, frames in, frames out. */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POLLS = 300, PEER_ISN = 0xFFFFFF00U /* wraps early */ };

#define SWITCH(name)                                                                                         \
    {                                                                                                        \
#name, name                                                                                          \
    }
static const struct {
    const char *name;
    bool on;
} switches[] = {
    SWITCH(NET_FULL),
    SWITCH(NET_WITH_DHCP),
    SWITCH(NET_WITH_DNS),
    SWITCH(NET_WITH_LINK_LOCAL),
    SWITCH(NET_WITH_DNS_CACHE),
    SWITCH(NET_WITH_DNS_ALIASES),
    SWITCH(NET_WITH_MDNS),
    SWITCH(NET_WITH_SNTP),
    SWITCH(NET_WITH_ACD),
    SWITCH(NET_WITH_ROUTES),
    SWITCH(NET_WITH_FRAGMENTS),
    SWITCH(NET_WITH_IGMP),
    SWITCH(NET_WITH_ICMP_ERRORS),
    SWITCH(NET_WITH_PING),
    SWITCH(NET_WITH_UDP_OPTIONS),
    SWITCH(NET_WITH_TCP_REASSEMBLY),
    SWITCH(NET_WITH_TCP_SACK),
    SWITCH(NET_WITH_TCP_WINDOW_SCALE),
    SWITCH(NET_WITH_TCP_TIMESTAMPS),
    SWITCH(NET_WITH_TCP_CONGESTION),
    SWITCH(NET_WITH_TCP_PROBING),
    SWITCH(NET_WITH_TCP_NAGLE),
    SWITCH(NET_WITH_TCP_HALF_CLOSE),
    SWITCH(NET_WITH_TCP_LISTEN),
    SWITCH(NET_WITH_TCP_TTL),
};

static const bool *find_switch(const char *name)
{
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++) {
        if (strcmp(switches[i].name, name) == 0) {
            return &switches[i].on;
        }
    }
    return NULL;
}

bool script_applies(const struct script *script, struct outcome *outcome)
{
    *outcome = (struct outcome){.passed = true};
    for (unsigned i = 0; i < script->needs_count; i++) {
        const char *name = script->needs[i];
        bool off = *name == '!';
        const bool *on = find_switch(name + off);
        if (!on) {
            *outcome = (struct outcome){.line = 2};
            (void)snprintf(outcome->message, sizeof outcome->message, "'%s' is no switch of net/features.h",
                           name);
            return false;
        }
        if (*on == off) {
            return false;
        }
    }
    return true;
}

void run_fail(struct run *run, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(run->outcome->message, sizeof run->outcome->message, format, arguments);
    va_end(arguments);
    run->outcome->line = run->line ? run->line->number : 0;
    longjmp(run->failed, 1);
}

/* ---- Frames ---- */

static void print_frame(struct run *run, unsigned conversation, const struct queued_frame *frame, char *to,
                        size_t room)
{
    struct decoded *got = malloc(sizeof *got);
    decode_frame(run, conversation, frame->bytes, frame->length, got);
    print_fields(&got->fields, to, room);
    free(got);
}

/* Which conversation it is of; 0: none. */
static unsigned conversation_of(const struct run *run, const struct queued_frame *frame)
{
    const uint8_t *ip = frame->bytes + 14;
    if (frame->length < 54 || get16(frame->bytes + 12) != 0x0800 || ip[9] != 6) {
        return 0;
    }
    const uint8_t *tcp = ip + (ip[0] & 15U) * 4U;
    for (unsigned i = 1; i < CONVERSATIONS; i++) {
        const struct conversation *c = &run->conversations[i];
        if (c->peer == get32(ip + 16) && c->our_port == get16(tcp) && c->peer_port == get16(tcp + 2)) {
            return i;
        }
    }
    return 0;
}

static bool answer_arp(struct run *run, const struct frame *frame)
{
    const uint8_t *arp = frame->bytes + 14;
    if (!run->answer_arp || get16(frame->bytes + 12) != 0x0806 || get16(arp + 6) != 1) {
        return false;
    }
    uint32_t sender = get32(arp + 14), target = get32(arp + 24);
    if (sender == 0 || sender == target) {
        return false; /* a probe or an announcement */
    }
    uint8_t reply[64], mac[6];
    mac_of_host(target, mac);
    size_t length = make_arp(reply, 2, mac, target, sender);
    rig_queue(&run->rig, reply, length);
    return true;
}

/* Take over what the device has been given to send. True: an answer is to be handed in. */
static bool take_sent(struct run *run)
{
    bool answered = false;
    const struct frame *frame;
    while ((frame = rig_sent(&run->rig)) != NULL) {
        if (answer_arp(run, frame)) {
            answered = true;
            continue;
        }
        if (run->head - run->tail == QUEUED_FRAMES) {
            run_fail(run, "more than %d frames sent that no line expects", QUEUED_FRAMES);
        }
        struct queued_frame *to = &run->queue[run->head++ % QUEUED_FRAMES];
        to->at_ms = run->rig.now - run->start_ms;
        to->length = frame->length;
        memcpy(to->bytes, frame->bytes, frame->length);
    }
    return answered;
}

void run_pump(struct run *run)
{
    bool more = true;
    for (unsigned i = 0; more && i < POLLS; i++) {
        more = net_poll(&run->rig.net, run->rig.now);
        call_collect(run);
        more |= take_sent(run);
    }
    if (more) {
        run_fail(run, "net_poll wants to be called again for ever");
    }
}

void run_receive(struct run *run, const uint8_t *frame, size_t length)
{
    run->last_received.length = length;
    memcpy(run->last_received.bytes, frame, length);
    rig_queue(&run->rig, frame, length);
    run_pump(run);
}

static bool has_sent(const struct run *run)
{
    return run->head != run->tail;
}

void run_until(struct run *run, uint32_t ms, bool until_sent)
{
    uint32_t end = run->start_ms + run->event_ms + ms;
    run_pump(run);
    while (run->rig.now != end && !(until_sent && has_sent(run))) {
        uint32_t left = end - run->rig.now, wait = net_wait_ms(&run->rig.net, run->rig.now);
        wait = wait ? wait : 1;
        run->rig.now += wait < left ? wait : left;
        run_pump(run);
    }
}

static void unexpected(struct run *run, const char *what)
{
    char text[1000];
    const struct queued_frame *frame = &run->queue[run->tail % QUEUED_FRAMES];
    print_frame(run, conversation_of(run, frame), frame, text, sizeof text);
    run_fail(run, "%s\n       got: +%u.%03u > %s", what, (frame->at_ms - run->event_ms) / 1000,
             (frame->at_ms - run->event_ms) % 1000, text);
}

/* ---- Lines ---- */

/* The number in it grows by so much each time that the line is repeated. */
static void advance_sequence(struct line *line, uint32_t by, char *text, size_t room)
{
    uint32_t number;
    for (size_t i = 1; i < line->fields.count; i++) {
        struct field *field = &line->fields.list[i];
        if (strcmp(field->key, "seq") == 0 && parse_number(field->value, &number)) {
            (void)snprintf(text, room, "%u", number + by);
            field->value = text;
        }
    }
}

static void expect_frame(struct run *run, const struct line *line, struct decoded *got)
{
    run_until(run, line->latest_ms, true);
    if (!has_sent(run)) {
        run_fail(run, "nothing was sent\n  expected: %s", line->text);
    }
    const struct queued_frame *frame = &run->queue[run->tail % QUEUED_FRAMES];
    unsigned conversation = conversation_of(run, frame);
    decode_frame(run, conversation ? conversation : line->conversation, frame->bytes, frame->length, got);
    char text[1000];
    print_fields(&got->fields, text, sizeof text);
    uint32_t after = frame->at_ms - run->event_ms;
    bool other = strcmp(line->fields.list[0].key, "tcp") == 0 && conversation != line->conversation &&
                 !field_has(&line->fields, "dport") && !field_has(&line->fields, "sport");
    const char *wrong = after < line->earliest_ms ? "time"
                        : other                   ? "conversation"
                                                  : match_fields(&line->fields, &got->fields);
    if (wrong) {
        run_fail(run, "another frame was sent: %s differs\n  expected: %s\n       got: +%u.%03u @%u > %s",
                 wrong, line->text, after / 1000, after % 1000, conversation, text);
    }
    run->event_ms = frame->at_ms;
    run->last_sent = *frame;
    run->tail++;
}

static void expect(struct run *run, const struct line *line)
{
    uint32_t count = number_of(run, &line->fields, "x", 1);
    uint32_t length = count > 1 ? number_of(run, &line->fields, "len", 0) : 0;
    struct line one = *line;
    char text[20];
    for (uint32_t i = 0; i < count; i++) {
        if (i) {
            advance_sequence(&one, length, text, sizeof text);
            one.earliest_ms = one.latest_ms = 0;
        }
        expect_frame(run, &one, &run->got);
    }
}

/* Time passes until the line's event; nothing may be sent on the way. */
static void pass_time(struct run *run, const struct line *line)
{
    run_until(run, line->earliest_ms, true);
    if (has_sent(run)) {
        unexpected(run, "a frame was sent that no line expects");
    }
    run->event_ms += line->earliest_ms;
}

static void inject(struct run *run, const struct line *line)
{
    uint32_t count = number_of(run, &line->fields, "x", 1);
    uint32_t length = count > 1 ? number_of(run, &line->fields, "len", 0) : 0;
    struct line one = *line;
    char text[20];
    for (uint32_t i = 0; i < count; i++) {
        uint8_t frame[FRAME_ROOM + 64];
        if (i) {
            advance_sequence(&one, length, text, sizeof text);
        }
        size_t bytes = build_frame(run, &one, frame);
        run_receive(run, frame, bytes);
    }
}

static void do_line(struct run *run, const struct line *line)
{
    run->line = line;
    if (line->kind == LINE_SETTING) {
        call_setting(run, line);
        return;
    }
    if (!run->open) {
        call_open(run);
    }
    if (line->kind == LINE_EXPECT) {
        expect(run, line);
        return;
    }
    if (line->kind == LINE_INJECT || strcmp(line->word[0], "ignore") != 0) {
        pass_time(run, line);
    }
    if (line->kind == LINE_INJECT) {
        inject(run, line);
    } else {
        call_run(run, line);
        run_pump(run);
    }
}

void run_words(struct run *run, const char *text)
{
    const struct line *caller = run->line;
    struct script *script = script_parse("", text);
    run->inner = script;
    if (script->error_line) {
        run_fail(run, "%s", script->error);
    }
    for (unsigned i = 0; i < script->count; i++) {
        struct line *line = &script->lines[i];
        line->number = caller->number;
        line->conversation = caller->conversation;
        do_line(run, line);
    }
    run->line = caller;
    run->inner = NULL;
    script_free(script);
}

static void begin(struct run *run)
{
    for (unsigned i = 1; i < CONVERSATIONS; i++) {
        run->conversations[i] = (struct conversation){.peer = PEER,
                                                      .peer_port = (uint16_t)(40000 + i),
                                                      .our_port = 9,
                                                      .peer_isn = PEER_ISN + (i - 1) * 0x10000000U};
    }
    for (uint32_t i = 0; i < sizeof run->payload; i++) {
        run->payload[i] = pattern_byte(i);
    }
    run->config = (struct net_config){.mac = {2, 0, 0, 0, 0, 2},
                                      .address = OURS,
                                      .netmask = MASK,
                                      .gateway = PEER,
                                      .dns_server = PEER,
                                      .seed = {1, 2, 3, 4}};
#if NET_WITH_ACD
    run->config.at_once = true;
#endif
    run->tx_size = 32768;
    run->rx_size = 8192;
    run->answer_arp = true;
}

void script_run(const struct script *script, struct outcome *outcome)
{
    *outcome = (struct outcome){.passed = false};
    if (script->error_line) {
        outcome->line = script->error_line;
        (void)snprintf(outcome->message, sizeof outcome->message, "%s", script->error);
        return;
    }
    struct run *run = calloc(1, sizeof *run);
    run->script = script;
    run->outcome = outcome;
    run->queue = calloc(QUEUED_FRAMES, sizeof *run->queue);
    begin(run);
    if (setjmp(run->failed) == 0) {
        for (unsigned i = 0; i < script->count; i++) {
            do_line(run, &script->lines[i]);
        }
        if (has_sent(run)) {
            unexpected(run, "after the script's end there is a frame that no line expects");
        }
        outcome->passed = true;
    }
    if (run->open) {
        call_close(run);
    }
    if (run->inner) {
        script_free(run->inner);
    }
    free(run->queue);
    free(run);
}
