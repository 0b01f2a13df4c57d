/* Settings and calls of a script, and what they are to have for a result. */
#include "run.h"

#include "net/mdns.h"
#include "net/sntp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const error_names[] = {"OK",        "DOWN",        "STATE",       "ARGUMENT", "BUSY",
                                          "NEIGHBOUR", "TOO_LONG",    "PORT_IN_USE", "TIMEOUT",  "REFUSED",
                                          "RESET",     "ABORTED",     "ADDRESS",     "NO_NAME",  "SERVER",
                                          "PENDING",   "UNREACHABLE", "NO_SERVICE"};

static const struct {
    const char *name;
    enum tcp_state state;
} states[] = {
    {"CLOSED", TCP_CLOSED},           {"SYN-SENT", TCP_SYN_SENT},     {"SYN-RECEIVED", TCP_SYN_RECEIVED},
    {"ESTABLISHED", TCP_ESTABLISHED}, {"FIN-WAIT-1", TCP_FIN_WAIT_1}, {"FIN-WAIT-2", TCP_FIN_WAIT_2},
    {"CLOSE-WAIT", TCP_CLOSE_WAIT},   {"CLOSING", TCP_CLOSING},       {"LAST-ACK", TCP_LAST_ACK},
    {"TIME-WAIT", TCP_TIME_WAIT},
#if NET_WITH_TCP_LISTEN
    {"LISTEN", TCP_LISTEN},
#endif
};

const char *call_error_name(int error)
{
    return error <= 0 && error > -(int)(sizeof error_names / sizeof *error_names) ? error_names[-error]
                                                                                  : "no error";
}

void call_expect_error(struct run *run, const char *name, int got)
{
    if (strcmp(name, call_error_name(got)) != 0) {
        run_fail(run, "expected %s, got %s", name, call_error_name(got));
    }
}

void call_expect_result(struct run *run, const struct line *line, int got)
{
    for (unsigned i = 1; i + 1 < line->words; i++) {
        if (strcmp(line->word[i], "fails") == 0) {
            call_expect_error(run, line->word[i + 1], got);
            return;
        }
    }
    if (got < 0) {
        run_fail(run, "%s: got %s", line->word[0], call_error_name(got));
    }
}

uint32_t call_number(struct run *run, const struct line *line, unsigned i)
{
    uint32_t value;
    if (i >= line->words || !parse_number(line->word[i], &value)) {
        run_fail(run, "%s: a number should be there", line->word[0]);
    }
    return value;
}

uint32_t call_seconds(struct run *run, const struct line *line, unsigned i)
{
    uint32_t ms;
    if (!parse_seconds(line->word[i], &ms)) {
        run_fail(run, "'%s' are no seconds", line->word[i]);
    }
    return ms;
}

static void expect_number(struct run *run, const struct line *line, uint32_t got)
{
    uint32_t want = call_number(run, line, 1);
    if (want != got) {
        run_fail(run, "%s: expected %u, got %u", line->word[0], want, got);
    }
}

static void expect_address(struct run *run, const struct line *line, uint32_t got)
{
    if (address_in(run, line->word[1]) != got) {
        run_fail(run, "%s: expected %s, got %u.%u.%u.%u", line->word[0], line->word[1], got >> 24,
                 got >> 16 & 255, got >> 8 & 255, got & 255);
    }
}

/* 10.0.0.2/24 */
static uint32_t with_mask(struct run *run, const char *text, uint32_t *mask)
{
    char address[32];
    const char *slash = strchr(text, '/');
    uint32_t bits;
    if (!slash || slash - text >= (long)sizeof address || !parse_number(slash + 1, &bits) || bits > 32) {
        run_fail(run, "'%s': an address and the length of its prefix should be there", text);
    }
    (void)snprintf(address, sizeof address, "%.*s", (int)(slash - text), text);
    *mask = bits ? UINT32_MAX << (32 - bits) : 0;
    return address_in(run, address);
}

static bool on_off(struct run *run, const char *text)
{
    if (strcmp(text, "on") != 0 && strcmp(text, "off") != 0) {
        run_fail(run, "'%s' is neither on nor off", text);
    }
    return text[1] == 'n';
}

/* ---- Settings ---- */

static char *keep_text(struct run *run, unsigned i, const char *text)
{
    (void)snprintf(run->texts[i], sizeof run->texts[i], "%s", text);
    return run->texts[i];
}

