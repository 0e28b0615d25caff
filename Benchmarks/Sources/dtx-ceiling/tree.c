#include "ceiling.h"

#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void *grown(void *list, size_t count, size_t size) {
  // Powers of two from 64 on.
  if (count == 0 || (count >= 64 && (count & (count - 1)) == 0)) {
    list = realloc(list, (count == 0 ? 64 : 2 * count) * size);
    if (!list) die("realloc");
  }
  return list;
}

static void add_run(struct tree *tree, struct run run) {
  tree->runs = grown(tree->runs, tree->run_count, sizeof *tree->runs);
  tree->runs[tree->run_count++] = run;
}

static int by_name(const FTSENT **left, const FTSENT **right) {
  return strcmp((*left)->fts_name, (*right)->fts_name);
}

static void list(struct tree *tree, const char *source) {
  char *const roots[] = {(char *)source, NULL};
  size_t prefix = strlen(source);
  FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
  if (!walk) die("fts_open");
  FTSENT *entry;
  while ((entry = fts_read(walk))) {
    const char *below = entry->fts_path + prefix;
    while (*below == '/') below++;
    if (entry->fts_info == FTS_F) {
      tree->files = grown(tree->files, tree->file_count, sizeof *tree->files);
      struct file file = {strdup(below), (uint64_t)entry->fts_statp->st_size};
      tree->files[tree->file_count++] = file;
    } else if (entry->fts_info == FTS_D && *below) {
      tree->directories = grown(tree->directories, tree->directory_count, sizeof(char *));
      tree->directories[tree->directory_count++] = strdup(below);
    }
  }
  fts_close(walk);
}

struct tree read_tree(const struct options *options) {
  struct tree tree = {0};
  list(&tree, options->source);
  struct run pack = {0};
  for (uint32_t index = 0; index < tree.file_count; index++) {
    uint64_t length = tree.files[index].length;
    if (length <= SMALL_BYTES) {
      uint64_t added = sizeof(struct small_head) + length;
      bool follows = pack.file_count && pack.file + pack.file_count == index;
      if (pack.file_count && (!follows || pack.length + added > RECORD_BYTES)) {
        add_run(&tree, pack);
        pack = (struct run){0};
      }
      if (!pack.file_count) pack.file = index;
      pack.file_count += 1;
      pack.length += added;
      continue;
    }
    uint64_t offset = 0;
    while (offset < length) {
      uint64_t rest = length - offset;
      uint64_t part = rest < 2 * options->run ? rest : options->run;
      add_run(&tree, (struct run){index, 0, offset, part});
      offset += part;
    }
  }
  if (pack.file_count) add_run(&tree, pack);
  return tree;
}
