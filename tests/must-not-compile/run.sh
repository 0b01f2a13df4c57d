#!/bin/sh
# Compiles each program here and looks for the message that its first line
# expects, and for a line of the program; those that expect nothing must compile.
# usage: tests/must-not-compile/run.sh COMPILER FLAGS…
set -u
[ $# -gt 0 ] || { echo "usage: $0 COMPILER FLAGS..." >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
total=0
failed=0
fail() {
  failed=$((failed + 1))
  echo "FAILED $1: $2"
  printf '%s\n' "$3" | sed 's/^/    /'
}
for program in "$here"/*.c; do
  name=$(basename "$program" .c)
  total=$((total + 1))
  expected=$(sed -n '1s,^// expect: ,,p' "$program")
  # -O1 at least: the error attribute speaks up only when code is generated.
  message=$(LC_ALL=C "$@" -std=gnu17 -O2 -Wall -Wextra -Wshadow -Werror -I"$here/../.." -I"$here" \
    -fno-diagnostics-show-caret -fdiagnostics-color=never -c "$program" -o /dev/null 2>&1)
  status=$?
  if [ -z "$expected" ]; then
    fail "$name" "the first line is not // expect: …" ""
  elif [ "$expected" = nothing ]; then
    if [ $status -eq 0 ]; then echo "ok $name"; else fail "$name" "does not compile" "$message"; fi
  elif [ $status -eq 0 ]; then
    fail "$name" "compiles" ""
  elif ! printf '%s\n' "$message" | grep -q "$name\.c:[0-9]"; then
    fail "$name" "the message names no line of the program" "$message"
  elif printf '%s\n' "$message" | grep -qF -- "$expected"; then
    echo "ok $name"
  else
    fail "$name" "expected: $expected" "$message"
  fi
done
echo "$((total - failed)) of $total passed"
[ "$failed" -eq 0 ]
