/* The application's configuration (app/config.h), which the command line may change before main. */
#ifndef TARGET_POSIX_BOARD_CONFIG_H
#define TARGET_POSIX_BOARD_CONFIG_H

#include "app/config.h"

/* The same object as `config`. To the application it is constant. */
extern struct config posix_config __asm__("config");

/* Sets it to what the program was built for. */
void config_load(void);

#endif
