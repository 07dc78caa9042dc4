/* Nets from strings. */
#include <nnblas.h>
#include <string.h>

#include "fuzz.h"

static void fuzz(const uint8_t *data, size_t size) {
  char *text = malloc(size + 1);
  nnb_net *net = NULL;
  if (!text) return;
  memcpy(text, data, size);
  text[size] = '\0';
  nnb_status status = nnb_net_parse(text, &net); /* not sealed: sizes in the text may be large */
  must((status == NNB_OK) == (net != NULL), "status and net");
  nnb_net_destroy(net);
  free(text);
}
