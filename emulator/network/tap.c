/* A TAP interface of the host: the board on a real network, or in a namespace with test tools. */
#include "network/network.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TAP_BURST = 64 }; /* frames read at one dispatch */

struct tap {
    struct network base;
    int fd;
};

static void explain(int error, const char *name, char *message, size_t size)
{
    switch (error) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
        (void)snprintf(message, size,
                       "no TAP support: /dev/net/tun is missing; as root: modprobe tun "
                       "(in a container: pass the device through)");
        break;
    case EACCES:
    case EPERM:
        (void)snprintf(message, size,
                       "no permission for the TAP '%s'; as root: ip tuntap add dev %s mode tap user $USER && "
                       "ip link set %s up",
                       name, name, name);
        break;
    case EBUSY:
        (void)snprintf(message, size,
                       "the TAP '%s' is in use by another program; stop that, or name another one", name);
        break;
    case EINVAL:
        (void)snprintf(message, size, "'%s' is not a TAP interface; ip link shows what it is", name);
        break;
    default: (void)snprintf(message, size, "cannot open the TAP '%s': %s", name, strerror(error));
    }
}

/* A frame written to an interface that is down is lost, so raise it; whoever may not must have done so
 * before. */
static bool bring_up(const char *name, char *message, size_t size)
{
    struct ifreq request = {0};
    (void)snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    const int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool up = s >= 0 && ioctl(s, SIOCGIFFLAGS, &request) == 0;
    if (up && !(request.ifr_flags & IFF_UP)) {
        request.ifr_flags = (short)(request.ifr_flags | IFF_UP);
        up = ioctl(s, SIOCSIFFLAGS, &request) == 0;
    }
    if (s >= 0)
        (void)close(s);
    if (!up)
        (void)snprintf(message, size, "the TAP '%s' is down; as root: ip link set %s up", name, name);
    return up;
}

static int attach(const char *name)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    const int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    (void)snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    if (ioctl(fd, TUNSETIFF, &request) != 0) {
        const int error = errno;
        (void)close(fd);
        return -error;
    }
    return fd;
}

static struct network *tap_open(const char *name, const struct network_user *user, char *message, size_t size)
{
    (void)user;
    if (name[0] == '\0' || strlen(name) >= IFNAMSIZ || strchr(name, '%') != NULL) {
        (void)snprintf(message, size, "name the TAP interface in 1 to %d characters, for instance tap:tap0",
                       IFNAMSIZ - 1);
        return NULL;
    }
    const int fd = attach(name);
    if (fd < 0) {
        explain(-fd, name, message, size);
        return NULL;
    }
    struct tap *t = calloc(1, sizeof *t);
    if (t == NULL || !bring_up(name, message, size)) {
        if (t == NULL)
            (void)snprintf(message, size, "out of memory");
        (void)close(fd);
        free(t);
        return NULL;
    }
    t->fd = fd;
    return &t->base;
}

static void tap_send(struct network *n, const uint8_t *frame, size_t length)
{
    struct tap *t = (struct tap *)n;
    ssize_t written;
    do
        written = write(t->fd, frame, length);
    while (written < 0 && errno == EINTR);
}

static size_t tap_fill(struct network *n, struct pollfd *fds, size_t capacity, int *timeout_ms)
{
    struct tap *t = (struct tap *)n;
    (void)timeout_ms;
    if (capacity == 0)
        return 0;
    fds[0] = (struct pollfd){.fd = t->fd, .events = POLLIN};
    return 1;
}

static void tap_dispatch(struct network *n, const struct pollfd *fds, size_t count)
{
    struct tap *t = (struct tap *)n;
    uint8_t frame[NETWORK_FRAME_MAX];
    if (count == 0 || !(fds[0].revents & POLLIN))
        return;
    for (unsigned i = 0; i < TAP_BURST; i++) {
        const ssize_t length = read(t->fd, frame, sizeof frame);
        if (length <= 0)
            return;
        n->user.deliver(n->user.context, frame, (size_t)length);
    }
}

static void tap_close(struct network *n)
{
    struct tap *t = (struct tap *)n;
    (void)close(t->fd);
    free(t);
}

const struct network_kind network_tap = {
    .name = "tap",
    .open = tap_open,
    .send = tap_send,
    .fill = tap_fill,
    .dispatch = tap_dispatch,
    .close = tap_close,
};
