#include "net/wire/options.h"

int option_kind(const uint8_t *options, size_t length, size_t *at)
{
    const uint8_t *option = options + *at;
    const uint8_t *end = options + length;
    while (option < end && *option == OPTION_NOP) {
        option++;
    }
    *at = (size_t)(option - options);
    if (option == end || *option == OPTION_END) {
        return OPTION_END;
    }
    if (end - option < 2 || option[1] < 2 || option[1] > end - option) {
        return OPTION_MALFORMED;
    }
    return *option;
}
