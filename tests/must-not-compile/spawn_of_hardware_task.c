// expect: spawn: button is a hardware task, which only its interrupt starts
#include "base.h"

TASK(report)
{
    if (spawn(button) < 0)
        return;
}
