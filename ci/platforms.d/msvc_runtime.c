/* The part of Visual C++'s runtime that is linked into each program and DLL, as far as Rust's libraries use it: variables of threads, and what the compiler
   refers to by fixed names. Compiled by clang for *-pc-windows-msvc, where Visual C++ is not at hand; without any header.
   With PROGRAM, what programs have beside that. */
#ifndef PROGRAM
typedef void (__stdcall *callback)(void *module, unsigned reason, void *reserved);

/* Says that the code uses floating point. */
int _fltused = 0x9875;

unsigned _tls_index;

/* Rust's standard library adds its callback between these two, by the names of sections. */
#pragma section(".CRT$XLA", long, read)
#pragma section(".CRT$XLZ", long, read)
__declspec(allocate(".CRT$XLA")) const callback first_callback = 0;
__declspec(allocate(".CRT$XLZ")) const callback last_callback = 0;

#pragma section(".tls", long, read, write)
#pragma section(".tls$ZZZ", long, read, write)
__declspec(allocate(".tls")) char tls_start = 0;
__declspec(allocate(".tls$ZZZ")) char tls_end = 0;

/* IMAGE_TLS_DIRECTORY. */
const struct {
    char *start, *end;
    unsigned *index;
    const callback *callbacks;
    unsigned zeroes, characteristics;
} _tls_used = {&tls_start, &tls_end, &_tls_index, &first_callback + 1, 0, 0};

/* What exceptions say their type is; never called. */
const void *const type_info_functions[2] __asm__("??_7type_info@@6B@") = {0, 0};

#ifdef __i386__
/* Where the thread's block has the pointer to its variables. */
__asm__(".globl __tls_array\n.set __tls_array, 0x2c");
#endif

int __stdcall _DllMainCRTStartup(void *module, unsigned reason, void *reserved) {
    (void)module, (void)reason, (void)reserved;
    return 1;
}

#else
int *__p___argc(void);
char ***__p___argv(void);
int _configure_narrow_argv(int mode);
void exit(int code);
int main(int count, char **arguments);

/* A program starts here. */
void mainCRTStartup(void) {
    _configure_narrow_argv(1);
    exit(main(*__p___argc(), *__p___argv()));
}

#endif
