/*
 * What the files of the process's board share: its present time, its remarks,
 * its way of being reset. The functions that the application calls are those of
 * the headers of target/nucleo-f429zi and target/stm32f429.
 */
#ifndef TARGET_POSIX_BOARD_BOARD_H
#define TARGET_POSIX_BOARD_BOARD_H

#include <stdbool.h>
#include <stdint.h>

/* Microseconds since the start or the last reset: the kernel's time, and within its sleep what is reached
 * already. */
uint64_t board_now_us(void);

/* A line of the board's own on standard error: `[board   1.234567] text`. */
void board_remark(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- main.c ---- */

/* Hands the core's sleep to the board. Once, before the kernel starts. */
void board_loop_start(void);

/* ---- board.c: the cable and the button ---- */

bool board_cable_is_in(void);
void board_set_cable(bool in);
/* A press; its release follows after BOARD_PRESS_US. */
void board_press(void);
/* When the button comes up again; UINT64_MAX: it is up. */
uint64_t board_release_due_us(void);
void board_release(void);

enum { BOARD_PRESS_US = 200000 };

/* ---- ethernet.c ---- */

struct pollfd;

/* False: `message` says why. */
bool ethernet_open(char *message, uint32_t size);
uint32_t ethernet_fill(struct pollfd *fds, uint32_t capacity, int *timeout_ms);
/* After poll: moves frames, and requests the interrupt if there are some for the stack. */
void ethernet_dispatch(const struct pollfd *fds, uint32_t count);
/* When there is a frame to be moved without poll; UINT64_MAX: none is under way. */
uint64_t ethernet_due_us(void);
void ethernet_plug(bool in);

/* ---- iwdg.c ---- */

/* When the watchdog bites; UINT64_MAX: it is not started. */
uint64_t iwdg_due_us(void);

/* ---- crash.c ---- */

/* For a reset to start the process anew. Once, first thing in main; consumes what the last reset has left. */
void reset_prepare(char **argv);
/* Of the last reset; NULL: there was none. */
const char *reset_cause(void);
/* When that was, in microseconds since the first start. */
uint64_t reset_time_us(void);
/* Safe in a signal handler. `cause` is "reset pin", "software" or "watchdog". */
_Noreturn void reset_board(const char *cause);

#endif
