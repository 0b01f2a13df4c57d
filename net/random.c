#include "net/internal.h"

struct sip {
    uint32_t v0, v1, v2, v3;
};

static inline uint32_t rotate(uint32_t x, unsigned n)
{
    return x << n | x >> (32 - n);
}

static void rounds(struct sip *s, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        s->v0 += s->v1;
        s->v1 = rotate(s->v1, 5) ^ s->v0;
        s->v0 = rotate(s->v0, 16);
        s->v2 += s->v3;
        s->v3 = rotate(s->v3, 8) ^ s->v2;
        s->v0 += s->v3;
        s->v3 = rotate(s->v3, 7) ^ s->v0;
        s->v2 += s->v1;
        s->v1 = rotate(s->v1, 13) ^ s->v2;
        s->v2 = rotate(s->v2, 16);
    }
}

static void absorb(struct sip *s, uint32_t word)
{
    s->v3 ^= word;
    rounds(s, 2);
    s->v0 ^= word;
}

uint32_t net_keyed_hash(const uint32_t key[2], const uint32_t *words, unsigned count)
{
    struct sip s = {key[0], key[1], key[0] ^ 0x6C796765, key[1] ^ 0x74656462};
    for (unsigned i = 0; i < count; i++) {
        absorb(&s, words[i]);
    }
    absorb(&s, count << 26); /* the length in bytes, in the last word's high byte */
    s.v2 ^= 0xFF;
    rounds(&s, 4);
    return s.v1 ^ s.v3;
}

uint32_t net_random(struct net *net)
{
    uint32_t words[2] = {net->random_counter++, net->now_ms};
    return net_keyed_hash(&net->seed[2], words, 2);
}
