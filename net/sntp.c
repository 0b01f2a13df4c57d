#include "net/sntp.h"
#include "net/internal.h"
#include "net/wire/sntp.h"
#include "net/wire/udp.h"

#if NET_WITH_SNTP

enum sntp_state {
    SNTP_IDLE,    /* without a network or a server */
    SNTP_RESTING, /* until the next poll */
    SNTP_RESOLVING,
    SNTP_UNSENT, /* the next hop's link address is not known */
    SNTP_ASKING,
};

enum {
    RETRY_FIRST = 4, /* log2 of seconds: never less than 15 s (RFC 4330 10.1) */
    RETRY_LAST = 10,
    POLL = 12,
    POLL_LAST = 17, /* MAXPOLL of RFC 5905 */
    LEAST_MS = 15000,
    BUSY_RETRY_MS = 10,
    BEGIN_SPREAD_MS = 1000, /* of many devices after a power cut */
    TRIP_MAX_MS = 4000,     /* an answer as late as this says little */
    REBASE_MS = 86400000,   /* the time is carried on before the clock of the stack wraps */
    NAME_TURN = 7,          /* in `turn`: the configured name; below: servers of DHCP */
};

static struct net_dns *query(struct net *net)
{
    return &net->dns[NET_DNS_QUERIES - 1];
}

static void at(struct net *net, enum sntp_state state, uint32_t delay_ms)
{
    net->sntp.state = (uint8_t)state;
    net->sntp.deadline_ms = net->now_ms + delay_ms;
    net_timer_at(net, net->sntp.deadline_ms);
}

/* 2^log2 seconds, a sixteenth more or less. */
static void rest(struct net *net, enum sntp_state state, unsigned log2)
{
    uint32_t interval = 1000U << log2, spread = interval / 8;
    at(net, state, interval - spread / 2 * (log2 > RETRY_FIRST) + net_random(net) % spread);
}

/* ---- The clock ---- */

static void carry(uint32_t *seconds, uint32_t *ms)
{
    *seconds += *ms / 1000;
    *ms %= 1000;
}

bool sntp_time(const struct net *net, uint32_t now_ms, struct sntp_time *time)
{
    uint32_t seconds = net->sntp.unix_s, ms = net->sntp.unix_ms + (now_ms - net->sntp.base_ms);
    carry(&seconds, &ms);
    *time = (struct sntp_time){.unix_s = seconds, .ms = (uint16_t)ms};
    return net->sntp.known;
}

static void rebase(struct net *net)
{
    struct net_sntp *sntp = &net->sntp;
    if (net->now_ms - sntp->base_ms >= REBASE_MS) {
        sntp->unix_ms += net->now_ms - sntp->base_ms;
        sntp->base_ms = net->now_ms;
        carry(&sntp->unix_s, &sntp->unix_ms);
    }
    net_timer_at(net, sntp->base_ms + REBASE_MS);
}

uint32_t sntp_server(const struct net *net)
{
    return net->sntp.server;
}

/* ---- Servers ---- */

/* What is to be asked at this turn; 0: nothing. */
static uint32_t server_of(const struct net *net, unsigned turn)
{
    if (net->sntp.denied & 1U << turn) {
        return 0;
    }
    if (net->sntp.configured != 0) {
        return turn == 0 ? net->sntp.configured : 0;
    }
    return turn < NET_NTP_SERVERS ? net->ntp_servers[turn] : 0;
}

/* Goes on to the next server that may be asked. False: there is none. */
static bool choose(struct net *net)
{
    struct net_sntp *sntp = &net->sntp;
    bool any = false;
    for (unsigned i = 0; i < NET_NTP_SERVERS; i++) {
        unsigned turn = (sntp->turn + i) % NET_NTP_SERVERS;
        if (server_of(net, turn) != 0) {
            sntp->turn = (uint8_t)turn;
            return true;
        }
        any = any || net->ntp_servers[turn] != 0;
    }
    sntp->turn = NAME_TURN;
    return !any && sntp->configured == 0 && sntp->name && !(sntp->denied & 1U << NAME_TURN);
}

/* This server has not helped. */
static void fail(struct net *net)
{
    struct net_sntp *sntp = &net->sntp;
    rest(net, SNTP_RESTING, sntp->retry);
    sntp->retry = (uint8_t)(sntp->retry + (sntp->retry < RETRY_LAST));
    sntp->turn++;
}

/* ---- Asking ---- */

static void send_request(struct net *net, uint32_t server)
{
    struct net_sntp *sntp = &net->sntp;
    uint8_t message[SNTP_MESSAGE];
    sntp->server = server;
    sntp->port = udp_random_port(net); /* RFC 9109 */
    sntp->cookie[0] = net_random(net);
    sntp->cookie[1] = net_random(net);
    sntp_build(message, sntp->cookie);
    struct udp_message out = {.destination = server,
                              .source_port = sntp->port,
                              .destination_port = SNTP_PORT,
                              .head = message,
                              .head_length = sizeof message};
    uint32_t ticket;
    int sent = udp_output(net, &out, &ticket);
    if (sent == NET_ERROR_BUSY) {
        at(net, SNTP_RESTING, BUSY_RETRY_MS);
        return;
    }
    sntp->sent_ms = net->now_ms;
    sntp->asked = sntp->asked || sent == NET_OK;
    rest(net, sent == NET_OK ? SNTP_ASKING : SNTP_UNSENT, sntp->retry);
}

