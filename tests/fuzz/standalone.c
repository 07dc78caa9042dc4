/* tests/fuzz/standalone.c: runs a fuzz target over the files of a folder, with any compiler. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
