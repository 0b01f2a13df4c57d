#!/bin/sh
# clang-tidy over the host's compile commands; every remark is an error.
set -eu
git ls-files 'app/*.c' 'kernel/*.c' 'net/*.c' 'mqtt/*.c' 'settings/*.c' 'log/*.c' 'emulator/*.c' 'target/posix/*.c' |
    grep -v '^app/config.c$' | # target/posix/board/built_config.c has it
    xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p "$1" --warnings-as-errors='*'
