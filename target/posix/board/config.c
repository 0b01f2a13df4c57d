#include "target/posix/board/config.h"

extern const struct config built_config; /* built_config.c */

struct config posix_config;

void config_load(void)
{
    posix_config = built_config;
}
