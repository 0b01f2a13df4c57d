/*
 * Single keys from standard input, a terminal or a pipe:
 * b button, c cable, r reset, q quit. Others are ignored.
 */
#ifndef EMULATOR_HOST_KEYS_H
#define EMULATOR_HOST_KEYS_H

#include "host/action.h"
#include "machine.h"

struct keys {
    int fd; /* -1: not read, or ended */
    bool terminal;
};

/*
 * Begins to read keys from `fd`. A terminal is switched to single keys without
 * echo; that is undone by keys_close, and by keys_restore from a signal handler
 * or at exit.
 */
void keys_open(struct keys *keys, int fd);
void keys_close(struct keys *keys);
/* Puts the terminal back as it was, if it was changed. Safe in a signal handler. */
void keys_restore(void);
/* For the handler of SIGTSTP: stops the process with the terminal as it was, and takes it again afterwards.
 */
void keys_suspend(void);

/* True: the key means something, *action is it. */
bool keys_action(char key, struct action *action);
/* Reads what is there, without blocking when poll() said so. Returns the bytes read; at the end of input fd
 * becomes -1. */
size_t keys_read(struct keys *keys, char *buffer, size_t size);

#endif