static bool set_client(struct run *run, const struct line *line)
{
    const char *what = line->word[1], *value = line->words > 2 ? line->word[2] : "";
    if (strcmp(what, "hostname") == 0) {
        run->config.hostname = keep_text(run, 0, value);
#if NET_WITH_MDNS
    } else if (strcmp(what, "mdns-name") == 0) {
        run->config.mdns_name = keep_text(run, 1, value);
#endif
#if NET_WITH_SNTP
    } else if (strcmp(what, "ntp-server") == 0) {
        run->config.ntp_server = address_in(run, value);
    } else if (strcmp(what, "ntp-name") == 0) {
        run->config.ntp_name = keep_text(run, 2, value);
#endif
#if NET_WITH_ACD
    } else if (strcmp(what, "acd") == 0) {
        run->config.at_once = !on_off(run, value);
#endif
    } else {
        return false;
    }
    return true;
}

void call_setting(struct run *run, const struct line *line)
{
    const char *what = line->word[1], *value = line->words > 2 ? line->word[2] : "";
    if (strcmp(what, "rx") == 0) {
        run->rx_size = call_number(run, line, 2);
    } else if (strcmp(what, "tx") == 0) {
        run->tx_size = call_number(run, line, 2);
    } else if (strcmp(what, "dhcp") == 0) {
        run->config.address = 0;
    } else if (strcmp(what, "address") == 0) {
        run->config.address = with_mask(run, value, &run->config.netmask);
    } else if (strcmp(what, "gateway") == 0) {
        run->config.gateway = address_in(run, value);
    } else if (strcmp(what, "dns-server") == 0) {
        run->config.dns_server = address_in(run, value);
    } else if (strcmp(what, "arp") == 0) {
        run->answer_arp = on_off(run, value);
    } else if (strcmp(what, "offload") == 0) {
        run->offloads = on_off(run, value) ? NET_DEVICE_CHECKSUM_RX | NET_DEVICE_CHECKSUM_TX : 0;
    } else if (!set_client(run, line)) {
        run_fail(run, "'%s' is nothing that can be set in this build", what);
    }
}

void call_open(struct run *run)
{
    rig_open_config(&run->rig, &run->config, run->tx_size, run->rx_size, run->offloads);
    run->start_ms = run->rig.now;
    run->sockets[1].tcp = &run->rig.tcp;
    run->open = true;
#if NET_WITH_TCP_NAGLE
    tcp_set_nagle(&run->rig.tcp, false);
#endif
}

void call_close(struct run *run)
{
    rig_discard_sent(&run->rig);
    rig_close(&run->rig);
    for (unsigned i = 2; i < CONVERSATIONS; i++) {
        if (run->sockets[i].tcp) {
            free(run->sockets[i].tcp);
            free(run->sockets[i].tx);
            free(run->sockets[i].rx);
        }
    }
}

/* ---- TCP ---- */

static struct socket_state *socket_of(struct run *run, const struct line *line)
{
    struct socket_state *s = &run->sockets[line->conversation];
    if (!s->tcp) {
        s->tcp = calloc(1, sizeof *s->tcp);
        s->tx = malloc(run->tx_size);
        s->rx = malloc(run->rx_size);
        tcp_init(s->tcp, &run->rig.net, s->tx, run->tx_size, s->rx, run->rx_size);
#if NET_WITH_TCP_NAGLE
        tcp_set_nagle(s->tcp, false);
#endif
    }
    return s;
}

static void start_numbers(struct conversation *c)
{
    c->our_isn_known = c->timestamp_known = false;
    c->our_isn = c->timestamp_base = 0;
}

static void call_connect(struct run *run, const struct line *line, struct socket_state *s)
{
    struct conversation *c = &run->conversations[line->conversation];
    uint32_t address = PEER, port = BROKER;
    if (line->words > 2 && strcmp(line->word[1], "fails") != 0) {
        address = address_in(run, line->word[1]);
        port = call_number(run, line, 2);
    }
    int result = tcp_connect(s->tcp, address, (uint16_t)port, run->rig.now);
    call_expect_result(run, line, result);
    if (result == NET_OK) {
        start_numbers(c);
        c->peer = address;
        c->peer_port = (uint16_t)port;
        c->our_port = tcp_local_port(s->tcp);
        s->written = s->read = 0;
    }
}

