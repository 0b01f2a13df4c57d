/* What firmware is made of: a linked list, matrices, a state machine over text, checksums. */
#include "programs.h"

enum { NODES = 100, ORDER = 16, TEXT = 400, ROUNDS = 20 };

/* ---- A list, searched, reversed and sorted by merging ---- */

struct node {
    struct node *next;
    int16_t key;
    uint16_t value;
};

static struct node nodes[NODES];

static struct node *build(uint32_t seed)
{
    for (unsigned i = 0; i < NODES; i++) {
        nodes[i].next = i + 1 < NODES ? &nodes[i + 1] : NULL;
        nodes[i].key = (int16_t)next_random(&seed);
        nodes[i].value = (uint16_t)i;
    }
    return nodes;
}

static struct node *reverse(struct node *list)
{
    struct node *done = NULL;

    while (list) {
        struct node *next = list->next;
        list->next = done;
        done = list;
        list = next;
    }
    return done;
}

static struct node *merge(struct node *a, struct node *b)
{
    struct node *list = NULL, **end = &list;

    while (a && b) {
        struct node **first = a->key <= b->key ? &a : &b;
        *end = *first;
        end = &(*first)->next;
        *first = *end;
    }
    *end = a ? a : b;
    return list;
}

static struct node *sort(struct node *list)
{
    struct node *part[8] = {NULL};
    unsigned i;

    while (list) {
        struct node *carry = list;
        list = list->next;
        carry->next = NULL;
        for (i = 0; i < 7 && part[i]; i++) {
            carry = merge(part[i], carry);
            part[i] = NULL;
        }
        part[i] = carry;
    }
    for (i = 0; i < 8; i++)
        list = merge(part[i], list);
    return list;
}

static uint64_t hash_list(uint64_t hash, const struct node *list)
{
    for (; list; list = list->next)
        hash = hash_u64(hash, (uint64_t)(uint16_t)list->key << 16 | list->value);
    return hash;
}

static uint64_t lists(void)
{
    uint64_t hash = HASH_BEGIN;

    for (uint32_t round = 1; round <= ROUNDS; round++) {
        struct node *list = reverse(build(round));
        hash = hash_list(hash, list);
        hash = hash_list(hash, sort(list));
    }
    return hash;
}

/* ---- Matrices ---- */

static uint64_t matrices(void)
{
    static int16_t a[ORDER][ORDER], b[ORDER][ORDER];
    static int32_t c[ORDER][ORDER];
    uint32_t random = 4711;
    uint64_t hash = HASH_BEGIN;

    for (unsigned i = 0; i < ORDER * ORDER; i++) {
        a[i / ORDER][i % ORDER] = (int16_t)next_random(&random);
        b[i / ORDER][i % ORDER] = (int16_t)(next_random(&random) >> 20);
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < ORDER; i++) {
            for (unsigned j = 0; j < ORDER; j++) {
                int32_t sum = 0;
                for (unsigned k = 0; k < ORDER; k++)
                    sum += a[i][k] * (b[k][j] >> 2);
                c[i][j] = sum;
            }
        }
        for (unsigned i = 0; i < ORDER * ORDER; i++)
            a[i / ORDER][i % ORDER] = (int16_t)(c[i % ORDER][i / ORDER] >> 5);
        hash = hash_bytes(hash, c, sizeof c);
    }
    return hash;
}

/* ---- A state machine: which kind of number is it? ---- */

enum number_state {
    START,
    SIGN,
    INTEGER,
    POINT,
    FRACTION,
    EXPONENT,
    EXPONENT_SIGN,
    SCIENTIFIC,
    INVALID,
    STATES
};

static enum number_state advance(enum number_state state, char c)
{
    int digit = c >= '0' && c <= '9';

    switch (state) {
    case START: return digit ? INTEGER : c == '+' || c == '-' ? SIGN : c == '.' ? POINT : INVALID;
    case SIGN: return digit ? INTEGER : c == '.' ? POINT : INVALID;
    case INTEGER: return digit ? INTEGER : c == '.' ? FRACTION : c == 'e' ? EXPONENT : INVALID;
    case POINT: return digit ? FRACTION : INVALID;
    case FRACTION: return digit ? FRACTION : c == 'e' ? EXPONENT : INVALID;
    case EXPONENT: return digit ? SCIENTIFIC : c == '+' || c == '-' ? EXPONENT_SIGN : INVALID;
    case EXPONENT_SIGN:
    case SCIENTIFIC: return digit ? SCIENTIFIC : INVALID;
    default: return INVALID;
    }
}

static uint64_t state_machine(void)
{
    uint32_t random = 99, visits[STATES] = {0};
    enum number_state state = START;

    for (unsigned i = 0; i < TEXT * ROUNDS; i++) {
        char c = "0123456789.+-e,,"[next_random(&random) >> 28];
        if (c == ',') {
            visits[state] += 0x10000;
            state = START;
        } else {
            state = advance(state, c);
            visits[state]++;
        }
    }
    return hash_bytes(HASH_BEGIN, visits, sizeof visits);
}

/* ---- Checksums ---- */

static uint16_t crc16(uint16_t crc, uint8_t byte)
{
    crc ^= byte;
    for (unsigned i = 0; i < 8; i++)
        crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1);
    return crc;
}

static uint64_t checksums(void)
{
    uint32_t random = 1234, crc32 = 0xFFFFFFFF, a = 1, b = 0;
    uint16_t crc = 0xFFFF;

    for (unsigned i = 0; i < TEXT * ROUNDS; i++) {
        uint8_t byte = (uint8_t)next_random(&random);
        crc = crc16(crc, byte);
        crc32 ^= byte;
        for (unsigned k = 0; k < 8; k++)
            crc32 = crc32 >> 1 ^ (0xEDB88320 & -(crc32 & 1));
        a = (a + byte) % 65521;
        b = (b + a) % 65521;
    }
    return hash_u64(hash_u64(HASH_BEGIN, (uint64_t)crc32 << 16 | crc), (uint64_t)b << 32 | a);
}

void run_mix(void)
{
    show("lists", lists());
    show("matrices", matrices());
    show("state-machine", state_machine());
    show("checksums", checksums());
}
