/* What can be set over MQTT. A new setting is a member here and a line in settings.c. */
#ifndef APP_SETTINGS_H
#define APP_SETTINGS_H

#include "settings/tree.h"

struct settings {
    bool led; /* LD3 */
    struct {
        uint32_t period_ms;
    } telemetry;
};

/* Indices into the tree, in the order of settings.c. */
enum setting {
    SETTING_LED,
    SETTING_TELEMETRY_PERIOD_MS,
    SETTING_COUNT,
};

extern const struct settings settings_default;
extern const struct settings_tree settings_tree;

#endif
