// The plainest fast mover: what dtx is measured against.
//
// Two processes and N connections over loopback. For each byte: read, digest, seal, send; receive,
// open, digest, write into a staged file. For each file: sync, a journal line, rename. Nothing is
// negotiated, compared, resumed or recovered: whatever goes wrong ends the program.
#ifndef DTX_CEILING_H
#define DTX_CEILING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct options {
  const char *source;
  const char *target;
  bool sealed;
  int connections;
  // Bytes that are written with one call, at most; a whole number of records.
  size_t unit;
  // Bytes of a socket's buffers; 0 leaves them to the kernel.
  int socket_buffer;
  // Bytes of one file that go over one connection in order; less than two of them is one run.
  uint64_t run;
};

// Bytes of file data in a record, at most.
#define RECORD_BYTES (256u << 10)
#define TAG_BYTES 16u
// A file up to this length travels with others in one record.
#define SMALL_BYTES (64u << 10)
// In `record_head.file`: the record holds small files, each behind a `small_head`.
#define PACK UINT32_MAX

// What a record begins with; it is authenticated, not encrypted.
struct record_head {
  uint32_t length;
  uint32_t file;
  uint64_t offset;
  uint64_t digest[2];
};

struct small_head {
  uint32_t file;
  uint32_t length;
  uint64_t digest[2];
};

struct file {
  char *path;  // Below the root.
  uint64_t length;
};

// Work for one connection at a time: a range of one file, or several small files.
struct run {
  uint32_t file;
  uint32_t file_count;
  uint64_t offset;
  uint64_t length;
};

struct tree {
  struct file *files;
  size_t file_count;
  char **directories;
  size_t directory_count;
  struct run *runs;
  size_t run_count;
};

void die(const char *what) __attribute__((noreturn));

// Lists the source and cuts it into runs.
struct tree read_tree(const struct options *options);

// The two ends; each returns when all of it is done. `sockets` are connected, one a connection.
void send_tree(const struct options *options, const struct tree *tree, const int *sockets);
void receive_tree(const struct options *options, const struct tree *tree, const int *sockets);

// AES-256-GCM in place, under the key of one connection.
struct sealer *sealer_new(int connection);
void seal(struct sealer *sealer, const struct record_head *head, uint8_t *data);
void unseal(struct sealer *sealer, const struct record_head *head, uint8_t *data);

#endif