/* The handshake, each step of which is a line of its own. */
static void call_establish(struct run *run, const struct line *line, struct socket_state *s)
{
    char text[600];
    const char *win = "65535", *options = "<mss 1460>";
    for (unsigned i = 1; i < line->words; i++) {
        if (line->word[i][0] == '<') {
            options = line->word[i];
        } else if (strcmp(line->word[i], "win") == 0 && i + 1 < line->words) {
            win = line->word[++i];
        } else {
            run_fail(run, "establish takes 'win N' and <options>");
        }
    }
    bool passive = false;
#if NET_WITH_TCP_LISTEN
    passive = tcp_state(s->tcp) == TCP_LISTEN;
#endif
    (void)s;
    if (passive) {
        (void)snprintf(
            text, sizeof text,
            "clause -\n< S seq 0 win %s %s\n> S. seq 0 ack 1\n< . seq 1 ack 1 win %s\nstate ESTABLISHED\n",
            win, options, win);
    } else {
        (void)snprintf(
            text, sizeof text,
            "clause -\nconnect\n> S seq 0\n< S. seq 0 ack 1 win %s %s\n> . seq 1 ack 1\nstate ESTABLISHED\n",
            win, options);
    }
    run_words(run, text);
}

static void call_send(struct run *run, const struct line *line, struct socket_state *s)
{
    struct tcp_span room[2];
    uint32_t length = call_number(run, line, 1);
    size_t free_room = tcp_reserve(s->tcp, room);
    if (free_room < length) {
        run_fail(run, "send %u: there is room for %zu", length, free_room);
    }
    for (uint32_t i = 0; i < length; i++) {
        uint8_t *to = i < room[0].length ? room[0].data + i : room[1].data + (i - room[0].length);
        *to = pattern_byte(s->written + i);
    }
    s->written += length;
    tcp_commit(s->tcp, length);
    if (line->words == 4 && strcmp(line->word[3], "close") == 0) {
        tcp_close(s->tcp); /* before anything is sent */
    }
}

static void call_read(struct run *run, const struct line *line, struct socket_state *s)
{
    const uint8_t *data;
    uint32_t length = call_number(run, line, 1);
    size_t unread = tcp_peek(s->tcp, &data);
    if (unread < length) {
        run_fail(run, "read %u: %zu bytes have come", length, unread);
    }
    for (uint32_t i = 0; i < length; i++) {
        if (data[i] != pattern_byte(s->read + i)) {
            run_fail(run, "read %u: byte %u is 0x%02x, expected 0x%02x", length, i, data[i],
                     pattern_byte(s->read + i));
        }
    }
    s->read += length;
    tcp_consume(s->tcp, length);
}

static void expect_state(struct run *run, const char *name, enum tcp_state got)
{
    const char *got_name = "?";
    bool known = false;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        got_name = states[i].state == got ? states[i].name : got_name;
        known |= strcmp(states[i].name, name) == 0;
    }
    if (!known) {
        run_fail(run, "'%s' is no state", name);
    }
    if (strcmp(name, got_name) != 0) {
        run_fail(run, "expected state %s, got %s", name, got_name);
    }
}

static bool call_tcp_data(struct run *run, const struct line *line)
{
    const char *verb = line->word[0];
    struct tcp_span room[2];
    const uint8_t *data;
    struct socket_state *s = socket_of(run, line);
    if (strcmp(verb, "send") == 0) {
        call_send(run, line, s);
    } else if (strcmp(verb, "read") == 0) {
        call_read(run, line, s);
    } else if (strcmp(verb, "unread") == 0) {
        expect_number(run, line, (uint32_t)tcp_peek(s->tcp, &data));
    } else if (strcmp(verb, "room") == 0) {
        expect_number(run, line, (uint32_t)tcp_reserve(s->tcp, room));
    } else if (strcmp(verb, "queued") == 0) {
        expect_number(run, line, (uint32_t)tcp_queued(s->tcp));
    } else {
        return false;
    }
    return true;
}

static bool call_tcp(struct run *run, const struct line *line)
{
    const char *verb = line->word[0];
    struct socket_state *s = socket_of(run, line);
    if (strcmp(verb, "connect") == 0) {
        call_connect(run, line, s);
    } else if (strcmp(verb, "establish") == 0) {
        call_establish(run, line, s);
    } else if (strcmp(verb, "close") == 0) {
        tcp_close(s->tcp);
    } else if (strcmp(verb, "abort") == 0) {
        tcp_abort(s->tcp);
    } else if (strcmp(verb, "state") == 0) {
        expect_state(run, line->word[1], tcp_state(s->tcp));
    } else if (strcmp(verb, "error") == 0) {
        call_expect_error(run, line->word[1], tcp_error(s->tcp));
    } else if (strcmp(verb, "timeouts") == 0) {
        tcp_set_timeouts(s->tcp, call_seconds(run, line, 1), call_seconds(run, line, 2));
    } else {
        return false;
    }
    return true;
}

