/* -F: conversions as those of mosquitto_sub, where there is something of ours to say. */
#include <string.h>
#include <time.h>

#include "tools/mote/mote.h"

static const char conversions[] = "%ACdDEFIlpPqrRStUx";

/* The letter after % or \; 0: the format ends there. */
static char letter_after(const char *at)
{
    return at[1];
}

const char *format_check(const char *format)
{
    unsigned payloads = 0;
    for (const char *at = format; *at != '\0'; at++) {
        if (*at != '%' && *at != '\\')
            continue;
        char letter = letter_after(at);
        if (letter == '\0')
            return "it ends within a % or a backslash";
        if (*at == '%' && strchr(conversions, letter) == NULL)
            return "a % is followed by one of ACdDEFIlpPqrRStUx%";
        if (*at == '\\' && strchr("0aenrtv\\", letter) == NULL)
            return "a backslash is followed by one of 0aenrtv\\";
        payloads += *at == '%' && (letter == 'p' || letter == 'x');
        at++;
    }
    return payloads > 1 ? "the payload can be printed once" : NULL;
}

void format_bytes(FILE *out, const void *data, size_t length, bool hex)
{
    const uint8_t *bytes = data;
    if (!hex && length > 0)
        fwrite(data, 1, length, out);
    for (size_t i = 0; hex && i < length; i++)
        fprintf(out, "%02x", bytes[i]);
}

static void slice(FILE *out, struct mqtt_slice text)
{
    format_bytes(out, text.data, text.length, false);
}

static void users(FILE *out, const struct mqtt_message *message)
{
    struct mqtt_slice rest = message->properties;
    struct mqtt_user_property user;
    const char *between = "";
    while (mqtt_next_user_property(&rest, &user)) {
        fputs(between, out);
        slice(out, user.name);
        fputc(':', out);
        slice(out, user.value);
        between = " ";
    }
}

static void subscription_ids(FILE *out, const struct mqtt_message *message)
{
    struct mqtt_slice rest = message->properties;
    uint32_t id;
    const char *between = "";
    while (mqtt_next_subscription_id(&rest, &id)) {
        fprintf(out, "%s%u", between, id);
        between = " ";
    }
}

static void present_time(FILE *out, bool iso)
{
    struct timespec now;
    struct tm parts;
    char text[40];
    clock_gettime(CLOCK_REALTIME, &now);
    if (!iso) {
        fprintf(out, "%lld.%09ld", (long long)now.tv_sec, now.tv_nsec);
        return;
    }
    localtime_r(&now.tv_sec, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S%z", &parts);
    fputs(text, out);
}

/* Nothing if it is absent. */
static void optional(FILE *out, uint32_t value)
{
    if (value != UINT32_MAX)
        fprintf(out, "%u", value);
}

static void convert(FILE *out, char letter, const struct mqtt_message *message)
{
    switch (letter) {
    case 'A': optional(out, message->topic_alias); break;
    case 'C': slice(out, message->content_type); break;
    case 'd': fputc('0' + message->duplicate, out); break;
    case 'D': slice(out, message->correlation); break;
    case 'E': optional(out, message->message_expiry_s); break;
    case 'F': fputc('0' + (message->utf8 != 0), out); break;
    case 'I':
    case 'U': present_time(out, letter == 'I'); break;
    case 'l': fprintf(out, "%u", message->total); break;
    case 'P': users(out, message); break;
    case 'q': fputc('0' + message->qos, out); break;
    case 'r': fputc('0' + message->retain, out); break;
    case 'R': slice(out, message->response_topic); break;
    case 'S': subscription_ids(out, message); break;
    case 't': slice(out, message->topic); break;
    default: fputc(letter, out);
    }
}

static char escape(char letter)
{
    static const char letters[] = "0aenrtv\\", characters[] = "\0\a\033\n\r\t\v\\";
    return characters[strchr(letters, letter) - letters];
}

const char *format_until_payload(FILE *out, const char *format, const struct mqtt_message *message, bool *hex)
{
    for (const char *at = format; *at != '\0'; at++) {
        if (*at != '%' && *at != '\\') {
            fputc(*at, out);
            continue;
        }
        char letter = letter_after(at);
        if (*at == '%' && (letter == 'p' || letter == 'x')) {
            *hex = letter == 'x';
            return at + 2;
        }
        if (*at == '%')
            convert(out, letter, message);
        else
            fputc(escape(letter), out);
        at++;
    }
    return NULL;
}
