// Calls on any descriptor: copies, pipes, events and waiting.
#define _GNU_SOURCE
#include "CLiburing.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

int dtx_duplicate(int descriptor) { return fcntl(descriptor, F_DUPFD_CLOEXEC, 0); }

int dtx_redirect(int descriptor, int target) { return dup2(target, descriptor); }

int dtx_set_blocking(int descriptor, int blocking) {
  int flags = fcntl(descriptor, F_GETFL);
  if (flags < 0) return -1;
  return fcntl(descriptor, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

int dtx_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int dtx_event(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

int dtx_event_signal(int event) {
  uint64_t one = 1;
  return write(event, &one, sizeof one) == (ssize_t)sizeof one ? 0 : -1;
}

int dtx_wait(int descriptor, int interest, int event, int64_t nanoseconds) {
  struct pollfd waits[2] = {
    {.fd = descriptor},
    {.fd = event, .events = POLLIN},
  };
  if (interest & DTX_READABLE) waits[0].events |= POLLIN;
  if (interest & DTX_WRITABLE) waits[0].events |= POLLOUT;
  struct timespec limit = {nanoseconds / 1000000000, nanoseconds % 1000000000};
  if (ppoll(waits, 2, nanoseconds < 0 ? NULL : &limit, NULL) < 0) return -1;
  if (waits[0].revents & POLLNVAL) {
    errno = EBADF;
    return -1;
  }
  int ready = 0;
  if (waits[0].revents & (POLLIN | POLLHUP | POLLERR)) ready |= DTX_READABLE;
  if (waits[0].revents & (POLLOUT | POLLHUP | POLLERR)) ready |= DTX_WRITABLE;
  if (waits[1].revents) ready |= DTX_WOKEN;
  return ready & (interest | DTX_WOKEN);
}

int dtx_raise_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -1;
  limit.rlim_cur = limit.rlim_max;
  return setrlimit(RLIMIT_NOFILE, &limit);
}
