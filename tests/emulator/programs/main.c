#include "programs.h"

#ifdef __arm__
#include "tests/target/semihosting.h"
#else
#include <stdio.h>
#endif

static void print(const char *text)
{
#ifdef __arm__
    semihosting_print(text);
#else
    fputs(text, stdout);
#endif
}

static void show_line(const char *prefix, const char *name, uint64_t value)
{
    char text[20];

    for (unsigned i = 0; i < 16; i++)
        text[i + 1] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
    text[0] = ' ';
    text[17] = '\n';
    text[18] = '\0';
    print(prefix);
    print(name);
    print(text);
}

void show(const char *name, uint64_t hash)
{
    show_line("= ", name, hash);
}

void show_near(const char *name, uint64_t bits)
{
    show_line("~ ", name, bits);
}

int main(void)
{
    run_integers();
    run_strings();
    run_mix();
    run_floats();
    run_mathematics();
    run_transforms();
    print("end\n");
    return 0;
}
