/* Answers of DNS kept for their time to live (RFC 1035 7.4), those that there is none too (RFC 2308). */
#include "net/dns.h"
#include "net/internal.h"

#if NET_WITH_DNS_CACHE

#include <string.h>

enum {
    LONGEST_S = 86400,
    LONGEST_NEGATIVE_S =
        300, /* a name that appears is not to be missed for hours (RFC 2308 5 allows three) */
    NAME_WORDS = (DNS_NAME_MAX + 2 + 3) / 4,
};

/* A keyed hash of 64 bits stands for the name: without the seed nobody finds two names that share one. */
static void hash_name(const struct net *net, const char *name, uint32_t hash[2])
{
    uint32_t words[NAME_WORDS] = {0};
    size_t length = 0;
    for (; name[length] && !(name[length] == '.' && name[length + 1] == 0); length++) {
        uint8_t c = (uint8_t)name[length];
        c = c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
        words[length / 4] |= (uint32_t)c << 8 * (length % 4);
    }
    unsigned count = (unsigned)(length + 3) / 4;
    hash[0] = net_keyed_hash(&net->seed[0], words, count);
    hash[1] = net_keyed_hash(&net->seed[1], words, count);
}

static bool lives(const struct net *net, const struct net_dns_entry *entry)
{
    return entry->used && !net_due(net, entry->expires_ms);
}

bool dns_cache_find(const struct net *net, const char *name, uint32_t *address)
{
    uint32_t hash[2];
    hash_name(net, name, hash);
    for (unsigned i = 0; i < NET_DNS_CACHE; i++) {
        const struct net_dns_entry *entry = &net->dns_cache[i];
        if (lives(net, entry) && entry->hash[0] == hash[0] && entry->hash[1] == hash[1]) {
            *address = entry->address;
            return true;
        }
    }
    return false;
}

/* A free place, else the one that expires first. */
static struct net_dns_entry *take_place(struct net *net)
{
    struct net_dns_entry *best = &net->dns_cache[0];
    for (unsigned i = 0; i < NET_DNS_CACHE; i++) {
        struct net_dns_entry *entry = &net->dns_cache[i];
        if (!lives(net, entry)) {
            return entry;
        }
        if ((int32_t)(entry->expires_ms - best->expires_ms) < 0) {
            best = entry;
        }
    }
    return best;
}

void dns_cache_keep(struct net *net, const char *name, uint32_t address, uint32_t ttl_s)
{
    uint32_t longest = address ? LONGEST_S : LONGEST_NEGATIVE_S;
    ttl_s = ttl_s < longest ? ttl_s : longest;
    if (ttl_s == 0) {
        return;
    }
    struct net_dns_entry *entry = take_place(net);
    entry->used = true;
    entry->address = address;
    entry->expires_ms = net->now_ms + ttl_s * 1000;
    hash_name(net, name, entry->hash);
    net_timer_at(net, entry->expires_ms);
}

/* An entry is gone before the time wraps and makes it look fresh. */
void dns_cache_timers(struct net *net)
{
    for (unsigned i = 0; i < NET_DNS_CACHE; i++) {
        struct net_dns_entry *entry = &net->dns_cache[i];
        entry->used = lives(net, entry);
        if (entry->used) {
            net_timer_at(net, entry->expires_ms);
        }
    }
}

void dns_cache_forget(struct net *net)
{
    memset(net->dns_cache, 0, sizeof net->dns_cache);
}

#endif
