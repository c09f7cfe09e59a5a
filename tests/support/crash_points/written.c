/*
 * Logs what a program does to the files below one folder, in order: a library to be loaded before all others (LD_PRELOAD).
 *
 * CRASH_POINTS_FOLDER is that folder, CRASH_POINTS_LOG the file of the log. A record is: operation (1 octet), offset and length (8 octets each,
 * in the order of the machine), length of the path (2 octets), the path, and for a write the octets written.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum operation { CREATE = 'c', WRITE = 'w', TRUNCATE = 't', SYNC = 's', UNLINK = 'u' };

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static int log_descriptor = -1;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int is_watched(const char *path)
{
    const char *folder = getenv("CRASH_POINTS_FOLDER");
    size_t length = folder ? strlen(folder) : 0;
    return length && !strncmp(path, folder, length) && (path[length] == '/' || !path[length]);
}

static int path_of(int descriptor, char *path)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return is_watched(path);
}

static void append(const void *octets, size_t length)
{
    if (syscall(SYS_write, log_descriptor, octets, length) != (ssize_t)length)
        abort();
}

static void log_operation(char operation, const char *path, uint64_t offset, uint64_t length, const void *octets)
{
    if (log_descriptor < 0)
        log_descriptor = syscall(SYS_openat, AT_FDCWD, getenv("CRASH_POINTS_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    uint16_t path_length = strlen(path);
    append(&operation, sizeof operation);
    append(&offset, sizeof offset);
    append(&length, sizeof length);
    append(&path_length, sizeof path_length);
    append(path, path_length);
    if (octets)
        append(octets, length);
}

/* Calls the real function, and logs the operation if it succeeded. */
#define LOGGED(result_type, call, watched, log)  \
    do {                                         \
        pthread_mutex_lock(&turn);               \
        result_type result = (call);             \
        int failure = errno;                     \
        if (result >= 0 && (watched))            \
            log;                                 \
        pthread_mutex_unlock(&turn);             \
        errno = failure;                         \
        return result;                           \
    } while (0)

static int open_watched(int folder, const char *path, int flags, mode_t mode)
{
    struct stat found;
    char opened[PATH_MAX];
    int made = (flags & O_CREAT) && fstatat(folder, path, &found, 0) != 0;
    LOGGED(int, (int)syscall(SYS_openat, folder, path, flags, mode), made && path_of(result, opened), log_operation(CREATE, opened, 0, 0, NULL));
}

static mode_t mode_of(int flags, va_list arguments)
{
    return flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
}

#define OPEN(name, folder, ...)                          \
    {                                                    \
        va_list arguments;                               \
        va_start(arguments, flags);                      \
        mode_t mode = mode_of(flags, arguments);         \
        va_end(arguments);                               \
        return open_watched(folder, path, flags, mode);  \
    }

int open(const char *path, int flags, ...) OPEN(open, AT_FDCWD)
int open64(const char *path, int flags, ...) OPEN(open64, AT_FDCWD)
int openat(int folder, const char *path, int flags, ...) OPEN(openat, folder)
int openat64(int folder, const char *path, int flags, ...) OPEN(openat64, folder)

ssize_t pwrite64(int descriptor, const void *octets, size_t length, off64_t offset)
{
    char path[PATH_MAX];
    LOGGED(ssize_t, REAL(pwrite64)(descriptor, octets, length, offset), path_of(descriptor, path),
           log_operation(WRITE, path, offset, result, octets));
}

ssize_t pwrite(int descriptor, const void *octets, size_t length, off_t offset)
{
    return pwrite64(descriptor, octets, length, offset);
}

ssize_t write(int descriptor, const void *octets, size_t length)
{
    char path[PATH_MAX];
    LOGGED(ssize_t, syscall(SYS_write, descriptor, octets, length), path_of(descriptor, path),
           log_operation(WRITE, path, lseek(descriptor, 0, SEEK_CUR) - result, result, octets));
}

int ftruncate64(int descriptor, off64_t length)
{
    char path[PATH_MAX];
    LOGGED(int, REAL(ftruncate64)(descriptor, length), path_of(descriptor, path), log_operation(TRUNCATE, path, length, 0, NULL));
}

int ftruncate(int descriptor, off_t length)
{
    return ftruncate64(descriptor, length);
}

int fsync(int descriptor)
{
    char path[PATH_MAX];
    LOGGED(int, REAL(fsync)(descriptor), path_of(descriptor, path), log_operation(SYNC, path, 0, 0, NULL));
}

int fdatasync(int descriptor)
{
    char path[PATH_MAX];
    LOGGED(int, REAL(fdatasync)(descriptor), path_of(descriptor, path), log_operation(SYNC, path, 0, 0, NULL));
}

int unlink(const char *path)
{
    LOGGED(int, REAL(unlink)(path), is_watched(path), log_operation(UNLINK, path, 0, 0, NULL));
}
