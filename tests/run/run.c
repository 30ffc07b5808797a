/* Runs a program for the specs on Windows, where no shell is at hand that could: with a limit, an environment and files for what it writes.

     run REQUEST             REQUEST is a file with a line for each thing asked for, "name=value":
                               arg=TEXT          the program, then its arguments; "%0A" stands for a new line, "%0D" and "%25" likewise
                               set=NAME=VALUE    a variable of its environment
                               unset=NAME        a variable that it is not to have
                               directory=PATH    where it runs
                               out=, err=PATH    the files that get what it writes
                               code=PATH         the file that gets its exit code in decimal digits, as a number without sign
                               limit=SECONDS     after which it and all that it started are ended; the code is then 124
                             What it started is ended with it.
     run interrupt           writes "soon", and sends Ctrl-C to the programs of this console after a moment; the console of what `run REQUEST` has started
     run sleep SECONDS       waits
     run sleep_while PID     waits until that process is gone */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

static void fail(const char *what) {
    fprintf(stderr, "run: %s: error %lu\n", what, GetLastError());
    exit(2);
}

static void decode(char *text) {
    char *to = text;
    for (char *from = text; *from; from++) {
        if (*from == '%' && from[1] && from[2]) {
            char digits[3] = {from[1], from[2], 0};
            *to++ = (char)strtol(digits, NULL, 16);
            from += 2;
        } else {
            *to++ = *from;
        }
    }
    *to = 0;
}

static char command[32768];

static void append(char character) {
    size_t length = strlen(command);
    if (length + 2 > sizeof command) fail("a command line that is too long");
    command[length] = character;
    command[length + 1] = 0;
}

/* Adds a word as the start of C programs takes it apart again. */
static void append_word(const char *word) {
    if (*command) append(' ');
    append('"');
    size_t backslashes = 0;
    for (; *word; word++) {
        if (*word == '\\') {
            backslashes++;
            continue;
        }
        if (*word == '"') backslashes = 2 * backslashes + 1;
        for (; backslashes > 0; backslashes--) append('\\');
        append(*word);
    }
    for (backslashes *= 2; backslashes > 0; backslashes--) append('\\');
    append('"');
}

static HANDLE open_inherited(const char *path, DWORD access, DWORD disposition) {
    SECURITY_ATTRIBUTES inherited = {sizeof inherited, NULL, TRUE};
    HANDLE file = CreateFileA(path, access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, &inherited, disposition, 0, NULL);
    if (file == INVALID_HANDLE_VALUE) fail(path);
    return file;
}

static int interrupt(void) {
    SetConsoleCtrlHandler(NULL, TRUE);
    /* Whoever has started it knows now that it runs. */
    puts("soon");
    fflush(stdout);
    Sleep(50);
    if (!GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0)) fail("GenerateConsoleCtrlEvent");
    return 0;
}

static int sleep_while(DWORD process) {
    HANDLE handle = OpenProcess(SYNCHRONIZE, FALSE, process);
    if (handle) WaitForSingleObject(handle, INFINITE);
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "interrupt") == 0) return interrupt();
    if (argc == 3 && strcmp(argv[1], "sleep_while") == 0) return sleep_while((DWORD)strtoul(argv[2], NULL, 10));
    if (argc == 3 && strcmp(argv[1], "sleep") == 0) {
        Sleep((DWORD)(1000 * atof(argv[2])));
        return 0;
    }
    FILE *request = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!request) fail("usage: run REQUEST");

    static char line[32768];
    char directory[MAX_PATH] = "", out[MAX_PATH] = "nul", err[MAX_PATH] = "nul", code_path[MAX_PATH] = "nul";
    double limit = 60;
    while (fgets(line, sizeof line, request)) {
        line[strcspn(line, "\r\n")] = 0;
        char *value = strchr(line, '=');
        if (!value) continue;
        *value++ = 0;
        decode(value);
        if (strcmp(line, "arg") == 0) append_word(value);
        if (strcmp(line, "directory") == 0) snprintf(directory, sizeof directory, "%s", value);
        if (strcmp(line, "out") == 0) snprintf(out, sizeof out, "%s", value);
        if (strcmp(line, "err") == 0) snprintf(err, sizeof err, "%s", value);
        if (strcmp(line, "code") == 0) snprintf(code_path, sizeof code_path, "%s", value);
        if (strcmp(line, "limit") == 0) limit = atof(value);
        if (strcmp(line, "unset") == 0) SetEnvironmentVariableA(value, NULL);
        if (strcmp(line, "set") == 0) {
            char *text = strchr(value, '=');
            if (!text) continue;
            *text++ = 0;
            SetEnvironmentVariableA(value, text);
        }
    }
    fclose(request);

    /* A console of its own, so that Ctrl-C reaches nobody else; this program does not heed it. */
    FreeConsole();
    AllocConsole();
    SetConsoleCtrlHandler(NULL, FALSE);
    STARTUPINFOA start = {.cb = sizeof start, .dwFlags = STARTF_USESTDHANDLES};
    start.hStdInput = open_inherited("nul", GENERIC_READ, OPEN_EXISTING);
    start.hStdOutput = open_inherited(out, GENERIC_WRITE, CREATE_ALWAYS);
    start.hStdError = strcmp(out, err) == 0 ? start.hStdOutput : open_inherited(err, GENERIC_WRITE, CREATE_ALWAYS);
    HANDLE job = CreateJobObjectA(NULL, NULL);
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE};
    SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);
    PROCESS_INFORMATION process;
    DWORD code = 127;
    BOOL started = FALSE;
    /* A busy Wine answers this where it could not start a program, which has not run then. */
    for (int attempt = 0; attempt < 10 && !started; attempt++) {
        started = CreateProcessA(NULL, command, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, *directory ? directory : NULL, &start, &process);
        if (!started && GetLastError() != ERROR_INTERNAL_ERROR) break;
        if (!started) Sleep(100);
    }
    if (started) {
        AssignProcessToJobObject(job, process.hProcess);
        SetConsoleCtrlHandler(NULL, TRUE);
        ResumeThread(process.hThread);
        if (WaitForSingleObject(process.hProcess, (DWORD)(limit * 1000)) == WAIT_TIMEOUT) {
            code = 124;
        } else {
            GetExitCodeProcess(process.hProcess, &code);
        }
    } else {
        fprintf(stderr, "run: cannot start %s: error %lu\n", command, GetLastError());
    }
    TerminateJobObject(job, 124);
    if (started) WaitForSingleObject(process.hProcess, 5000);
    FILE *result = fopen(code_path, "wb");
    if (!result) fail(code_path);
    fprintf(result, "%lu", code);
    fclose(result);
    return 0;
}