static void resolve(struct net *net)
{
    if (dns_ask(net, query(net), net->sntp.name) == NET_OK) {
        at(net, SNTP_RESOLVING, 0);
    } else {
        fail(net);
    }
}

static void begin(struct net *net)
{
    struct net_sntp *sntp = &net->sntp;
    if (!net_is_up(net) || !choose(net)) {
        at(net, SNTP_IDLE, NET_FAR_MS);
    } else if (sntp->asked && net->now_ms - sntp->sent_ms < LEAST_MS) {
        at(net, SNTP_RESTING, LEAST_MS - (net->now_ms - sntp->sent_ms));
    } else if (sntp->turn == NAME_TURN) {
        resolve(net);
    } else {
        send_request(net, server_of(net, sntp->turn));
    }
}

static void look_at_query(struct net *net)
{
    uint32_t address;
    int result = dns_answer(query(net), &address);
    if (result == NET_OK) {
        send_request(net, address);
    } else if (result != NET_ERROR_PENDING) {
        fail(net);
    }
}

void sntp_init(struct net *net, const struct net_config *config)
{
    net->sntp.configured = config->ntp_server;
    net->sntp.name = config->ntp_name;
    net->sntp.poll = POLL;
}

void sntp_link(struct net *net)
{
    struct net_sntp *sntp = &net->sntp;
    query(net)->result = NET_OK;
    sntp->denied = 0;
    sntp->turn = 0;
    sntp->retry = RETRY_FIRST;
    sntp->poll = POLL;
    sntp->state = SNTP_IDLE;
}

void sntp_wake(struct net *net)
{
    if (net->sntp.state == SNTP_IDLE && net_is_up(net)) {
        at(net, SNTP_RESTING, net_random(net) % BEGIN_SPREAD_MS);
    } else if (net->sntp.state == SNTP_UNSENT) {
        net->sntp.asked = false;
        at(net, SNTP_RESTING, 0);
    }
}

void sntp_timers(struct net *net)
{
    struct net_sntp *sntp = &net->sntp;
    if (sntp->known) {
        rebase(net);
    }
    if (sntp->state == SNTP_RESOLVING) {
        look_at_query(net);
    } else if (sntp->state != SNTP_IDLE && net_due(net, sntp->deadline_ms)) {
        if (sntp->state == SNTP_RESTING) {
            begin(net);
        } else {
            fail(net);
        }
    }
    if (sntp->state != SNTP_IDLE && sntp->state != SNTP_RESOLVING) {
        net_timer_at(net, sntp->deadline_ms);
    }
}

/* ---- Answers ---- */

bool sntp_expects(const struct net *net, uint16_t port)
{
    return net->sntp.state == SNTP_ASKING && net->sntp.port == port;
}

/* Half of the way there and back is the way back. False: it took too long to mean anything. */
static bool set_time(struct net *net, const struct sntp_reply *reply)
{
    struct net_sntp *sntp = &net->sntp;
    uint32_t trip = net->now_ms - sntp->sent_ms;
    if (trip > TRIP_MAX_MS) {
        return false;
    }
    uint32_t way = trip > reply->residence_ms ? trip - reply->residence_ms : 0;
    sntp->unix_s = reply->unix_s;
    sntp->unix_ms = reply->unix_ms + way / 2;
    sntp->base_ms = net->now_ms;
    sntp->known = true;
    carry(&sntp->unix_s, &sntp->unix_ms);
    sntp->retry = RETRY_FIRST;
    rest(net, SNTP_RESTING, sntp->poll);
    return true;
}

enum frame_fate sntp_input(struct net *net, const struct ipv4_packet *ip, const struct udp_header *udp)
{
    struct net_sntp *sntp = &net->sntp;
    struct sntp_reply reply;
    enum sntp_answer answer = SNTP_IGNORED;
    if (ip->source == sntp->server && udp->source == SNTP_PORT) {
        answer = sntp_parse(udp->payload, udp->length, sntp->cookie, &reply);
    }
    switch (answer) {
    case SNTP_TIME:
        if (!set_time(net, &reply)) {
            fail(net);
        }
        break;
    case SNTP_UNFIT: fail(net); break;
    case SNTP_RATE:
        sntp->poll = (uint8_t)(sntp->poll + (sntp->poll < POLL_LAST));
        sntp->retry = RETRY_LAST;
        fail(net);
        break;
    case SNTP_DENY:
        sntp->denied |= (uint8_t)(1U << sntp->turn);
        fail(net);
        break;
    default: return net_dropped(NET_DROP_SNTP);
    }
    return FRAME_DONE;
}

#endif
