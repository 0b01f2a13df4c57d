#include "target/posix/argument.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
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
    unsigned bytes[6];
    int length = 0;

    if (sscanf(text, "%2x%*1[:-]%2x%*1[:-]%2x%*1[:-]%2x%*1[:-]%2x%*1[:-]%2x%n", &bytes[0], &bytes[1],
               &bytes[2], &bytes[3], &bytes[4], &bytes[5], &length) != 6 ||
        length != sizeof "02-00-00-03-02-00" - 1 || text[length] != '\0' || bytes[0] & 1)
        return false;
    for (unsigned i = 0; i < 6; i++)
        mac[i] = (uint8_t)bytes[i];
    return true;
}
