/* The program with --gdb: its port, its clients, how a run begins and ends under a debugger. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/gdb_packet.h"
#include "host_tiny_elf.h"
#include "temporary.h"

enum { OUTPUT_MAX = 16384, PATIENCE_S = 60 };

static char program[512]; /* beside this test */
static char elf[64];
static char output[OUTPUT_MAX];
static size_t output_length;
static pid_t child;
static int child_output;
static unsigned port;
static struct gdb_reader reader;

static void find_program(const char *self)
{
    const char *slash = strrchr(self, '/');
    snprintf(program, sizeof program, "%.*svirtual-board", slash != NULL ? (int)(slash + 1 - self) : 0, self);
}

static void start(const char *port_text, const char *option)
{
    int out[2];
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    output_length = 0;
    child = fork();
    if (child == 0) {
        alarm(PATIENCE_S);
        dup2(out[1], 1);
        dup2(out[1], 2);
        execl(program, program, "--net", "none", "--no-keys", "--gdb", port_text, option, elf, NULL);
        _exit(127);
    }
    close(out[1]);
    child_output = out[0];
}

static void read_more(void)
{
    ssize_t got = read(child_output, output + output_length, OUTPUT_MAX - 1 - output_length);
    if (got <= 0) {
        fail_msg("the board ended:\n%s", output);
    }
    output_length += (size_t)got;
    output[output_length] = '\0';
}

static void started(const char *option)
{
    start("0", option);
    output[0] = '\0';
    while (strstr(output, "127.0.0.1:") == NULL || strchr(strstr(output, "127.0.0.1:"), '\n') == NULL) {
        read_more();
    }
    port = (unsigned)strtoul(strstr(output, "127.0.0.1:") + strlen("127.0.0.1:"), NULL, 10);
    assert_in_range(port, 1, 65535);
}

/* Its exit status; its whole output is in `output`. */
static int ended(void)
{
    ssize_t got;
    int status;
    while ((got = read(child_output, output + output_length, OUTPUT_MAX - 1 - output_length)) > 0) {
        output_length += (size_t)got;
    }
    output[output_length] = '\0';
    close(child_output);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int connect_client(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    return fd;
}

static void send_packet(int fd, const char *body)
{
    struct gdb_buffer b = {0};
    gdb_buffer_add_packet(&b, body, strlen(body));
    assert_int_equal(send(fd, b.bytes, b.length, MSG_NOSIGNAL), b.length);
    gdb_buffer_free(&b);
}

/* The next packet that comes. */
static const char *receive_packet(int fd)
{
    memset(&reader, 0, sizeof reader);
    for (;;) {
        uint8_t byte;
        if (recv(fd, &byte, 1, 0) != 1) {
            fail_msg("the connection is gone");
        }
        if (gdb_reader_take(&reader, byte) == GDB_PACKET) {
            return (const char *)reader.packet;
        }
    }
}

static const char *ask(int fd, const char *body)
{
    send_packet(fd, body);
    return receive_packet(fd);
}

static bool is_closed(int fd)
{
    uint8_t byte;
    ssize_t got;
    while ((got = recv(fd, &byte, 1, 0)) == 1) {
    }
    close(fd);
    return got == 0 || got < 0;
}

static void make_elf(void (*operations)(struct tiny_elf *t))
{
    static struct tiny_elf tiny;
    tiny_init(&tiny);
    operations(&tiny);
    tiny_write(&tiny, elf);
}

static void spins(struct tiny_elf *t)
{
    tiny_spin(t);
}

static void sleeps(struct tiny_elf *t)
{
    (void)t;
}

static void exits_with_7(struct tiny_elf *t)
{
    tiny_exit(t, 7);
}

static int remove_elf(void **state)
{
    (void)state;
    unlink(elf);
    return 0;
}

static void port_in_use(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    char text[16], wanted[96];
    snprintf(text, sizeof text, "%u", ntohs(address.sin_port));
    snprintf(wanted, sizeof wanted, "127.0.0.1:%s is in use: choose another with --gdb PORT", text);
    make_elf(sleeps);
    start(text, "--gdb-wait");
    assert_int_equal(ended(), 2);
    assert_non_null(strstr(output, wanted));
    close(fd);
}

static void bad_options(void **state)
{
    static const char *const ports[] = {"65536", "-1", "x", "", "3333x"};
    (void)state;
    make_elf(sleeps);
    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
        start(ports[i], "--gdb-wait");
        assert_int_equal(ended(), 2);
        assert_non_null(strstr(output, "--gdb cannot be"));
    }
}

static void waits_and_is_killed(void **state)
{
    (void)state;
    make_elf(exits_with_7);
    started("--gdb-wait");
    assert_non_null(strstr(output, "the core waits for it"));
    int fd = connect_client();
    assert_string_equal(ask(fd, "?"), "T05thread:1;");
    assert_string_equal(ask(fd, "pf"), "00020008"); /* the first instruction */
    send_packet(fd, "k");
    assert_int_equal(ended(), 0);
    assert_non_null(strstr(output, "ended by GDB"));
    assert_true(is_closed(fd));
}

static void end_of_the_program_is_told(void **state)
{
    (void)state;
    make_elf(exits_with_7);
    started("--gdb-wait");
    int fd = connect_client();
    assert_string_equal(ask(fd, "vCont;c"), "W07");
    close(fd);
    assert_int_equal(ended(), 7);
}