/* What only some builds have. */
static bool call_tcp_option(struct run *run, const struct line *line)
{
    const char *verb = line->word[0];
    struct socket_state *s = socket_of(run, line);
    (void)s, (void)verb;
#if NET_WITH_TCP_NAGLE
    if (strcmp(verb, "nagle") == 0) {
        tcp_set_nagle(s->tcp, on_off(run, line->word[1]));
        return true;
    }
#endif
#if NET_WITH_TCP_TTL
    if (strcmp(verb, "ttl") == 0) {
        tcp_set_ttl(s->tcp, (uint8_t)call_number(run, line, 1));
        return true;
    }
    if (strcmp(verb, "dscp") == 0) {
        tcp_set_dscp(s->tcp, (uint8_t)call_number(run, line, 1));
        return true;
    }
#endif
#if NET_WITH_TCP_CONGESTION
    if (strcmp(verb, "cubic") == 0) {
        tcp_set_congestion_control(s->tcp, TCP_CUBIC);
        return true;
    }
#endif
#if NET_WITH_TCP_OPTIONS
    if (strcmp(verb, "offer") == 0) {
        unsigned offers = 0;
        for (unsigned i = 1; i < line->words; i++) {
            offers |= strcmp(line->word[i], "wscale") == 0 ? TCP_OFFER_WINDOW_SCALE : 0;
            offers |= strcmp(line->word[i], "ts") == 0 ? TCP_OFFER_TIMESTAMPS : 0;
            offers |= strcmp(line->word[i], "sack") == 0 ? TCP_OFFER_SACK : 0;
        }
        tcp_set_options(s->tcp, offers);
        return true;
    }
#endif
    return false;
}

#if NET_WITH_TCP_LISTEN
static bool call_listener(struct run *run, const struct line *line)
{
    const char *verb = line->word[0];
    if (strcmp(verb, "listen") == 0) {
        uint32_t port = call_number(run, line, 1);
        bool has_window = line->words > 2 && strcmp(line->word[2], "fails") != 0;
        size_t window = has_window ? call_number(run, line, 2) : run->rx_size;
        call_expect_result(run, line, tcp_listen(&run->listener, &run->rig.net, (uint16_t)port, window));
        for (unsigned i = 1; i < CONVERSATIONS; i++) {
            run->conversations[i].our_port = (uint16_t)port;
        }
    } else if (strcmp(verb, "unlisten") == 0) {
        tcp_unlisten(&run->listener);
    } else if (strcmp(verb, "accept") == 0) {
        struct socket_state *s = socket_of(run, line);
        call_expect_result(run, line, tcp_accept(&run->listener, s->tcp, run->rig.now));
        s->written = s->read = 0;
    } else {
        return false;
    }
    return true;
}
#else
static bool call_listener(struct run *run, const struct line *line)
{
    (void)run, (void)line;
    return false;
}
#endif

/* ---- The net ---- */

#if NET_WITH_ACD || NET_WITH_ROUTES || NET_WITH_SNTP || NET_WITH_MDNS
static void expect_truth(struct run *run, const struct line *line, bool want, bool got)
{
    if (want != got) {
        run_fail(run, "%s: it is %s", line->text, got ? "so" : "not so");
    }
}
#endif

static bool call_address(struct run *run, const struct line *line)
{
    const char *verb = line->word[0], *word = line->words > 1 ? line->word[1] : "";
    struct net *net = &run->rig.net;
    uint32_t mask;
    (void)mask, (void)word;
    if (strcmp(verb, "address") == 0) {
        expect_address(run, line, net_address(net));
    } else if (strcmp(verb, "gateway") == 0) {
        expect_address(run, line, net_gateway(net));
    } else if (strcmp(verb, "netmask") == 0) {
        expect_address(run, line, net_netmask(net));
    } else if (strcmp(verb, "dns-server") == 0) {
        expect_address(run, line, net_dns_server(net));
#if NET_WITH_ACD
    } else if (strcmp(verb, "conflict") == 0) {
        expect_truth(run, line, strcmp(word, "yes") == 0, net_address_conflict(net));
#endif
#if NET_WITH_ROUTES
    } else if (strcmp(verb, "has") == 0 || strcmp(verb, "has-not") == 0) {
        expect_truth(run, line, verb[3] == 0, net_has_address(net, address_in(run, word)));
    } else if (strcmp(verb, "add-address") == 0) {
        uint32_t address = with_mask(run, word, &mask);
        call_expect_result(run, line, net_add_address(net, address, mask));
    } else if (strcmp(verb, "remove-address") == 0) {
        call_expect_result(run, line, net_remove_address(net, address_in(run, word)));
    } else if (strcmp(verb, "route") == 0) {
        uint32_t destination = with_mask(run, word, &mask);
        call_expect_result(run, line, net_add_route(net, destination, mask, address_in(run, line->word[2])));
#endif
#if NET_WITH_IGMP
    } else if (strcmp(verb, "join") == 0) {
        call_expect_result(run, line, net_join(net, address_in(run, word)));
    } else if (strcmp(verb, "leave") == 0) {
        call_expect_result(run, line, net_leave(net, address_in(run, word)));
#endif
    } else {
        return false;
    }
    return true;
}

