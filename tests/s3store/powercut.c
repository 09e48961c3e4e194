/* Notes down all that a program does to the files below a folder, in order: preloaded into it.
 *
 * A record is a letter, four numbers (inode, offset, length of a path, length of some data), the
 * path and the data. It is written when the system call has succeeded.
 *
 *   C created  W written  T truncated  S synced  R renamed (data: to)  L linked  U unlinked
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static int notes = -1;

static void note(char kind, uint64_t inode, uint64_t offset, const char *path, const void *data,
                 size_t size) {
    uint64_t numbers[4] = {inode, offset, strlen(path), size};
    struct iovec pieces[4] = {
        {&kind, 1}, {numbers, sizeof numbers}, {(void *)path, numbers[2]}, {(void *)data, size}};
    pthread_mutex_lock(&turn);
    if (notes < 0)
        notes = REAL(open)(getenv("POWERCUT_NOTES"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (writev(notes, pieces, 4) != (ssize_t)(1 + sizeof numbers + numbers[2] + size)) abort();
    pthread_mutex_unlock(&turn);
}

static int watched(const char *path) {
    const char *below = getenv("POWERCUT_BELOW");
    return below && !strncmp(path, below, strlen(below));
}

/* The inode of an open file we watch, else 0. */
static uint64_t watched_inode(int file) {
    char link[64], path[4096];
    struct stat found;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return watched(path) && !fstat(file, &found) ? found.st_ino : 0;
}

static uint64_t inode_at(const char *path) {
    struct stat found;
    return stat(path, &found) ? 0 : found.st_ino;
}

static int opened(int folder, const char *path, int flags, mode_t mode) {
    int fresh = (flags & O_CREAT) && watched(path) && !inode_at(path);
    int file = REAL(openat)(folder, path, flags, mode);
    if (file >= 0 && fresh) note('C', watched_inode(file), 0, path, "", 0);
    return file;
}

#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { \
        va_list rest; \
        va_start(rest, flags); \
        mode = va_arg(rest, int); \
        va_end(rest); \
    }

int open(const char *path, int flags, ...) { MODE(flags) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) {
    MODE(flags) return opened(AT_FDCWD, path, flags | O_LARGEFILE, mode);
}
int openat(int folder, const char *path, int flags, ...) {
    MODE(flags) return opened(folder, path, flags, mode);
}
int openat64(int folder, const char *path, int flags, ...) {
    MODE(flags) return opened(folder, path, flags | O_LARGEFILE, mode);
}

static ssize_t written(int file, const void *data, ssize_t size, off_t offset) {
    uint64_t inode = size > 0 ? watched_inode(file) : 0;
    if (inode) note('W', inode, offset, "", data, size);
    return size;
}

ssize_t write(int file, const void *data, size_t size) {
    off_t offset = lseek(file, 0, SEEK_CUR);
    return written(file, data, REAL(write)(file, data, size), offset);
}
ssize_t pwrite(int file, const void *data, size_t size, off_t offset) {
    return written(file, data, REAL(pwrite)(file, data, size, offset), offset);
}
ssize_t pwrite64(int file, const void *data, size_t size, off64_t offset) {
    return written(file, data, REAL(pwrite64)(file, data, size, offset), offset);
}

static int done(char kind, int file, uint64_t offset, int outcome) {
    uint64_t inode = outcome ? 0 : watched_inode(file);
    if (inode) note(kind, inode, offset, "", "", 0);
    return outcome;
}

int ftruncate(int file, off_t size) { return done('T', file, size, REAL(ftruncate)(file, size)); }
int ftruncate64(int file, off64_t size) { return done('T', file, size, REAL(ftruncate64)(file, size)); }
int fsync(int file) { return done('S', file, 0, REAL(fsync)(file)); }
int fdatasync(int file) { return done('S', file, 0, REAL(fdatasync)(file)); }

int rename(const char *from, const char *to) {
    int outcome = REAL(rename)(from, to);
    if (!outcome && watched(to)) note('R', inode_at(to), 0, from, to, strlen(to));
    return outcome;
}

static int linked(const char *to, int outcome) {
    if (!outcome && watched(to)) note('L', inode_at(to), 0, to, "", 0);
    return outcome;
}

int link(const char *from, const char *to) { return linked(to, REAL(link)(from, to)); }
int linkat(int folder, const char *from, int other, const char *to, int flags) {
    return linked(to, REAL(linkat)(folder, from, other, to, flags));
}

int unlink(const char *path) {
    int outcome = REAL(unlink)(path);
    if (!outcome && watched(path)) note('U', 0, 0, path, "", 0);
    return outcome;
}
