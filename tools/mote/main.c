#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/mote/mote.h"

struct mqtt_slice text_slice(const char *text)
{
    return (struct mqtt_slice){text, strlen(text)};
}

static void say(const char *format, va_list arguments)
{
    fflush(stdout);
    fputs("mote: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

void complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
}

void usage_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
    exit(STATUS_USAGE);
}

const char *reason_text(uint8_t reason)
{
    static const struct {
        uint8_t reason;
        const char *text;
    } texts[] = {
        {0x00, "success"},
        {0x04, "disconnect with will"},
        {0x10, "no matching subscribers"},
        {0x80, "unspecified error"},
        {0x81, "malformed packet"},
        {0x82, "protocol error"},
        {0x83, "implementation specific error"},
        {0x84, "unsupported protocol version"},
        {0x85, "client identifier not valid"},
        {0x86, "bad user name or password"},
        {0x87, "not authorized"},
        {0x88, "server unavailable"},
        {0x89, "server busy"},
        {0x8A, "banned"},
        {0x8B, "server shutting down"},
        {0x8C, "bad authentication method"},
        {0x8D, "keep alive timeout"},
        {0x8E, "session taken over"},
        {0x8F, "topic filter invalid"},
        {0x90, "topic name invalid"},
        {0x91, "packet identifier in use"},
        {0x92, "packet identifier not found"},
        {0x93, "receive maximum exceeded"},
        {0x94, "topic alias invalid"},
        {0x95, "packet too large"},
        {0x96, "message rate too high"},
        {0x97, "quota exceeded"},
        {0x98, "administrative action"},
        {0x99, "payload format invalid"},
        {0x9A, "retain not supported"},
        {0x9B, "QoS not supported"},
        {0x9C, "use another server"},
        {0x9D, "server moved"},
        {0x9E, "shared subscriptions not supported"},
        {0x9F, "connection rate exceeded"},
        {0xA0, "maximum connect time"},
        {0xA1, "subscription identifiers not supported"},
        {0xA2, "wildcard subscriptions not supported"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i].reason == reason)
            return texts[i].text;
    }
    return "unknown reason";
}

const char *error_text(int error)
{
    switch (error) {
    case MQTT_ERROR_TOO_LARGE: return "the message is larger than the broker takes";
    case MQTT_ERROR_QOS: return "the broker does not take this QoS";
    case MQTT_ERROR_RETAIN: return "the broker keeps no retained messages";
    case MQTT_ERROR_ARGUMENT: return "there can be no such packet";
    case MQTT_ERROR_UNAVAILABLE: return "the broker has no subscriptions of this kind";
    default: return "it cannot be sent";
    }
}

bool error_is_passing(int error)
{
    return error == MQTT_ERROR_FULL || error == MQTT_ERROR_INFLIGHT || error == MQTT_ERROR_STORE ||
           error == MQTT_ERROR_NOT_CONNECTED;
}

/* One that is closed must not become the connection to the broker: in its place comes what refuses to be read
 * or written. */
static void occupy_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0)
            (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
}

static void help(FILE *out)
{
    fputs("usage: mote pub -t TOPIC -m MESSAGE [options]   publishes; mote pub --help has the options\n"
          "       mote sub -t FILTER [options]             prints what is published; mote sub --help\n",
          out);
}

int main(int argc, char **argv)
{
    static struct options options;
    const char *command = argc > 1 ? argv[1] : "";

    occupy_standard_streams();
    if (strcmp(command, "pub") == 0) {
        options_parse(&options, COMMAND_PUB, argc - 2, argv + 2);
        return run_pub(&options);
    }
    if (strcmp(command, "sub") == 0) {
        options_parse(&options, COMMAND_SUB, argc - 2, argv + 2);
        return run_sub(&options);
    }
    bool wanted = strcmp(command, "--help") == 0 || strcmp(command, "help") == 0;
    help(wanted ? stdout : stderr);
    return wanted ? STATUS_DONE : STATUS_USAGE;
}
