#include "host/keys.h"

#include <errno.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

/* The terminal belongs to the process, not to a board: one saved mode for the signal handlers to find. */
static struct termios saved_mode;
static volatile int changed_fd = -1;

void keys_restore(void)
{
    int fd = changed_fd;
    if (fd >= 0) {
        changed_fd = -1;
        tcsetattr(fd, TCSANOW, &saved_mode);
    }
}

static void take_terminal(int fd)
{
    struct termios single = saved_mode;
    single.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    single.c_cc[VMIN] = 1;
    single.c_cc[VTIME] = 0;
    changed_fd = fd;
    tcsetattr(fd, TCSANOW, &single);
}

void keys_suspend(void)
{
    int fd = changed_fd;
    keys_restore();
    raise(SIGSTOP);
    if (fd >= 0 && tcgetpgrp(fd) == getpgrp()) {
        take_terminal(fd);
    }
}

void keys_open(struct keys *keys, int fd)
{
    *keys = (struct keys){.fd = fd, .terminal = isatty(fd) == 1};
    if (!keys->terminal) {
        return;
    }
    if (tcgetpgrp(fd) != getpgrp()) {
        keys->fd = -1; /* in the background; the terminal's keys are for someone else */
        return;
    }
    if (changed_fd >= 0 || tcgetattr(fd, &saved_mode) != 0) {
        return;
    }
    take_terminal(fd);
}

void keys_close(struct keys *keys)
{
    if (keys->terminal) {
        keys_restore();
    }
    *keys = (struct keys){.fd = -1};
}

bool keys_action(char key, struct action *action)
{
    *action = (struct action){0};
    switch (key) {
    case 'b': action->kind = ACTION_BUTTON_PRESS; return true;
    case 'c': action->kind = ACTION_CABLE_TOGGLE; return true;
    case 'r': action->kind = ACTION_RESET; return true;
    case 'q': action->kind = ACTION_STOP; return true;
    default: return false;
    }
}

size_t keys_read(struct keys *keys, char *buffer, size_t size)
{
    ssize_t length = read(keys->fd, buffer, size);
    if (length > 0) {
        return (size_t)length;
    }
    if (length == 0 || (errno != EINTR && errno != EAGAIN)) {
        keys->fd = -1;
    }
    return 0;
}
