#include "app/telemetry_session.h"

#if MQTT_WITH_SESSION_STATISTICS

#include "log/format.h"

size_t telemetry_write_session(const struct mqtt *mqtt, char json[TELEMETRY_SESSION_MAX])
{
    const struct mqtt_statistics *all = mqtt_statistics(mqtt);
    struct log_text text = {.bytes = json, .size = TELEMETRY_SESSION_MAX};
    struct mqtt_statistics session;

    mqtt_session_statistics(mqtt, &session);
    const struct {
        const char *name;
        uint32_t count;
    } members[] = {
        {"attempts", all->attempts},
        {"sessions", all->sessions},
        {"resumed", all->resumed},
        {"violations", all->violations},
        {"timeouts", all->timeouts},
        {"received", session.received},
        {"sent", session.sent},
        {"acknowledged", session.acknowledged},
        {"refused", session.refused},
        {"lost", session.lost},
        {"duplicates", session.duplicates},
        {"replayed", session.replayed},
        {"unknown_acks", session.unknown_acks},
    };
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        log_format_args(&text, "%s\"%s\":%u", i == 0 ? "{" : ",", members[i].name,
                        (unsigned)members[i].count);
    log_format_args(&text, "}");
    return text.length;
}

#endif
