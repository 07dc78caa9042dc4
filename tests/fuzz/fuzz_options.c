/* Options from text: an accepted text prints as a text that gives the same options; a rejected one changes nothing. */
#include <nnblas.h>
#include <string.h>

#include "fuzz.h"
#include "options.h"

static void check(nnb__opts_kind kind, const char *text) {
  union {
    nnb_fit_opts fit;
    nnb_optim_opts optim;
    nnb_min_opts min;
  } opts, back;
  char *printed = NULL;
  memset(&opts, 0, sizeof opts);
  memset(&back, 0, sizeof back);
  if (nnb__opts_parse(kind, text, &opts)) {
    must(memcmp(&opts, &back, sizeof opts) == 0, "a refused text has changed the options");
    return;
  }
  must(nnb__opts_print(kind, &opts, &printed) == NNB_OK, "accepted options cannot be printed");
  must(nnb__opts_parse(kind, printed, &back) == NNB_OK, "printed options cannot be read");
  must(memcmp(&opts, &back, sizeof opts) == 0, "other options came back");
  nnb_free(printed);
}

static void fuzz(const uint8_t *data, size_t size) {
  char *text = malloc(size + 1);
  if (!text) return;
  memcpy(text, data, size);
  text[size] = '\0';
  for (int kind = 0; kind < NNB__N_OPTS; kind++) check((nnb__opts_kind)kind, text);
  free(text);
}
