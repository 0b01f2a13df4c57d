/*
 * CUBIC (RFC 9438) in bytes and in units of 1/1024 s, without a 64-bit division.
 */
#include "net/internal.h"

#if NET_WITH_TCP_CONGESTION

enum {
    FARTHEST = 1 << 17, /* from K, in 1/1024 s: beyond it the cubic is far above any window */
};

static uint32_t units(uint32_t ms)
{
    return tcp_least(ms, 1 << 20) * 128 / 125;
}

static uint32_t cube_root(uint64_t value)
{
    uint32_t root = 0;
    for (uint32_t bit = 1U << 20; bit; bit >>= 1) {
        uint64_t trial = root | bit;
        if (trial * trial * trial <= value) {
            root |= bit;
        }
    }
    return root;
}

/* K of 4.2 with C = 0.4: cbrt(segments / 0.4) seconds. */
static uint32_t time_to_plateau(uint32_t bytes, uint32_t mss)
{
    uint32_t eighths = tcp_least(bytes, 1 << 27) / mss * 20; /* of segments / 0.4 */
    return cube_root((uint64_t)eighths << 27);
}

/* 4.6, 4.7: the new threshold; beta is 0.7. */
uint32_t tcp_cubic_lost(struct tcp_socket *s, uint32_t flight)
{
    struct tcp_cubic *cubic = &s->cubic;
    if (s->cwnd > s->mss) { /* else the timer has seen this loss before */
        cubic->prior = s->cwnd;
        cubic->w_max = s->cwnd < cubic->w_max ? s->cwnd / 20 * 17 : s->cwnd;
    }
    cubic->begun = false;
    return flight / 10 * 7;
}

static void begin(struct tcp_socket *s)
{
    struct tcp_cubic *cubic = &s->cubic;
    if (cubic->w_max < s->cwnd) {
        cubic->w_max = s->cwnd;
    }
    cubic->k = time_to_plateau(cubic->w_max - s->cwnd, s->mss);
    cubic->w_est = (uint64_t)s->cwnd << 8;
    cubic->epoch_ms = s->net->now_ms;
    cubic->begun = true;
}

/* 4.2: W_cubic `ms` after the beginning. */
static uint32_t window_at(const struct tcp_socket *s, uint32_t ms)
{
    int64_t away = (int64_t)units(ms) - s->cubic.k;
    away = away < FARTHEST ? away : FARTHEST;
    int64_t more = (away * away * away >> 20) * s->mss * 410 >> 20; /* 410 / 1024 is C */
    int64_t window = more + s->cubic.w_max;
    return window > 0 ? (uint32_t)(window < INT32_MAX ? window : INT32_MAX) : 0;
}

/* 4.3: what Reno would have, with the same mean for this beta. */
static void follow_reno(struct tcp_socket *s, uint32_t acked)
{
    uint32_t step = (tcp_least(acked, 4U * s->mss) * s->mss << 8) / s->cwnd;
    s->cubic.w_est += s->cubic.w_est >> 8 < s->cubic.prior ? step * 9 / 17 : step;
}

void tcp_cubic_acked(struct tcp_socket *s, uint32_t acked)
{
    struct tcp_cubic *cubic = &s->cubic;
    if (!cubic->begun) {
        begin(s);
    }
    uint32_t ms = s->net->now_ms - cubic->epoch_ms;
    follow_reno(s, acked);
    uint32_t reno = (uint32_t)(cubic->w_est >> 8);
    if (window_at(s, ms) < reno) {
        s->cwnd = s->cwnd > reno ? s->cwnd : reno;
        return;
    }
    uint32_t target = tcp_least(window_at(s, ms + s->srtt8 / 8), s->cwnd + s->cwnd / 2);
    if (target > s->cwnd) { /* 4.4, 4.5 */
        s->cwnd += (target - s->cwnd) / (s->cwnd / acked + 1);
    }
}

#endif
