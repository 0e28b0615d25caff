#include "ceiling.h"

#include <CXXHash.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

struct sender {
  const struct options *options;
  const struct tree *tree;
  size_t *next_run;
  int root;
  int socket;
  struct sealer *sealer;
  // Head, data and tag lie as they are sent.
  struct record_head *head;
  uint8_t *data;
};

static void send_record(struct sender *sender) {
  size_t length = sizeof *sender->head + sender->head->length;
  if (sender->sealer) {
    seal(sender->sealer, sender->head, sender->data);
    length += TAG_BYTES;
  }
  const uint8_t *bytes = (const uint8_t *)sender->head;
  while (length > 0) {
    ssize_t sent = send(sender->socket, bytes, length, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) die("send");
    bytes += sent;
    length -= (size_t)sent;
  }
}

static int open_source(struct sender *sender, uint32_t file) {
  int descriptor = openat(sender->root, sender->tree->files[file].path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) die(sender->tree->files[file].path);
  return descriptor;
}

static void send_range(struct sender *sender, const struct run *run) {
  int descriptor = open_source(sender, run->file);
  uint64_t offset = run->offset, end = run->offset + run->length;
  while (offset < end) {
    size_t length = end - offset < RECORD_BYTES ? end - offset : RECORD_BYTES;
    if (pread(descriptor, sender->data, length, (off_t)offset) != (ssize_t)length) die("pread");
    dtx_xxh128 digest = dtx_xxh128_once(sender->data, length);
    *sender->head = (struct record_head){
        (uint32_t)length, run->file, offset, {digest.high, digest.low}};
    send_record(sender);
    offset += length;
  }
  close(descriptor);
}

static void send_pack(struct sender *sender, const struct run *run) {
  uint8_t *place = sender->data;
  for (uint32_t file = run->file; file < run->file + run->file_count; file++) {
    uint32_t length = (uint32_t)sender->tree->files[file].length;
    uint8_t *data = place + sizeof(struct small_head);
    int descriptor = open_source(sender, file);
    if (pread(descriptor, data, length, 0) != (ssize_t)length) die("pread");
    close(descriptor);
    dtx_xxh128 digest = dtx_xxh128_once(data, length);
    struct small_head head = {file, length, {digest.high, digest.low}};
    memcpy(place, &head, sizeof head);
    place = data + length;
  }
  *sender->head = (struct record_head){.length = (uint32_t)(place - sender->data), .file = PACK};
  send_record(sender);
}

static void *run_sender(void *argument) {
  struct sender *sender = argument;
  for (;;) {
    size_t index = __atomic_fetch_add(sender->next_run, 1, __ATOMIC_RELAXED);
    if (index >= sender->tree->run_count) break;
    const struct run *run = &sender->tree->runs[index];
    if (run->file_count) send_pack(sender, run);
    else send_range(sender, run);
  }
  shutdown(sender->socket, SHUT_WR);
  return NULL;
}

void send_tree(const struct options *options, const struct tree *tree, const int *sockets) {
  int root = open(options->source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) die(options->source);
  size_t next_run = 0;
  pthread_t threads[options->connections];
  struct sender senders[options->connections];
  for (int index = 0; index < options->connections; index++) {
    // The data begins on a page, the head before it.
    size_t length = 4096 + RECORD_BYTES + 4096;
    uint8_t *pages = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) die("mmap");
    senders[index] = (struct sender){
        options,
        tree,
        &next_run,
        root,
        sockets[index],
        options->sealed ? sealer_new(index) : NULL,
        (struct record_head *)(pages + 4096 - sizeof(struct record_head)),
        pages + 4096,
    };
    if (pthread_create(&threads[index], NULL, run_sender, &senders[index])) die("pthread_create");
  }
  for (int index = 0; index < options->connections; index++) pthread_join(threads[index], NULL);
}
