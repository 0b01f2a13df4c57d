#!/usr/bin/env python3
"""Draws a part of a timeline as SVG, for documents.

    cmake/timeline.py TRACE.json FROM_US TO_US >picture.svg

TRACE.json is what `make trace` or the virtual board's --timeline writes. Exit status 2: it cannot be drawn.
"""

import collections
import html
import json
import sys

WIDTH, LABELS, ROW, GAP = 1180, 190, 18, 8
COLOURS = {"lock": "#e8a33d", "preempted": "#d9d9d9", "asleep": "#eef2f7", "task": "#4a86c5", "interrupt": "#8fb8a8"}


class Span:
    def __init__(self, track, name, begin, depth):
        self.track, self.name, self.begin, self.end, self.depth = track, name, begin, None, depth

    def kind(self):
        first = self.name.split(" ")[0]
        if first in COLOURS:
            return first
        return "interrupt" if self.name.endswith("_IRQHandler") else "task"


def read(events):
    """Names and order of the tracks, spans, instants, and the points of arrows by number."""
    names, order, spans, instants, arrows = {}, {}, [], [], collections.defaultdict(list)
    open_spans = collections.defaultdict(list)
    for event in events:
        phase, track = event["ph"], event.get("tid")
        if phase == "M" and event["name"] == "thread_name":
            names[track] = event["args"]["name"]
        elif phase == "M" and event["name"] == "thread_sort_index":
            order[track] = event["args"]["sort_index"]
        elif phase == "B":
            span = Span(track, event["name"], event["ts"], len(open_spans[track]))
            open_spans[track].append(span)
            spans.append(span)
        elif phase == "E":
            open_spans[track].pop().end = event["ts"]
        elif phase == "X":
            span = Span(track, event["name"], event["ts"], 0)
            span.end = event["ts"] + event["dur"]
            spans.append(span)
        elif phase == "i":
            instants.append((track, event["ts"], event["name"]))
        elif phase in "sf":
            arrows[event["id"]].append((track, event["ts"]))
    return names, order, spans, instants, arrows


def fitting(text, width):
    room = int(width / 6.2)
    return text if len(text) <= room else text[: room - 1] + "…" if room > 3 else ""


def step_of(length):
    step = 1
    while length / step > 12:
        step *= 2 if str(step)[0] in "15" else 2.5
    return step


class Picture:
    def __init__(self, begin, end):
        self.begin, self.end, self.parts, self.top, self.y = begin, end, [], {}, 24

    def x(self, at):
        at = min(max(at, self.begin), self.end)
        return LABELS + (at - self.begin) / (self.end - self.begin) * (WIDTH - LABELS - 8)

    def add(self, text):
        self.parts.append(text)

    def text(self, x, y, text, more=""):
        self.add('<text x="%.1f" y="%.1f"%s>%s</text>' % (x, y, more, html.escape(text)))

    def row(self, track, name, depth):
        self.top[track] = self.y
        self.text(4, self.y + 13, name)
        self.y += depth * ROW + GAP
        self.add('<path class="l" d="M0 %.1fH%d"/>' % (self.y - GAP / 2, WIDTH))

    def span(self, span):
        left, right = self.x(span.begin), self.x(span.end)
        y = self.top[span.track] + ROW * span.depth
        title = "%s, %.3f us" % (span.name, span.end - span.begin)
        self.add('<rect x="%.1f" y="%.1f" width="%.1f" height="%d" fill="%s"><title>%s</title></rect>'
                 % (left, y, max(right - left, 0.7), ROW - 2, COLOURS[span.kind()], html.escape(title)))
        label = fitting(span.name, right - left - 4)
        if label:
            self.text(left + 3, y + 12, label)

    def instant(self, track, at, name, after):
        x, y = self.x(at), self.top[track]
        self.add('<path class="i" d="M%.1f %.1fv%d"><title>%s</title></path>' % (x, y, ROW - 2, html.escape(name)))
        label = fitting(name, self.x(after) - x - 6)
        if label:
            self.text(x + 3, y + 12, label)

    def arrow(self, points):
        (from_track, from_at), (to_track, to_at) = points
        x, y, to_x, to_y = self.x(from_at), self.top[from_track] + 8, self.x(to_at), self.top[to_track] + 8
        self.add('<path class="a" d="M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f"/>'
                 % (x, y, (x + to_x) / 2, y, (x + to_x) / 2, to_y, to_x, to_y))

    def axis(self):
        step = step_of(self.end - self.begin)
        at = self.begin
        while at <= self.end:
            self.text(self.x(at), 12, "+%g µs" % (at - self.begin), ' class="t"')
            self.add('<path class="g" d="M%.1f 18V%.1f"/>' % (self.x(at), self.y))
            at += step

    def svg(self):
        style = ("text{font:11px sans-serif;fill:#222}.t{fill:#777}.l{stroke:#ddd}.g{stroke:#eee}"
                 ".i{stroke:#b03a2e;stroke-width:2}.a{stroke:#b03a2e;fill:none;stroke-dasharray:3 2}")
        return ('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d"><style>%s</style>'
                '<rect width="100%%" height="100%%" fill="#fff"/>\n%s\n</svg>'
                % (WIDTH, self.y, WIDTH, self.y, style, "\n".join(self.parts)))


def draw(events, begin, end):
    names, order, spans, instants, arrows = read(events)
    spans = [s for s in spans if s.end is not None and s.end > begin and s.begin < end]
    instants = [i for i in instants if begin <= i[1] < end]
    used = {s.track for s in spans} | {i[0] for i in instants}
    tasks = {t for t in used if names[t].startswith("task ")}
    picture = Picture(begin, end)
    for track in sorted(used, key=lambda t: (t not in tasks, order[t])):
        depth = 1 + max([s.depth for s in spans if s.track == track], default=0)
        picture.row(track, names[track].split("_IRQHandler")[0], depth)
    picture.axis()
    for span in spans:
        picture.span(span)
    for i, (track, at, name) in enumerate(instants):
        on_bars = [s.begin for s in spans if s.track == track and s.end > at]
        after = min([later[1] for later in instants[i + 1:] if later[0] == track], default=end)
        picture.instant(track, at, name, at if on_bars else after)
    for points in arrows.values():
        if len(points) == 2 and all(begin <= at < end for _, at in points):
            picture.arrow(points)
    return picture.svg()


def main():
    try:
        path, begin, end = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
        with open(path, encoding="utf-8") as file:
            events = json.load(file)["traceEvents"]
        print(draw(events, begin, end))
    except (IndexError, ValueError, KeyError, OSError) as error:
        print("timeline.py: %s\n%s" % (error, __doc__), file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
