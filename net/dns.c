#include "net/wire/dns.h"
#include "net/dns.h"
#include "net/internal.h"

enum {
    TRIES = 5,
    FIRST_RETRY_MS = 1000, /* then doubled */
    BUSY_RETRY_MS = 10,
};

static void at(struct net *net, uint32_t delay_ms)
{
    net->dns.deadline_ms = net->now_ms + delay_ms;
    net_timer_at(net, net->dns.deadline_ms);
}

int dns_start(struct net *net, const char *name, uint32_t now_ms)
{
    net->now_ms = now_ms;
    dns_cancel(net);
    if (!net_is_up(net)) {
        return NET_ERROR_DOWN;
    }
    if (net->dns_server == 0) {
        return NET_ERROR_SERVER;
    }
    size_t length = dns_name_length(name);
    if (length == 0 || length > DNS_NAME_MAX + 2) {
        return NET_ERROR_ARGUMENT;
    }
    _Static_assert(DNS_HEADER + DNS_NAME_MAX + 2 + 4 <= NET_SCRATCH_BYTES, "query must fit");
    uint32_t random = net_random(net);
    net->dns = (struct net_dns){.name = name, .id = (uint16_t)random, .result = NET_ERROR_PENDING};
    net->dns.port = udp_random_port(net);
    at(net, 0);
    return NET_OK;
}

int dns_result(const struct net *net, uint32_t *address)
{
    if (net->dns.result == NET_OK) {
        if (net->dns.address == 0) {
            return NET_ERROR_STATE;
        }
        *address = net->dns.address;
    }
    return net->dns.result;
}

void dns_cancel(struct net *net)
{
    net->dns = (struct net_dns){.result = NET_OK};
}

static void finish(struct net *net, enum net_error result)
{
    net->dns.result = (int8_t)result;
}

static int send_query(struct net *net)
{
    if (!net_is_up(net)) {
        return NET_ERROR_DOWN;
    }
    if (!net_ticket_done(net, net->scratch_ticket)) {
        return NET_ERROR_BUSY;
    }
    struct udp_message message = {.destination = net->dns_server,
                                  .source_port = net->dns.port,
                                  .destination_port = DNS_PORT,
                                  .tail = net->scratch};
    message.tail_length = dns_build_query(net->scratch, net->dns.id, net->dns.name);
    return udp_output(net, &message, &net->scratch_ticket);
}

void dns_wake(struct net *net)
{
    if (net->dns.unsent) {
        at(net, 0);
    }
}

void dns_timers(struct net *net)
{
    struct net_dns *dns = &net->dns;
    if (dns->result != NET_ERROR_PENDING) {
        return;
    }
    if (!net_due(net, dns->deadline_ms)) {
        net_timer_at(net, dns->deadline_ms);
        return;
    }
    if (dns->tries == TRIES) {
        finish(net, NET_ERROR_TIMEOUT);
        return;
    }
    int sent = send_query(net);
    if (sent == NET_ERROR_BUSY) {
        at(net, BUSY_RETRY_MS);
        return;
    }
    bool again = dns->unsent && sent == NET_OK; /* the try that waited, not a new one */
    dns->unsent = sent != NET_OK;
    dns->tries = (uint8_t)(dns->tries + !again);
    at(net, (uint32_t)FIRST_RETRY_MS << (dns->tries - 1));
}

enum frame_fate dns_input(struct net *net, uint32_t source, const uint8_t *message, size_t length)
{
    uint32_t address = 0;
    enum dns_answer answer = DNS_IGNORED;
    if (source == net->dns_server) {
        answer = dns_parse(message, length, net->dns.id, net->dns.name, &address);
    }
    switch (answer) {
    case DNS_ADDRESS:
        net->dns.address = address;
        finish(net, ipv4_is_host(address) ? NET_OK : NET_ERROR_NO_NAME);
        break;
    case DNS_NO_NAME: finish(net, NET_ERROR_NO_NAME); break;
    case DNS_FAILURE: finish(net, NET_ERROR_SERVER); break;
    default: return net_dropped(NET_DROP_DNS);
    }
    return FRAME_DONE;
}
