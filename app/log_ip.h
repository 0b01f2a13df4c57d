/* IPv4 addresses, in host order, in lines of the log: LOG_INFO("it is " LOG_IP_FORMAT, LOG_IP(address)). */
#ifndef APP_LOG_IP_H
#define APP_LOG_IP_H

#define LOG_IP_FORMAT "%u.%u.%u.%u"
#define LOG_IP(a)                                                                                            \
    (unsigned)((a) >> 24), (unsigned)((a) >> 16 & 255), (unsigned)((a) >> 8 & 255), (unsigned)((a)&255)

#endif
