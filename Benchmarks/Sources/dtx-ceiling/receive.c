#include "ceiling.h"

#include <CXXHash.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

// A file while it is staged. Who writes to it waits for its lock asleep: the kernel lets one write
// into a file at a time, and those that wait for that spin.
struct staged {
  int descriptor;
  uint64_t missing;
  pthread_mutex_t lock;
};

struct target {
  const struct options *options;
  const struct tree *tree;
  struct staged *files;
  int root;
};

struct receiver {
  struct target *target;
  int socket;
  int index;
  struct sealer *sealer;
  // Records of one file that follow one another gather here.
  uint8_t *unit;
  size_t filled;
  uint32_t file;
  uint64_t offset;
};

// The name beside the real one that a file has until it is whole.
static void staged_name(const char *path, char name[4096]) {
  const char *slash = strrchr(path, '/');
  int folder = slash ? (int)(slash + 1 - path) : 0;
  snprintf(name, 4096, "%.*s.%s.part", folder, path, path + folder);
}

static int create_staged(struct target *target, uint32_t file) {
  char name[4096];
  staged_name(target->tree->files[file].path, name);
  int descriptor = openat(target->root, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) die(name);
  if (ftruncate(descriptor, (off_t)target->tree->files[file].length)) die("ftruncate");
  return descriptor;
}

static void sync_staged(int descriptor) {
  if (fsync(descriptor)) die("fsync");
  if (close(descriptor)) die("close");
}

static void write_all(int descriptor, const uint8_t *bytes, size_t length, uint64_t offset) {
  if (pwrite(descriptor, bytes, length, (off_t)offset) != (ssize_t)length) die("pwrite");
}

static void check(const uint8_t *bytes, size_t length, const uint64_t expected[2]) {
  dtx_xxh128 digest = dtx_xxh128_once(bytes, length);
  if (digest.high != expected[0] || digest.low != expected[1]) die("digest");
}

static void flush(struct receiver *receiver) {
  if (!receiver->filled) return;
  struct target *target = receiver->target;
  struct staged *staged = &target->files[receiver->file];
  pthread_mutex_lock(&staged->lock);
  if (staged->descriptor < 0) staged->descriptor = create_staged(target, receiver->file);
  write_all(staged->descriptor, receiver->unit, receiver->filled, receiver->offset);
  staged->missing -= receiver->filled;
  bool is_whole = staged->missing == 0;
  pthread_mutex_unlock(&staged->lock);
  if (is_whole) sync_staged(staged->descriptor);
  receiver->filled = 0;
}

static void unpack(struct receiver *receiver, const uint8_t *place, size_t length) {
  const uint8_t *end = place + length;
  while (place < end) {
    struct small_head head;
    memcpy(&head, place, sizeof head);
    place += sizeof head;
    check(place, head.length, head.digest);
    int descriptor = create_staged(receiver->target, head.file);
    write_all(descriptor, place, head.length, 0);
    sync_staged(descriptor);
    place += head.length;
  }
}

static bool receive_bytes(int socket, void *place, size_t length) {
  size_t done = 0;
  while (done < length) {
    ssize_t received = recv(socket, (uint8_t *)place + done, length - done, MSG_WAITALL);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0) die("recv");
    if (received == 0) return false;
    done += (size_t)received;
  }
  return true;
}

static void *run_receiver(void *argument) {
  struct receiver *receiver = argument;
  const size_t unit = receiver->target->options->unit;
  struct record_head head;
  while (receive_bytes(receiver->socket, &head, sizeof head)) {
    bool follows = head.file == receiver->file &&
                   head.offset == receiver->offset + receiver->filled &&
                   receiver->filled + head.length <= unit;
    if (!follows) flush(receiver);
    uint8_t *data = receiver->unit + receiver->filled;
    size_t length = head.length + (receiver->sealer ? TAG_BYTES : 0);
    if (!receive_bytes(receiver->socket, data, length)) die("a record's end");
    if (receiver->sealer) unseal(receiver->sealer, &head, data);
    if (head.file == PACK) {
      unpack(receiver, data, head.length);
      continue;
    }
    check(data, head.length, head.digest);
    if (!receiver->filled) {
      receiver->file = head.file;
      receiver->offset = head.offset;
    }
    receiver->filled += head.length;
    if (receiver->filled == unit) flush(receiver);
  }
  flush(receiver);
  return NULL;
}

// Renames this thread's share of the files.
static void *commit(void *argument) {
  struct receiver *receiver = argument;
  struct target *target = receiver->target;
  size_t stride = (size_t)target->options->connections;
  for (size_t index = (size_t)receiver->index; index < target->tree->file_count; index += stride) {
    char name[4096];
    staged_name(target->tree->files[index].path, name);
    if (renameat(target->root, name, target->root, target->tree->files[index].path)) die(name);
  }
  return NULL;
}

// One line a file, written and synced together.
static void write_journal(struct target *target) {
  int descriptor = openat(target->root, ".journal", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) die(".journal");
  FILE *journal = fdopen(descriptor, "w");
  if (!journal) die(".journal");
  for (size_t index = 0; index < target->tree->file_count; index++) {
    const struct file *file = &target->tree->files[index];
    fprintf(journal, "%s %llu\n", file->path, (unsigned long long)file->length);
  }
  if (fflush(journal) || fsync(descriptor) || fclose(journal)) die(".journal");
}

static void sync_directories(struct target *target) {
  for (size_t index = 0; index < target->tree->directory_count; index++) {
    int descriptor = openat(
        target->root, target->tree->directories[index], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) die(target->tree->directories[index]);
    sync_staged(descriptor);
  }
  if (fsync(target->root)) die("fsync");
}

static void on_all(struct receiver *receivers, int count, void *(*body)(void *)) {
  pthread_t threads[count];
  for (int index = 0; index < count; index++) {
    if (pthread_create(&threads[index], NULL, body, &receivers[index])) die("pthread_create");
  }
  for (int index = 0; index < count; index++) pthread_join(threads[index], NULL);
}

void receive_tree(const struct options *options, const struct tree *tree, const int *sockets) {
  struct target target = {options, tree, NULL, -1};
  if (mkdir(options->target, 0700) && errno != EEXIST) die(options->target);
  target.root = open(options->target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (target.root < 0) die(options->target);
  for (size_t index = 0; index < tree->directory_count; index++) {
    if (mkdirat(target.root, tree->directories[index], 0700)) die(tree->directories[index]);
  }
  target.files = calloc(tree->file_count + 1, sizeof *target.files);
  if (!target.files) die("calloc");
  for (size_t index = 0; index < tree->file_count; index++) {
    target.files[index] =
        (struct staged){-1, tree->files[index].length, PTHREAD_MUTEX_INITIALIZER};
  }
  struct receiver receivers[options->connections];
  for (int index = 0; index < options->connections; index++) {
    size_t length = options->unit + RECORD_BYTES + 4096;
    void *unit = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (unit == MAP_FAILED) die("mmap");
    receivers[index] = (struct receiver){
        .target = &target,
        .socket = sockets[index],
        .index = index,
        .sealer = options->sealed ? sealer_new(index) : NULL,
        .unit = unit,
    };
  }
  on_all(receivers, options->connections, run_receiver);
  write_journal(&target);
  on_all(receivers, options->connections, commit);
  sync_directories(&target);
}
