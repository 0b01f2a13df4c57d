/* The log's formatter: a small part of printf, without the C library's. */
#ifndef LOG_FORMAT_H
#define LOG_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/* Text that grows in a buffer of `size` bytes; what does not fit is dropped and `cut` says so. No terminator.
 */
struct log_text {
    char *bytes;
    size_t size;
    size_t length;
    int cut;
};

/* See log.h for the conversions. */
void log_format(struct log_text *text, const char *format, va_list arguments);
void log_format_args(struct log_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
