// What the kernel offers and Swift's Glibc does not: ring operations, and calls that are macros,
// variadic or missing there.
#ifndef DTX_CLIBURING_H
#define DTX_CLIBURING_H

// features.h comes first: liburing.h sets _XOPEN_SOURCE, and without this line the first libc
// header would be read with another set of definitions than Swift's own Glibc module.
#include <features.h>

#if !__has_include(<liburing.h>)
#error "liburing is missing: run  apt-get install -y liburing-dev libzstd-dev libxxhash-dev"
#endif

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Every function below that returns a signed number returns -1 and sets errno when it fails, and
// none repeats a call after EINTR, unless its comment says otherwise.

// Errors (error.c).

// The symbol of an error number ("ENOSPC"), or NULL for a number that has none.
const char *dtx_error_name(int number);
// Writes the C library's text for an error number, with its NUL.
void dtx_error_text(int number, char *text, size_t capacity);

// Files and directories (file.c).

// Open flags that need _GNU_SOURCE.
extern const int dtx_open_path;
extern const int dtx_open_direct;
// Advice for madvise(2) that needs _GNU_SOURCE.
extern const int dtx_advice_huge;

struct dtx_status {
  uint32_t mode; // type and permission bits, as in stat(2)
  uint32_t user, group, link_count;
  uint32_t device_major, device_minor; // what a device node stands for
  uint64_t byte_count, allocated_byte_count, device, inode;
  int64_t modified_seconds, changed_seconds;
  uint32_t modified_nanoseconds, changed_nanoseconds;
};

struct dtx_file_system {
  int64_t type; // f_type of statfs(2)
  uint64_t available_byte_count;
  uint64_t inode_count; // 0 where they are not counted
  uint64_t available_inode_count;
  uint64_t name_byte_count; // of the longest name; 0 where nobody says
};

struct dtx_quota {
  uint64_t byte_limit, bytes, inode_limit, inodes; // a limit of 0 is none
};

int dtx_openat(int directory, const char *name, int flags, mode_t mode);
// openat2(2) beneath the directory, through no symbolic link in any component.
int dtx_open_beneath(int directory, const char *name, int flags);
// statx(2) without following the last component; an empty name is the descriptor itself. A fresh
// status is asked of a network file system's server, whatever the cache has.
int dtx_status(int directory, const char *name, int is_fresh, struct dtx_status *status);
// What O_DIRECT asks of an open file: the alignment in bytes of memory and of offset and length, by
// statx(2); 0 where the file does not take it or (before Linux 6.1) the kernel does not say.
int dtx_direct_alignment(int descriptor, uint32_t *memory, uint32_t *offset);
// How many bytes of a range of a file are in the page cache: cachestat(2), or mincore(2) before
// Linux 6.5. Who may not know is told that all are.
int64_t dtx_cached_byte_count(int descriptor, int64_t offset, int64_t length);
// Describes up to `count` bytes of such memory as dtx_read_apart takes; returns how many of at most
// `most` parts it used.
struct iovec;
int dtx_pieces(
    void *first, size_t piece, size_t stride, size_t position, size_t count, struct iovec *parts,
    int most);
// One preadv(2) of up to `count` bytes into pieces of `piece` bytes that begin `stride` apart, from
// byte `position` of all pieces together on.
ssize_t dtx_read_apart(
    int descriptor, void *first, size_t piece, size_t stride, size_t position, size_t count,
    int64_t offset);
// getdents64(2): whole entries as struct linux_dirent64 lays them out; 0 at the end.
ssize_t dtx_read_entries(int directory, void *buffer, size_t capacity);
// chmod, utimensat and chown that never follow the last component; an empty name is the descriptor.
int dtx_set_mode(int directory, const char *name, mode_t mode);
int dtx_set_modified(int directory, const char *name, int64_t seconds, uint32_t nanoseconds);
int dtx_set_owner(int directory, const char *name, uint32_t user, uint32_t group);
// A rename that fails with EEXIST where the new name is taken, and with EINVAL on a file system that
// has no such call (NFS, some of FUSE).
int dtx_rename_to_free(int from, const char *old, int to, const char *new);
// The same on any file system that knows links; of what is no directory.
int dtx_rename_exclusively(int from, const char *old, int to, const char *new);
int dtx_make_node(int directory, const char *name, mode_t mode, uint32_t major, uint32_t minor);
int dtx_file_system(int descriptor, struct dtx_file_system *result);
// The quota of a user (owner 0) or group (owner 1): quotactl_fd(2), since Linux 5.14.
int dtx_quota(int descriptor, int owner, uint32_t number, struct dtx_quota *quota);
int dtx_sync_file_system(int descriptor);
int dtx_start_write_out(int descriptor, int64_t offset, int64_t length);
// flock(2), never blocking. Mode: 0 unlocks, 1 shares, 2 excludes.
int dtx_lock(int descriptor, int mode);
// lseek(2) to the next data (hole == 0) or the next hole.
int64_t dtx_seek(int descriptor, int64_t offset, int hole);

