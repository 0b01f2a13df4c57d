#include "app/telemetry_tasks.h"

#if MOTE_FULL

#include "app/time.h"
#include "log/format.h"

static void write_task(struct log_text *text, unsigned number, unsigned load_ppm, uint32_t longest_us)
{
    log_format_args(text, "%s\"%s\":{\"load_ppm\":%u,\"longest_us\":%u}", number == 0 ? "" : ",",
                    kernel_task_names[number], load_ppm, (unsigned)longest_us);
}

static void write_lock(struct log_text *text, unsigned number, uint32_t longest_us)
{
    log_format_args(text, "%s\"%s\":{\"longest_us\":%u}", number == 0 ? "" : ",",
                    kernel_resource_names[number], (unsigned)longest_us);
}

/* In 32 bits, for times of up to 71 minutes. */
static uint32_t millionths(uint32_t part_us, uint32_t whole_us)
{
    uint32_t unit = whole_us / 1000;

    return unit == 0 ? 0 : part_us / unit * 1000 + part_us % unit * 1000 / unit;
}

size_t telemetry_write_tasks(struct telemetry_tasks *telemetry, uint64_t now_us, unsigned cycles_per_us,
                             char json[TELEMETRY_TASKS_MAX])
{
    struct log_text text = {.bytes = json, .size = TELEMETRY_TASKS_MAX};
    uint32_t elapsed_us = (uint32_t)(now_us - telemetry->last_us);

    telemetry->last_us = now_us;
    log_format_args(&text, "{\"tasks\":{");
    for (unsigned i = 0; i < KERNEL_TASKS; i++) {
        struct kernel_task_statistics task = kernel_task_statistics((enum kernel_task_number)i);
        uint32_t run_us = time_divide(task.cycles - telemetry->last_cycles[i], (uint16_t)cycles_per_us);

        telemetry->last_cycles[i] = task.cycles;
        write_task(&text, i, millionths(run_us, elapsed_us), task.cycles_max / cycles_per_us);
    }
    log_format_args(&text, "},\"locks\":{");
    for (unsigned i = 0; i < KERNEL_RESOURCES; i++)
        write_lock(&text, i, kernel_lock_cycles_max((enum kernel_resource_number)i) / cycles_per_us);
    log_format_args(&text, "}}");
    return text.length;
}

#endif
