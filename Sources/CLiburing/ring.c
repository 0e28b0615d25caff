// Reads and writes that the kernel does by itself: a submission ring and its completions.
#define _GNU_SOURCE
#include "CLiburing.h"

#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { pieces_of_a_read = 64 };

// On the heap, because the library's ring refers to itself and must not move.
struct dtx_ring {
  struct io_uring ring;
  // Read by the ring itself, so that a thread that waits for completions can be woken.
  int event;
  int is_armed;
  uint64_t signals;
  unsigned depth;
  // Of each operation that reads apart, until it is submitted.
  struct iovec (*pieces)[pieces_of_a_read];
};

static const uint64_t wake_token = UINT64_MAX;

static int arm(struct dtx_ring *ring) {
  struct io_uring_sqe *entry = io_uring_get_sqe(&ring->ring);
  if (!entry) return -EBUSY;
  io_uring_prep_read(entry, ring->event, &ring->signals, sizeof ring->signals, 0);
  io_uring_sqe_set_data64(entry, wake_token);
  ring->is_armed = 1;
  return 0;
}

// Frees what there is of a ring, and says why there is no more.
static struct dtx_ring *give_up(struct dtx_ring *ring, int number) {
  if (ring->event >= 0) close(ring->event);
  free(ring->pieces);
  free(ring);
  errno = number;
  return NULL;
}

struct dtx_ring *dtx_ring_open(unsigned depth, unsigned slot_count) {
  struct dtx_ring *ring = calloc(1, sizeof *ring);
  if (!ring) return NULL;
  ring->depth = depth;
  ring->event = eventfd(0, EFD_CLOEXEC);
  if (ring->event < 0) return give_up(ring, errno);
  ring->pieces = calloc(depth, sizeof *ring->pieces);
  if (!ring->pieces) return give_up(ring, ENOMEM);
  // Completions are worked on by the thread that waits for them, and interrupt nobody (Linux 6.1).
  unsigned flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
  // One more, for what wakes.
  int result = io_uring_queue_init(depth + 1, &ring->ring, flags);
  if (result == -EINVAL) result = io_uring_queue_init(depth + 1, &ring->ring, 0);
  if (result < 0) return give_up(ring, -result);
  // Who may make a ring may still not be allowed to use it: now is the time to hear of it.
  result = arm(ring);
  if (result == 0) result = io_uring_submit(&ring->ring);
  if (result < 0) {
    io_uring_queue_exit(&ring->ring);
    return give_up(ring, -result);
  }
  // Without the table (before Linux 5.19) each slot is refused.
  if (slot_count > 0) (void)io_uring_register_buffers_sparse(&ring->ring, slot_count);
  return ring;
}

void dtx_ring_close(struct dtx_ring *ring) {
  uint64_t token;
  int32_t result;
  // The kernel must not write into what is freed.
  dtx_ring_wake(ring);
  while (ring->is_armed && dtx_ring_wait(ring, &token, &result) >= 0 && token != wake_token) {}
  io_uring_queue_exit(&ring->ring);
  (void)give_up(ring, 0);
}

int dtx_ring_hold(struct dtx_ring *ring, unsigned slot, void *memory, size_t count) {
  struct iovec held = {memory, count};
  __u64 tag = 0;
  int result = io_uring_register_buffers_update_tag(&ring->ring, slot, &held, &tag, 1);
  if (result > 0) return 0;
  errno = result < 0 ? -result : EINVAL;
  return -1;
}

static struct io_uring_sqe *next_entry(struct dtx_ring *ring, unsigned token) {
  struct io_uring_sqe *entry = token < ring->depth ? io_uring_get_sqe(&ring->ring) : NULL;
  if (!entry) errno = EBUSY;
  return entry;
}

int dtx_ring_write(
    struct dtx_ring *ring, int descriptor, const void *bytes, uint32_t count, uint64_t offset,
    int slot, unsigned token) {
  struct io_uring_sqe *entry = next_entry(ring, token);
  if (!entry) return -1;
  if (slot < 0) {
    io_uring_prep_write(entry, descriptor, bytes, count, offset);
  } else {
    io_uring_prep_write_fixed(entry, descriptor, bytes, count, offset, slot);
  }
  io_uring_sqe_set_data64(entry, token);
  return 0;
}

int dtx_ring_read_apart(
    struct dtx_ring *ring, int descriptor, void *first, size_t piece, size_t stride,
    size_t position, size_t count, uint64_t offset, unsigned token) {
  struct io_uring_sqe *entry = next_entry(ring, token);
  if (!entry) return -1;
  struct iovec *pieces = ring->pieces[token];
  int used = dtx_pieces(first, piece, stride, position, count, pieces, pieces_of_a_read);
  io_uring_prep_readv(entry, descriptor, pieces, used, offset);
  io_uring_sqe_set_data64(entry, token);
  return 0;
}

int dtx_ring_wait(struct dtx_ring *ring, uint64_t *token, int32_t *result) {
  struct io_uring_cqe *entry = NULL;
  for (;;) {
    if (!ring->is_armed) (void)arm(ring);
    unsigned wanted = io_uring_cq_ready(&ring->ring) == 0;
    int outcome = 0;
    if (wanted || io_uring_sq_ready(&ring->ring) > 0) {
      outcome = io_uring_submit_and_wait(&ring->ring, wanted);
    }
    if (io_uring_peek_cqe(&ring->ring, &entry) == 0) break;
    // What was queued cannot be taken back, so that a kernel short of memory is asked again.
    if (outcome >= 0 || outcome == -EINTR) continue;
    if (outcome != -EAGAIN && outcome != -EBUSY && outcome != -ENOMEM) {
      errno = -outcome;
      return -1;
    }
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  }
  *token = io_uring_cqe_get_data64(entry);
  *result = entry->res;
  io_uring_cqe_seen(&ring->ring, entry);
  if (*token != wake_token) return 1;
  ring->is_armed = 0;
  return 0;
}

void dtx_ring_wake(struct dtx_ring *ring) { (void)eventfd_write(ring->event, 1); }
