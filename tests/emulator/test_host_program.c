/* The built program virtual-board: exit status, messages, keys, signals, the terminal. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "host_tiny_elf.h"

enum { ARGUMENTS_MAX = 16, OUTPUT_MAX = 65536, NOBODY = 65534 };

static char program[512]; /* beside this test */
static char this_test[512];
static char elf[64];
static char output[OUTPUT_MAX];
static uid_t run_as; /* 0: as we are */

struct child {
    pid_t pid;
    int out; /* its standard output and error */
    int in;  /* its standard input; -1 after closing */
};

static void find_program(const char *self)
{
    const char *slash = strrchr(self, '/');
    snprintf(this_test, sizeof this_test, "%s", self);
    snprintf(program, sizeof program, "%.*svirtual-board", slash != NULL ? (int)(slash + 1 - self) : 0, self);
}

/* Splits `text` at blanks; what begins with @ is a name: @elf, @test. */
static void make_arguments(char *text, char **arguments)
{
    size_t count = 0;
    arguments[count++] = program;
    for (char *word = strtok(text, " "); word != NULL && count < ARGUMENTS_MAX; word = strtok(NULL, " ")) {
        arguments[count++] = strcmp(word, "@elf") == 0 ? elf : strcmp(word, "@test") == 0 ? this_test : word;
    }
    arguments[count] = NULL;
}

static void become(const char *text)
{
    char copy[512];
    char *arguments[ARGUMENTS_MAX + 1];
    if (run_as != 0 && (setgid((gid_t)run_as) != 0 || setuid(run_as) != 0)) {
        _exit(126);
    }
    snprintf(copy, sizeof copy, "%s", text);
    make_arguments(copy, arguments);
    execv(program, arguments);
    _exit(127);
}

static struct child start(const char *arguments)
{
    int in[2], out[2];
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    struct child child = {.pid = fork(), .out = out[0], .in = in[1]};
    if (child.pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        dup2(out[1], 2);
        become(arguments);
    }
    close(in[0]);
    close(out[1]);
    return child;
}

/* Reads until `text` was printed. */
static void read_until(int fd, const char *text)
{
    size_t length = 0;
    output[0] = '\0';
    while (strstr(output, text) == NULL) {
        ssize_t got = length < OUTPUT_MAX - 1 ? read(fd, output + length, OUTPUT_MAX - 1 - length) : 0;
        if (got <= 0) {
            fail_msg("no \"%s\" in:\n%s", text, output);
        }
        length += (size_t)got;
        output[length] = '\0';
    }
}

static void read_rest(int fd)
{
    size_t length = 0;
    ssize_t got;
    while ((got = read(fd, output + length, OUTPUT_MAX - 1 - length)) > 0) {
        length += (size_t)got;
    }
    output[length] = '\0';
}

static int finish(struct child *child)
{
    int status;
    read_rest(child->out);
    close(child->out);
    if (child->in >= 0) {
        close(child->in);
    }
    assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
    if (!WIFEXITED(status)) {
        fail_msg("signal %d:\n%s", WTERMSIG(status), output);
    }
    return WEXITSTATUS(status);
}

static void ends(const char *arguments, int status, const char *text)
{
    struct child child = start(arguments);
    int got = finish(&child);
    if (got != status || strstr(output, text) == NULL) {
        fail_msg("%s: status %d for %d; expected \"%s\" in:\n%s", arguments, got, status, text, output);
    }
}

/* One line that names the program and says what is wrong. */
static void bad_use(const char *arguments, const char *text)
{
    ends(arguments, 2, text);
    assert_int_equal(strncmp(output, "virtual-board: ", 15), 0);
    assert_ptr_equal(strchr(output, '\n'), output + strlen(output) - 1);
}

static int make_elf(void **state)
{
    struct tiny_elf tiny;
    (void)state;
    tiny_init(&tiny);
    tiny_systick(&tiny, 16000);
    tiny_log(&tiny, "hello\n");
    tiny_naps(&tiny, 50);
    tiny_log(&tiny, "late\n");
    tiny_write(&tiny, elf);
    return 0;
}

static int remove_elf(void **state)
{
    (void)state;
    return unlink(elf);
}

static void help_and_version(void **state)
{
    (void)state;
    ends("--help", 0, "usage: virtual-board");
    ends("--version", 0, "virtual-board ");
}

static void bad_use_is_explained(void **state)
{
    (void)state;
    bad_use("", "no firmware");
    bad_use("--bogus @elf", "unknown option '--bogus'");
    bad_use("/nonexistent.elf", "cannot open /nonexistent.elf: No such file");
    bad_use("/dev/null", "not an ELF");
    bad_use("--net bogus @elf", "bogus");
    bad_use("--net tap: @elf", "name the TAP");
    bad_use("--net none --pcap /nonexistent/x.pcap @elf", "/nonexistent/x.pcap");
    bad_use("--net none --script /nonexistent/x @elf", "/nonexistent/x");
}

static void elf_of_this_machine_is_refused(void **state)
{
    (void)state;
#ifdef __x86_64__
    bad_use("@test", "is for x86-64");
#else
    skip();
#endif
}

/* As root the program is run as nobody, who may be unable to reach it. */
static void tap_without_permission(void **state)
{
    (void)state;
    run_as = geteuid() == 0 ? NOBODY : 0;
    struct child probe = start("--version");
    if (finish(&probe) != 0) {
        run_as = 0;
        print_message("skipped: nobody cannot run %s\n", program);
        skip();
    }
    bad_use("--net tap:nosuch0 @elf", "TAP");
    run_as = 0;
}

