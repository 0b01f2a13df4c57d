/* What the device says of itself once a period, as JSON. */
#ifndef APP_TELEMETRY_H
#define APP_TELEMETRY_H

#include <stddef.h>

#include "app/network.h"

enum { TELEMETRY_MAX = NET_WITH_SNTP ? 256 : 192 };

/* Between two calls of telemetry_write the load is measured. */
struct telemetry {
    uint64_t last_us;
    uint64_t last_idle_us;
};

/*
 * Writes one report into `json`; returns its length. With NET_WITH_SNTP it has the time of day, "time" as in
 * RFC 3339, once that is known.
 */
size_t telemetry_write(struct telemetry *telemetry, const struct network *network, uint64_t now_us,
                       uint64_t idle_us, char json[TELEMETRY_MAX]);

#endif
