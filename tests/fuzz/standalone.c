/* tests/fuzz/standalone.c: runs a fuzz target over the files of a folder, with any compiler: unchanged, repeated to 64
 * KB, and with a few bytes changed, always the same ones. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LONG = 1 << 16, CHANGED = 100 };

static uint32_t drawn = 1; /* xorshift32 (Marsaglia 2003) */

static size_t draw(size_t below) {
  drawn ^= drawn << 13, drawn ^= drawn >> 17, drawn ^= drawn << 5;
  return drawn % below;
}

static void run_repeated(const uint8_t *data, size_t size) {
  uint8_t *copy = malloc(LONG);
  for (size_t i = 0; copy && i < LONG; i++) copy[i] = data[i % size];
  if (copy) LLVMFuzzerTestOneInput(copy, LONG);
  free(copy);
}

/* One to four bytes become others of the file, or any. */
static void run_changed(const uint8_t *data, size_t size) {
  uint8_t *copy = malloc(size);
  for (size_t i = 0; copy && i < size; i++) copy[i] = data[i];
  for (size_t k = 0, n = 1 + draw(4); copy && k < n; k++)
    copy[draw(size)] = draw(2) ? data[draw(size)] : (uint8_t)draw(256);
  if (copy) LLVMFuzzerTestOneInput(copy, size);
  free(copy);
}

static int run(const char *folder, const char *name) {
  char path[1024];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *f = fopen(path, "rb");
  long size = -1;
  if (f && fseek(f, 0, SEEK_END) == 0) size = ftell(f);
  if (size < 0) {
    fprintf(stderr, "%s cannot be read\n", path);
    return 1;
  }
  rewind(f);
  uint8_t *data = malloc((size_t)size + 1);
  int failed = !data || fread(data, 1, (size_t)size, f) != (size_t)size;
  if (!failed) {
    printf("%s: %ld bytes\n", path, size);
    LLVMFuzzerTestOneInput(data, (size_t)size);
    if (size > 0) run_repeated(data, (size_t)size);
    for (int i = 0; size > 0 && i < CHANGED; i++) run_changed(data, (size_t)size);
  }
  free(data);
  fclose(f);
  return failed;
}

int main(int argc, char **argv) {
  int n = 0, failed = 0;
  DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
  if (!dir) {
    fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
    if (entry->d_name[0] != '.') failed += run(argv[1], entry->d_name), n++;
  closedir(dir);
  return failed || n == 0;
}