static void endings(void **state)
{
    (void)state;
    ends("--net none --until hell @elf", 0, "hello\n");
    ends("--net none --fail-on hello @elf", 1, "hello\n");
    ends("--net none --timeout 0.03 @elf", 4, "timeout");
    assert_null(strstr(output, "late"));
    ends("--net none --timeout 100ms --stats @elf", 4, "late\n");
    assert_non_null(strstr(output, "wake-ups"));
}

static void hash_is_the_same_each_time(void **state)
{
    (void)state;
    char first[OUTPUT_MAX];
    ends("--net none --timeout 0.1 --hash @elf", 4, "] state ");
    memcpy(first, output, sizeof first);
    ends("--net none --timeout 0.1 --hash @elf", 4, "] state ");
    assert_string_equal(first, output);
    ends("--net none --timeout 0.1 --hash --seed 2 @elf", 4, "] state ");
    assert_string_not_equal(first, output);
}

static void keys_by_a_pipe(void **state)
{
    (void)state;
    struct child child = start("--net none --pace real --keys @elf");
    read_until(child.out, "late");
    assert_int_equal(write(child.in, "c\nb", 3), 3);
    read_until(child.out, "button down");
    assert_int_equal(write(child.in, "c", 1), 1);
    read_until(child.out, "cable in");
    assert_int_equal(write(child.in, "r", 1), 1);
    read_until(child.out, "hello");
    assert_int_equal(write(child.in, "q", 1), 1);
    assert_int_equal(finish(&child), 0);
}

static void interrupt_ends_with_statistics(void **state)
{
    (void)state;
    struct child child = start("--net none --pace real --stats @elf");
    read_until(child.out, "late");
    kill(child.pid, SIGINT);
    assert_int_equal(finish(&child), 0);
    assert_non_null(strstr(output, "interrupted"));
    assert_non_null(strstr(output, "wake-ups"));
}

static void quitting_before_the_line_is_a_failure(void **state)
{
    (void)state;
    struct child child = start("--net none --pace real --keys --until nothing @elf");
    read_until(child.out, "late");
    assert_int_equal(write(child.in, "q", 1), 1);
    assert_int_equal(finish(&child), 1);
}

static void reader_goes_away(void **state)
{
    (void)state;
    struct child child = start("--net none --pace real --keys @elf");
    int status;
    read_until(child.out, "late");
    close(child.out);
    assert_int_equal(write(child.in, "c", 1), 1); /* makes it print */
    assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    close(child.in);
}

/* ---- On a terminal ---- */

static pid_t start_on_terminal(int *terminal, const char *arguments)
{
    *terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(*terminal >= 0);
    assert_int_equal(grantpt(*terminal), 0);
    assert_int_equal(unlockpt(*terminal), 0);
    const char *name = ptsname(*terminal);
    pid_t pid = fork();
    if (pid == 0) {
        setsid();
        int fd = open(name, O_RDWR);
        ioctl(fd, TIOCSCTTY, 0);
        dup2(fd, 0);
        dup2(fd, 1);
        dup2(fd, 2);
        become(arguments);
    }
    return pid;
}

static bool is_line_mode(int terminal)
{
    struct termios mode;
    assert_int_equal(tcgetattr(terminal, &mode), 0);
    return (mode.c_lflag & (ICANON | ECHO)) == (ICANON | ECHO);
}

static void terminal_is_restored(void **state)
{
    (void)state;
    static const struct {
        const char *input; /* a key, or */
        int signal;
        int status;
    } ways[] = {{"q", 0, 0}, {"\003", 0, 0}, {NULL, SIGTERM, 0}};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        int terminal, status;
        pid_t pid = start_on_terminal(&terminal, "--net none --pace real @elf");
        int keeper = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
        read_until(terminal, "late");
        assert_false(is_line_mode(terminal));
        if (ways[i].input != NULL) {
            assert_int_equal(write(terminal, ways[i].input, 1), 1);
        } else {
            kill(pid, ways[i].signal);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), ways[i].status);
        assert_true(is_line_mode(terminal));
        close(keeper);
        close(terminal);
    }
}

static void terminal_is_lent_while_stopped(void **state)
{
    (void)state;
    int terminal, status;
    pid_t pid = start_on_terminal(&terminal, "--net none --pace real @elf");
    int keeper = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
    read_until(terminal, "late");
    assert_int_equal(write(terminal, "\032", 1), 1); /* Ctrl-Z */
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    assert_true(WIFSTOPPED(status));
    assert_true(is_line_mode(terminal));
    kill(pid, SIGCONT);
    assert_int_equal(write(terminal, "c", 1), 1);
    read_until(terminal, "cable out");
    assert_false(is_line_mode(terminal));
    assert_int_equal(write(terminal, "q", 1), 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    close(keeper);
    close(terminal);
}

int main(int argc, char **argv)
{
    (void)argc;
    find_program(argv[0]);
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_and_version),
        cmocka_unit_test(bad_use_is_explained),
        cmocka_unit_test(elf_of_this_machine_is_refused),
        cmocka_unit_test(tap_without_permission),
        cmocka_unit_test(endings),
        cmocka_unit_test(hash_is_the_same_each_time),
        cmocka_unit_test(keys_by_a_pipe),
        cmocka_unit_test(interrupt_ends_with_statistics),
        cmocka_unit_test(quitting_before_the_line_is_a_failure),
        cmocka_unit_test(reader_goes_away),
        cmocka_unit_test(terminal_is_restored),
        cmocka_unit_test(terminal_is_lent_while_stopped),
    };
    return cmocka_run_group_tests_name("virtual-board", tests, make_elf, remove_elf);
}
