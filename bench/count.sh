# Counts a program's instructions exactly on the virtual board. For net.sh and mqtt.sh, which set `board` and `name`.
# The program, bench/NAME.c, reads three words from its section .bench: what to do, how often, and whether to leave
# the measured part out. A row is (with - without) of (1100 times - 100 times), over 1000, so that start, loop and
# peer drop out. `status` becomes 1 above a budget.
build=build/firmware-bench
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --preset firmware-release -B $build -DCMAKE_C_FLAGS_MINSIZEREL="-O2 -g3 -flto" >"$work/log" &&
    cmake --build $build --target bench-$name >"$work/log" || {
    cat "$work/log" >&2
    exit 1
}

octal_word() {
    printf '\\%03o\\%03o\\000\\000' $(($1 % 256)) $(($1 / 256))
}

# scenario, repetitions, dry: instructions of the whole run
instructions() {
    # shellcheck disable=SC2059
    printf "$(octal_word "$1")$(octal_word "$2")$(octal_word "$3")" >"$work/bench"
    arm-none-eabi-objcopy --update-section .bench="$work/bench" $build/bench-$name.elf "$work/program.elf"
    "$board" --net none --stats --timeout 60 "$work/program.elf" >"$work/out" 2>&1 || {
        cat "$work/out" >&2
        exit 1
    }
    sed -n 's/^.* \([0-9]*\) instructions,.*/\1/p' "$work/out"
}

difference() { # scenario, dry
    more=$(instructions "$1" 1100 "$2")
    fewer=$(instructions "$1" 100 "$2")
    echo $((more - fewer))
}

status=0
row() { # scenario, budget or -, name
    wet=$(difference "$1" 0)
    dry=$(difference "$1" 1)
    count=$(((wet - dry + 500) / 1000))
    verdict=""
    if [ "$2" != - ] && [ "$count" -gt "$2" ]; then
        verdict="above the budget"
        status=1
    fi
    printf '%-56s %6d %7s  %s\n' "$3" "$count" "$2" "$verdict"
}

