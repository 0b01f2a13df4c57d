#include "log/format.h"

#include <stdbool.h>
#include <stdint.h>

enum { DIGITS_MAX = 21 /* of -2^64, and the widest field of a number */ };

static void put(struct log_text *text, char c)
{
    if (text->length < text->size)
        text->bytes[text->length++] = c;
    else
        text->cut = 1;
}

/* Text from an argument may come from outside: no control characters. */
static void put_argument(struct log_text *text, char c)
{
    put(text, (unsigned char)c < ' ' || c == 0x7F ? '.' : c);
}

static void put_number(struct log_text *text, unsigned long value, unsigned base, bool negative, char pad,
                       unsigned width)
{
    char digits[DIGITS_MAX + 1];
    unsigned count = 0;

    if (width > DIGITS_MAX)
        width = DIGITS_MAX;
    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0 || (pad == '0' && count + negative < width));
    if (negative)
        digits[count++] = '-';
    while (count < width)
        digits[count++] = ' ';
    while (count != 0)
        put(text, digits[--count]);
}

static void put_string(struct log_text *text, const char *string, size_t precision)
{
    for (; precision != 0 && *string != '\0'; precision--)
        put_argument(text, *string++);
}

/* One conversion (C17 7.21.6.1), from after the %. Returns where the text goes on; NULL: not one that we
 * know. */
static const char *convert(struct log_text *text, const char *format, va_list *arguments)
{
    char pad = *format;
    unsigned width = 0;
    size_t precision = SIZE_MAX;
    bool is_long = false;

    for (; *format >= '0' && *format <= '9'; format++)
        width = width * 10 + (unsigned)(*format - '0');
    if (format[0] == '.' && format[1] == '*') {
        precision = (size_t)va_arg(*arguments, int); /* a negative one is as none */
        format += 2;
    }
    if (*format == 'l') {
        is_long = true;
        format++;
    }
    switch (*format++) {
    case 's': put_string(text, va_arg(*arguments, const char *), precision); return format;
    case 'c': put_argument(text, (char)va_arg(*arguments, int)); return format;
    case '%': put(text, '%'); return format;
    case 'd': {
        long value = is_long ? va_arg(*arguments, long) : va_arg(*arguments, int);
        unsigned long magnitude = value < 0 ? 0 - (unsigned long)value : (unsigned long)value;
        put_number(text, magnitude, 10, value < 0, pad, width);
        return format;
    }
    case 'u':
    case 'x': {
        unsigned long value = is_long ? va_arg(*arguments, unsigned long) : va_arg(*arguments, unsigned);
        put_number(text, value, format[-1] == 'x' ? 16 : 10, false, pad, width);
        return format;
    }
    default: return NULL; /* its arguments cannot be counted */
    }
}

void log_format(struct log_text *text, const char *format, va_list arguments)
{
    va_list rest;
    va_copy(rest, arguments);
    while (format && *format != '\0') {
        if (*format != '%')
            put(text, *format++);
        else
            format = convert(text, format + 1, &rest);
    }
    if (!format)
        text->cut = 1;
    va_end(rest);
}

void log_format_args(struct log_text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_format(text, format, arguments);
    va_end(arguments);
}
