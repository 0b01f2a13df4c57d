/* virtual-board: the command line. Everything else is in virtual_board.h. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/keys.h"
#include "host/virtual_board.h"

static const char version[] = "virtual-board 0.1 (Nucleo-F429ZI)";

static volatile sig_atomic_t interrupted;

/* The first asks the run to end, the second does not wait for it. */
static void on_signal(int signal)
{
    if (interrupted) {
        keys_restore();
        _exit(128 + signal);
    }
    interrupted = 1;
}

/* Something is wrong with this program itself: leave a usable terminal behind. */
static void on_crash(int signal)
{
    keys_restore();
    raise(signal);
}

static void on_suspend(int signal)
{
    (void)signal;
    keys_suspend();
}

static void catch_each(const int *signals, size_t count, const struct sigaction *action)
{
    for (size_t i = 0; i < count; i++) {
        sigaction(signals[i], action, NULL);
    }
}

static void catch_signals(bool terminal_changed)
{
    static const int endings[] = {SIGINT, SIGTERM, SIGHUP};
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    struct sigaction action = {.sa_handler = on_signal};
    catch_each(endings, sizeof endings / sizeof endings[0], &action);
    if (terminal_changed) {
        action = (struct sigaction){.sa_handler = on_crash, .sa_flags = (int)SA_RESETHAND};
        catch_each(crashes, sizeof crashes / sizeof crashes[0], &action);
        action = (struct sigaction){.sa_handler = on_suspend};
        sigaction(SIGTSTP, &action, NULL);
    }
    /* A reader of our output that goes away ends the run, not the process. */
    action = (struct sigaction){.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &action, NULL);
}

static int bad_use(const char *error)
{
    fprintf(stderr, "virtual-board: %s\n", error);
    return EXIT_BAD_USE;
}

static int run(struct options *options)
{
    char error[VIRTUAL_BOARD_ERROR];
    bool terminal = isatty(STDIN_FILENO) == 1;
    if (options->keys == CHOICE_DEFAULT) {
        options->keys = terminal ? CHOICE_YES : CHOICE_NO;
    }
    catch_signals(terminal && options->keys == CHOICE_YES);
    struct virtual_board *board = virtual_board_open(options, stdout, error, sizeof error);
    if (board == NULL) {
        return bad_use(error);
    }
    virtual_board_colour(board, isatty(STDOUT_FILENO));
    virtual_board_watch(board, &interrupted);
    int status = virtual_board_run_to_end(board);
    virtual_board_close(board);
    return status;
}

int main(int argc, char **argv)
{
    struct options options;
    char error[VIRTUAL_BOARD_ERROR];
    if (!options_parse(&options, argc, argv, error, sizeof error)) {
        return bad_use(error);
    }
    if (options.help) {
        fputs(options_help, stdout);
        return EXIT_AS_ASKED;
    }
    if (options.version) {
        puts(version);
        return EXIT_AS_ASKED;
    }
    return run(&options);
}