// Rings (ring.c).

// An io_uring(7). The thread that opened it alone uses it, but for dtx_ring_wake.
struct dtx_ring;

// A ring of at most so many operations under way, at an address of its own, with room to hold so
// many buffers; NULL and errno where the kernel gives none, or lets nobody use it.
struct dtx_ring *dtx_ring_open(unsigned depth, unsigned slot_count);
// Nothing may be under way.
void dtx_ring_close(struct dtx_ring *ring);
// Has the kernel keep a buffer's pages at hand, in a free slot; it stays mapped until the ring is
// closed. ENOMEM where RLIMIT_MEMLOCK has no room for it.
int dtx_ring_hold(struct dtx_ring *ring, unsigned slot, void *memory, size_t count);
// Queues one pwrite(2) of bytes in a held buffer (slot < 0: in none), which stay as they are until
// the token, below the depth and of nothing else under way, has come back.
int dtx_ring_write(
    struct dtx_ring *ring, int descriptor, const void *bytes, uint32_t count, uint64_t offset,
    int slot, unsigned token);
// Queues one dtx_read_apart.
int dtx_ring_read_apart(
    struct dtx_ring *ring, int descriptor, void *first, size_t piece, size_t stride,
    size_t position, size_t count, uint64_t offset, unsigned token);
// Submits what is queued and waits: 1 with a completion, its token and its count or negative error
// number; 0 when dtx_ring_wake was called. Repeats after EINTR, and while the kernel is short of
// memory.
int dtx_ring_wait(struct dtx_ring *ring, uint64_t *token, int32_t *result);
// Ends a wait, the next one if there is none; any thread.
void dtx_ring_wake(struct dtx_ring *ring);

// Descriptors (descriptor.c).

int dtx_duplicate(int descriptor);
// dup2(2) of target onto descriptor, which exec keeps.
int dtx_redirect(int descriptor, int target);
int dtx_set_blocking(int descriptor, int blocking);
// Both ends close on exec: ends[0] reads, ends[1] writes.
int dtx_pipe(int ends[2]);
// An event counter for waking threads that wait in dtx_wait; signalling it is async-signal-safe.
int dtx_event(void);
int dtx_event_signal(int event);

enum dtx_readiness { DTX_READABLE = 1, DTX_WRITABLE = 2, DTX_WOKEN = 4 };
// Waits for a descriptor to be readable or writable (a hang-up or error counts as both) or for
// `event` (-1: none) to have been signalled. Returns what is so: 0 after `nanoseconds` (< 0: never).
int dtx_wait(int descriptor, int interest, int event, int64_t nanoseconds);

// Sockets (socket.c).

enum dtx_option {
  DTX_REUSE_ADDRESS,
  DTX_ONLY_V6,
  DTX_LATE_PORT, // IP_BIND_ADDRESS_NO_PORT
  DTX_NO_DELAY,
  DTX_KEEP_ALIVE,
  DTX_USER_TIMEOUT,
  DTX_SEND_BUFFER,
  DTX_RECEIVE_BUFFER,
  DTX_SERVICE_V4,
  DTX_SERVICE_V6,
  DTX_PENDING_ERROR,
};

struct dtx_tcp_info {
  uint32_t round_trip, round_trip_variance, minimum_round_trip; // microseconds
  uint32_t segment_byte_count, congestion_window, retransmits, path_mtu;
  uint64_t bytes_sent, bytes_acked, bytes_received, bytes_retransmitted;
  uint64_t busy, receive_window_limited, send_buffer_limited; // microseconds
  uint64_t delivery_rate, pacing_rate;                        // bytes per second
  uint32_t unanswered_timeouts;    // in a row, each for data sent again
  uint32_t since_answer;           // milliseconds since anything was acknowledged
};

