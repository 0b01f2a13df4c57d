#!/bin/sh
# Flash and RAM of an ELF against their budgets; the full firmware (*-full.elf) has none. Exit 1: over.
set -eu
elf=$1
case $elf in
*-full.elf) budgets=0 ;;
*) budgets=1 ;;
esac
arm-none-eabi-size -A -d "$elf" | awk -v budgets=$budgets -v flash_budget=28672 -v ram_budget=20480 '
    $3 >= 134217728 && $3 < 136314880 { flash += $2; print_row($1, $2, "flash") }
    $3 >= 536870912 && $3 < 537067520 { ram += $2; print_row($1, $2, "RAM"); if ($1 == ".data") flash += $2 }
    function print_row(name, size, where) { if (size) printf "  %-14s %6d  %s\n", name, size, where }
    function of(budget) { return budgets ? sprintf(" of %6d", budget) : "" }
    END {
        printf "flash %6d%s bytes\nRAM   %6d%s bytes, stack and DMA memory included\n", \
            flash, of(flash_budget), ram, of(ram_budget)
        exit budgets && (flash > flash_budget || ram > ram_budget)
    }'
