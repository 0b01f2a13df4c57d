#include "target/posix/argument.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool argument_number(const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
    char *end;

    if (*text < '0' || *text > '9') /* strtoull takes signs and spaces */
        return false;
    errno = 0;
    unsigned long long number = strtoull(text, &end, strncmp(text, "0x", 2) == 0 ? 16 : 10);
    if (*end != '\0' || errno != 0 || number < least || number > most)
        return false;
    *value = number;
    return true;
}

bool argument_address(const char *text, uint32_t *address)
{
    struct in_addr value;

    if (inet_pton(AF_INET, text, &value) != 1)
        return false;
    *address = ntohl(value.s_addr);
    return true;
}

bool argument_host(const char *text, uint32_t *address, uint32_t *netmask)
{
    char copy[sizeof "255.255.255.255"];
    uint64_t prefix = 24;
    size_t length = strcspn(text, "/");

    if (length >= sizeof copy || (text[length] == '/' && !argument_number(text + length + 1, 1, 30, &prefix)))
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (!argument_address(copy, address))
        return false;
    *netmask = UINT32_MAX << (32 - prefix);
    return true;
}

bool argument_mac(const char *text, uint8_t mac[6])
{
    uint8_t bytes[6];

    if (strlen(text) != sizeof "02-00-00-03-02-00" - 1)
        return false;
    for (unsigned i = 0; i < 6; i++, text += 3) {
        const char digits[] = {text[0], text[1], '\0'};

        if (!isxdigit((unsigned char)digits[0]) || !isxdigit((unsigned char)digits[1]) ||
            !strchr(i == 5 ? "" : "-:", text[2]))
            return false;
        bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    if (bytes[0] & 1)
        return false;
    memcpy(mac, bytes, sizeof bytes);
    return true;
}
