/* CUBIC in integers beside RFC 9438 in floating point, and the congestion window at its limits. */
#include "net/internal.h"
#include "tcp_case.h"

enum { SEGMENT = 1000 };

/* A socket in congestion avoidance with a full window on its way. */
static void in_avoidance(uint32_t cwnd, uint16_t mss)
{
    struct tcp_socket *s = &lab.tcp;
    s->state = TCP_ESTABLISHED;
    s->mss = mss;
    s->cwnd = cwnd;
    s->ssthresh = 2U * mss;
    s->snd_max = s->snd_una + cwnd;
    s->flags = 0;
}

static int teardown_idle(void **state)
{
    lab.tcp.state = TCP_CLOSED;
    lab.tcp.flags = 0;
    lab.tcp.snd_max = lab.tcp.snd_una;
    return teardown(state);
}

#define MODEL(name) cmocka_unit_test_setup_teardown(name, setup, teardown_idle)

/* RFC 5681 3.1: at least one byte for each ACK, however large the window is. */
static void never_without_growth(void **state)
{
    (void)state;
    in_avoidance(5000, 64);
    tcp_forward_ack(&lab.tcp, lab.tcp.snd_una, 64);
    assert_int_equal(lab.tcp.cwnd, 5001);
}

static void never_above_any_window(void **state)
{
    (void)state;
    const uint32_t most = NET_WITH_TCP_WINDOW_SCALE ? 1U << 29 : UINT16_MAX;
    in_avoidance(most, 1460);
    lab.tcp.ssthresh = UINT32_MAX;
    tcp_forward_ack(&lab.tcp, lab.tcp.snd_una, 1460);
    assert_int_equal(lab.tcp.cwnd, most);
}

#if NET_WITH_TCP_SACK
/* RFC 6675 5: in recovery the window stays what the loss has made it. */
static void recovery_grows_nothing(void **state)
{
    (void)state;
    in_avoidance(10 * SEGMENT, SEGMENT);
    lab.tcp.agreed = TCP_OFFER_SACK;
    lab.tcp.flags = TCP_RECOVERY;
    lab.tcp.recover = lab.tcp.snd_max;
    lab.tcp.sacked_count = 1;
    tcp_forward_ack(&lab.tcp, lab.tcp.snd_una + SEGMENT, SEGMENT);
    assert_int_equal(lab.tcp.cwnd, 10 * SEGMENT);
    lab.tcp.agreed = 0;
    lab.tcp.sacked_count = 0;
}
#endif

#if NET_WITH_TCP_CONGESTION

/* In segments and seconds. */
struct model {
    double cwnd, w_max, w_est, prior, epoch;
};

static const double c = 0.4, beta = 0.7;

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static double smaller(double a, double b)
{
    return a < b ? a : b;
}

static double distance(double a, double b)
{
    return larger(a, b) - smaller(a, b);
}

static double cube_root(double x) /* by halving, from 0 to 1000 */
{
    double low = 0, high = 1000;
    for (unsigned i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        *(middle * middle * middle < x ? &low : &high) = middle;
    }
    return low;
}

static void model_lost(struct model *m)
{
    m->prior = m->cwnd;
    m->w_max = m->cwnd < m->w_max ? m->cwnd * (1 + beta) / 2 : m->cwnd; /* 4.7 */
    m->cwnd *= beta;                                                    /* 4.6 */
    m->w_est = m->cwnd;
}

static double w_cubic(const struct model *m, double t) /* 4.2 */
{
    double k = cube_root(larger(m->w_max - m->epoch, 0) / c);
    return c * (t - k) * (t - k) * (t - k) + m->w_max;
}

static void model_acked(struct model *m, double t, double rtt)
{
    double alpha = m->w_est < m->prior ? 3 * (1 - beta) / (1 + beta) : 1; /* 4.3 */
    m->w_est += alpha / m->cwnd;
    if (w_cubic(m, t) < m->w_est) {
        m->cwnd = larger(m->cwnd, m->w_est);
        return;
    }
    double target = smaller(w_cubic(m, t + rtt), 1.5 * m->cwnd);
    m->cwnd += larger(target - m->cwnd, 0) / m->cwnd; /* 4.4, 4.5 */
}

static void lose(struct model *m)
{
    struct tcp_socket *s = &lab.tcp;
    s->snd_max = s->snd_una + s->cwnd;
    tcp_lower_threshold(s);
    m->cwnd = s->cwnd / (double)SEGMENT; /* differences of rounding do not add up */
    s->cwnd = s->ssthresh;
    model_lost(m);
    assert_true(distance(s->cwnd / (double)SEGMENT, m->cwnd) < 0.02 * m->cwnd + 0.1);
}

