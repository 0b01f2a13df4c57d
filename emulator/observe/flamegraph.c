/* A flame graph as one SVG: width is instructions, height is the depth of the stack. */
#include <stdlib.h>
#include <string.h>

#include "observe/profile.h"

enum {
    WIDTH = 1200,
    ROW = 18,
    TOP = 44,
    MARGIN = 10,
    CHARACTER = 7, /* width of one, about */
};

static const char style[] =
    "<style>text{font:12px monospace;fill:#222;pointer-events:none}rect{stroke:#fff;stroke-width:.5}"
    "rect:hover{stroke:#000}.t{font-size:15px}</style>\n";

/* A click makes a frame and its line of callers as wide as the picture; a click on one as wide undoes it. */
static const char script[] =
    "<script><![CDATA[\n"
    "const frames=[...document.querySelectorAll('g.f')],W=%d,M=%d;\n"
    "for(const g of frames){const "
    "r=g.firstElementChild;g.x=+r.getAttribute('x');g.w=+r.getAttribute('width');"
    "g.y=+r.getAttribute('y');g.addEventListener('click',()=>zoom(g))}\n"
    "let shown;\n"
    "function zoom(z){if(z===shown)z=frames[0];shown=z;const k=(W-2*M)/z.w;\n"
    "for(const g of frames){const caller=g.y>z.y&&g.x<=z.x+1e-3&&g.x+g.w>=z.x+z.w-1e-3;\n"
    "const x=caller?M:M+(g.x-z.x)*k,w=caller?W-2*M:g.w*k;\n"
    "const inside=caller||(g.x>=z.x-1e-3&&g.x+g.w<=z.x+z.w+1e-3&&g.y<=z.y);\n"
    "g.style.display=inside?'':'none';const r=g.firstElementChild,t=g.lastElementChild;\n"
    "r.setAttribute('x',x);r.setAttribute('width',w);t.setAttribute('x',x+3);\n"
    "const n=g.dataset.n,c=Math.floor((w-6)/%d);t.textContent=c<3?'':n.length<=c?n:n.slice(0,c-2)+'..'}}\n"
    "]]></script>\n";

struct picture {
    const struct profile *profile;
    uint64_t *totals; /* of each node */
    uint64_t all;
    unsigned deepest;
    FILE *file;
};

static void write_escaped(FILE *file, const char *text, size_t length)
{
    for (size_t i = 0; i < length && text[i] != '\0'; i++) {
        switch (text[i]) {
        case '<': fputs("&lt;", file); break;
        case '>': fputs("&gt;", file); break;
        case '&': fputs("&amp;", file); break;
        case '"': fputs("&quot;", file); break;
        default: fputc(text[i] < 0x20 ? '?' : text[i], file); break;
        }
    }
}

/* Warm, and the same for a function wherever it stands. */
static unsigned colour(const char *name)
{
    unsigned hash = 5381;
    for (; *name != '\0'; name++) {
        hash = hash * 33 + (unsigned char)*name;
    }
    unsigned red = 205 + hash % 50, green = 90 + hash / 50 % 140, blue = 40 + hash / 7000 % 40;
    return red << 16 | green << 8 | blue;
}

static void write_frame(const struct picture *x, const char *name, uint64_t before, uint64_t total,
                        unsigned depth)
{
    double scale = (WIDTH - 2 * MARGIN) / (double)x->all;
    double left = MARGIN + (double)before * scale, width = (double)total * scale;
    unsigned y = TOP + (x->deepest - depth) * ROW;
    size_t characters = width < 3 * CHARACTER ? 0 : (size_t)(width - 6) / CHARACTER;
    fputs("<g class=\"f\" data-n=\"", x->file);
    write_escaped(x->file, name, SIZE_MAX);
    fprintf(x->file,
            "\"><rect x=\"%.3f\" y=\"%u\" width=\"%.3f\" height=\"%d\" rx=\"2\" fill=\"#%06x\"><title>", left,
            y, width, ROW - 1, colour(name));
    write_escaped(x->file, name, SIZE_MAX);
    fprintf(x->file, ": %llu instructions, %.2f %%</title></rect><text x=\"%.3f\" y=\"%u\">",
            (unsigned long long)total, 100 * (double)total / (double)x->all, left + 3, y + ROW - 5);
    if (strlen(name) <= characters) {
        write_escaped(x->file, name, characters);
    } else if (characters >= 3) {
        write_escaped(x->file, name, characters - 2);
        fputs("..", x->file);
    }
    fputs("</text></g>\n", x->file);
}

/* Children were made after their parents, so that one pass upwards sums all. */
static void sum_up(struct picture *x)
{
    const struct profile *p = x->profile;
    for (uint32_t i = (uint32_t)p->count; i-- > 0;) {
        x->totals[i] += p->nodes[i].own;
        if (i > 0) {
            x->totals[p->nodes[i].parent] += x->totals[i];
        }
    }
    x->all = x->totals[0] > 0 ? x->totals[0] : 1;
    for (uint32_t i = 1; i < p->count; i++) {
        unsigned depth = 0;
        for (uint32_t at = i; at != 0; at = p->nodes[at].parent) {
            depth++;
        }
        x->deepest = depth > x->deepest ? depth : x->deepest;
    }
}

/* Each node's frame, left to right within its parent. */
static void write_frames(const struct picture *x, uint64_t *used)
{
    const struct profile *p = x->profile;
    write_frame(x, "all", 0, x->all, 0);
    for (uint32_t i = 1; i < p->count; i++) {
        uint32_t parent = p->nodes[i].parent;
        uint64_t before = used[parent];
        unsigned depth = 0;
        for (uint32_t at = i; at != 0; at = p->nodes[at].parent) {
            depth++;
        }
        used[i] = before;
        used[parent] += x->totals[i];
        if (x->totals[i] > 0) {
            write_frame(x, p->functions->list[p->nodes[i].function].name, before, x->totals[i], depth);
        }
    }
}

static void write_picture(const struct picture *x, const char *title, uint64_t *used)
{
    unsigned height = TOP + (x->deepest + 1) * ROW + MARGIN;
    fprintf(x->file,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" "
            "width=\"%d\" height=\"%u\" viewBox=\"0 0 %d %u\">\n%s<rect width=\"100%%\" height=\"100%%\" "
            "fill=\"#fdfaf3\"/>\n<text class=\"t\" x=\"%d\" y=\"24\">",
            WIDTH, height, WIDTH, height, style, MARGIN);
    write_escaped(x->file, title, SIZE_MAX);
    fprintf(x->file, ": %llu instructions</text>\n", (unsigned long long)x->totals[0]);
    write_frames(x, used);
    fprintf(x->file, script, WIDTH, MARGIN, CHARACTER);
    fputs("</svg>\n", x->file);
}

bool flamegraph_write(const struct profile *p, const char *title, FILE *file)
{
    struct picture x = {.profile = p, .totals = calloc(p->count, sizeof *x.totals), .file = file};
    uint64_t *used = calloc(p->count, sizeof *used);
    bool good = x.totals != NULL && used != NULL;
    if (good) {
        sum_up(&x);
        write_picture(&x, title, used);
    }
    free(x.totals);
    free(used);
    return good && !ferror(file);
}
