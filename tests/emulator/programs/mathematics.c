/* The library's functions. Its last bit is its own affair, so the host compares values, not hashes. */
#include <math.h>

#include "programs.h"

enum { POINTS = 24 };

static void show_float(const char *name, float value)
{
    show_near(name, bits_of_double((double)value));
}

static void show_double(const char *name, double value)
{
    show_near(name, bits_of_double(value));
}

static void single_precision(float x)
{
    show_float("sinf", sinf(x));
    show_float("cosf", cosf(x));
    show_float("tanf", tanf(x / 4));
    show_float("atan2f", atan2f(x, 1.5f));
    show_float("expf", expf(x / 3));
    show_float("logf", logf(fabsf(x) + 0.01f));
    show_float("powf", powf(fabsf(x) + 0.1f, 1.7f));
    show_float("asinf", asinf(x / 20));
    show_float("tanhf", tanhf(x / 5));
    show_float("cbrtf", cbrtf(x));
    show_float("hypotf", hypotf(x, 3.0f));
}

static void double_precision(double x)
{
    show_double("sin", sin(x));
    show_double("cos", cos(x));
    show_double("tan", tan(x / 4));
    show_double("atan2", atan2(x, 1.5));
    show_double("exp", exp(x / 3));
    show_double("log", log(fabs(x) + 0.01));
    show_double("pow", pow(fabs(x) + 0.1, 1.7));
    show_double("acos", acos(x / 20));
    show_double("sinh", sinh(x / 5));
    show_double("cbrt", cbrt(x));
    show_double("hypot", hypot(x, 3.0));
    show_double("log10", log10(fabs(x) + 1.5));
}

void run_mathematics(void)
{
    uint32_t random = 31337;

    for (unsigned i = 0; i < POINTS; i++) {
        int32_t any = (int32_t)next_random(&random) >> 8; /* below 2^23: exact in a float */
        single_precision((float)any / 524288.0f);
        double_precision((double)any / 524288.0);
    }
}
