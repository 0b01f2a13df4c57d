/* What the program was built for: the application's own file, under another name. */
#define config built_config

#include "app/config.c" // NOLINT(bugprone-suspicious-include): as said