/* A round trip after the other, each with an ACK for each segment; the windows differ by 2 % at most. */
static void follow(struct model *m, unsigned rtt_ms, unsigned duration_ms)
{
    struct tcp_socket *s = &lab.tcp;
    uint32_t start_ms = lab.net.now_ms;
    s->srtt8 = rtt_ms * 8;
    m->epoch = m->cwnd;
    for (uint32_t ms = 0; ms < duration_ms; ms += rtt_ms) {
        unsigned acks = s->cwnd / SEGMENT;
        for (unsigned i = 0; i < acks; i++) {
            lab.net.now_ms = start_ms + ms + rtt_ms * i / acks;
            s->snd_max = s->snd_una + s->cwnd;
            tcp_forward_ack(s, s->snd_una, SEGMENT);
            model_acked(m, (lab.net.now_ms - start_ms) / 1000.0, rtt_ms / 1000.0);
        }
        double ours = s->cwnd / (double)SEGMENT;
        if (distance(ours, m->cwnd) > 0.02 * m->cwnd) {
            fail_msg("after %u ms %f segments, RFC 9438 has %f", ms, ours, m->cwnd);
        }
    }
    lab.net.now_ms += 1;
}

static struct model begin(unsigned segments)
{
    in_avoidance(segments * SEGMENT, SEGMENT);
    tcp_set_congestion_control(&lab.tcp, TCP_CUBIC);
    lab.tcp.cubic = (struct tcp_cubic){.begun = false};
    return (struct model){.cwnd = segments};
}

/* To the old window, along it, and above: K is 4.2 s. */
static void concave_and_convex(void **state)
{
    (void)state;
    struct model m = begin(100);
    lose(&m);
    follow(&m, 200, 10000);
    assert_true(m.cwnd > 130);
}

static void again_before_the_old_window(void **state) /* 4.7: fast convergence */
{
    (void)state;
    struct model m = begin(200);
    lose(&m);
    follow(&m, 200, 2000);
    assert_true(m.cwnd < 199);
    lose(&m);
    follow(&m, 200, 9000);
}

/* Short round trips: Reno's window is the larger one, slower than Reno first, then as fast. */
static void reno_friendly(void **state)
{
    (void)state;
    struct model m = begin(20);
    lose(&m);
    follow(&m, 10, 600);
    assert_true(m.w_est > m.prior && m.cwnd == m.w_est);
}

/* 4.3: an ACK brings less than a byte there. */
static void reno_friendly_in_a_large_window(void **state)
{
    (void)state;
    struct model m = begin(800);
    lose(&m);
    follow(&m, 2, 600);
    assert_true(m.cwnd == m.w_est && m.cwnd > 650);
}

static void without_a_loss_before(void **state) /* 4.2: W_max is the window then */
{
    (void)state;
    struct model m = begin(50);
    m.w_max = m.prior = m.cwnd;
    m.w_est = m.cwnd;
    lab.tcp.cubic.prior = lab.tcp.cwnd;
    follow(&m, 100, 6000);
    assert_true(m.cwnd > 90);
}

/* Its clock has run for hours: far above any window, and no step is more than the half. */
static void after_many_hours(void **state)
{
    (void)state;
    static const uint32_t ages_ms[] = {3600000, 33554432 + 1000, 86400000, 1U << 31};
    for (unsigned i = 0; i < 4; i++) {
        struct model m = begin(100);
        lose(&m);
        tcp_forward_ack(&lab.tcp, lab.tcp.snd_una, SEGMENT);
        lab.tcp.cubic.epoch_ms = lab.net.now_ms - ages_ms[i];
        uint32_t before = lab.tcp.cwnd;
        lab.tcp.snd_max = lab.tcp.snd_una + before;
        tcp_forward_ack(&lab.tcp, lab.tcp.snd_una, SEGMENT);
        assert_in_range(lab.tcp.cwnd, before + SEGMENT * 45 / 100, before + SEGMENT * 55 / 100);
    }
}

/* A timeout that follows another one sees the loss that has been seen (RFC 9438 4.8, RFC 5681 3.1). */
static void one_loss_seen_twice(void **state)
{
    (void)state;
    (void)begin(100);
    (void)tcp_cubic_lost(&lab.tcp, lab.tcp.cwnd);
    lab.tcp.cwnd = SEGMENT;
    (void)tcp_cubic_lost(&lab.tcp, SEGMENT);
    assert_int_equal(lab.tcp.cubic.w_max, 100 * SEGMENT);
    assert_int_equal(lab.tcp.cubic.prior, 100 * SEGMENT);
}

static void new_epoch(void **state) /* 4.2, 5.8: after a loss, and after rest */
{
    (void)state;
    (void)begin(100);
    lab.tcp.cubic.begun = true;
    (void)tcp_cubic_lost(&lab.tcp, lab.tcp.cwnd);
    assert_false(lab.tcp.cubic.begun);
    lab.tcp.cubic.begun = true;
    lab.tcp.rest_ms = lab.net.now_ms - lab.tcp.rto_ms - 1;
    tcp_restart_after_idleness(&lab.tcp);
    assert_false(lab.tcp.cubic.begun);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        MODEL(never_without_growth),
        MODEL(never_above_any_window),
#if NET_WITH_TCP_SACK
        MODEL(recovery_grows_nothing),
#endif
#if NET_WITH_TCP_CONGESTION
        MODEL(concave_and_convex),
        MODEL(again_before_the_old_window),
        MODEL(reno_friendly),
        MODEL(reno_friendly_in_a_large_window),
        MODEL(without_a_loss_before),
        MODEL(after_many_hours),
        MODEL(one_loss_seen_twice),
        MODEL(new_epoch),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
