#include "app/telemetry.h"

#include "app/time.h"
#include "app/wall_clock.h"
#include "log/format.h"
#include "net/sntp.h"
#include "target/stm32f429/memory.h"

/* Busy time in thousandths since the last report; the period is an hour at most, so 32 bits hold it. */
static unsigned cpu_permille(struct telemetry *telemetry, uint64_t now_us, uint64_t idle_us)
{
    uint32_t elapsed = (uint32_t)(now_us - telemetry->last_us);
    uint32_t idle = (uint32_t)(idle_us - telemetry->last_idle_us);
    uint32_t unit = elapsed / 1000;

    telemetry->last_us = now_us;
    telemetry->last_idle_us = idle_us;
    return unit == 0 || idle > elapsed ? 0 : (elapsed - idle) / unit;
}

#if NET_WITH_SNTP
/* As the last member of the object. */
static void add_time(struct log_text *text, const struct net *net, uint32_t now_ms)
{
    struct sntp_time time;
    char clock[sizeof WALL_CLOCK_TEXT];

    if (!sntp_time(net, now_ms, &time))
        return;
    wall_clock_write(time.unix_s, time.ms, clock);
    text->length--;
    log_format_args(text, ",\"time\":\"%s\"}", clock);
}
#endif

size_t telemetry_write(struct telemetry *telemetry, const struct network *network, uint64_t now_us,
                       uint64_t idle_us, char json[TELEMETRY_MAX])
{
    const struct net_statistics *net = net_statistics(&network->net);
    uint32_t seconds = us_to_s(now_us);
    uint32_t sessions = mqtt_statistics(&network->mqtt)->sessions;
    struct log_text text = {.bytes = json, .size = TELEMETRY_MAX};

    log_format_args(&text,
                    "{\"uptime_s\":%u.%03u,\"cpu_permille\":%u,\"frames_in\":%u,\"frames_out\":%u,"
                    "\"tcp_retransmissions\":%u,\"mqtt_reconnects\":%u,\"stack_unused\":%u}",
                    (unsigned)seconds, (unsigned)(us_to_ms(now_us) - seconds * 1000),
                    cpu_permille(telemetry, now_us, idle_us), (unsigned)net->frames_received,
                    (unsigned)net->frames_sent, (unsigned)net->tcp_retransmissions,
                    (unsigned)(sessions > 0 ? sessions - 1 : 0), (unsigned)stack_unused_bytes());
#if NET_WITH_SNTP
    add_time(&text, &network->net, us_to_ms(now_us));
#endif
    return text.length;
}
