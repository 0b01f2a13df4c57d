#!/bin/sh
# Flash and RAM of an ELF against their budgets. Exit 1: over.
set -eu
elf=$1
flash_budget=28672
ram_budget=20480
arm-none-eabi-size -A -d "$elf" | awk -v flash_budget=$flash_budget -v ram_budget=$ram_budget '
    $3 >= 134217728 && $3 < 136314880 { flash += $2; print_row($1, $2, "flash") }
    $3 >= 536870912 && $3 < 537067520 { ram += $2; print_row($1, $2, "RAM"); if ($1 == ".data") flash += $2 }
    function print_row(name, size, where) { if (size) printf "  %-14s %6d  %s\n", name, size, where }
    END {
        printf "flash %6d of %6d bytes\nRAM   %6d of %6d bytes, stack and DMA memory included\n", \
            flash, flash_budget, ram, ram_budget
        exit flash > flash_budget || ram > ram_budget
    }'
