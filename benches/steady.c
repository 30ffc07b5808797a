/* Preloaded into the programs that ci/checks/instructions counts. Removes what differs from run to
   run: Lua seeds its string hashes with the time or with random numbers, and waiting threads spin
   if there are several processors. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sched.h>
#include <stdarg.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>

time_t time(time_t *result) {
    time_t now = 1700000000;
    if (result)
        *result = now;
    return now;
}

ssize_t getrandom(void *buffer, size_t size, unsigned int flags) {
    (void)flags;
    memset(buffer, 42, size);
    return (ssize_t)size;
}

int sched_getaffinity(pid_t process, size_t size, cpu_set_t *set) {
    (void)process;
    CPU_ZERO_S(size, set);
    CPU_SET_S(0, size, set);
    return 0;
}

/* LuaJIT gets random numbers from the kernel by this function. */
long syscall(long number, ...) {
    static long (*next)(long, ...);
    long a[6];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    if (number == SYS_getrandom)
        return getrandom((void *)a[0], (size_t)a[1], (unsigned int)a[2]);
    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "syscall");
    return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
