#include "app/broker_ping.h"

#if NET_WITH_PING

#include "app/log_ip.h"
#include "log/log.h"

enum {
    TIMEOUT_MS = 2000,
    RETRY_MS = 50, /* while the next hop is being asked for */
};

void broker_ping_init(struct broker_ping *p, struct net *net)
{
    ping_open(&p->ping, net);
    p->address = 0;
}

void broker_ping_start(struct broker_ping *p, uint32_t address, uint32_t now_ms)
{
    p->address = address;
    p->deadline_ms = now_ms + TIMEOUT_MS;
    p->sent = false;
}

static void log_answer(const struct broker_ping *p, const struct ping_answer *answer)
{
    if (answer->result == NET_OK)
        LOG_INFO("ping " LOG_IP_FORMAT ": %u ms", LOG_IP(p->address), (unsigned)answer->rtt_ms);
    else
        LOG_WARNING("ping " LOG_IP_FORMAT ": not reached, says " LOG_IP_FORMAT " (ICMP %u, %u)",
                    LOG_IP(p->address), LOG_IP(answer->source), answer->type, answer->code);
}

uint32_t broker_ping_run(struct broker_ping *p, uint32_t now_ms)
{
    static const char data[] = "mote asks whether you are there.";
    struct ping_answer answer;

    if (p->address == 0)
        return UINT32_MAX;
    if (p->sent && ping_receive(&p->ping, &answer) && answer.rtt_ms != PING_RTT_UNKNOWN) {
        log_answer(p, &answer);
        p->address = 0;
        return UINT32_MAX;
    }
    uint32_t left = p->deadline_ms - now_ms;
    if (left == 0 || left > TIMEOUT_MS) {
        LOG_WARNING("ping " LOG_IP_FORMAT ": no answer", LOG_IP(p->address));
        p->address = 0;
        return UINT32_MAX;
    }
    if (!p->sent)
        p->sent = ping_send(&p->ping, p->address, data, sizeof data - 1, now_ms) >= 0;
    return p->sent || left < RETRY_MS ? left : RETRY_MS;
}

#endif
