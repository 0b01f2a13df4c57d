/* Opening a network by its name. */
#include "network/network.h"

#include <stdio.h>
#include <string.h>

static const struct network_kind *const kinds[] = {&network_none, &network_slirp, &network_tap,
                                                   &network_socket};

struct network *network_open(const char *spec, const struct network_user *user, char *message, size_t size)
{
    const size_t name_length = strcspn(spec, ":");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct network_kind *kind = kinds[i];
        if (strlen(kind->name) != name_length || memcmp(kind->name, spec, name_length) != 0)
            continue;
        const char *argument = spec[name_length] == ':' ? spec + name_length + 1 : "";
        struct network *n = kind->open(argument, user, message, size);
        if (n != NULL) {
            n->kind = kind;
            n->user = *user;
        }
        return n;
    }
    (void)snprintf(message, size, "unknown network '%.*s': use none, slirp, tap:NAME or socket:PATH",
                   (int)(name_length < 40 ? name_length : 40), spec);
    return NULL;
}

void network_send(struct network *n, const uint8_t *frame, size_t length)
{
    if (length <= NETWORK_FRAME_MAX)
        n->kind->send(n, frame, length);
}

size_t network_fill(struct network *n, struct pollfd *fds, size_t capacity, int *timeout_ms)
{
    return n->kind->fill(n, fds, capacity, timeout_ms);
}

void network_dispatch(struct network *n, const struct pollfd *fds, size_t count)
{
    n->kind->dispatch(n, fds, count);
}

void network_close(struct network *n)
{
    if (n != NULL)
        n->kind->close(n);
}
