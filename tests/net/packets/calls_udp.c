/* Calls of UDP sockets and of ping. */
#include "run.h"

#include <string.h>

static struct udp_socket *udp_of(struct run *run, const struct line *line)
{
    if (line->conversation > UDP_SOCKETS) {
        run_fail(run, "UDP sockets are @1 to @%d", UDP_SOCKETS);
    }
    return &run->udp[line->conversation - 1];
}

static void expect_datagram(struct run *run, const struct line *line)
{
    if (run->datagrams_head == run->datagrams_tail) {
        run_fail(run, "no datagram has come");
    }
    uint32_t source = address_in(run, line->word[1]), port = call_number(run, line, 2),
             length = call_number(run, line, 3);
    unsigned i = run->datagrams_tail++ % DATAGRAMS;
    if (run->datagrams[i].socket != line->conversation || run->datagrams[i].source != source ||
        run->datagrams[i].port != port || run->datagrams[i].length != length || !run->datagrams[i].whole) {
        run_fail(run, "another datagram has come: @%u, from %08x:%u, %u bytes, %s", run->datagrams[i].socket,
                 run->datagrams[i].source, run->datagrams[i].port, run->datagrams[i].length,
                 run->datagrams[i].whole ? "all right" : "wrong ones");
    }
}

static void collect_datagrams(struct run *run)
{
    struct udp_datagram datagram;
    for (unsigned i = 0; i < UDP_SOCKETS; i++) {
        while (run->udp_open[i] && udp_receive(&run->udp[i], &datagram)) {
            unsigned at = run->datagrams_head++ % DATAGRAMS;
            run->datagrams[at].socket = i + 1;
            run->datagrams[at].source = datagram.source;
            run->datagrams[at].port = datagram.source_port;
            run->datagrams[at].length = datagram.length;
            run->datagrams[at].whole = true;
            for (uint32_t b = 0; b < datagram.length; b++) {
                run->datagrams[at].whole &= datagram.data[b] == pattern_byte(b);
            }
        }
    }
}

static void call_udp_open(struct run *run, const struct line *line, struct udp_socket *s)
{
    int result = udp_open(s, &run->rig.net, (uint16_t)call_number(run, line, 1));
    call_expect_result(run, line, result);
    run->udp_open[line->conversation - 1] = result == NET_OK;
}

bool call_udp(struct run *run, const struct line *line)
{
    const char *verb = line->word[0];
    struct udp_socket *s = udp_of(run, line);
    if (strcmp(verb, "udp-open") == 0) {
        call_udp_open(run, line, s);
    } else if (strcmp(verb, "udp-close") == 0) {
        udp_close(s);
        run->udp_open[line->conversation - 1] = false;
    } else if (strcmp(verb, "udp-send") == 0) {
        uint32_t to = address_in(run, line->word[1]);
        size_t length = call_number(run, line, 3);
        length = length < sizeof run->payload ? length : sizeof run->payload;
        call_expect_result(run, line,
                           udp_send(s, to, (uint16_t)call_number(run, line, 2), run->payload, length));
    } else if (strcmp(verb, "udp-got") == 0) {
        expect_datagram(run, line);
    } else if (strcmp(verb, "udp-nothing") == 0) {
        if (run->datagrams_head != run->datagrams_tail) {
            run_fail(run, "a datagram has come");
        }
#if NET_WITH_ICMP_ERRORS
    } else if (strcmp(verb, "udp-error") == 0) {
        call_expect_error(run, line->word[1], udp_error(s));
#endif
#if NET_WITH_UDP_OPTIONS
    } else if (strcmp(verb, "udp-connect") == 0) {
        uint32_t to = address_in(run, line->word[1]);
        call_expect_result(run, line, udp_connect(s, to, (uint16_t)call_number(run, line, 2)));
    } else if (strcmp(verb, "udp-ttl") == 0) {
        udp_set_ttl(s, (uint8_t)call_number(run, line, 1));
    } else if (strcmp(verb, "udp-dscp") == 0) {
        udp_set_dscp(s, (uint8_t)call_number(run, line, 1));
#endif
    } else {
        return false;
    }
    return true;
}

/* ---- Ping ---- */

#if NET_WITH_PING
/* pong ADDRESS RESULT RTT */
static void expect_answer(struct run *run, const struct line *line)
{
    if (run->answers_head == run->answers_tail) {
        run_fail(run, "no answer to a ping has come");
    }
    const struct ping_answer *got = &run->answers[run->answers_tail++ % DATAGRAMS];
    call_expect_error(run, line->word[2], got->result);
    uint32_t rtt = strcmp(line->word[3], "unknown") == 0 ? PING_RTT_UNKNOWN : call_seconds(run, line, 3);
    if (got->source != address_in(run, line->word[1]) || got->rtt_ms != rtt) {
        run_fail(run, "the answer is from %08x after %u ms", got->source, got->rtt_ms);
    }
}

bool call_ping(struct run *run, const struct line *line)
{
    if (strcmp(line->word[0], "pong") == 0) {
        expect_answer(run, line);
        return true;
    }
    if (strcmp(line->word[0], "ping") != 0) {
        return false;
    }
    if (!run->ping_open) {
        ping_open(&run->ping, &run->rig.net);
        run->ping_open = true;
    }
    uint32_t to = address_in(run, line->word[1]), length = call_number(run, line, 2);
    call_expect_result(
        run, line,
        ping_send(&run->ping, to, run->payload, length < sizeof run->payload ? length : 0, run->rig.now));
    return true;
}
#else
bool call_ping(struct run *run, const struct line *line)
{
    (void)run, (void)line;
    return false;
}
#endif

void call_collect(struct run *run)
{
    collect_datagrams(run);
#if NET_WITH_PING
    struct ping_answer answer;
    if (run->ping_open && ping_receive(&run->ping, &answer)) {
        run->answers[run->answers_head++ % DATAGRAMS] = answer;
    }
#endif
}