// A TCP socket that closes on exec.
int dtx_socket(int family);
int dtx_socket_pair(int ends[2]);
// A socket within this machine that listens at a path, or is connected to who does.
int dtx_local_socket(const char *path, int listening);
// The user of the process at the other end of one.
int dtx_peer_user(int descriptor, uint32_t *user);
int dtx_bind(int descriptor, const void *address, uint32_t byte_count);
int dtx_connect(int descriptor, const void *address, uint32_t byte_count);
int dtx_accept(int descriptor);
// Writes the own (peer == 0) or the peer's address; returns its length.
int dtx_address(int descriptor, int peer, void *address, uint32_t capacity);
int dtx_set_option(int descriptor, enum dtx_option option, int value);
int dtx_get_option(int descriptor, enum dtx_option option, int *value);
int dtx_set_timeout(int descriptor, int sending, uint64_t nanoseconds);
int dtx_bind_interface(int descriptor, const char *name);
// Writes the name of the interface that a socket is bound to; empty for none.
int dtx_bound_interface(int descriptor, char *name, size_t capacity);
int dtx_set_congestion_control(int descriptor, const char *name);
int dtx_get_congestion_control(int descriptor, char *name, size_t capacity);
int dtx_set_pacing_rate(int descriptor, uint64_t bytes_per_second);
int dtx_get_pacing_rate(int descriptor, uint64_t *bytes_per_second);
int dtx_tcp_info(int descriptor, struct dtx_tcp_info *info);
// Bytes that were sent and that the peer's kernel has not acknowledged (SIOCOUTQ).
int dtx_unacknowledged(int descriptor, int *byte_count);
// One sendmsg(2) of two buffers (either may be empty), without SIGPIPE.
ssize_t dtx_send(
    int descriptor, const void *first, size_t first_count, const void *second, size_t second_count);
// Has the kernel say of each dtx_send_zero_copy when it needs the memory no more (SO_ZEROCOPY).
int dtx_allow_zero_copy(int descriptor);
// One send(2) without SIGPIPE that leaves the bytes where they are (MSG_ZEROCOPY), which must stay as
// they are until the call's number has come back. ENOBUFS where the kernel has no room to note it, or
// RLIMIT_MEMLOCK none for the memory.
ssize_t dtx_send_zero_copy(int descriptor, const void *bytes, size_t count);
// Takes word of such calls, counted from 0, that are done with: 1 with the first and the last of
// them and whether the kernel copied their bytes after all; 0 when there is none. Never waits.
int dtx_take_notification(int descriptor, uint32_t *first, uint32_t *last, int *copied);
ssize_t dtx_receive(int descriptor, void *buffer, size_t capacity);
// One recvmsg(2) into two buffers (the second may be empty) that waits until both are full, the
// peer ends, or a timeout or a signal interrupts.
ssize_t dtx_receive_whole(
    int descriptor, void *first, size_t first_count, void *second, size_t second_count);
// Shuts down writing (both == 0) or both ways.
int dtx_shutdown(int descriptor, int both);
// getaddrinfo(3) for TCP. Calls `take` with each address; returns 0 or an EAI_ number.
int dtx_resolve(
    const char *host, const char *port, int numeric, void *context,
    void (*take)(void *context, const void *address, uint32_t byte_count));
// Writes an address's number, with its scope, as text; returns 0 or an EAI_ number.
int dtx_numeric_host(const void *address, uint32_t byte_count, char *text, size_t capacity);

// Routes and queues (netlink.c).
// The number and the name (16 bytes) of the device that packets between two addresses of one family
// leave by; bound is the device that the socket is bound to, or null.
int dtx_route_device(
    const void *to, const void *from, const char *bound, int service, char *name);
// The kernel's messages about queueing disciplines, or classes; EMSGSIZE for more than fits.
ssize_t dtx_queue_dump(int classes, int device, void *buffer, size_t capacity);

// Processes, threads and signals (process.c).

// posix_spawnp(3) with an empty signal mask; a descriptor of -1 is inherited. SIGPIPE is as by
// default in the child, and so is SIGINT unless `ignoring_interrupt`, which inherits it.
int dtx_spawn(
    pid_t *process, char *const arguments[], int input, int output, int error,
    int ignoring_interrupt);
// Waits for the end of a child without reaping it.
int dtx_await_exit(pid_t process);
// Reaps a child: 1 with how it ended, 0 while it runs.
int dtx_reap(pid_t process, int *signalled, int *code);
// Blocks INT, TERM and HUP in this thread and ignores INT and PIPE; of INT and HUP, one that the
// program was started with ignored stays so.
void dtx_block_signals(void);
void dtx_restore_signals(void);
// Waits for one of those signals: its number, or -1 with EAGAIN after `nanoseconds` (< 0: never).
int dtx_wait_signal(int64_t nanoseconds);
void dtx_set_thread_name(const char *name);
int dtx_set_affinity(const int *processors, size_t count);
// Writes the indices of the processors that this thread may run on; returns how many there are.
int dtx_get_affinity(int *processors, size_t capacity);
// getrandom(2) for all bytes; repeats after EINTR.
int dtx_random(void *buffer, size_t count);
int dtx_disable_core_dumps(void);
// Columns of the terminal, 0 where the descriptor is none.
int dtx_terminal_width(int descriptor);

// Raises the soft limit on open descriptors to the hard one (setrlimit(2)).
int dtx_raise_descriptor_limit(void);

#endif