static void stop_a_running_core(int fd)
{
    assert_string_equal(ask(fd, "?"), "T05thread:1;");
    send_packet(fd, "c");
    assert_int_equal(send(fd, "\3", 1, 0), 1);
    assert_string_equal(receive_packet(fd), "T02thread:1;");
}

static void busy_core_is_interrupted(void **state)
{
    (void)state;
    make_elf(spins);
    started("--no-rtt");
    int fd = connect_client();
    stop_a_running_core(fd);
    assert_string_equal(ask(fd, "D"), "OK");
    assert_true(is_closed(fd));
    fd = connect_client(); /* the next */
    stop_a_running_core(fd);
    send_packet(fd, "k");
    assert_int_equal(ended(), 0);
    close(fd);
}

static void sleeping_core_is_interrupted(void **state)
{
    (void)state;
    make_elf(sleeps);
    started("--no-rtt");
    int fd = connect_client();
    stop_a_running_core(fd);
    send_packet(fd, "k");
    assert_int_equal(ended(), 0);
    close(fd);
}

static void lost_client_lets_the_core_run(void **state)
{
    (void)state;
    make_elf(exits_with_7);
    started("--gdb-wait");
    int fd = connect_client();
    assert_string_equal(ask(fd, "?"), "T05thread:1;");
    close(fd);
    assert_int_equal(ended(), 7);
}

static void one_client_at_a_time(void **state)
{
    (void)state;
    make_elf(sleeps);
    started("--gdb-wait");
    int fd = connect_client();
    assert_string_equal(ask(fd, "?"), "T05thread:1;");
    int second = connect_client();
    assert_true(is_closed(second));
    assert_string_equal(ask(fd, "?"), "T05thread:1;");
    send_packet(fd, "k");
    assert_int_equal(ended(), 0);
    close(fd);
}

static void signal_ends_a_halted_run(void **state)
{
    (void)state;
    make_elf(sleeps);
    started("--gdb-wait");
    kill(child, SIGTERM);
    assert_int_equal(ended(), 0);
    assert_non_null(strstr(output, "interrupted"));
}

/* A browser, a port scanner, noise: the board lives on, and the next client is served. */
static void garbage_at_the_port_is_survived(void **state)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: board\r\n\r\n";
    static uint8_t noise[200000];
    uint32_t random = 1;
    (void)state;
    for (size_t i = 0; i < sizeof noise; i++) {
        random = random * 1664525 + 1013904223;
        noise[i] = (uint8_t)(random >> 24);
        /* not the packet that ends the run, nor the one that lets it go on */
        noise[i] = noise[i] == 'k' || noise[i] == 'c' ? '$' : noise[i];
    }
    make_elf(sleeps);
    started("--gdb-wait");
    for (unsigned i = 0; i < 3; i++) {
        int fd = connect_client();
        (void)send(fd, i == 0 ? (const uint8_t *)request : noise, i == 0 ? sizeof request : sizeof noise,
                   MSG_NOSIGNAL | MSG_DONTWAIT);
        close(fd);
    }
    int fd;
    const char *answer = NULL;
    do { /* one client at a time: the last may not have been dismissed */
        fd = connect_client();
        send_packet(fd, "qfThreadInfo");
        uint8_t byte;
        answer = recv(fd, &byte, 1, MSG_PEEK) == 1 ? receive_packet(fd) : NULL;
        if (answer == NULL) {
            close(fd);
        }
    } while (answer == NULL);
    assert_string_equal(answer, "m1");
    send_packet(fd, "k");
    assert_int_equal(ended(), 0);
    close(fd);
}

static void what_a_client_writes_is_marked_in_a_recording(void **state)
{
    char recording[TEMPORARY_PATH], option[TEMPORARY_PATH + 16];
    (void)state;
    temporary_file(recording, "gdb");
    snprintf(option, sizeof option, "--record=%s", recording);
    make_elf(sleeps);
    started(option);
    int fd = connect_client();
    assert_string_equal(ask(fd, "?"), "T05thread:1;");
    assert_int_equal(strlen(ask(fd, "m20001000,4")), 8);
    assert_null(strstr(output, "will depart")); /* looking leaves no mark */
    assert_string_equal(ask(fd, "M20001000,4:01020304"), "OK");
    send_packet(fd, "k");
    assert_int_equal(ended(), 0);
    close(fd);
    assert_non_null(strstr(output, "a replay of this recording will depart here"));
    unlink(recording);
}

#define UNIT(name) cmocka_unit_test_teardown(name, remove_elf)

int main(int argc, char **argv)
{
    (void)argc;
    find_program(argv[0]);
    const struct CMUnitTest tests[] = {
        UNIT(port_in_use),
        UNIT(bad_options),
        UNIT(waits_and_is_killed),
        UNIT(end_of_the_program_is_told),
        UNIT(busy_core_is_interrupted),
        UNIT(sleeping_core_is_interrupted),
        UNIT(lost_client_lets_the_core_run),
        UNIT(one_client_at_a_time),
        UNIT(signal_ends_a_halted_run),
        UNIT(garbage_at_the_port_is_survived),
        UNIT(what_a_client_writes_is_marked_in_a_recording),
    };
    return cmocka_run_group_tests_name("gdb-port", tests, NULL, NULL);
}