static void expect_resolved(struct run *run, const struct line *line)
{
    uint32_t address = 0, number;
    int result = dns_result(&run->rig.net, &address);
    if (strcmp(line->word[1], "not") == 0) {
        if (result == NET_OK) {
            run_fail(run, "it has an address");
        }
        return;
    }
    if (parse_address(line->word[1], &number)) {
        if (result != NET_OK) {
            run_fail(run, "no address: %s", call_error_name(result));
        }
        expect_address(run, line, address);
    } else {
        call_expect_error(run, line->word[1], result);
    }
}

static bool call_client(struct run *run, const struct line *line)
{
    const char *verb = line->word[0];
    if (strcmp(verb, "resolve") == 0) {
        (void)snprintf(run->resolving, sizeof run->resolving, "%s", line->word[1]);
        call_expect_result(run, line, dns_start(&run->rig.net, run->resolving, run->rig.now));
    } else if (strcmp(verb, "resolved") == 0) {
        expect_resolved(run, line);
#if NET_WITH_SNTP
    } else if (strcmp(verb, "time") == 0) {
        struct sntp_time time;
        bool known = sntp_time(&run->rig.net, run->rig.now, &time);
        if (strcmp(line->word[1], "unknown") == 0) {
            expect_truth(run, line, false, known);
        } else {
            expect_truth(run, line, true, known);
            expect_number(run, line, time.unix_s);
        }
#endif
#if NET_WITH_MDNS
    } else if (strcmp(verb, "mdns-name") == 0) {
        char name[MDNS_TEXT_MAX + 1];
        expect_truth(run, line, true, mdns_name(&run->rig.net, name) && strcmp(name, line->word[1]) == 0);
#endif
    } else {
        return false;
    }
    return true;
}

static void call_link(struct run *run, const char *state)
{
    if (strcmp(state, "up") != 0 && strcmp(state, "down") != 0) {
        run_fail(run, "the link is up or down, not '%s'", state);
    }
    net_link(&run->rig.net, strcmp(state, "up") == 0, run->rig.now);
}

/* Time passes; what is sent is of no interest. */
static void call_ignore(struct run *run, uint32_t ms)
{
    uint32_t end = run->event_ms + ms;
    while (run->event_ms != end) {
        run_until(run, end - run->event_ms, true);
        run->event_ms = run->rig.now - run->start_ms;
        run->tail = run->head;
    }
}

static bool call_script(struct run *run, const struct line *line)
{
    const char *verb = line->word[0];
    struct conversation *c = &run->conversations[line->conversation];
    if (strcmp(verb, "new") == 0) {
        start_numbers(c);
        c->peer_isn = line->words > 1 ? call_number(run, line, 1) : c->peer_isn;
    } else if (strcmp(verb, "ports") == 0) {
        c->peer_port = (uint16_t)call_number(run, line, 1);
        c->our_port = (uint16_t)call_number(run, line, 2);
    } else if (strcmp(verb, "peer") == 0) {
        c->peer = address_in(run, line->word[1]);
    } else if (strcmp(verb, "link") == 0) {
        call_link(run, line->word[1]);
    } else if (strcmp(verb, "ring") == 0) {
        run->rig.fake.full = strcmp(line->word[1], "full") == 0;
    } else if (strcmp(verb, "quiet") == 0) {
        char text[64];
        (void)snprintf(text, sizeof text, "clause -\n+%s new %u\n", line->word[1], c->peer_isn);
        struct conversation kept = *c;
        run_words(run, text);
        *c = kept;
    } else if (strcmp(verb, "ignore") == 0) {
        call_ignore(run, call_seconds(run, line, 1));
    } else {
        return false;
    }
    return true;
}

void call_run(struct run *run, const struct line *line)
{
    if (!(call_tcp_data(run, line) || call_tcp(run, line) || call_tcp_option(run, line) ||
          call_listener(run, line) || call_script(run, line) || call_address(run, line) ||
          call_client(run, line) || call_ping(run, line) || call_udp(run, line))) {
        run_fail(run, "'%s' is not in this build; say what the script needs", line->word[0]);
    }
}
