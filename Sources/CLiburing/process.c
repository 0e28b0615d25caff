// Calls on processes, threads and signals.
#define _GNU_SOURCE
#include "CLiburing.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int dtx_spawn(
    pid_t *process, char *const arguments[], int input, int output, int error,
    int ignoring_interrupt) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int number = posix_spawn_file_actions_init(&actions);
  if (number != 0) goto failed;
  number = posix_spawnattr_init(&attributes);
  if (number != 0) goto failed_with_actions;

  sigset_t mask, defaults;
  sigemptyset(&mask);
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  if (!ignoring_interrupt) sigaddset(&defaults, SIGINT);
  posix_spawnattr_setsigmask(&attributes, &mask);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  const int sources[] = {input, output, error};
  for (int target = 0; target < 3 && number == 0; target++)
    if (sources[target] >= 0)
      number = posix_spawn_file_actions_adddup2(&actions, sources[target], target);
  if (number == 0)
    number = posix_spawnp(process, arguments[0], &actions, &attributes, arguments, environ);

  posix_spawnattr_destroy(&attributes);
failed_with_actions:
  posix_spawn_file_actions_destroy(&actions);
failed:
  errno = number;
  return number == 0 ? 0 : -1;
}

int dtx_await_exit(pid_t process) {
  siginfo_t information;
  return waitid(P_PID, (id_t)process, &information, WEXITED | WNOWAIT);
}

int dtx_reap(pid_t process, int *signalled, int *code) {
  int status;
  pid_t found = waitpid(process, &status, WNOHANG);
  if (found <= 0) return found;
  *signalled = WIFSIGNALED(status) ? 1 : 0;
  *code = *signalled ? WTERMSIG(status) : WEXITSTATUS(status);
  return 1;
}

// What dtx_block_signals chose, kept so that a second call and dtx_wait_signal use the same.
static sigset_t awaited;
static pthread_once_t awaited_once = PTHREAD_ONCE_INIT;

static void choose_awaited(void) {
  sigemptyset(&awaited);
  sigaddset(&awaited, SIGTERM);
  // nohup(1), a shell's background job and a dtx that starts another ignore HUP or INT on purpose,
  // and a blocked signal is queued even where it is ignored: so leave those alone.
  static const int optional[] = {SIGINT, SIGHUP};
  for (int i = 0; i < 2; i++) {
    struct sigaction present;
    if (sigaction(optional[i], NULL, &present) == 0 && present.sa_handler != SIG_IGN)
      sigaddset(&awaited, optional[i]);
  }
}

void dtx_block_signals(void) {
  pthread_once(&awaited_once, choose_awaited);
  // Blocked before it is ignored, so that none is lost in between.
  pthread_sigmask(SIG_BLOCK, &awaited, NULL);
  signal(SIGINT, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
}

void dtx_restore_signals(void) {
  pthread_once(&awaited_once, choose_awaited);
  if (sigismember(&awaited, SIGINT)) signal(SIGINT, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &awaited, NULL);
}

int dtx_wait_signal(int64_t nanoseconds) {
  pthread_once(&awaited_once, choose_awaited);
  if (nanoseconds < 0) return sigwaitinfo(&awaited, NULL);
  struct timespec limit = {nanoseconds / 1000000000, nanoseconds % 1000000000};
  return sigtimedwait(&awaited, NULL, &limit);
}

void dtx_set_thread_name(const char *name) {
  // The kernel keeps 15 bytes and refuses more.
  char short_name[16];
  strncpy(short_name, name, sizeof short_name - 1);
  short_name[sizeof short_name - 1] = 0;
  pthread_setname_np(pthread_self(), short_name);
}

// Enough for every machine there is; the kernel's own limit is 8192.
enum { most_processors = 8192 };

int dtx_set_affinity(const int *processors, size_t count) {
  cpu_set_t *set = CPU_ALLOC(most_processors);
  if (!set) return -1;
  size_t byte_count = CPU_ALLOC_SIZE(most_processors);
  CPU_ZERO_S(byte_count, set);
  for (size_t i = 0; i < count; i++)
    if (processors[i] >= 0) CPU_SET_S((size_t)processors[i], byte_count, set);
  int result = sched_setaffinity(0, byte_count, set);
  CPU_FREE(set);
  return result;
}

int dtx_get_affinity(int *processors, size_t capacity) {
  cpu_set_t *set = CPU_ALLOC(most_processors);
  if (!set) return -1;
  size_t byte_count = CPU_ALLOC_SIZE(most_processors);
  int result = sched_getaffinity(0, byte_count, set);
  if (result == 0)
    for (size_t i = 0; i < most_processors; i++)
      if (CPU_ISSET_S(i, byte_count, set)) {
        if ((size_t)result < capacity) processors[result] = (int)i;
        result++;
      }
  CPU_FREE(set);
  return result;
}

int dtx_random(void *buffer, size_t count) {
  unsigned char *next = buffer;
  while (count > 0) {
    ssize_t got = getrandom(next, count, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    next += got;
    count -= (size_t)got;
  }
  return 0;
}

int dtx_disable_core_dumps(void) {
  struct rlimit none = {0, 0};
  if (setrlimit(RLIMIT_CORE, &none) < 0) return -1;
  return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int dtx_terminal_width(int descriptor) {
  struct winsize window;
  if (ioctl(descriptor, TIOCGWINSZ, &window) < 0) return 0;
  return window.ws_col;
}
