#include "app/settings.h"

const struct settings settings_default = {
    .led = false,
    .telemetry = {.period_ms = 1000},
};

static const struct settings_leaf leaves[SETTING_COUNT] = {
    [SETTING_LED] = SETTINGS_BOOL("/led", struct settings, led),
    [SETTING_TELEMETRY_PERIOD_MS] =
        SETTINGS_U32("/telemetry/period_ms", struct settings, telemetry.period_ms, 100, 3600000),
};

const struct settings_tree settings_tree = {leaves, SETTING_COUNT};
