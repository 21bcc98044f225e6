/* The least that sampling can cost, and what is sampled.

   pread_loop loop < PIDS      keeps /proc/PID/stat open of each (one pid a line, then an empty line); for every
                               further line it reads all of them once and prints the nanoseconds of CPU that this took
   pread_loop spawn N DIR      N children that sleep, the I-th in DIR/vmI; prints a line when all are there */

#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void die_with_parent(void) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        die("prctl");
}

static long long nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static int loop(void) {
    static int files[65536];
    char line[64], path[64], stat[1024];
    struct rlimit limit;
    int count = 0;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    while (fgets(line, sizeof line, stdin) != NULL && line[0] != '\n') {
        snprintf(path, sizeof path, "/proc/%d/stat", atoi(line));
        if ((files[count++] = open(path, O_RDONLY | O_CLOEXEC)) < 0)
            die(path);
    }
    while (fgets(line, sizeof line, stdin) != NULL) {
        long long begin = nanoseconds();
        for (int i = 0; i < count; i++)
            if (pread(files[i], stat, sizeof stat, 0) <= 0)
                die("pread");
        printf("%lld\n", nanoseconds() - begin);
        fflush(stdout);
    }
    return 0;
}

_Noreturn static void spawn(int count, const char *directory) {
    char path[4096];

    die_with_parent();
    for (int i = 0; i < count; i++) {
        pid_t child = fork();
        if (child < 0)
            die("fork");
        if (child > 0)
            continue;
        die_with_parent();
        snprintf(path, sizeof path, "%s/vm%d", directory, i);
        if (chdir(path) != 0)
            die(path);
        for (;;)
            pause();
    }
    puts("spawned");
    fflush(stdout);
    for (;;)
        pause();
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "loop") == 0)
        return loop();
    if (argc == 4 && strcmp(argv[1], "spawn") == 0)
        spawn(atoi(argv[2]), argv[3]);
    fprintf(stderr, "usage: pread_loop loop | spawn N DIR\n");
    return 64;
}
